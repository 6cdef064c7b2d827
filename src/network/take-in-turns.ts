import type { IncomingMessage } from "node:http";

/**
 * So much is taken in from a connection before all others have their turn, in bytes. A chunk of a byte has six on the way: a
 * read of 64 KB has 10,000 of them, which take Node 30 ms.
 */
const AT_ONCE = 32 * 1024;

/** Connections that are to be read again, longest first. */
const waiting: (() => void)[] = [];

/** Has one connection after the other read again, a turn of the event loop for each. */
export function readLater(read: () => void): void {
  waiting.push(read);
  if (waiting.length === 1) setImmediate(readNext);
}

function readNext(): void {
  waiting.shift()?.();
  if (waiting.length > 0) setImmediate(readNext);
}

/**
 * Lets others have their turn while the body of a message over HTTP/1.1 arrives in chunks. Node reads on for as long as
 * somebody takes what there is, 2 MB of it before any timer, whatever number of chunks that is.
 */
export function takeInTurns(message: IncomingMessage): void {
  const { socket, headers } = message;
  if (headers["transfer-encoding"] === undefined) return;
  let taken = 0;
  let isOver = false;
  /** Whether there is more to be read in the next turn: who takes it may have stopped the reading, too. */
  let goesOn = false;
  const took = (chunk: Buffer): void => {
    taken += chunk.length;
    if (isOver || taken < AT_ONCE) return;
    isOver = true;
    goesOn = !socket.isPaused();
    socket.pause();
    readLater(() => {
      isOver = false;
      taken = 0;
      if (goesOn) socket.resume();
    });
  };
  // Node's own makes the connection go on.
  const { _read: read } = message;
  Object.assign(message, {
    _read: (size: number): void => {
      if (isOver) goesOn = true;
      else read.call(message, size);
    },
  });
  socket.on("data", took);
  // The next message of the connection has its own.
  message.once("close", () => socket.off("data", took));
}
