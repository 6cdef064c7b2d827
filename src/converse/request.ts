import type {
  CachePointBlock,
  ConverseStreamCommandInput,
  InferenceConfiguration,
  Message,
  ToolConfiguration,
} from "@aws-sdk/client-bedrock-runtime";
import type { Configuration, ModelParameters } from "../config/settings.ts";
import { withCachePoints } from "../models/cache-points.ts";
import type { Guardrail } from "./guardrail.ts";
import type { Fields } from "../models/families.ts";

/** What a call may ask for beyond its messages. Undefined means: do not send it. */
export interface ChatParameters {
  /** Tokens. */
  maxTokens?: number | undefined;
  temperature?: number | undefined;
  topP?: number | undefined;
  stopSequences?: readonly string[] | undefined;
  serviceTier?: ModelParameters["serviceTier"] | undefined;
  latency?: ModelParameters["latency"] | undefined;
  reasoning?: ModelParameters["reasoning"] | undefined;
  cache?: ModelParameters["cache"] | undefined;
}

export interface ChatRequest {
  modelId: string;
  /** The conversation so far; the last message is the question. */
  messages: readonly Message[];
  system?: string | undefined;
  parameters: ChatParameters;
  guardrail?: Guardrail | undefined;
  /** Where the prompt is cached up to; undefined caches nothing. */
  cachePoint?: CachePointBlock | undefined;
  /** Fields of the model's own, such as those for reasoning. */
  additionalFields?: Fields | undefined;
  /** Marks the call in the invocation logs. */
  metadata?: Readonly<Record<string, string>> | undefined;
  /** The tools that the model may call. */
  tools?: ToolConfiguration | undefined;
}

/** Builds the ConverseStream input. Nothing optional is in it unless it was asked for: no empty blocks, no defaults. */
export function buildRequest(request: ChatRequest): ConverseStreamCommandInput {
  const {
    modelId,
    messages,
    system,
    parameters,
    guardrail,
    cachePoint,
    additionalFields = {},
    metadata = {},
    tools,
  } = request;
  const inferenceConfig = inferenceConfiguration(parameters);
  const cached = withCachePoints(cachePoint, system ? [{ text: system }] : [], messages);
  return {
    modelId,
    messages: cached.messages,
    ...(cached.system.length > 0 ? { system: cached.system } : {}),
    ...(Object.keys(inferenceConfig).length > 0 ? { inferenceConfig } : {}),
    ...(tools ? { toolConfig: tools } : {}),
    ...(guardrail ? { guardrailConfig: { ...guardrail } } : {}),
    ...(parameters.serviceTier ? { serviceTier: { type: parameters.serviceTier } } : {}),
    ...(parameters.latency ? { performanceConfig: { latency: parameters.latency } } : {}),
    ...(Object.keys(additionalFields).length > 0 ? { additionalModelRequestFields: additionalFields } : {}),
    ...(Object.keys(metadata).length > 0 ? { requestMetadata: { ...metadata } } : {}),
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
  for (const layer of layers) {
    const { maxTokens, temperature, topP, stopSequences, serviceTier, latency, reasoning, cache } = layer;
    if (maxTokens !== undefined) merged.maxTokens = maxTokens;
    if (temperature !== undefined) merged.temperature = temperature;
    if (topP !== undefined) merged.topP = topP;
    if (stopSequences !== undefined) merged.stopSequences = stopSequences;
    if (serviceTier !== undefined) merged.serviceTier = serviceTier;
    if (latency !== undefined) merged.latency = latency;
    if (reasoning !== undefined) merged.reasoning = reasoning;
    if (cache !== undefined) merged.cache = cache;
  }
  return merged;
}
