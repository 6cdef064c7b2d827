import type {
  ConverseStreamMetadataEvent,
  ConverseStreamOutput,
  TokenUsage as AwsTokenUsage,
} from "@aws-sdk/client-bedrock-runtime";
import type { TokenUsage } from "../models/usage.ts";
import type { ChatEvent } from "./chat-event.ts";
import { firedPolicies } from "./guardrail.ts";

/** The event that a part of the stream stands for; undefined for the parts that carry nothing for a reader. */
export function toChatEvent(
  part: ConverseStreamOutput,
  requestId: string | undefined,
  hasTools: boolean,
): ChatEvent | undefined {
  const { delta, contentBlockIndex: index = 0 } = part.contentBlockDelta ?? {};
  if (delta) {
    if (typeof delta.text === "string")
      return delta.text === "" ? undefined : { type: "text", text: delta.text };
    if (delta.toolUse?.input && hasTools) return { type: "tool-input", index, text: delta.toolUse.input };
    const reasoning = delta.reasoningContent?.text;
    return reasoning ? { type: "reasoning", text: reasoning } : undefined;
  }
  const call = part.contentBlockStart?.start?.toolUse;
  if (call && hasTools) {
    return {
      type: "tool-call",
      index: part.contentBlockStart?.contentBlockIndex ?? 0,
      id: call.toolUseId ?? "",
      name: call.name ?? "",
    };
  }
  if (part.messageStop) return { type: "stop", stopReason: part.messageStop.stopReason ?? "unknown" };
  return part.metadata ? readMetadata(part.metadata, requestId) : undefined;
}

/** Usage, and what the trace tells: it may come without counts. */
function readMetadata(
  { usage, trace }: ConverseStreamMetadataEvent,
  requestId: string | undefined,
): ChatEvent | undefined {
  const invokedModel = trace?.promptRouter?.invokedModelId;
  const guardrail = trace?.guardrail ? firedPolicies(trace.guardrail) : [];
  if (!usage && invokedModel === undefined && guardrail.length === 0) return undefined;
  return {
    type: "usage",
    ...readUsage(usage ?? {}),
    ...(requestId === undefined ? {} : { requestId }),
    ...(guardrail.length === 0 ? {} : { guardrail }),
    ...(invokedModel === undefined ? {} : { invokedModel }),
  };
}

function readUsage(usage: Partial<AwsTokenUsage> = {}): TokenUsage {
  const { inputTokens = 0, outputTokens = 0, cacheReadInputTokens, cacheWriteInputTokens } = usage;
  const forAnHour = (usage.cacheDetails ?? [])
    .filter(({ ttl }) => ttl === "1h")
    .reduce((sum, detail) => sum + (detail.inputTokens ?? 0), 0);
  return {
    inputTokens,
    outputTokens,
    totalTokens: usage.totalTokens ?? inputTokens + outputTokens,
    ...(cacheReadInputTokens === undefined ? {} : { cacheReadInputTokens }),
    ...(cacheWriteInputTokens === undefined ? {} : { cacheWriteInputTokens }),
    ...(forAnHour === 0 ? {} : { cacheWrite1hInputTokens: forAnHour }),
  };
}
