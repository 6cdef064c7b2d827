import { type Call, CLIENT_CLOSED, type Outgoing } from "./call.ts";
import type { AnswerService, RouteRequest } from "./dialect.ts";
import { settlesWithin } from "../settles-within.ts";
import { toJson } from "../json-numbers.ts";
import { toJsonBody } from "../network/json-body.ts";

/** A comment, which readers of event streams skip (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
const COMMENT = ": waiting\n\n";
const EVENT_STREAM = "text/event-stream; charset=utf-8";

/** A piece of an answer as it goes over the wire. */
export type Frame = string | Uint8Array;

type Frames = AsyncGenerator<Frame, void, undefined>;

/** A server-sent event that bears its type, as OpenAI's Responses and Anthropic's Messages send them. */
export function typedFrame(event: { type: string }): string {
  return `event: ${event.type}\ndata: ${toJson(event)}\n\n`;
}

/** Events as the frames of their stream. */
export async function* typedFrames(events: AsyncGenerator<{ type: string }, void, undefined>): Frames {
  // What is long is written in turns, and goes out in the pieces that it comes in.
  for await (const event of events) {
    const body = await toJsonBody(event);
    if (typeof body === "string") yield `event: ${event.type}\ndata: ${body}\n\n`;
    else {
      yield `event: ${event.type}\ndata: `;
      yield* body;
      yield "\n\n";
    }
  }
}

/** How a stream is told that is not made of frames alone. */
export interface StreamForm {
  /** The last frame of a stream that fails. */
  toFailure: (failure: unknown) => Frame;
  /** Sent while nothing comes: a comment, unless it says otherwise; undefined where there is no such thing. */
  heartbeat?: Frame | undefined;
  contentType?: string;
  headers?: Readonly<Record<string, string>>;
}

/**
 * Answers with a stream of frames. What fails before the first is thrown, and has a status of its own, unless it is so
 * long in coming that somebody gives up; what fails later is the last frame. While nothing comes, a heartbeat is sent every
 * `heartbeatMs`, so that nobody between takes the silence for an end; a reader that takes nothing for `idleMs` is given up.
 */
export async function answerWithStream(
  frames: Frames,
  form: StreamForm,
  service: AnswerService,
  request: RouteRequest,
): Promise<Response> {
  const { call } = request;
  const { toFailure, contentType = EVENT_STREAM, headers } = form;
  const heartbeat = "heartbeat" in form ? form.heartbeat : COMMENT;
  const first = frames.next();
  // What cannot be told that there is nothing yet has its status when there is something.
  const isLate = heartbeat !== undefined && (await isLong(first, call, service.heartbeatMs));
  if (heartbeat === undefined) await first;
  if (isLate) call.note("The answer was long in coming, so its status was sent before it.");
  return call.answerWith(
    { "content-type": contentType, "cache-control": "no-cache", "x-accel-buffering": "no", ...headers },
    (outgoing) => {
      if (isLate) outgoing.flushHeaders?.();
      return sendFrames(outgoing, { frames, first, toFailure, heartbeat }, service, request);
    },
  );
}

/** The longest that a status is held back for a call that waits for its turn, in ms: who stands between may give up then. */
const MOST_HELD_MS = 45_000;

/**
 * Whether a first frame is so long in coming that the status has to go before it. What waits below a quota may yet be told
 * when to ask again, which is a status of its own. Throws what the frame throws before.
 */
async function isLong(first: Promise<unknown>, call: Call, heartbeatMs: number): Promise<boolean> {
  for (let heldMs = 0; heldMs === 0 || (call.isQueued && heldMs < MOST_HELD_MS); heldMs += heartbeatMs) {
    if (await settlesWithin(heartbeatMs, first)) return false;
  }
  return true;
}

interface Sending {
  frames: Frames;
  first: ReturnType<Frames["next"]>;
  toFailure: (failure: unknown) => Frame;
  heartbeat: Frame | undefined;
}

/**
 * Sends frames as fast as they are read: none is made before the one before has been taken. Resolves when the call is over;
 * a failure is the last frame.
 */
async function sendFrames(
  outgoing: Outgoing,
  { frames, first, toFailure, heartbeat }: Sending,
  { heartbeatMs, idleMs }: AnswerService,
  { call, hangUp }: RouteRequest,
): Promise<void> {
  let isOver = false;
  /** Resolves when there is room for more; undefined where there is. */
  let taking: Promise<void> | undefined;
  const send = (frame: Frame): void => {
    if (isOver || call.entry.isAborted || outgoing.write(frame)) return;
    taking = roomIn(outgoing, idleMs, () => {
      call.note("The client took nothing for too long.");
      hangUp();
    }).finally(() => {
      taking = undefined;
    });
  };
  const beat =
    heartbeat === undefined
      ? undefined
      : setInterval(() => {
          if (!taking) send(heartbeat);
        }, heartbeatMs);
  try {
    await call.run(async () => {
      for (let next = await first; !next.done; next = await frames.next()) {
        if (taking) await taking;
        send(next.value);
        if (taking) await taking;
        beat?.refresh();
        // What is stopped may go on all the same.
        if (call.entry.isAborted) break;
      }
    });
  } catch (failure) {
    call.fail(failure);
    if (!call.entry.isAborted) send(toFailure(failure));
  } finally {
    isOver = true;
    clearInterval(beat);
    // Whoever stops reading early has the call to Bedrock stopped.
    const returned = frames.return();
    // What waits for something that is broken may wait for ever.
    if (call.isBroken) returned.catch(() => undefined);
    else await returned;
    call.end(call.entry.isAborted ? CLIENT_CLOSED : 200);
    outgoing.end();
  }
}

/** Resolves when a client has taken what is on its way to it, or is gone; calls `giveUp` when it takes nothing for so many ms. */
async function roomIn(outgoing: Outgoing, ms: number, giveUp: () => void): Promise<void> {
  const stall = setTimeout(giveUp, ms);
  await new Promise<void>((resolve) => {
    const done = (): void => {
      outgoing.off("drain", done).off("close", done);
      resolve();
    };
    outgoing.once("drain", done).once("close", done);
  });
  clearTimeout(stall);
}
