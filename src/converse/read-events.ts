import type { OpenclawError } from "../errors.ts";
import type { Batches } from "./answer-batches.ts";
import type { ChatEvent } from "./chat-event.ts";
import { abortReason, type Deadlines } from "./deadlines.ts";
import { toChatEvent } from "./part-to-event.ts";
import type { TurnRecorder } from "./turn-recorder.ts";

export interface Reading {
  requestId: string | undefined;
  deadlines: Deadlines;
  /** Whether the model was given tools; without them a call of one is nothing to a reader. */
  hasTools: boolean;
  /** Whether deltas that arrive together are passed on as one: always, but where each of them is a line. */
  coalesces: boolean;
  recorder: TurnRecorder | undefined;
  /** What a failure in the middle of the answer means. */
  toFailure: (failure: unknown) => OpenclawError;
  /** Whether a failure is something the service said, which counts after the last word, too. */
  isSaid: (failure: unknown) => boolean;
}

/**
 * Yields the parts of an answer as `ChatEvent`s. The answer is whole only with a `messageStop`: without one it ends in
 * what `toFailure` makes of that, however cleanly the connection was closed.
 */
export async function* readEvents(
  batches: Batches,
  { requestId, deadlines, hasTools, coalesces, recorder, toFailure, isSaid }: Reading,
): AsyncGenerator<ChatEvent, void, undefined> {
  let isWhole = false;
  try {
    for await (const parts of batches) {
      deadlines.heard();
      let text = "";
      for (const part of parts) {
        recorder?.take(part);
        if (part.messageStop) isWhole = true;
        const event = toChatEvent(part, requestId, hasTools);
        if (coalesces && event?.type === "text") {
          text += event.text;
          continue;
        }
        if (text !== "") yield { type: "text", text };
        text = "";
        if (event) yield event;
      }
      if (text !== "") yield { type: "text", text };
      if (isWhole) deadlines.expectEnd();
    }
  } catch (failure) {
    const error = toFailure(failure);
    // The text is complete; what was lost on the way is the bookkeeping after it.
    if (isWhole && LOST.has(error.code) && !isSaid(failure)) return;
    throw error;
  }
  // An abort in the middle of a stream can end it silently.
  if (deadlines.signal.aborted && !isWhole) throw abortReason(deadlines.signal);
  if (!isWhole) throw toFailure(new Error("The stream ends without messageStop."));
}

/** How a connection fails, in codes. */
const LOST: ReadonlySet<string> = new Set(["stream-broken", "bad-response", "timeout"]);
