import { type Call, CLIENT_CLOSED } from "./call.ts";
import type { AnswerService, RouteRequest } from "./dialect.ts";
import { settlesWithin } from "./settles-within.ts";

/** A comment, which readers of event streams skip (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
const COMMENT = ": waiting\n\n";
const EVENT_STREAM = "text/event-stream; charset=utf-8";

/** A piece of an answer as it goes over the wire. */
export type Frame = string | Uint8Array;

type Frames = AsyncGenerator<Frame, void, undefined>;

/** A server-sent event that bears its type, as OpenAI's Responses and Anthropic's Messages send them. */
export function typedFrame(event: { type: string }): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Events as the frames of their stream. */
export async function* typedFrames(
  events: AsyncGenerator<{ type: string }, void, undefined>,
): AsyncGenerator<string, void, undefined> {
  for await (const event of events) yield typedFrame(event);
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
  call.isStreaming = true;
  const body = eventStream(untilFailure(frames, first, toFailure, call), heartbeat, service, request);
  if (isLate) call.note("The answer was long in coming, so its status was sent before it.");
  return new Response(body, {
    headers: {
      "x-request-id": call.entry.requestId,
      "content-type": contentType,
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
      ...headers,
    },
  });
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

/** The frames of a stream. Never throws: a failure is the last of them. */
async function* untilFailure(
  frames: Frames,
  first: Promise<IteratorResult<Frame, void>>,
  toFailure: (failure: unknown) => Frame,
  call: Call,
): Frames {
  try {
    let next = await call.run(() => first);
    for (; !next.done; next = await call.run(() => frames.next())) yield next.value;
  } catch (failure) {
    call.fail(failure);
    if (!call.entry.isAborted) yield toFailure(failure);
  } finally {
    // Whoever stops reading early has the call to Bedrock stopped.
    const returned = frames.return();
    // What waits for something that is broken may wait for ever.
    if (call.isBroken) returned.catch(() => undefined);
    else await returned;
    call.end(call.entry.isAborted ? CLIENT_CLOSED : 200);
  }
}

/** Sends frames as fast as they are read: none is made before the one before has been taken. */
function eventStream(
  frames: Frames,
  heartbeat: Frame | undefined,
  { heartbeatMs, idleMs }: AnswerService,
  { call, hangUp }: RouteRequest,
): ReadableStream<Uint8Array> {
  let pending: Promise<IteratorResult<Frame, void>> | undefined = frames.next();
  let onBeat = (): void => undefined;
  const beat = setTimeout(() => onBeat(), heartbeatMs);
  const stop = (): void => {
    clearTimeout(beat);
    clearTimeout(stall);
  };
  let isTaken = true;
  const stall = setTimeout(() => {
    if (isTaken) return;
    call.note("The client took nothing for too long.");
    hangUp();
  }, idleMs);
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        isTaken = true;
        beat.refresh();
        pending ??= frames.next();
        const next = pending;
        const result = await new Promise<IteratorResult<Frame, void> | undefined>((resolve) => {
          if (heartbeat !== undefined) onBeat = () => resolve(undefined);
          void next.then(resolve);
        });
        if (result?.done) {
          stop();
          return controller.close();
        }
        if (result) pending = undefined;
        isTaken = false;
        stall.refresh();
        controller.enqueue(toBytes(result ? result.value : heartbeat));
      },
      cancel: async () => {
        stop();
        call.leave();
        await frames.return();
      },
    },
    { highWaterMark: 0 },
  );
}

function toBytes(frame: Frame | undefined): Uint8Array {
  return typeof frame === "string" ? Buffer.from(frame) : (frame ?? new Uint8Array());
}
