import { setImmediate, setTimeout } from "node:timers/promises";
import type { Framing } from "./framing.ts";
import type { Exchange } from "./listener.ts";
import type { StreamEnd, StreamStep, StreamSteps, Wait } from "./script.ts";

/** Frames are gathered up to this many bytes: a write per frame would cost more than the frame. */
const BATCH_BYTES = 16 * 1024;

/** Waits for milliseconds or a promise. Rejects with the reason of the exchange's signal when the client leaves before. */
export async function waitFor(wait: Wait, { signal, whileOpen }: Exchange): Promise<void> {
  await whileOpen(typeof wait === "number" ? setTimeout(wait, undefined, { signal }) : wait);
}

/** Breaks an answer off. Rejects when the connection has ended, which after a stall is up to the client. */
export async function breakOff(exchange: Exchange, how: StreamEnd): Promise<never> {
  exchange.breakOff(how);
  return exchange.whileOpen(new Promise<never>(() => undefined));
}

/**
 * Writes the steps of a stream, never more than the client takes. Frames that come without a wait between them are
 * written together. Rejects with the reason of the exchange's signal when the client leaves before the end.
 */
export async function writeSteps(exchange: Exchange, steps: StreamSteps, framing: Framing): Promise<void> {
  const output = new BatchedOutput(exchange, framing);
  exchange.flushHeaders();
  const isSlow = Symbol.asyncIterator in steps;
  const iterator = isSlow ? steps[Symbol.asyncIterator]() : steps[Symbol.iterator]();
  try {
    for (;;) {
      const coming = iterator.next();
      const next = coming instanceof Promise ? await exchange.whileOpen(coming) : coming;
      if (next.done === true) break;
      const busy = output.take(next.value);
      if (busy) await busy;
      // The next step may be long in coming.
      if (isSlow) await output.flush();
    }
    await output.flush();
  } finally {
    void iterator.return?.();
  }
  exchange.response.end();
}

/** Writes bytes as they are read, never more than the client takes. Rejects as `writeSteps` does. */
export async function writeContent(exchange: Exchange, content: AsyncIterable<Uint8Array>): Promise<void> {
  const { response, signal } = exchange;
  for await (const piece of content) {
    signal.throwIfAborted();
    if (!response.write(piece, () => undefined)) await drained(exchange);
  }
  response.end();
}

/** Resolves when the client can take more. */
async function drained({ response, whileOpen }: Exchange): Promise<void> {
  await whileOpen(new Promise<void>((resolve) => response.once("drain", () => resolve())));
}

/** Gathers frames and hands them on as fast as the client reads. */
class BatchedOutput {
  readonly #exchange: Exchange;
  readonly #framing: Framing;
  #batch: Uint8Array[] = [];
  #bytes = 0;
  #written: Promise<unknown> = Promise.resolve();

  constructor(exchange: Exchange, framing: Framing) {
    this.#exchange = exchange;
    this.#framing = framing;
  }

  /** Does one step. Plain events, the bulk of a stream, are done without a promise. */
  take(step: StreamStep): Promise<void> | undefined {
    if ("wait" in step) return this.flush().then(() => waitFor(step.wait, this.#exchange));
    if ("end" in step) return this.#settle().then(() => breakOff(this.#exchange, step.end));
    const frame = toFrame(step, this.#framing);
    this.#batch.push(frame);
    this.#bytes += frame.length;
    return this.#bytes >= BATCH_BYTES ? this.flush() : undefined;
  }

  /** Resolves when the client can take more. */
  async flush(): Promise<void> {
    const { response, signal } = this.#exchange;
    signal.throwIfAborted();
    if (this.#bytes === 0) return;
    const chunk = Buffer.concat(this.#batch, this.#bytes);
    this.#batch = [];
    this.#bytes = 0;
    let isRoomLeft = true;
    this.#written = new Promise<void>((resolve) => {
      isRoomLeft = response.write(chunk, () => resolve());
    });
    if (!isRoomLeft) await drained(this.#exchange);
  }

  /** Resolves when everything written so far has left the process, so that what follows cannot overtake it. */
  async #settle(): Promise<void> {
    await this.flush();
    await this.#exchange.whileOpen(this.#written);
    // HTTP/2 sends its frames, the response's headers too, at the end of the turn of the event loop.
    await setImmediate();
  }
}

/** The bytes of a step that has some. */
export function toFrame(
  step: Exclude<StreamStep, { wait: Wait } | { end: unknown }>,
  framing: Framing,
): Uint8Array {
  if ("bytes" in step) return step.bytes;
  if ("exception" in step) return framing.exception(step.exception, step.payload);
  return framing.event(step.event, step.payload);
}
