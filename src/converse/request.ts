import type {
  ConverseStreamCommandInput,
  InferenceConfiguration,
  Message,
} from "@aws-sdk/client-bedrock-runtime";
import type { Configuration, ModelParameters } from "../config/settings.ts";

/** What a call may ask for beyond its messages. Undefined means: do not send it. */
export interface ChatParameters {
  /** Tokens. */
  maxTokens?: number | undefined;
  temperature?: number | undefined;
  topP?: number | undefined;
  stopSequences?: readonly string[] | undefined;
  serviceTier?: ModelParameters["serviceTier"] | undefined;
  latency?: ModelParameters["latency"] | undefined;
}

export interface ChatRequest {
  modelId: string;
  /** The conversation so far; the last message is the question. */
  messages: readonly Message[];
  system?: string | undefined;
  parameters: ChatParameters;
  guardrail?: Guardrail | undefined;
}

type BedrockPlugin = NonNullable<
  NonNullable<NonNullable<Configuration["plugins"]>["entries"]>["amazon-bedrock"]
>;
type Guardrail = NonNullable<NonNullable<BedrockPlugin["config"]>["guardrail"]>;

/** Builds the ConverseStream input. Nothing optional is in it unless it was asked for: no empty blocks, no defaults. */
export function buildRequest(request: ChatRequest): ConverseStreamCommandInput {
  const { modelId, messages, system, parameters, guardrail } = request;
  const inferenceConfig = inferenceConfiguration(parameters);
  return {
    modelId,
    messages: [...messages],
    ...(system ? { system: [{ text: system }] } : {}),
    ...(Object.keys(inferenceConfig).length > 0 ? { inferenceConfig } : {}),
    ...(guardrail ? { guardrailConfig: { ...guardrail } } : {}),
    ...(parameters.serviceTier ? { serviceTier: { type: parameters.serviceTier } } : {}),
    ...(parameters.latency ? { performanceConfig: { latency: parameters.latency } } : {}),
  };
}

/** A person's message of plain text. */
export function userMessage(text: string): Message {
  return { role: "user", content: [{ text }] };
}

function inferenceConfiguration({
  maxTokens,
  temperature,
  topP,
  stopSequences,
}: ChatParameters): InferenceConfiguration {
  return {
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(stopSequences && stopSequences.length > 0 ? { stopSequences: [...stopSequences] } : {}),
  };
}

/** The parameters in force: flags, then those of the model in the config, then those for every model. */
export function mergeParameters(
  flags: ChatParameters,
  config: Configuration,
  keys: readonly string[],
): ChatParameters {
  const defaults = config.agents?.defaults;
  const layers: ChatParameters[] = [
    defaults?.params ?? {},
    ...keys.map((key) => defaults?.models?.[key]?.params ?? {}),
    flags,
  ];
  const merged: ChatParameters = {};
  for (const { maxTokens, temperature, topP, stopSequences, serviceTier, latency } of layers) {
    if (maxTokens !== undefined) merged.maxTokens = maxTokens;
    if (temperature !== undefined) merged.temperature = temperature;
    if (topP !== undefined) merged.topP = topP;
    if (stopSequences !== undefined) merged.stopSequences = stopSequences;
    if (serviceTier !== undefined) merged.serviceTier = serviceTier;
    if (latency !== undefined) merged.latency = latency;
  }
  return merged;
}

/** The guardrail that the config applies to every call. */
export function configuredGuardrail(config: Configuration): Guardrail | undefined {
  return config.plugins?.entries?.["amazon-bedrock"]?.config?.guardrail;
}
