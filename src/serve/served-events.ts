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
  const held = (): ChatEvent[] => {
    const signed = proof?.whole();
    const before: ChatEvent[] = [...(started ? [started] : []), ...(signed ? [signed] : [])];
    // A call without any input is one with an empty object: clients parse what they get.
    if (bare !== undefined) before.push({ type: "tool-input", index: bare, text: "{}" });
    started = undefined;
    proof = undefined;
    bare = undefined;
    return before;
  };
  /** What is handed on when an event has come. */
  const served = (event: ChatEvent): ChatEvent[] => {
    switch (event.type) {
      case "start":
        ({ model } = event);
        started = event;
        return [];
      case "signature": {
        const before = proof?.index === event.index ? [] : held();
        proof ??= new Proof(event.index);
        proof.take(event);
        return before;
      }
      case "tool-start": {
        if (calls.size >= most) return [];
        const before = held();
        calls.add(event.index);
        bare = event.index;
        return [...before, event];
      }
      case "tool-input":
        if (!calls.has(event.index) || event.text === "") return [];
        if (event.index === bare) bare = undefined;
        return [...held(), event];
      case "stop": {
        const { error } = judgeStop(event.stopReason, model);
        if (error && error.code !== "blocked") {
          failure = error;
          return [];
        }
        isStopped = true;
        return [...held(), event];
      }
      default:
        return [...held(), event];
    }
  };
  /** The same of an answer that was withheld. */
  const withheld = (error: unknown): ChatEvent[] => {
    if (!(error instanceof OpenclawError) || error.code !== "blocked" || isStopped) throw error;
    const { stopReason } = error.details ?? {};
    const stop = typeof stopReason === "string" ? stopReason : "content_filtered";
    return [...held(), { type: "stop", stopReason: stop }];
  };
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
