import { type ChatEvent, type ChatEvents, usageOf } from "../converse/chat-event.ts";
import { KeptLength } from "../converse/kept-length.ts";
import type { LengthBound } from "../converse/length-bound.ts";
import { isCutShort, judgeStop, nothingSaid } from "../converse/outcome.ts";
import { isSeen } from "../converse/said.ts";
import { OpenclawError } from "../errors.ts";
import { addUsage, type TokenUsage } from "../models/usage.ts";

type Event<Type extends ChatEvent["type"]> = Extract<ChatEvent, { type: Type }>;

/**
 * Asks for an answer, and once more for one without any content: no words, no reasoning, no call. Nothing is passed on
 * before there is some, and the counts are those of both. `tell` is told before the second time; with `asksOnce` there is
 * none. Throws `model-error` for an answer that stays empty, with the counts in its details, `bad-response` for one that is
 * blank without end, and what the answers throw.
 */
export async function* askForContent(
  ask: () => ChatEvents,
  tell: (model: string) => void,
  { asksOnce, lengthBound }: { asksOnce?: boolean | undefined; lengthBound?: LengthBound } = {},
): ChatEvents {
  const first = yield* passOnContent(ask(), lengthBound);
  if (!first) return;
  // Cut off at a limit, the next answer would be as empty as this one.
  if (!asksOnce && !isCutShort(stopOf(first)?.stopReason)) {
    tell(startOf(first)?.model ?? "");
    const second = yield* passOnContent(ask(), lengthBound, first);
    if (second) return yield* failEmpty(second, true);
  } else yield* failEmpty(first, false);
}

/** An answer that began and failed has a model and a request id to be told. */
function* failEmpty(events: readonly ChatEvent[], isAgain: boolean): Generator<ChatEvent, never> {
  const start = startOf(events);
  if (start) yield start;
  throw emptyAnswer(events, isAgain);
}

/**
 * Passes an answer on from its first content. Returns the events of one that has none, of which nothing is passed on.
 * Those of an empty answer `before` it count in.
 */
async function* passOnContent(
  events: ChatEvents,
  bound: LengthBound | undefined,
  before: readonly ChatEvent[] = [],
): AsyncGenerator<ChatEvent, ChatEvent[] | undefined, undefined> {
  let held: ChatEvent[] | undefined = [];
  const length = new KeptLength();
  try {
    for await (const arrived of events) {
      const event = withBound(countingIn(arrived, before), bound);
      if (held) length.add("text" in event ? event.text.length : 0);
      held?.push(event);
      if (!held) yield event;
      else if (isContent(event)) {
        const all = held;
        held = undefined;
        yield* all;
      }
    }
    return held;
  } catch (error) {
    // An answer that began and failed has a request id to be told.
    const start = held && startOf(held);
    if (start) yield start;
    throw error;
  }
}

/** Whether an event is content, or tells of some: of an answer that was withheld, or that has none in words. */
function isContent(event: ChatEvent): boolean {
  if (event.type === "text") return isSeen(event.text);
  if (event.type === "stop")
    return event.wordless !== undefined || judgeStop(event.stopReason, "").error !== undefined;
  return event.type === "reasoning" || event.type === "tool-start" || event.type === "chunk";
}

function countingIn(event: ChatEvent, before: readonly ChatEvent[]): ChatEvent {
  if (event.type === "start") {
    const attempts = event.attempts + (startOf(before)?.attempts ?? 0);
    return { ...event, attempts };
  }
  const counts = event.type === "usage" ? countsOf(before) : undefined;
  return event.type === "usage" && counts ? { ...event, ...addUsage(counts, event) } : event;
}

/** The end of an answer that was cut at its token limit, with what holds it there. */
function withBound(event: ChatEvent, bound: LengthBound | undefined): ChatEvent {
  return event.type === "stop" && event.stopReason === "max_tokens" ? { ...event, bound } : event;
}

function emptyAnswer(events: readonly ChatEvent[], isAgain: boolean): OpenclawError {
  const { model = "", requestId } = startOf(events) ?? {};
  const stop = stopOf(events);
  const { stopReason = "unknown" } = stop ?? {};
  const usage = countsOf(events);
  return new OpenclawError("model-error", {
    ...nothingSaid(stopReason, model, isAgain, stop?.bound),
    requestId,
    details: { stopReason, ...(usage ? { usage } : {}) },
  });
}

function startOf(events: readonly ChatEvent[]): Event<"start"> | undefined {
  return events.find((event) => event.type === "start");
}

function stopOf(events: readonly ChatEvent[]): Event<"stop"> | undefined {
  return events.find((event) => event.type === "stop");
}

/** The counts of an answer; undefined where none came. */
function countsOf(events: readonly ChatEvent[]): TokenUsage | undefined {
  const counted = events.find((event) => event.type === "usage");
  return counted && usageOf(counted);
}
