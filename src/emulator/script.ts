import type { Framing } from "./framing.ts";
import type { RecordedCall } from "./recorded-call.ts";

/** Milliseconds, or something to wait for. Either ends early when the client goes away. */
export type Wait = number | PromiseLike<unknown>;

/** One thing that happens on a scripted stream, in order. A script that ends ends the stream cleanly. */
export type StreamStep =
  | { readonly event: string; readonly payload: unknown }
  | { readonly exception: string; readonly payload: unknown }
  | { readonly bytes: Uint8Array }
  | { readonly wait: Wait }
  | { readonly end: StreamEnd };

/**
 * How a stream ends other than by itself: `close` and `reset` drop the TCP connection (FIN or RST) in the middle of the
 * answer, `reset-stream` resets one HTTP/2 stream (on HTTP/1.1 the connection), `stall` keeps silent until the client
 * leaves.
 */
export type StreamEnd = "close" | "reset" | "reset-stream" | "stall";

export type StreamSteps = Iterable<StreamStep> | AsyncIterable<StreamStep>;

interface Delayed {
  /** Before anything is sent, the status line included. */
  readonly after?: Wait;
}

/** What a test or a user wants answered in place of the emulator's own answer. */
export type ScriptedAnswer = Delayed &
  (
    | {
        /** An HTTP answer as it stands; a body that is neither text nor bytes is sent as JSON. */
        readonly http: {
          readonly status: number;
          readonly headers?: Readonly<Record<string, string>>;
          readonly body?: unknown;
        };
      }
    | {
        /** An error in the service's own shape; the status follows from the name unless it is given. */
        readonly error: {
          readonly name: string;
          readonly message: string;
          readonly status?: number;
          readonly headers?: Readonly<Record<string, string>>;
        };
      }
    | {
        /** An event stream with status 200. */
        readonly stream: StreamSteps;
        readonly headers?: Readonly<Record<string, string>>;
      }
    | {
        /** No answer: the connection ends before any header. */
        readonly drop: StreamEnd;
      }
    | {
        /** The emulator's own answer; its stream, where it is one, as `alter` makes it. */
        readonly pass: true;
        readonly alter?: (steps: StreamSteps, framing: Framing) => StreamSteps;
      }
  );

/** Decides about each call; undefined leaves it to the emulator. */
export type Script = (call: RecordedCall) => ScriptedAnswer | undefined;
