import type { Configuration, ProviderSettings } from "../config/settings.ts";

/** The provider id of Amazon Bedrock. */
export const BEDROCK = "amazon-bedrock";

/** The API that a provider's models are called through: what its settings say, else Converse for Amazon Bedrock only. */
export function apiOf(
  providerId: string,
  provider: ProviderSettings | undefined,
): NonNullable<ProviderSettings["api"]> {
  return provider?.api ?? (providerId === BEDROCK ? "bedrock-converse-stream" : "openai-completions");
}

/** Whether a model is called through OpenAI's API. */
export function speaksOpenai(model: { providerId: string; provider: ProviderSettings | undefined }): boolean {
  return apiOf(model.providerId, model.provider) === "openai-completions";
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
