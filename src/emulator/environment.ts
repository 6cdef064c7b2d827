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

/** A model that every region has: without one Claude Code asks Anthropic's path for a name of Anthropic's own. */
const CLAUDE = "global.anthropic.claude-sonnet-4-6";

/** Lines of a shell, as comments, for clients that do not read the variables of AWS alone. */
export function variablesOfClients({ url, bearerToken }: { url: string; bearerToken: string }): string[] {
  return [
    "# Claude Code by Bedrock's API, beside the lines above; it, too, and others by Anthropic's and by OpenAI's:",
    `# export CLAUDE_CODE_USE_BEDROCK=1 ANTHROPIC_BEDROCK_BASE_URL=${url}`,
    `# export ANTHROPIC_BASE_URL=${url}/anthropic ANTHROPIC_API_KEY=${bearerToken} ANTHROPIC_MODEL=${CLAUDE} ANTHROPIC_DEFAULT_HAIKU_MODEL=${CLAUDE}`,
    `# export OPENAI_BASE_URL=${url}/openai/v1 OPENAI_API_KEY=${bearerToken}`,
  ];
}
