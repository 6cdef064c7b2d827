import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import path from "node:path";
import { Writable } from "node:stream";
import { afterEach, beforeEach, expect, it } from "vitest";
import { outputSink } from "../../src/terminal/output-sink.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(path.join(tmpdir(), "openclaw-sink-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Stands for the stream that Node opens: collects what goes through it. */
function streamDouble() {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      chunks.push(Buffer.from(chunk));
      done();
    },
  }) as unknown as NodeJS.WriteStream;
  return { stream, text: () => Buffer.concat(chunks).toString() };
}

function failOnError(error: Error): void {
  throw error;
}

it("writes to a file without opening Node's stream", () => {
  const file = path.join(folder, "out");
  const descriptor = openSync(file, "w");
  const sink = outputSink(descriptor, () => expect.fail("opened the stream"), failOnError, "linux");
  expect(sink.isTTY).toBe(false);
  sink.write("naïve ");
  sink.write(Buffer.from("bytes\n"));
  closeSync(descriptor);
  expect(readFileSync(file, "utf8")).toBe("naïve bytes\n");
});

it.each([
  ["blocks", 0],
  ["does not block", constants.O_NONBLOCK],
])("goes on through the stream, in order, when a pipe is full that %s", (_, flag) => {
  const fifo = path.join(folder, "fifo");
  execFileSync("mkfifo", [fifo]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(fifo, constants.O_WRONLY | flag);
  const filler = outputSink(writer, () => expect.fail("opened the stream"), failOnError, "linux");
  filler.write("x".repeat(60 * 1024));
  const double = streamDouble();
  const sink = outputSink(writer, () => double.stream, failOnError, "linux");
  sink.write("y".repeat(20 * 1024));
  const inPipe = Buffer.alloc(200 * 1024);
  const read = readSync(reader, inPipe);
  closeSync(reader);
  closeSync(writer);
  const ys = inPipe.toString("latin1", 0, read).replaceAll("x", "");
  expect(double.text().length).toBeGreaterThan(0);
  expect(ys + double.text()).toBe("y".repeat(20 * 1024));
});

it("tells about a reader that has gone", () => {
  const fifo = path.join(folder, "fifo");
  execFileSync("mkfifo", [fifo]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(fifo, constants.O_WRONLY);
  const errors: string[] = [];
  const sink = outputSink(
    writer,
    () => expect.fail("opened the stream"),
    (error) => errors.push((error as NodeJS.ErrnoException).code ?? ""),
    "linux",
  );
  sink.write("hello");
  closeSync(reader);
  sink.write("anybody there?");
  closeSync(writer);
  expect(errors).toEqual(["EPIPE"]);
});

it("leaves Windows to Node's stream", () => {
  const descriptor = openSync(path.join(folder, "out"), "w");
  const double = streamDouble();
  outputSink(descriptor, () => double.stream, failOnError, "win32").write("hello");
  closeSync(descriptor);
  expect(double.text()).toBe("hello");
});
