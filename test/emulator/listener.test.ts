import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { ConverseCommand, ConverseStreamCommand } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttp2Handler } from "@smithy/node-http-handler";
import { NodeHttp2Handler as OldHttp2Handler } from "smithy-node-http-handler-4-5";
import { describe, expect, it, onTestFinished } from "vitest";
import { startEmulator } from "../../src/emulator/emulator.ts";
import { collect, emulate, runtimeClient, textOf, user } from "./clients.ts";
import { send } from "./signed-request.ts";

/** A connection that sends its bytes one at a time. */
function drip(socket: Socket): Duplex {
  socket.setNoDelay(true);
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _, done) => {
      const next = (place: number): void => {
        if (place === chunk.length) return done();
        socket.write(chunk.subarray(place, place + 1), () => setImmediate(next, place + 1));
      };
      next(0);
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (chunk: Buffer) => stream.push(chunk));
  socket.on("end", () => stream.push(null));
  socket.on("error", (error) => stream.destroy(error));
  return stream;
}

describe("one port for both protocols", () => {
  it("tells HTTP/2 by its preface even when that comes byte by byte", async () => {
    const emulator = await emulate();
    const session = connectHttp2(emulator.url, {
      createConnection: () => drip(connect(emulator.port, "127.0.0.1")),
    });
    onTestFinished(() => session.destroy());
    const request = session.request({ ":path": "/foundation-models" });
    const status = await new Promise((resolve, reject) => {
      request.on("response", (headers) => resolve(headers[":status"]));
      session.on("error", reject);
    });
    expect(status).toBe(403);
    expect(emulator.calls).toMatchObject([{ httpVersion: "2.0", route: "ListFoundationModels" }]);
  });

  it("takes HTTP/1.1 byte by byte, methods that begin like the preface among them", async () => {
    const emulator = await emulate();
    const socket = connect(emulator.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    const stream = drip(socket);
    stream.write(Buffer.from("PROPFIND /x HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"));
    let text = "";
    for await (const chunk of stream) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 404 /);
    expect(emulator.calls).toMatchObject([{ httpVersion: "1.1", method: "PROPFIND", route: "Unknown" }]);
  });

  it("says to who takes it for a proxy that it is none", async () => {
    const { port } = await emulate();
    const socket = connect(port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write("CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n\x16\x03\x01");
    expect(await text(socket)).toMatch(
      /^HTTP\/1\.1 405 Method Not Allowed\r\n.*\r\nallow: GET, .*\r\n\r\nThis is no proxy: CONNECT is not possible\.\n$/s,
    );
  });

  it("keeps an HTTP/1.1 connection for the next request", async () => {
    const emulator = await emulate();
    const socket = connect(emulator.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    const get = "GET /latest/meta-data/placement/region HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let text = "";
    const whenSeen = (count: number) =>
      new Promise<void>((resolve) => {
        socket.on("data", (chunk) => {
          text += String(chunk);
          if (text.split("HTTP/1.1 401").length > count) resolve();
        });
      });
    socket.write(get);
    await whenSeen(1);
    socket.write(get);
    await whenSeen(2);
    expect(emulator.calls).toHaveLength(2);
  });

  it("forgets a client that leaves before its request is whole", async () => {
    const emulator = await emulate();
    const socket = connect(emulator.port, "127.0.0.1");
    socket.write("POST /model/x/converse HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{");
    await new Promise((resolve) => socket.once("connect", resolve));
    socket.resetAndDestroy();
    await send(emulator, { method: "GET", path: "/foundation-models", headers: {} });
    expect(emulator.calls.map((call) => call.route)).toEqual(["ListFoundationModels"]);
  });

  it.each([
    ["close", "ended"],
    ["reset", "ECONNRESET"],
  ] as const)("breaks a connection by %s, which the client sees as %s", async (end, expected) => {
    const script = () => ({ stream: [{ bytes: Buffer.from("part") }, { wait: seen }, { end }] });
    const emulator = await emulate({ script });
    const socket = connect(emulator.port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    let happen = (): void => undefined;
    const seen = new Promise<void>((resolve) => {
      happen = resolve;
    });
    const outcome = new Promise((resolve) => {
      socket.on("end", () => resolve("ended"));
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
    });
    let text = "";
    socket.on("data", (chunk) => {
      text += String(chunk);
      if (text.includes("part")) happen();
    });
    socket.write("POST /model/x/converse-stream HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n");
    expect(await outcome).toBe(expected);
    // The last chunk of a whole answer has the length 0.
    expect(text).toMatch(/\r\n4\r\npart\r\n$/);
  });

  it("ends every connection when it stops, and refuses new ones", async () => {
    const emulator = await startEmulator();
    const socket = connect(emulator.port, "127.0.0.1");
    await new Promise((resolve) => socket.once("connect", resolve));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    // A finished request proves that the server has taken the earlier connection, too.
    await send(emulator, { method: "GET", path: "/foundation-models", headers: {} });
    await emulator.stop();
    await closed;
    const refused = send(emulator, { method: "GET", path: "/foundation-models", headers: {} });
    await expect(refused).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("rejects when the port is taken", async () => {
    const { port } = await emulate();
    await expect(startEmulator({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

describe("AWS's SDK, which says GOAWAY when an answer begins", () => {
  it.each([
    ["this one", NodeHttp2Handler],
    ["@smithy/node-http-handler 4.5", OldHttp2Handler],
  ])("reads answers whole: %s", async (_, Handler) => {
    const text = "word ".repeat(800);
    const emulator = await emulate({ dialogue: [{ text }], delayMs: 1 });
    const client = runtimeClient(emulator, "HTTP/2", emulator, "us-east-1", {
      requestHandler: new Handler({ disableConcurrentStreams: true }),
    });
    const question = { modelId: "amazon.nova-lite-v1:0", messages: user("Hi") };
    const { output } = await client.send(new ConverseCommand(question));
    expect(output?.message?.content).toEqual([{ text }]);
    const { stream } = await client.send(new ConverseStreamCommand(question));
    expect(textOf(await collect(stream))).toBe(text);
    expect(emulator.calls.map(({ httpVersion }) => httpVersion)).toEqual(["2.0", "2.0"]);
  });
});
