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
export function variablesOfClients(emulator: { url: string; bearerToken: string }): string[] {
  return [
    "# Claude Code by Bedrock's API, beside the lines above:",
    "# export CLAUDE_CODE_USE_BEDROCK=1",
    `# export ANTHROPIC_BEDROCK_BASE_URL=${emulator.url}`,
    "# Claude Code and others by Anthropic's:",
    `# export ANTHROPIC_BASE_URL=${emulator.url}/anthropic`,
    `# export ANTHROPIC_API_KEY=${emulator.bearerToken}`,
    `# export ANTHROPIC_MODEL=${CLAUDE}`,
    `# export ANTHROPIC_DEFAULT_HAIKU_MODEL=${CLAUDE}`,
    "# Clients of OpenAI's:",
    `# export OPENAI_BASE_URL=${emulator.url}/openai/v1`,
    `# export OPENAI_API_KEY=${emulator.bearerToken}`,
  ];
}
