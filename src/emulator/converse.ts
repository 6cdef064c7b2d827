import type { StreamStep } from "./script.ts";
import { paced, splitIntoDeltas, type SimulatedAnswer } from "./simulated-answer.ts";

/** AWS adds this much of this text to each event, so that the length of a frame does not give its content away. */
const PADDING = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/** Some of it. */
export function padding(): string {
  return PADDING.slice(0, 1 + Math.floor(Math.random() * PADDING.length));
}

/** One event with its random padding, as Bedrock sends it. */
export function eventStep(event: string, payload: Readonly<Record<string, unknown>>): StreamStep {
  return { event, payload: { ...payload, p: padding() } };
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
  if (answer.search) {
    yield* searchSteps(answer.search, index);
    index += 2;
  }
  const { citations = [] } = answer;
  if (answer.text !== "") {
    yield* deltas(answer.text, index, (text) => ({ text }), options.delayMs);
    if (answer.search && citations.length > 0) {
      // Nova's come in a block of their own.
      yield eventStep("contentBlockStop", { contentBlockIndex: index });
      index++;
    }
    for (const citation of citations)
      yield eventStep("contentBlockDelta", { contentBlockIndex: index, delta: { citation } });
    yield eventStep("contentBlockStop", { contentBlockIndex: index });
  }
  if (answer.text !== "") index++;
  for (const { name, toolUseId, input } of answer.toolUses) {
    const start = { toolUse: { name, toolUseId, type: "tool_use" } };
    yield eventStep("contentBlockStart", { contentBlockIndex: index, start });
    yield* deltas(JSON.stringify(input), index, (text) => ({ toolUse: { input: text } }), options.delayMs);
    yield eventStep("contentBlockStop", { contentBlockIndex: index });
    index++;
  }
  yield eventStep("messageStop", { stopReason: answer.stopReason });
  const metrics = { latencyMs: options.elapsed() };
  yield eventStep("metadata", { usage: usageOf(answer), metrics, ...answer.served, ...traceOf(answer) });
}

/** The answer of Converse, which does not stream. */
export function converseResponse(answer: SimulatedAnswer, latencyMs: number): object {
  const { reasoning, text, toolUses, stopReason, search, citations } = answer;
  const said = text === "" ? [] : [{ text }];
  const cited = search
    ? [...said, { citationsContent: { citations } }]
    : [{ citationsContent: { content: said, citations } }];
  const content = [
    ...(reasoning ? [{ reasoningContent: { reasoningText: reasoning } }] : []),
    ...(search ? searchBlocks(search) : []),
    ...(citations ? cited : said),
    ...toolUses.map((toolUse) => ({ toolUse })),
  ];
  return {
    output: { message: { role: "assistant", content } },
    stopReason,
    usage: usageOf(answer),
    metrics: { latencyMs },
    ...answer.served,
    ...traceOf(answer),
  };
}

function traceOf({ trace }: SimulatedAnswer): object {
  return trace === undefined ? {} : { trace };
}

/** What Nova does between question and answer; what it found stays with the service. */
function searchBlocks({ toolUseId, query }: NonNullable<SimulatedAnswer["search"]>): object[] {
  return [
    { toolUse: { toolUseId, name: "nova_grounding", input: { query }, type: "server_tool_use" } },
    { toolResult: { toolUseId, content: HIDDEN, status: "success", type: "nova_grounding_result" } },
  ];
}

const HIDDEN = [{ text: "[HIDDEN]" }];

function* searchSteps(
  { toolUseId, query }: NonNullable<SimulatedAnswer["search"]>,
  index: number,
): Generator<StreamStep> {
  const call = { toolUse: { toolUseId, name: "nova_grounding", type: "server_tool_use" } };
  yield eventStep("contentBlockStart", { contentBlockIndex: index, start: call });
  const input = JSON.stringify({ query });
  yield eventStep("contentBlockDelta", { contentBlockIndex: index, delta: { toolUse: { input } } });
  yield eventStep("contentBlockStop", { contentBlockIndex: index });
  const found = { toolResult: { toolUseId, status: "success", type: "nova_grounding_result" } };
  yield eventStep("contentBlockStart", { contentBlockIndex: index + 1, start: found });
  yield eventStep("contentBlockDelta", { contentBlockIndex: index + 1, delta: { toolResult: HIDDEN } });
  yield eventStep("contentBlockStop", { contentBlockIndex: index + 1 });
}

function deltas(
  text: string,
  contentBlockIndex: number,
  toDelta: (text: string) => object,
  delayMs: number,
): Generator<StreamStep> {
  return paced(splitIntoDeltas(text), delayMs, (piece) =>
    eventStep("contentBlockDelta", { contentBlockIndex, delta: toDelta(piece) }),
  );
}

function usageOf({ inputTokens, outputTokens }: SimulatedAnswer): object {
  return { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
}
