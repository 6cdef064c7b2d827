import type { ConverseResponse, ConverseStreamOutput, TokenUsage } from "@aws-sdk/client-bedrock-runtime";
import { REASONING_LEVELS } from "../../../config/parameters.ts";
import { isRecord, type JsonObject, recordsAt } from "../../../json.ts";
import { RequestField } from "../../request-field.ts";
import { toJsonAnswer, toJsonPart } from "./to-converse.ts";
import { type ConverseAsked, type ConverseReading, fromConverseRequest } from "./from-converse-request.ts";

/*
 * The body that Nova takes from InvokeModel, and what it answers: nearly Converse's
 * (https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html).
 */

/** The older names of Nova's first examples. */
const OLDER_NAMES: Readonly<Record<string, string>> = {
  max_new_tokens: "maxTokens",
  top_p: "topP",
  top_k: "topK",
};

/** Whether a body is one of Nova's: it says so, or its messages hold blocks as Converse has them, which have no type. */
export function isNovaBody(body: JsonObject): boolean {
  if (body["schemaVersion"] !== undefined) return body["schemaVersion"] === "messages-v1";
  const [first] = recordsAt(body, "messages");
  const [block] = first ? recordsAt(first, "content") : [];
  return block !== undefined && block["type"] === undefined;
}

/** Reads a body of Nova's. Throws `invalid-request`. */
export async function fromNovaBody(body: JsonObject, reading: ConverseReading): Promise<ConverseAsked> {
  const { schemaVersion: _, reasoningConfig, inferenceConfig, ...rest } = body;
  const field = new RequestField(body, "");
  const given = isRecord(inferenceConfig) ? inferenceConfig : {};
  const named = Object.entries(given).map(([name, value]) => [OLDER_NAMES[name] ?? name, value] as const);
  const { topK, reasoningConfig: inner, ...shared }: JsonObject = Object.fromEntries(named);
  const asked = await fromConverseRequest(
    {
      ...rest,
      ...(inferenceConfig === undefined
        ? {}
        : { inferenceConfig: isRecord(inferenceConfig) ? shared : inferenceConfig }),
    },
    reading,
  );
  const config = inner ?? reasoningConfig;
  const own = {
    ...(topK === undefined
      ? {}
      : { topK: new RequestField(topK, "topK", field.at("inferenceConfig")).count() }),
    ...(config === undefined ? {} : { reasoning: levelOf(new RequestField(config, "reasoningConfig")) }),
  };
  return { ...asked, ask: { ...asked.ask, parameters: { ...asked.ask.parameters, ...own } } };
}

function levelOf(config: RequestField): (typeof REASONING_LEVELS)[number] {
  const type = config.at("type").choice(["enabled", "disabled"] as const);
  if (type === "disabled") return "off";
  return config.at("maxReasoningEffort").given?.choice(REASONING_LEVELS) ?? "medium";
}

/** An event of Nova's stream, where Converse has this one. */
export function toNovaEvent(part: ConverseStreamOutput): object {
  if (!part.metadata) return toJsonPart(part);
  const { usage, trace = {} } = part.metadata;
  return { metadata: { usage: toNovaUsage(usage), metrics: {}, trace } };
}

/** A whole answer of Nova's. */
export function toNovaAnswer(answer: ConverseResponse): object {
  const { output, stopReason, usage } = toJsonAnswer(answer);
  return { output, stopReason, usage: toNovaUsage(usage) };
}

/** Nova counts by names of its own: https://docs.aws.amazon.com/nova/latest/userguide/using-invoke-api.html */
function toNovaUsage(usage: Partial<TokenUsage> = {}): object {
  const { inputTokens = 0, outputTokens = 0, totalTokens = 0 } = usage;
  const { cacheReadInputTokens = 0, cacheWriteInputTokens = 0 } = usage;
  return {
    inputTokens,
    outputTokens,
    totalTokens,
    cacheReadInputTokenCount: cacheReadInputTokens,
    cacheWriteInputTokenCount: cacheWriteInputTokens,
  };
}
