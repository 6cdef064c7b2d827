/** The options every command takes, before or after its name. */
export interface GlobalOptions {
  /** Path of the configuration file. */
  config?: string;
  /** AWS profile; goes before every other credential source. */
  profile?: string;
  region?: string;
  /** Endpoint of Bedrock and Bedrock Runtime, never of STS or SSO. */
  endpointUrl?: string;
  /** Run the command against a Bedrock inside this process. */
  emulator?: boolean;
  json?: boolean;
  color: boolean;
  verbose?: boolean;
}
