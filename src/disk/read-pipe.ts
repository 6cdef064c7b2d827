import type { Socket } from "node:net";
import type { Runtime } from "../runtime.ts";

/** Whoever has not written it all by then may not know that somebody waits, in ms. */
const PATIENCE_MS = 2000;

/** Does `work`. stderr says what is waited for where that takes longer than two seconds. */
export async function sayingWhatIsAwaited<T>(
  what: string,
  { terminal }: Pick<Runtime, "terminal">,
  work: () => Promise<T>,
): Promise<T> {
  const timer = setTimeout(() => terminal.note(`openclaw: Waiting for ${what}.`), PATIENCE_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Reads a pipe that was opened without waiting, and closes it: it is waited for without a thread of the pool, with a word
 * on stderr that has the name that a person gave it. Throws what `read` throws.
 */
export async function readPipe<T>(
  descriptor: number,
  name: string,
  runtime: Pick<Runtime, "terminal">,
  read: (stream: Socket) => Promise<T>,
): Promise<T> {
  const { Socket } = await import("node:net");
  const stream = new Socket({ fd: descriptor, readable: true, writable: false });
  try {
    return await sayingWhatIsAwaited(`whoever writes to '${name}', which is a pipe (FIFO)`, runtime, () =>
      read(stream),
    );
  } finally {
    stream.destroy();
  }
}
