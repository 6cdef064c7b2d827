import type { ChatCompletion } from "openai/resources/chat/completions/completions";

export type FinishReason = ChatCompletion.Choice["finish_reason"];

/** OpenAI's word for a stop reason of Converse; `hasCalls` tells whether the caller was given calls of its tools. */
export function finishReason(stopReason: string, hasCalls: boolean): FinishReason {
  switch (stopReason) {
    case "max_tokens":
    case "model_context_window_exceeded":
      return "length";
    case "guardrail_intervened":
    case "content_filtered":
    case "refusal":
      return "content_filter";
    case "tool_use":
      // A model that was held to a schema by a tool has called none of the caller's.
      return hasCalls ? "tool_calls" : "stop";
    default:
      return "stop";
  }
}
