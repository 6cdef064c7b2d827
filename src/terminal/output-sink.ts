import { constants, fstatSync, openSync, type Stats, write, writeSync } from "node:fs";
import { promisify } from "node:util";
import { orAtOnce } from "../at-once.ts";
import { errorCode } from "../errors.ts";
import type { Sink } from "./terminal.ts";

/**
 * What is written to a socket without Node's stream, in bytes. One that Node has made for a child takes 200 KiB at once, so
 * this much seldom waits for the reader.
 */
const SOCKET_BYTES = 60 * 1024;

/**
 * A sink for an output of the process. A pipe or file, and the start of a socket, are written directly: opening Node's
 * stream loads its networking, which costs 5 ms of every start. Terminals, and what a pipe does not take at once, go through
 * the stream, so that signals and time-outs work while a slow reader makes us wait. `onError` is told about a reader that has
 * gone, a full disk, and the like.
 */
export function outputSink(
  descriptor: number,
  openStream: () => NodeJS.WriteStream,
  onError: (error: Error) => void,
  platform: NodeJS.Platform,
): Sink {
  let opened: NodeJS.WriteStream | undefined;
  const stream = (): NodeJS.WriteStream =>
    (opened ??= withoutWaiting(openStream(), platform).on("error", onError));
  // On Windows Node's pipes are asynchronous, for good reasons of their own.
  const isDirect = platform !== "win32" && takesDirectWrites(descriptor);
  const socket =
    isDirect && fstatSync(descriptor).isSocket() ? new SocketStart(descriptor, stream, onError) : undefined;
  let way: number | undefined;
  let isStreaming = !isDirect;
  let hasWritten = false;

  const write = (text: string | Uint8Array): boolean => {
    if (text.length === 0) return true;
    hasWritten = true;
    if (isStreaming || socket?.isOver) return stream().write(text);
    const bytes = typeof text === "string" ? Buffer.from(text) : text;
    if (socket) return socket.write(bytes);
    let offset = 0;
    try {
      way ??= directWay(descriptor, platform);
      while (offset < bytes.length) offset += writeSync(way, bytes, offset, bytes.length - offset);
    } catch (error) {
      if (way !== undefined && (error as NodeJS.ErrnoException).code !== "EAGAIN") {
        onError(error as Error);
        return true;
      }
    }
    if (way !== undefined && offset === bytes.length) return true;
    isStreaming = true;
    return stream().write(bytes.subarray(offset));
  };

  return {
    get isTTY() {
      return isDirect ? false : stream().isTTY;
    },
    get columns() {
      return isDirect ? undefined : stream().columns;
    },
    get rows() {
      return isDirect ? undefined : stream().rows;
    },
    write,
    once: (event, listener) => {
      if (socket?.isBusy) socket.whenIdle(listener);
      else stream().once(event, listener);
    },
    end: (whenWritten) => {
      const end = (): void => {
        // A device that is full takes not even nothing.
        if (opened && hasWritten) opened.write("", () => whenWritten());
        else whenWritten();
      };
      if (socket?.isBusy) socket.whenIdle(end);
      else end();
    },
    onResize: (listener) => {
      stream().on("resize", listener);
      return () => stream().off("resize", listener);
    },
  };
}

const writeSome = orAtOnce<[number, Uint8Array, number, number], { bytesWritten: number }>(
  promisify(write),
  (...at) => ({ bytesWritten: writeSync(...at) }),
);

/**
 * Writes the start of a socket in Node's pool of threads: what waits there for the reader holds no signal off. As
 * long as signals are left to the system, it is written at once. What is left then, and all that comes later, goes
 * through the stream.
 */
class SocketStart {
  /** Whether the stream has taken over. */
  isOver = false;
  isBusy = false;
  readonly #descriptor: number;
  readonly #stream: () => NodeJS.WriteStream;
  readonly #onError: (error: Error) => void;
  readonly #waiting: Uint8Array[] = [];
  readonly #whenIdle: (() => void)[] = [];
  #written = 0;

  constructor(descriptor: number, stream: () => NodeJS.WriteStream, onError: (error: Error) => void) {
    this.#descriptor = descriptor;
    this.#stream = stream;
    this.#onError = onError;
  }

  /** Returns whether more may follow at once. */
  write(bytes: Uint8Array): boolean {
    if (bytes.length > 0) this.#waiting.push(bytes);
    if (!this.isBusy) void this.#next();
    return this.#waiting.reduce((length, { length: own }) => length + own, this.#written) <= SOCKET_BYTES;
  }

