import type { Socket } from "node:net";
import { turnOver, whenTime } from "./next-turn.ts";

/**
 * The first piece of what was read at once, in bytes. Node reads 64 KB: 10,000 chunks of a byte, or 2,000 requests, which
 * take it 30 ms and more.
 */
const FIRST_PIECE = 4096;
/** A next piece is twice as long where one took less than this, in ms. */
const QUICK_MS = 1;

/**
 * Hands on what comes on a connection in pieces, and its end, each when a turn has time left for it: Node itself hands on
 * all that the system has for it, from every connection, before anything else. Is called in the turn in which somebody begins
 * to read. `first` was read before.
 */
export function readInTurns(socket: Socket, first?: Buffer): void {
  const { push, destroy, _read: readOn } = socket;
  /** `null` is the end. */
  const rest: (Buffer | null)[] = [];
  let isBusy = false;
  let size = FIRST_PIECE;
  const takePiece = (): Buffer | null => {
    const piece = rest.shift() ?? null;
    if (piece === null || piece.length <= size) return piece;
    rest.unshift(piece.subarray(size));
    return piece.subarray(0, size);
  };
  const handOn = (): boolean => {
    while (!isBusy && rest.length > 0) {
      const over = turnOver();
      isBusy = true;
      if (over) {
        void handOnAfter(over);
        return false;
      }
      const startedAt = performance.now();
      const takesMore = push.call(socket, takePiece());
      if (performance.now() - startedAt < QUICK_MS) size *= 2;
      isBusy = false;
      if (!takesMore) return false;
    }
    return rest.length === 0;
  };
  const handOnAfter = async (over: Promise<void>): Promise<void> => {
    await over;
    isBusy = false;
    if (handOn()) readOn.call(socket, 0);
  };
  Object.assign(socket, {
    push: (chunk: Buffer | null): boolean => {
      rest.push(chunk);
      size = FIRST_PIECE;
      return handOn();
    },
    _read: (bytes: number): void => {
      if (handOn()) readOn.call(socket, bytes);
    },
    destroy: (error?: NodeJS.ErrnoException): Socket => {
      rest.length = 0;
      // The client has reset it.
      if (error?.syscall === "read") whenTime(() => destroy.call(socket, error));
      else destroy.call(socket, error);
      return socket;
    },
  });
  // Node's HTTP/1.1 takes the bytes past the socket for as long as nobody else listens.
  socket.on("data", () => undefined);
  if (first) socket.push(first);
}
