import { type Call, CLIENT_CLOSED } from "./call.ts";
import type { AnswerService, RouteRequest } from "./dialect.ts";
import { settlesWithin } from "./settles-within.ts";

/** A comment, which readers of event streams skip (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
const HEARTBEAT = Buffer.from(": waiting\n\n");

/** An answer as it goes over the wire. */
export type Frames = AsyncGenerator<string, void, undefined>;

/**
 * Answers with a stream of frames. What fails before the first is thrown, and has a status of its own, unless it is so
 * long in coming that somebody gives up; what fails later is the last frame, as `toFrame` tells it. While nothing comes, a
 * comment is sent every `heartbeatMs`, so that nobody between takes the silence for an end; a reader that takes nothing
 * for `idleMs` is given up.
 */
export async function answerWithStream(
  frames: Frames,
  toFrame: (failure: unknown) => string,
  service: AnswerService,
  request: RouteRequest,
): Promise<Response> {
  const { call } = request;
  const first = frames.next();
  const isLate = !(await settlesWithin(service.heartbeatMs, first));
  call.isStreaming = true;
  const body = eventStream(untilFailure(frames, first, toFrame, call), service, request);
  if (isLate) call.note("The answer was long in coming, so its status was sent before it.");
  return new Response(body, {
    headers: {
      "x-request-id": call.entry.requestId,
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no",
    },
  });
}

/** The frames of a stream. Never throws: a failure is the last of them. */
async function* untilFailure(
  frames: Frames,
  first: Promise<IteratorResult<string, void>>,
  toFrame: (failure: unknown) => string,
  call: Call,
): Frames {
  try {
    let next = await call.run(() => first);
    for (; !next.done; next = await call.run(() => frames.next())) yield next.value;
  } catch (failure) {
    call.fail(failure);
    if (!call.entry.isAborted) yield toFrame(failure);
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
  { heartbeatMs, idleMs }: AnswerService,
  { call, hangUp }: RouteRequest,
): ReadableStream<Uint8Array> {
  let pending: Promise<IteratorResult<string, void>> | undefined = frames.next();
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
        const result = await new Promise<IteratorResult<string, void> | undefined>((resolve) => {
          onBeat = () => resolve(undefined);
          void next.then(resolve);
        });
        if (result?.done) {
          stop();
          return controller.close();
        }
        if (result) pending = undefined;
        isTaken = false;
        stall.refresh();
        controller.enqueue(result ? Buffer.from(result.value) : HEARTBEAT);
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
