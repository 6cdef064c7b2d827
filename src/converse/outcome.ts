import { OpenclawError } from "../errors.ts";

/** What a stop reason means for whoever asked: an error to end with, or a notice beside a good answer. */
export interface Outcome {
  error?: OpenclawError;
  notice?: string;
}

/** What a trace tells about the end. */
interface Evidence {
  /** The guardrail policies that acted; undefined when no trace was asked for. */
  guardrail?: readonly string[] | undefined;
}

/**
 * Judges how an answer ended. Stop reasons are those of Converse's `StopReason`; an unknown one counts as a good end.
 * Errors are `blocked` (withheld) and `model-error` (malformed).
 */
export function judgeStop(stopReason: string, modelId: string, { guardrail }: Evidence = {}): Outcome {
  switch (stopReason) {
    case "max_tokens":
      return { notice: "The answer stops at its token limit; --max-tokens sets a higher one." };
    case "model_context_window_exceeded":
      return { notice: `The answer stops because the context window of '${modelId}' is full.` };
    case "guardrail_intervened":
      return guardrail && guardrail.length > 0
        ? withheld(
            `A guardrail intervened: ${guardrail.join(", ")}`,
            "Rephrase the prompt, or change the guardrail's policy.",
            { policies: guardrail },
          )
        : withheld("A guardrail intervened", "Ask for the policy that acted: --guardrail-trace");
    case "content_filtered":
      return withheld(`The content filter of '${modelId}' withheld the answer`, "Rephrase the prompt.");
    case "refusal":
      return withheld(`'${modelId}' refused to answer`, "Rephrase the prompt, or ask another model.");
    case "malformed_model_output":
    case "malformed_tool_use":
      return {
        error: new OpenclawError("model-error", {
          message: `'${modelId}' ended with output that is not well formed (${stopReason}).`,
          hint: "Run the command again.",
          details: { stopReason },
        }),
      };
    default:
      return {};
  }

  function withheld(what: string, hint: string, more: Record<string, unknown> = {}): Outcome {
    const details = { stopReason, ...more };
    return { error: new OpenclawError("blocked", { message: `${what}.`, hint, details }) };
  }
}
