import { allowMore, describeBound, type LengthBound } from "./length-bound.ts";
import { type ErrorFields, OpenclawError } from "../errors.ts";

/** What a stop reason means for whoever asked: an error to end with, or a notice beside a good answer. */
export interface Outcome {
  error?: OpenclawError;
  notice?: string;
}

interface Evidence {
  /** The guardrail policies that acted; undefined when no trace was asked for. */
  guardrail?: readonly string[] | undefined;
  /** The tools that an answer without words calls; undefined for one with words. */
  wordless?: readonly string[] | undefined;
  /** What holds the answer to so many tokens. */
  bound?: LengthBound | undefined;
  /** How many it has. */
  outputTokens?: number | undefined;
}

/** Whether an answer that ended so was cut off, and could have gone on. */
export function isCutShort(stopReason: string | undefined): boolean {
  return stopReason === "max_tokens" || stopReason === "model_context_window_exceeded";
}

/**
 * Judges how an answer ended. Stop reasons are those of Converse's `StopReason`; an unknown one counts as a good end.
 * Errors are `blocked` (withheld) and `model-error` (malformed).
 */
export function judgeStop(
  stopReason: string,
  modelId: string,
  { guardrail, wordless, bound, outputTokens }: Evidence = {},
): Outcome {
  const what = wordless ? `${describeWordless(wordless, modelId)}, and` : "The answer";
  switch (stopReason) {
    case "max_tokens":
      return { notice: `${what} stops at its token limit${describeBound(bound, outputTokens)}.` };
    case "model_context_window_exceeded":
      return { notice: `${what} stops because the context window of '${modelId}' is full.` };
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
      return wordless ? { notice: `${describeWordless(wordless, modelId)}.` } : {};
  }

  function withheld(what: string, hint: string, more: Record<string, unknown> = {}): Outcome {
    const details = { stopReason, ...more };
    return { error: new OpenclawError("blocked", { message: `${what}.`, hint, details }) };
  }
}

function describeWordless(calls: readonly string[], modelId: string): string {
  if (calls.length === 0) return `'${modelId}' has reasoned and given no answer`;
  const tools = calls.map((name) => `'${name}'`).join(", ");
  return `'${modelId}' has called ${tools}, which it was not given, and said nothing`;
}

/**
 * The error for an answer without anything in it. What stopped it decides what helps; `isAgain` tells whether it was
 * asked for twice, `bound` what held it to so many tokens.
 */
export function nothingSaid(
  stopReason: string,
  modelId: string,
  isAgain: boolean,
  bound?: LengthBound,
): Pick<ErrorFields, "message" | "hint"> {
  const message = `'${modelId}' answered with nothing${isAgain ? ", twice" : ""} (${stopReason}).`;
  if (stopReason === "max_tokens") return { message, hint: allowMore(bound) };
  if (stopReason === "model_context_window_exceeded")
    return { message, hint: "Ask less at once, or a model with a larger context window." };
  if (stopReason === "stop_sequence")
    return { message, hint: "The answer begins with a text of --stop: leave that one out." };
  return { message, hint: "Run the command again, or ask another model with --model." };
}
