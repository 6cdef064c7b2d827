import type {
  CachePointBlock,
  ConverseStreamCommandInput,
  Message,
  SystemContentBlock,
  ToolConfiguration,
} from "@aws-sdk/client-bedrock-runtime";
import type { DocumentType } from "@smithy/types";
import { type ChatParameters, collectParameters, PARAMETER_ROWS } from "../config/parameters.ts";
import type { Configuration } from "../config/settings.ts";
import { withCachePoints } from "../models/cache-points.ts";
import type { Guardrail } from "./guardrail.ts";
import type { JsonObject } from "../json.ts";
import type { FamilyFacts } from "../models/families.ts";

export type { ChatParameters } from "../config/parameters.ts";

/** A text, or its blocks where it is cached up to some of them. */
export type SystemPrompt = string | readonly SystemContentBlock[];

export interface ChatRequest {
  modelId: string;
  /** The conversation so far; the last message is the question. */
  messages: readonly Message[];
  system?: SystemPrompt | undefined;
  parameters: ChatParameters;
  guardrail?: Guardrail | undefined;
  /** Where the prompt is cached up to; undefined caches nothing. */
  cachePoint?: CachePointBlock | undefined;
  /** Where the model takes cache points. */
  cachePlaces?: FamilyFacts["cachePoints"];
  /** Fields of the model's own, such as those for reasoning. */
  additionalFields?: JsonObject | undefined;
  /** Those of its answer that are wanted, as JSON pointers. */
  responseFields?: readonly string[] | undefined;
  /** Marks the call in the invocation logs. */
  metadata?: Readonly<Record<string, string>> | undefined;
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
    cachePlaces,
    additionalFields = {},
    responseFields = [],
    metadata = {},
    tools,
  } = request;
  const { inferenceConfig, ...service } = placeParameters(parameters);
  const cacheable = { system: systemBlocks(system), messages, tools };
  const cached = withCachePoints(cachePoint, cacheable, cachePlaces);
  return {
    modelId,
    messages: cached.messages,
    ...(cached.system.length > 0 ? { system: cached.system } : {}),
    ...(inferenceConfig ? { inferenceConfig } : {}),
    ...(cached.tools ? { toolConfig: cached.tools } : {}),
    ...(guardrail ? { guardrailConfig: { ...guardrail } } : {}),
    ...service,
    ...(Object.keys(additionalFields).length > 0
      ? { additionalModelRequestFields: additionalFields as DocumentType }
      : {}),
    ...(responseFields.length > 0 ? { additionalModelResponseFieldPaths: [...responseFields] } : {}),
    ...(Object.keys(metadata).length > 0 ? { requestMetadata: { ...metadata } } : {}),
  };
}

function systemBlocks(system: SystemPrompt | undefined): readonly SystemContentBlock[] {
  if (typeof system !== "string") return system ?? [];
  return system === "" ? [] : [{ text: system }];
}

/** The tool that a model gives an answer with that is held to a schema. */
export const ANSWER_TOOL = "answer";

/** A person's message of plain text; without any there is nothing in it but what is attached to it. */
export function userMessage(text: string): Message {
  return { role: "user", content: text === "" ? [] : [{ text }] };
}

/** The parameters that have a field of Converse's request for themselves, in it. */
function placeParameters(
  parameters: ChatParameters,
): Pick<ConverseStreamCommandInput, "inferenceConfig" | "serviceTier" | "performanceConfig"> {
  const placed: Record<string, Record<string, unknown>> = {};
  for (const [name, { converse }] of PARAMETER_ROWS) {
    const value = parameters[name];
    const isEmpty = value === undefined || (Array.isArray(value) && value.length === 0);
    if (isEmpty || converse === "by-family") continue;
    const [object, field] = converse;
    placed[object] = { ...placed[object], [field]: value };
  }
  return placed;
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
  return collectParameters((name) => layers.findLast((layer) => layer[name] !== undefined)?.[name]);
}
