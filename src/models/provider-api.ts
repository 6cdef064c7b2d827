import type { Configuration, ProviderSettings } from "../config/settings.ts";
import { type OpenclawError, usageError } from "../errors.ts";

/** The provider id of Amazon Bedrock. */
export const BEDROCK = "amazon-bedrock";

/** The provider id of Amazon Bedrock's other endpoint, `bedrock-mantle`. */
export const MANTLE = "amazon-bedrock-mantle";

/** What may stand behind the root of Mantle in its `baseUrl`, as clients of other programs write it. */
export const BASE_URL_END = /\/(?:v1|openai(?:\/v1)?|anthropic(?:\/v1)?)?\/*$/;

/** The API that a provider's models are called through: what its settings say, else Converse for Amazon Bedrock only. */
export function apiOf(
  providerId: string,
  provider: ProviderSettings | undefined,
): NonNullable<ProviderSettings["api"]> {
  return provider?.api ?? (providerId === BEDROCK ? "bedrock-converse-stream" : "openai-completions");
}

/** Whether a model is called through one of OpenAI's APIs. */
export function speaksOpenai(model: { providerId: string; provider: ProviderSettings | undefined }): boolean {
  return !speaksConverse(model);
}

/** Whether a model is called through Bedrock's Converse, whatever its provider is called. */
export function speaksConverse(model: {
  providerId: string;
  provider: ProviderSettings | undefined;
}): boolean {
  return apiOf(model.providerId, model.provider) === "bedrock-converse-stream";
}

/** Whether a provider leaves it to its server to say which models there are. */
export function isListedByServer(config: Configuration): boolean {
  return openaiProviders(config).some((id) => (config.models?.providers?.[id]?.models ?? []).length === 0);
}

/** The ids of the providers whose models are called through OpenAI's API, in the order of the file. */
export function openaiProviders(config: Configuration): string[] {
  const providers = Object.entries(config.models?.providers ?? {});
  return providers.flatMap(([providerId, provider]) =>
    speaksOpenai({ providerId, provider }) ? [providerId] : [],
  );
}

/** A configuration without the providers whose models are called through OpenAI's API, for `--emulator`, which asks nobody else. */
export function withoutServers(config: Configuration): Configuration {
  const others = new Set(openaiProviders(config));
  if (others.size === 0) return config;
  const providers = Object.fromEntries(
    Object.entries(config.models?.providers ?? {}).filter(([providerId]) => !others.has(providerId)),
  );
  return { ...config, models: { ...config.models, providers } };
}

/** The error for another provider's model under `--emulator`. */
export function notUnderEmulator(provider: string): OpenclawError {
  return usageError(
    `--emulator asks nobody but itself, and '${provider}' is another server.`,
    "Leave --emulator out, or choose one of its models: openclaw models list --emulator",
  );
}
