import type { StreamStep } from "./script.ts";
import { splitIntoDeltas, type SimulatedAnswer } from "./simulated-answer.ts";

/** AWS adds this much of this text to each event, so that the length of a frame does not give its content away. */
const PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** One event with its random padding, as Bedrock sends it. */
export function eventStep(event: string, payload: Readonly<Record<string, unknown>>): StreamStep {
  return {
    event,
    payload: { ...payload, p: PADDING.slice(0, 1 + Math.floor(Math.random() * PADDING.length)) },
  };
}

/** The stream of a made-up answer. Text blocks have no contentBlockStart, as on the real service. */
export function* answerSteps(
  answer: SimulatedAnswer,
  options: { delayMs: number; elapsed: () => number },
): Generator<StreamStep> {
  yield eventStep("messageStart", { role: "assistant" });
  let index = 0;
  if (answer.reasoning !== undefined) {
    const { text: thought, signature } = answer.reasoning;
    yield* deltas(thought, index, (text) => ({ reasoningContent: { text } }), options.delayMs);
    yield eventStep("contentBlockDelta", {
      contentBlockIndex: index,
      delta: { reasoningContent: { signature } },
    });
    yield eventStep("contentBlockStop", { contentBlockIndex: index });
    index++;
  }
  if (answer.text !== "") {
    yield* deltas(answer.text, index, (text) => ({ text }), options.delayMs);
    yield eventStep("contentBlockStop", { contentBlockIndex: index });
  }
  if (answer.tool) {
    const { name, toolUseId, input } = answer.tool;
    const start = { toolUse: { name, toolUseId, type: "tool_use" } };
    yield eventStep("contentBlockStart", { contentBlockIndex: index, start });
    yield* deltas(JSON.stringify(input), index, (text) => ({ toolUse: { input: text } }), options.delayMs);
    yield eventStep("contentBlockStop", { contentBlockIndex: index });
  }
  yield eventStep("messageStop", { stopReason: answer.stopReason });
  const metrics = { latencyMs: options.elapsed() };
  yield eventStep("metadata", { usage: usageOf(answer), metrics, ...answer.served });
}

/** The answer of Converse, which does not stream. */
export function converseResponse(answer: SimulatedAnswer, latencyMs: number): object {
  const { reasoning, text, tool, stopReason } = answer;
  const content = [
    ...(reasoning ? [{ reasoningContent: { reasoningText: reasoning } }] : []),
    ...(text === "" ? [] : [{ text }]),
    ...(tool ? [{ toolUse: tool }] : []),
  ];
  return {
    output: { message: { role: "assistant", content } },
    stopReason,
    usage: usageOf(answer),
    metrics: { latencyMs },
    ...answer.served,
  };
}

function* deltas(
  text: string,
  contentBlockIndex: number,
  toDelta: (text: string) => object,
  delayMs: number,
): Generator<StreamStep> {
  for (const [nth, piece] of splitIntoDeltas(text).entries()) {
    if (delayMs > 0 && nth > 0) yield { wait: delayMs };
    yield eventStep("contentBlockDelta", { contentBlockIndex, delta: toDelta(piece) });
  }
}

function usageOf({ inputTokens, outputTokens }: SimulatedAnswer): object {
  return { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
}
