import { encodeEvent, encodeException } from "../aws/event-stream.ts";

/** How the events of a stream are written. */
export interface Framing {
  readonly contentType: string;
  /** The event that carries a piece of the answer, and the one that says it is whole: faults come by them. */
  readonly delta: string;
  readonly end: string;
  event(name: string, payload: unknown): Uint8Array;
  exception(name: string, payload: unknown): Uint8Array;
}

/** AWS's binary frames, as ConverseStream sends them. */
export const EVENT_STREAM: Framing = {
  contentType: "application/vnd.amazon.eventstream",
  delta: "contentBlockDelta",
  end: "messageStop",
  event: encodeEvent,
  exception: encodeException,
};

/** One server-sent event with a name: https://html.spec.whatwg.org/multipage/server-sent-events.html */
export function serverSentEvent(event: string, data: unknown): Uint8Array {
  return Buffer.from(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
