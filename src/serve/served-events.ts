import { ByteBlocks } from "../byte-blocks.ts";
import type { ChatEvent, ChatEvents } from "../converse/chat-event.ts";
import { judgeStop } from "../converse/outcome.ts";
import { OpenclawError } from "../errors.ts";

export type Started = Extract<ChatEvent, { type: "start" }>;

/**
 * What proves the reasoning of a block, or has it withheld, that is handed on, in characters or bytes: a million tokens, the
 * most that a model takes, have about as many again.
 */
const LONGEST_PROOF = 2_000_000;

type Signed = Extract<ChatEvent, { type: "signature" }>;

export interface ServedOptions {
  /** Whether an answer may call several tools; otherwise only the first call is passed on. */
  mayCallInParallel: boolean;
  /** Called with each event before it is handed on. */
  onEvent?: (event: ChatEvent) => void;
}

/**
 * An answer's events as every dialect takes them: the start comes with what follows it, since what fails in between has said
 * nothing yet; a call has its input, a signature comes whole, and an answer that is withheld, before or in the middle of it, ends with a stop reason that says so. Throws
 * what the events throw, and `model-error` for output that is not well formed.
 */
export async function* serveEvents(
  events: ChatEvents,
  { mayCallInParallel, onEvent }: ServedOptions,
): ChatEvents {
  const most = mayCallInParallel ? Number.POSITIVE_INFINITY : 1;
  const calls = new Set<number>();
  let model = "";
  let started: Started | undefined;
  let isStopped = false;
  /** What the answer ends with, when its counts have come. */
  let failure: OpenclawError | undefined;
  /** The call to which no input came yet. */
  let bare: number | undefined;
  let proof: Proof | undefined;
  /** What has to come before the next event. */
  function* held(): Generator<ChatEvent> {
    if (started) yield started;
    started = undefined;
    const signed = proof?.whole();
    if (signed) yield signed;
    proof = undefined;
    // A call without any input is one with an empty object: clients parse what they get.
    if (bare !== undefined) yield { type: "tool-input", index: bare, text: "{}" };
    bare = undefined;
  }
  /** What is handed on when an event has come. */
  function* served(event: ChatEvent): Generator<ChatEvent> {
    switch (event.type) {
      case "start":
        ({ model } = event);
        started = event;
        break;
      case "signature":
        if (proof?.index !== event.index) yield* held();
        proof ??= new Proof(event.index);
        proof.take(event);
        break;
      case "tool-start":
        if (calls.size >= most) break;
        yield* held();
        calls.add(event.index);
        yield event;
        bare = event.index;
        break;
      case "tool-input":
        if (!calls.has(event.index) || event.text === "") break;
        if (event.index === bare) bare = undefined;
        yield* held();
        yield event;
        break;
      case "stop": {
        const { error } = judgeStop(event.stopReason, model);
        if (error && error.code !== "blocked") {
          failure = error;
          break;
        }
        yield* held();
        isStopped = true;
        yield event;
        break;
      }
      default:
        yield* held();
        yield event;
    }
  }
  /** The same of an answer that was withheld. */
  function* withheld(error: unknown): Generator<ChatEvent> {
    if (!(error instanceof OpenclawError) || error.code !== "blocked" || isStopped) throw error;
    yield* held();
    const { stopReason } = error.details ?? {};
    yield { type: "stop", stopReason: typeof stopReason === "string" ? stopReason : "content_filtered" };
  }
  try {
    for await (const event of events) {
      if (failure) continue;
      for (const passed of served(event)) {
        onEvent?.(passed);
        yield passed;
      }
    }
    if (failure) throw failure;
  } catch (error) {
    for (const passed of withheld(error)) {
      onEvent?.(passed);
      yield passed;
    }
  }
}

/** What proves the reasoning of a block, or has it withheld, as it comes. */
class Proof {
  readonly index: number;
  #length = 0;
  #signature = "";
  readonly #redacted = new ByteBlocks();

  constructor(index: number) {
    this.index = index;
  }

  take({ signature = "", redactedContent }: Signed): void {
    this.#length += signature.length + (redactedContent?.length ?? 0);
    if (this.#length > LONGEST_PROOF) return;
    this.#signature += signature;
    if (redactedContent) this.#redacted.take(redactedContent);
  }

  /** Undefined for what is longer than any: without it the reasoning is not sent back. */
  whole(): Signed | undefined {
    if (this.#length > LONGEST_PROOF) return undefined;
    const isRedacted = this.#redacted.length > 0;
    return {
      type: "signature",
      index: this.index,
      signature: this.#signature || undefined,
      redactedContent: isRedacted ? Buffer.concat(this.#redacted.blocks()) : undefined,
    };
  }
}
