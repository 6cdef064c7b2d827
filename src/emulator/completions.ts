import { isRecord, type JsonObject } from "../json.ts";
import type { Framing } from "./framing.ts";
import { type AnswerName, callIdOf, errorInStream } from "./openai-request.ts";
import type { StreamStep } from "./script.ts";
import { paced, splitIntoDeltas, type SimulatedAnswer } from "./simulated-answer.ts";

/** How the chunks of a completion are written: https://platform.openai.com/docs/api-reference/chat-streaming */
export const COMPLETIONS_FRAMING: Framing = {
  contentType: "text/event-stream; charset=utf-8",
  deltas: ["delta"],
  ends: ["finish"],
  event: (_, payload) => frame(JSON.stringify(payload)),
  exception: (name, payload) =>
    frame(JSON.stringify({ error: { type: "server_error", ...errorInStream(name, payload) } })),
};

function frame(data: string): Uint8Array {
  return Buffer.from(`data: ${data}\n\n`);
}

const FINISH_REASONS: Readonly<Record<SimulatedAnswer["stopReason"], string>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  tool_use: "tool_calls",
  content_filtered: "content_filter",
  guardrail_intervened: "content_filter",
  model_context_window_exceeded: "length",
  malformed_model_output: "stop",
  malformed_tool_use: "stop",
};

/** The completion of a made-up answer, for who does not stream. */
export function completionOf(answer: SimulatedAnswer, name: AnswerName): JsonObject {
  const { text, stopReason, reasoning } = answer;
  const calls = callsOf(answer);
  const message = {
    role: "assistant",
    content: text === "" ? null : text,
    refusal: null,
    ...(reasoning ? { reasoning: reasoning.text } : {}),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  const choice = { index: 0, message, logprobs: null, finish_reason: FINISH_REASONS[stopReason] };
  return { ...beginningOf(name), object: "chat.completion", choices: [choice], usage: usageOf(answer) };
}

/** The stream of a made-up answer. Reasoning has a field of its own, which is measured at Mantle and in no specification. */
export function* completionSteps(
  answer: SimulatedAnswer,
  { delayMs, ...name }: AnswerName & { delayMs: number },
): Generator<StreamStep> {
  const { text, reasoning, stopReason } = answer;
  const options = name.body["stream_options"];
  const isCounted = isRecord(options) && options["include_usage"] === true;
  const chunk = (event: string, delta: object, finish: string | null = null): StreamStep => {
    const choice = { index: 0, delta, logprobs: null, finish_reason: finish };
    const counts = isCounted ? { usage: null } : {};
    return {
      event,
      payload: { ...beginningOf(name), object: "chat.completion.chunk", choices: [choice], ...counts },
    };
  };
  const pieces = (whole: string, toDelta: (piece: string) => object): Generator<StreamStep> =>
    paced(splitIntoDeltas(whole), delayMs, (piece) => chunk("delta", toDelta(piece)));
  yield chunk("start", { role: "assistant", content: "", refusal: null });
  if (reasoning) yield* pieces(reasoning.text, (piece) => ({ reasoning: piece }));
  yield* pieces(text, (content) => ({ content }));
  for (const [index, { function: called, ...call }] of callsOf(answer).entries()) {
    yield chunk("call", { tool_calls: [{ index, ...call, function: { name: called.name, arguments: "" } }] });
    yield* pieces(called.arguments, (piece) => ({ tool_calls: [{ index, function: { arguments: piece } }] }));
  }
  yield chunk("finish", {}, FINISH_REASONS[stopReason]);
  if (isCounted) {
    const counted = {
      ...beginningOf(name),
      object: "chat.completion.chunk",
      choices: [],
      usage: usageOf(answer),
    };
    yield { event: "usage", payload: counted };
  }
  yield { bytes: frame("[DONE]") };
}

function callsOf({
  toolUses,
}: SimulatedAnswer): { id: string; type: "function"; function: { name: string; arguments: string } }[] {
  return toolUses.map(({ toolUseId, name, input }) => ({
    id: callIdOf(toolUseId),
    type: "function",
    function: { name, arguments: JSON.stringify(input) },
  }));
}

function beginningOf({ callId, body, createdAt }: AnswerName): object {
  return { id: `chatcmpl-${callId}`, created: createdAt, model: body["model"], service_tier: "default" };
}

function usageOf({ inputTokens, outputTokens }: SimulatedAnswer): object {
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    prompt_tokens_details: { cached_tokens: 0 },
  };
}
