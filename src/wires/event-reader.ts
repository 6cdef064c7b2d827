import { createParser } from "eventsource-parser";
import { OpenclawError } from "../errors.ts";

/** What a server-sent event holds: its data, or what a server says went wrong in its place. */
export type ServerEvent = { data: string } | { error: string };

/** The largest event that is read, in characters: a stream without an end of line must not fill the memory. */
const LARGEST_EVENT = 16 * 1024 * 1024;

/**
 * Reads server-sent events out of bytes, however they are cut: in the middle of a character, a line end or an event.
 * Comments and fields without meaning are skipped. An event that the end of the stream leaves without its blank line
 * counts: some servers end so behind `[DONE]`.
 */
export class EventReader {
  readonly #decoder = new TextDecoder();
  #events: ServerEvent[] = [];
  #tooLarge: OpenclawError | undefined;
  readonly #parser = createParser({
    maxBufferSize: LARGEST_EVENT,
    onEvent: ({ event, data }) => {
      this.#events.push(event === "error" ? { error: data } : { data });
    },
    onError: (error) => {
      // llama.cpp has sent its errors as a field of their own.
      if (error.type === "unknown-field" && error.field === "error")
        this.#events.push({ error: error.value ?? "" });
      else if (error.type === "max-buffer-size-exceeded") this.#tooLarge = impossibleEvent(error);
    },
  });

  /** The events that these bytes complete. Throws `bad-response` for an event larger than 16 million characters. */
  push(bytes: Uint8Array): ServerEvent[] {
    return this.#feed(this.#decoder.decode(bytes, { stream: true }));
  }

  /** The event that the end of the stream completes, if there is one. */
  end(): ServerEvent[] {
    return this.#feed(`${this.#decoder.decode()}\n\n`);
  }

  #feed(text: string): ServerEvent[] {
    this.#parser.feed(text);
    if (this.#tooLarge) throw this.#tooLarge;
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

function impossibleEvent(cause: Error): OpenclawError {
  return new OpenclawError("bad-response", {
    message: `The answer holds an event of more than ${LARGEST_EVENT / 1024 / 1024} MB.`,
    hint: "Run the command again; if it stays, a proxy or another server is in between: openclaw doctor",
    details: { limitBytes: LARGEST_EVENT },
    cause,
  });
}
