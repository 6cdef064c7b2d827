import type { Socket } from "node:net";
import type { Runtime } from "../runtime.ts";

/** Whoever has not written it all by then may not know that somebody waits, in ms. */
const PATIENCE_MS = 2000;

/**
 * Reads a pipe that was opened without waiting, and closes it: it is waited for without a thread of the pool. stderr says so
 * where that takes longer than two seconds, with the name that a person gave it. Throws what `read` throws.
 */
export async function readPipe<T>(
  descriptor: number,
  name: string,
  { terminal }: Pick<Runtime, "terminal">,
  read: (stream: Socket) => Promise<T>,
): Promise<T> {
  const { Socket } = await import("node:net");
  const stream = new Socket({ fd: descriptor, readable: true, writable: false });
  const timer = setTimeout(
    () => terminal.note(`openclaw: Waiting for whoever writes to '${name}', which is a pipe (FIFO).`),
    PATIENCE_MS,
  );
  try {
    return await read(stream);
  } finally {
    clearTimeout(timer);
    stream.destroy();
  }
}
