import { encodeEvent, encodeException } from "./event-stream.ts";
import type { Exchange } from "./listener.ts";
import type { StreamEnd, StreamStep, StreamSteps, Wait } from "./script.ts";

/** Frames are gathered up to this many bytes: a write per frame would cost more than the frame. */
const BATCH_BYTES = 16 * 1024;

/** Resolves when the client or the emulator has ended the connection of this answer. */
export function whenClosed(exchange: Exchange): Promise<"closed"> {
  return new Promise((resolve) => exchange.response.once("close", () => resolve("closed")));
}

/** Waits for milliseconds or a promise, but no longer than the client stays. Resolves with false when it has left. */
export async function waitFor(wait: Wait, closed: Promise<"closed">): Promise<boolean> {
  if (typeof wait !== "number") return (await Promise.race([wait, closed])) !== "closed";
  let timer: NodeJS.Timeout | undefined;
  const slept = new Promise<"slept">((resolve) => {
    timer = setTimeout(resolve, wait, "slept");
  });
  const outcome = await Promise.race([slept, closed]);
  clearTimeout(timer);
  return outcome !== "closed";
}

/**
 * Writes the steps of a stream, never more than the client takes. Frames that come without a wait between them are
 * written together. Returns when the stream has ended or the client has left.
 */
export async function writeSteps(
  exchange: Exchange,
  steps: StreamSteps,
  closed: Promise<"closed">,
): Promise<void> {
  const output = new BatchedOutput(exchange, closed);
  exchange.flushHeaders();
  if (Symbol.asyncIterator in steps) {
    const iterator = steps[Symbol.asyncIterator]();
    for (;;) {
      const next = await Promise.race([iterator.next(), closed]);
      if (next === "closed") return void iterator.return?.();
      if (next.done === true) break;
      if (!(await take(next.value, output, exchange, closed))) return void iterator.return?.();
      // The next step may be long in coming.
      await output.flush();
    }
  } else {
    for (const step of steps) {
      const isGoingOn = take(step, output, exchange, closed);
      if (isGoingOn !== true && !(await isGoingOn)) return;
    }
  }
  await output.flush();
  if (!output.isClosed) exchange.response.end();
}

/** Does one step. Plain events, the bulk of a stream, are done without a promise. False: the stream is over. */
function take(
  step: StreamStep,
  output: BatchedOutput,
  exchange: Exchange,
  closed: Promise<"closed">,
): boolean | Promise<boolean> {
  if ("wait" in step) return output.flush().then(() => waitFor(step.wait, closed));
  if ("end" in step) {
    return output.settle().then(async () => {
      await endStream(exchange, step.end, closed);
      return false;
    });
  }
  return output.add(toFrame(step)) ? output.flush().then(() => !output.isClosed) : true;
}

/** Gathers frames and hands them on as fast as the client reads. */
class BatchedOutput {
  isClosed = false;
  readonly #exchange: Exchange;
  readonly #closed: Promise<"closed">;
  #batch: Uint8Array[] = [];
  #bytes = 0;
  #written: Promise<unknown> = Promise.resolve();

  constructor(exchange: Exchange, closed: Promise<"closed">) {
    this.#exchange = exchange;
    this.#closed = closed;
    exchange.response.once("close", () => {
      this.isClosed = true;
    });
  }

  /** True when it is time to flush. */
  add(frame: Uint8Array): boolean {
    this.#batch.push(frame);
    this.#bytes += frame.length;
    return this.#bytes >= BATCH_BYTES;
  }

  /** Resolves when the client can take more. */
  async flush(): Promise<void> {
    if (this.#bytes === 0 || this.isClosed) return;
    const chunk = Buffer.concat(this.#batch, this.#bytes);
    this.#batch = [];
    this.#bytes = 0;
    const { response } = this.#exchange;
    let isRoomLeft = true;
    this.#written = new Promise<void>((resolve) => {
      isRoomLeft = response.write(chunk, () => resolve());
    });
    if (isRoomLeft) return;
    await new Promise<unknown>((resolve) => {
      response.once("drain", () => resolve(undefined));
      void this.#closed.then(resolve);
    });
  }

  /** Resolves when everything written so far has left the process, so that what follows cannot overtake it. */
  async settle(): Promise<void> {
    await this.flush();
    await Promise.race([this.#written, this.#closed]);
    // HTTP/2 sends its frames, the response's headers too, at the end of the turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** The bytes of a step that has some. */
export function toFrame(step: Exclude<StreamStep, { wait: Wait } | { end: unknown }>): Uint8Array {
  if ("bytes" in step) return step.bytes;
  if ("exception" in step) return encodeException(step.exception, step.payload);
  return encodeEvent(step.event, step.payload);
}

/** Ends an answer in one of the ways in which networks and services break. */
export async function endStream(
  exchange: Exchange,
  how: StreamEnd,
  closed: Promise<"closed">,
): Promise<void> {
  if (how === "reset-stream") exchange.resetStream();
  else if (how !== "stall") exchange.dropConnection(how);
  await closed;
}
