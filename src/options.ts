/** The options every command takes, before or after its name. */
export interface GlobalOptions {
  config?: string | undefined;
  /** AWS profile; goes before every other credential source. */
  profile?: string | undefined;
  region?: string | undefined;
  /** Endpoint of Bedrock and Bedrock Runtime, never of STS or SSO. */
  endpointUrl?: string | undefined;
  /** Run the command against a Bedrock inside this process. */
  emulator?: boolean;
  /** Path of the dialogue that the models of that Bedrock speak. */
  emulatorScript?: string | undefined;
  json?: boolean;
  color: boolean;
  verbose?: boolean;
  /** No notices. */
  quiet?: boolean;
}
