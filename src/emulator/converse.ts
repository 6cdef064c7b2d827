import type { StreamStep } from "./script.ts";
import { splitIntoDeltas, type SimulatedAnswer } from "./simulated-answer.ts";

export interface Usage {
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
}

/** AWS adds this much of this text to each event, so that the length of a frame does not give its content away. */
const PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** One event with its random padding, as Bedrock sends it. */
export function eventStep(event: string, payload: Readonly<Record<string, unknown>>): StreamStep {
  return {
    event,
    payload: { ...payload, p: PADDING.slice(0, 1 + Math.floor(Math.random() * PADDING.length)) },
  };
}

/** One piece of text of a content block. */
export function textStep(text: string, contentBlockIndex = 0): StreamStep {
  return eventStep("contentBlockDelta", { contentBlockIndex, delta: { text } });
}

/**
 * The whole stream of a text answer: start, a delta for each text, stop, metadata. `delayMs` is the pause before each
 * delta after the first. For scripts that only care about the text.
 */
export function* textAnswerSteps(
  texts: Iterable<string>,
  options: { stopReason?: string; usage?: Usage; delayMs?: number } = {},
): Generator<StreamStep> {
  yield eventStep("messageStart", { role: "assistant" });
  yield* deltas(texts, 0, (text) => ({ text }), options.delayMs);
  yield eventStep("contentBlockStop", { contentBlockIndex: 0 });
  yield eventStep("messageStop", { stopReason: options.stopReason ?? "end_turn" });
  yield metadataStep(options.usage ?? { inputTokens: 1, outputTokens: 1, totalTokens: 2 }, 1);
}

/** The stream of a made-up answer. Text blocks have no contentBlockStart, as on the real service. */
export function* answerSteps(
  answer: SimulatedAnswer,
  options: { delayMs: number; elapsed: () => number },
): Generator<StreamStep> {
  yield eventStep("messageStart", { role: "assistant" });
  let index = 0;
  if (answer.reasoning !== undefined) {
    const thought = splitIntoDeltas(answer.reasoning.text);
    yield* deltas(thought, index, (text) => ({ reasoningContent: { text } }), options.delayMs);
    yield eventStep("contentBlockDelta", {
      contentBlockIndex: index,
      delta: { reasoningContent: { signature: answer.reasoning.signature } },
    });
    yield eventStep("contentBlockStop", { contentBlockIndex: index });
    index++;
  }
  if (answer.text !== "") {
    yield* deltas(splitIntoDeltas(answer.text), index, (text) => ({ text }), options.delayMs);
    yield eventStep("contentBlockStop", { contentBlockIndex: index });
  }
  if (answer.tool) {
    const { name, id, input } = answer.tool;
    yield eventStep("contentBlockStart", {
      contentBlockIndex: index,
      start: { toolUse: { name, toolUseId: id, type: "tool_use" } },
    });
    yield* deltas(splitIntoDeltas(input), index, (text) => ({ toolUse: { input: text } }), options.delayMs);
    yield eventStep("contentBlockStop", { contentBlockIndex: index });
  }
  yield eventStep("messageStop", { stopReason: answer.stopReason });
  yield metadataStep(usageOf(answer), options.elapsed());
}

/** The answer of Converse, which does not stream. */
export function converseResponse(answer: SimulatedAnswer, latencyMs: number): object {
  const content = [
    ...(answer.reasoning === undefined ? [] : [{ reasoningContent: { reasoningText: answer.reasoning } }]),
    ...(answer.text === "" ? [] : [{ text: answer.text }]),
    ...(answer.tool
      ? [
          {
            toolUse: {
              name: answer.tool.name,
              toolUseId: answer.tool.id,
              input: JSON.parse(answer.tool.input),
            },
          },
        ]
      : []),
  ];
  return {
    output: { message: { role: "assistant", content } },
    stopReason: answer.stopReason,
    usage: usageOf(answer),
    metrics: { latencyMs },
  };
}

function* deltas(
  texts: Iterable<string>,
  contentBlockIndex: number,
  toDelta: (text: string) => object,
  delayMs = 0,
): Generator<StreamStep> {
  let isFirst = true;
  for (const text of texts) {
    if (delayMs > 0 && !isFirst) yield { wait: delayMs };
    isFirst = false;
    yield eventStep("contentBlockDelta", { contentBlockIndex, delta: toDelta(text) });
  }
}

function metadataStep(usage: Usage, latencyMs: number): StreamStep {
  return eventStep("metadata", { usage, metrics: { latencyMs } });
}

function usageOf({ inputTokens, outputTokens }: SimulatedAnswer): Usage {
  return { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
}
