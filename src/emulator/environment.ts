/** What a client needs to reach an emulator. */
export interface EmulatorAccess {
  readonly url: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Variables that would lead past the emulator: other credentials, other endpoints, proxies. */
const MISLEADING =
  /^(AWS_(PROFILE|DEFAULT_PROFILE|SESSION_TOKEN|SECURITY_TOKEN|BEARER_TOKEN_.*|ENDPOINT_URL_.*|IGNORE_CONFIGURED_ENDPOINT_URLS|CONTAINER_.*|WEB_IDENTITY_TOKEN_FILE|ROLE_ARN|ROLE_SESSION_NAME|USE_FIPS_ENDPOINT|USE_DUALSTACK_ENDPOINT|CA_BUNDLE|EC2_METADATA_SERVICE_ENDPOINT.*)|(HTTPS?|ALL|NO)_PROXY|OPENCLAW_BLANK_VARIABLES)$/i;

/** The environment with everything of AWS pointing at the emulator. Regions are kept. */
export function emulatedEnvironment(
  env: Readonly<NodeJS.Dict<string>>,
  emulator: EmulatorAccess,
): NodeJS.Dict<string> {
  const kept = Object.entries(env).filter(([name]) => !MISLEADING.test(name));
  return {
    ...Object.fromEntries(kept),
    AWS_ACCESS_KEY_ID: emulator.accessKeyId,
    AWS_SECRET_ACCESS_KEY: emulator.secretAccessKey,
    AWS_ENDPOINT_URL: emulator.url,
    AWS_EC2_METADATA_DISABLED: "true",
  };
}
