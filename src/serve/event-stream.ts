/** What a stream of frames needs besides them. */
export interface EventStreamOptions {
  /** While nothing comes, a comment is sent every so many ms, so that nobody between takes the silence for an end. */
  heartbeatMs: number;
  /** A reader that takes nothing for so many ms is given up. */
  idleMs: number;
  /** Called when the reader is given up: its connection is to be closed, which then cancels the stream. */
  onStall: () => void;
  /** Called when the reader has gone away. */
  onCancel: () => void;
}

/** A comment, which readers of event streams skip (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
const HEARTBEAT = Buffer.from(": waiting\n\n");

/**
 * Sends frames as fast as they are read: none is made before the one before has been taken. `first` is what the frames'
 * iterator was asked for already. The frames must not throw.
 */
export function eventStream(
  frames: AsyncGenerator<string, void, undefined>,
  first: Promise<IteratorResult<string, void>>,
  { heartbeatMs, idleMs, onStall, onCancel }: EventStreamOptions,
): ReadableStream<Uint8Array> {
  let pending: Promise<IteratorResult<string, void>> | undefined = first;
  let onBeat = (): void => undefined;
  const beat = setTimeout(() => onBeat(), heartbeatMs);
  const stop = (): void => {
    clearTimeout(beat);
    clearTimeout(stall);
  };
  let isTaken = true;
  const stall = setTimeout(() => {
    if (!isTaken) onStall();
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
        onCancel();
        await frames.return();
      },
    },
    { highWaterMark: 0 },
  );
}

/** One event of a stream. */
export function frameOf(data: unknown): string {
  return `data: ${JSON.stringify(data)}\n\n`;
}

/** How OpenAI's streams end when they are whole. */
export const DONE = "data: [DONE]\n\n";
