import type { StopReason } from "@aws-sdk/client-bedrock-runtime";
import type { ChatCompletion } from "openai/resources/chat/completions/completions";

/**
 * Finish reasons of OpenAI's API (https://platform.openai.com/docs/api-reference/chat-streaming), and the words that
 * Text Generation Inference and others use in their place.
 */
const STOP_REASONS: Readonly<Record<string, StopReason>> = {
  stop: "end_turn",
  eos: "end_turn",
  eos_token: "end_turn",
  stop_sequence: "stop_sequence",
  length: "max_tokens",
  max_tokens: "max_tokens",
  model_length: "model_context_window_exceeded",
  tool_calls: "tool_use",
  tool_use: "tool_use",
  function_call: "tool_use",
  content_filter: "content_filtered",
};

/** What a finish reason stands on. */
export interface FinishEvidence {
  /** Some servers say `stop` after calls of tools, too. */
  hasToolCalls: boolean;
  hasRefused: boolean;
  /** vLLM's `stop_reason`: the text that ended the answer. */
  matchedStop: unknown;
}

/** Converse's stop reason for a finish reason; a word that nobody knows stays as it is. */
export function toStopReason(finishReason: string, evidence: FinishEvidence): string {
  const reason = STOP_REASONS[finishReason] ?? finishReason;
  if (reason !== "end_turn") return reason;
  if (evidence.hasRefused) return "refusal";
  if (evidence.hasToolCalls) return "tool_use";
  return typeof evidence.matchedStop === "string" && evidence.matchedStop !== "" ? "stop_sequence" : reason;
}

export type FinishReason = ChatCompletion.Choice["finish_reason"];

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  max_tokens: "length",
  model_context_window_exceeded: "length",
  guardrail_intervened: "content_filter",
  content_filtered: "content_filter",
  refusal: "content_filter",
};

/**
 * OpenAI's word for a stop reason of Converse. `hasCalls` tells whether the caller was given calls of its tools: some
 * models end a turn of calls as any other, and one that was held to a schema by a tool has called none of the caller's.
 */
export function finishReason(stopReason: string, hasCalls: boolean): FinishReason {
  return FINISH_REASONS[stopReason] ?? (hasCalls ? "tool_calls" : "stop");
}
