import { type Framing, serverSentEvent } from "./framing.ts";
import type { StreamStep } from "./script.ts";
import { paced, splitIntoDeltas, type SimulatedAnswer } from "./simulated-answer.ts";

/** What an error in the middle of a stream is called by Anthropic, by AWS's name for it. */
const STREAM_ERRORS: Readonly<Record<string, string>> = {
  throttlingException: "rate_limit_error",
  serviceUnavailableException: "overloaded_error",
  validationException: "invalid_request_error",
};

/** How the events of a message are written: https://platform.claude.com/docs/en/build-with-claude/streaming */
export const MESSAGES_FRAMING: Framing = {
  contentType: "text/event-stream; charset=utf-8",
  deltas: ["content_block_delta"],
  ends: ["message_stop"],
  event: serverSentEvent,
  exception: (name, payload) => {
    const message = (payload as { message?: unknown } | null)?.message;
    const type = STREAM_ERRORS[name] ?? "api_error";
    return serverSentEvent("error", { type: "error", error: { type, message } });
  },
};

/** What a message is told apart by: the call that it answers, and the model as the request names it. */
interface MessageName {
  id: string;
  model: string;
}

/** Why an answer ends: https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons */
const STOP_REASONS: Partial<Record<SimulatedAnswer["stopReason"], string>> = {
  content_filtered: "refusal",
  guardrail_intervened: "refusal",
  malformed_model_output: "end_turn",
  malformed_tool_use: "end_turn",
};

/** The message of a made-up answer, for who does not stream. */
export function messageOf(answer: SimulatedAnswer, named: MessageName): object {
  const { reasoning, text, toolUses } = answer;
  return {
    ...beginningOf(named),
    content: [
      ...(reasoning ? [{ type: "thinking", thinking: reasoning.text, signature: reasoning.signature }] : []),
      ...(text === "" ? [] : [{ type: "text", text }]),
      ...toolUses.map(({ toolUseId, name, input }) => ({
        type: "tool_use",
        id: callIdOf(toolUseId),
        name,
        input,
      })),
    ],
    ...endOf(answer),
    usage: usageOf(answer, answer.outputTokens),
  };
}

/** The stream of a made-up answer. */
export function* messageSteps(
  answer: SimulatedAnswer,
  { delayMs, ...named }: MessageName & { delayMs: number },
): Generator<StreamStep> {
  const { reasoning, text, toolUses, outputTokens } = answer;
  const message = { ...beginningOf(named), content: [], stop_reason: null, stop_sequence: null };
  yield step("message_start", { message: { ...message, usage: usageOf(answer, 1) } });
  let index = 0;
  if (reasoning) {
    const pieces = splitIntoDeltas(reasoning.text).map((thinking) => ({ type: "thinking_delta", thinking }));
    const signed = { type: "signature_delta", signature: reasoning.signature };
    yield* block(index++, { type: "thinking", thinking: "", signature: "" }, [...pieces, signed], delayMs);
  }
  if (text !== "") {
    const pieces = splitIntoDeltas(text).map((piece) => ({ type: "text_delta", text: piece }));
    yield* block(index++, { type: "text", text: "" }, pieces, delayMs);
  }
  for (const { toolUseId, name, input } of toolUses) {
    const opened = { type: "tool_use", id: callIdOf(toolUseId), name, input: {} };
    const pieces = splitIntoDeltas(JSON.stringify(input)).map((json) => ({
      type: "input_json_delta",
      partial_json: json,
    }));
    yield* block(index++, opened, pieces, delayMs);
  }
  yield step("message_delta", { delta: endOf(answer), usage: usageOf(answer, outputTokens) });
  yield step("message_stop", {});
}

function* block(
  index: number,
  opened: object,
  deltas: readonly object[],
  delayMs: number,
): Generator<StreamStep> {
  yield step("content_block_start", { index, content_block: opened });
  yield* paced(deltas, delayMs, (delta) => step("content_block_delta", { index, delta }));
  yield step("content_block_stop", { index });
}

function step(event: string, fields: object): StreamStep {
  return { event, payload: { type: event, ...fields } };
}

function beginningOf({ id, model }: MessageName): object {
  return { id: `msg_bdrk_${id.replaceAll("-", "").slice(0, 24)}`, type: "message", role: "assistant", model };
}

/** The id of a call: a made-up one as Bedrock's look on this path. */
function callIdOf(toolUseId: string): string {
  return toolUseId.replace(/^tooluse_/, "toolu_bdrk_");
}

function endOf({ stopReason, stopSequence }: SimulatedAnswer): object {
  return { stop_reason: STOP_REASONS[stopReason] ?? stopReason, stop_sequence: stopSequence ?? null };
}

function usageOf({ inputTokens }: SimulatedAnswer, outputTokens: number): object {
  return {
    input_tokens: inputTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 0,
    output_tokens: outputTokens,
  };
}
