import { fstatSync, type Stats, writeSync } from "node:fs";
import type { Sink } from "./terminal.ts";

/**
 * What is written without Node's stream, in bytes. An empty pipe takes 64 KiB at once, so this much never waits for the
 * reader; beyond it the stream keeps signals and time-outs working while a slow reader makes us wait.
 */
const DIRECT_BYTES = 60 * 1024;

/**
 * A sink for an output of the process. The first bytes to a pipe, socket or file are written directly: opening Node's
 * stream loads its networking, which costs 5 ms of every start. Terminals, what follows, and pipes that someone made
 * non-blocking go through the stream. `onError` is told about a reader that has gone, a full disk, and the like.
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
  let budget = isDirect ? DIRECT_BYTES : 0;

  const write = (text: string | Uint8Array): boolean => {
    if (budget === 0) return stream().write(text);
    const bytes = typeof text === "string" ? Buffer.from(text) : text;
    const direct = Math.min(budget, bytes.length);
    let offset = 0;
    try {
      while (offset < direct) offset += writeSync(descriptor, bytes, offset, direct - offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") {
        onError(error as Error);
        return true;
      }
      budget = 0;
    }
    if (budget > 0) budget -= direct;
    return offset === bytes.length ? true : stream().write(bytes.subarray(offset));
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
    once: (event, listener) => stream().once(event, listener),
    end: (whenWritten) => {
      if (opened) opened.write("", () => whenWritten());
      else whenWritten();
    },
    onResize: (listener) => {
      stream().on("resize", listener);
      return () => stream().off("resize", listener);
    },
  };
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

/** Whether a file is the one that takes everything and keeps nothing. */
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
