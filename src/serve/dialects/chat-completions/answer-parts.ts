import type { TokenUsage } from "../../../models/usage.ts";
import type { ChatEvent } from "../../../converse/chat-event.ts";
import { judgeStop } from "../../../converse/outcome.ts";
import { OpenclawError } from "../../../errors.ts";
import { type FinishReason, finishReason } from "../../../wires/chat-completions/stop-reason.ts";

/** What an answer consists of in OpenAI's terms, in the order it arrives. Tool calls are numbered from 0. */
export type AnswerPart =
  | { type: "start"; model: string; requestId: string | undefined }
  | { type: "text"; text: string }
  | { type: "reasoning"; text: string }
  | { type: "call"; index: number; id: string; name: string }
  | { type: "arguments"; index: number; text: string }
  | { type: "finish"; reason: FinishReason }
  | { type: "usage"; usage: TokenUsage };

/**
 * Reads an answer's events as OpenAI's parts. The start is held back until something follows it: what fails in between
 * has said nothing yet. With `mayCallInParallel` false only the first call is passed on. What is
 * withheld, before or in the middle of the answer, finishes as `content_filter`. Throws what the events throw, and
 * `model-error` for output that is not well formed.
 */
export async function* answerParts(
  events: AsyncIterable<ChatEvent>,
  mayCallInParallel: boolean,
): AsyncGenerator<AnswerPart, void, undefined> {
  let started: AnswerPart | undefined;
  for await (const part of readParts(events, mayCallInParallel)) {
    if (part.type === "start") {
      started = part;
      continue;
    }
    if (started) yield started;
    started = undefined;
    yield part;
  }
}

async function* readParts(
  events: AsyncIterable<ChatEvent>,
  mayCallInParallel: boolean,
): AsyncGenerator<AnswerPart, void, undefined> {
  const calls = new CallNumbers(mayCallInParallel);
  let model = "";
  try {
    for await (const event of events) {
      switch (event.type) {
        case "start":
          model = event.model;
          yield { type: "start", model, requestId: event.requestId };
          break;
        case "tool-call":
          yield* calls.begin(event);
          break;
        case "tool-input":
          yield* calls.input(event);
          break;
        case "stop": {
          const { error } = judgeStop(event.stopReason, model);
          if (error && error.code !== "blocked") throw error;
          yield* calls.end();
          yield { type: "finish", reason: finishReason(event.stopReason, calls.count > 0) };
          break;
        }
        case "usage":
          yield { type: "usage", usage: event };
          break;
        default:
          yield event;
      }
    }
  } catch (error) {
    if (!(error instanceof OpenclawError) || error.code !== "blocked") throw error;
    yield* calls.end();
    yield { type: "finish", reason: "content_filter" };
  }
}

/** Numbers the calls of an answer, whose events name content blocks. */
class CallNumbers {
  readonly #numbers = new Map<number, number>();
  readonly #most: number;
  #isBare = false;

  constructor(mayCallInParallel: boolean) {
    this.#most = mayCallInParallel ? Number.POSITIVE_INFINITY : 1;
  }

  get count(): number {
    return this.#numbers.size;
  }

  *begin({ index, id, name }: ChatEvent & { type: "tool-call" }): Generator<AnswerPart> {
    yield* this.end();
    if (this.count >= this.#most) return;
    const number = this.count;
    this.#numbers.set(index, number);
    this.#isBare = true;
    yield { type: "call", index: number, id, name };
  }

  *input({ index, text }: ChatEvent & { type: "tool-input" }): Generator<AnswerPart> {
    const number = this.#numbers.get(index);
    if (number === undefined || text === "") return;
    this.#isBare = false;
    yield { type: "arguments", index: number, text };
  }

  /** A call without any input is one with an empty object: clients parse what they get. */
  *end(): Generator<AnswerPart> {
    if (this.#isBare) yield { type: "arguments", index: this.count - 1, text: "{}" };
    this.#isBare = false;
  }
}
