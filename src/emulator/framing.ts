import { encodeEvent, encodeException, EVENT_STREAM_TYPE } from "../aws/event-stream.ts";

/** How the events of a stream are written. */
export interface Framing {
  readonly contentType: string;
  /** The events that carry a piece of the answer, and those that say it is whole: faults come by them. */
  readonly deltas: readonly string[];
  readonly ends: readonly string[];
  event(name: string, payload: unknown): Uint8Array;
  exception(name: string, payload: unknown): Uint8Array;
}

/** AWS's binary frames, as ConverseStream sends them. */
export const EVENT_STREAM: Framing = {
  contentType: EVENT_STREAM_TYPE,
  deltas: ["contentBlockDelta"],
  ends: ["messageStop"],
  event: encodeEvent,
  exception: encodeException,
};

/** One server-sent event with a name: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function serverSentEvent(event: string, data: unknown): Uint8Array {
  return Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