  /** Calls back when all is written that was taken so far, or the stream can take more. */
  whenIdle(then: () => void): void {
    this.#whenIdle.push(then);
  }

  async #next(): Promise<void> {
    const [bytes] = this.#waiting;
    if (bytes === undefined || this.#written >= SOCKET_BYTES) return this.#handOver();
    this.isBusy = true;
    const length = Math.min(bytes.length, SOCKET_BYTES - this.#written);
    let bytesWritten: number;
    try {
      ({ bytesWritten } = await writeSome(this.#descriptor, bytes, 0, length));
    } catch (error) {
      // One that does not wait, and has no room.
      if (errorCode(error) === "EAGAIN") return this.#handOver(true);
      this.#waiting.length = 0;
      this.#onError(error as Error);
      return this.#handOver();
    }
    this.#written += bytesWritten;
    if (bytesWritten === bytes.length) this.#waiting.shift();
    else this.#waiting[0] = bytes.subarray(bytesWritten);
    return this.#next();
  }

  #handOver(isFull = this.#written >= SOCKET_BYTES): void {
    this.isBusy = false;
    this.isOver = isFull;
    for (const bytes of this.#waiting.splice(0)) this.#stream().write(bytes);
    for (const then of this.#whenIdle.splice(0)) {
      if (isFull && this.#stream().writableNeedDrain) this.#stream().once("drain", then);
      else then();
    }
  }
}

/**
 * A pipe may be full of what an earlier program wrote, and a write that waits hears no signal. It is opened once more, since
 * what is non-blocking is so for every program that shares the opened file: Linux alone has a way to that
 * (proc_pid_fd(5)). Throws where there is none, as for a pipe of another user.
 */
function directWay(descriptor: number, platform: NodeJS.Platform): number {
  if (!fstatSync(descriptor).isFIFO()) return descriptor;
  if (platform !== "linux") throw new Error("No pipe can be opened once more.");
  const flags = constants.O_WRONLY | constants.O_NONBLOCK;
  return openSync(`/proc/self/fd/${descriptor}`, flags);
}

/**
 * Node waits in each write until a terminal has taken it, and hears no signal meanwhile. One that takes nothing (Ctrl-S, a
 * connection that is stuck) is waited for as a pipe is: what it does not take is written later.
 */
function withoutWaiting(stream: NodeJS.WriteStream, platform: NodeJS.Platform): NodeJS.WriteStream {
  // Node has no other way to it: what it does when it opens a terminal is taken back.
  const { _handle: handle } = stream as { _handle?: { setBlocking?: (isBlocking: boolean) => unknown } };
  if (stream.isTTY && platform !== "win32") handle?.setBlocking?.(false);
  return stream;
}

/** Whether two outputs are one terminal, and must be written to in one stream: else what is late comes out of turn. */
export function isOneTerminal(one: number, other: number): boolean {
  try {
    const [first, second] = [fstatSync(one), fstatSync(other)];
    return first.isCharacterDevice() && second.isCharacterDevice() && first.rdev === second.rdev;
  } catch {
    // One of them is closed.
    return false;
  }
}

/** /dev/null on Linux: major number 1, minor number 3 (Documentation/admin-guide/devices.txt). */
const NULL_DEVICE = 0x1_03;

/** Whether what a descriptor leads to was a terminal and is gone. */
export function isHungUp(descriptor: number, isTerminal: (descriptor: number) => boolean): boolean {
  try {
    const status = fstatSync(descriptor);
    if (!status.isCharacterDevice() || isNullDevice(status)) return false;
    // One that is there is not written to, though it be nothing: that could stop a job in the background.
    if (!isTerminal(descriptor)) writeSync(descriptor, new Uint8Array());
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EIO";
  }
}

/** Whether what a descriptor leads to has nothing to read. */
export function readsNothing(descriptor: number): boolean {
  try {
    return isNullDevice(fstatSync(descriptor));
  } catch {
    // It is closed, or cannot be looked at: whoever reads it hears more.
    return false;
  }
}

/** Whether a file is the one that takes everything, keeps nothing and has nothing to read. */
function isNullDevice(status: Stats): boolean {
  return status.isCharacterDevice() && status.rdev === NULL_DEVICE;
}

function takesDirectWrites(descriptor: number): boolean {
  try {
    const status = fstatSync(descriptor);
    return status.isFIFO() || status.isSocket() || status.isFile() || isNullDevice(status);
  } catch {
    // A closed descriptor: the stream knows what to do with it.
    return false;
  }
}
