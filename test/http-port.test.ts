import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { connect as connectHttp2, constants, createServer as createHttp2Server } from "node:http2";
import { connect, type AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { createHttpPort, type Silence } from "../src/http-port.ts";

/** A port on which each protocol answers with its own name, HTTP/2 after a word that `finish` lets follow. */
async function open(silence?: Silence) {
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const http = createHttpServer((_, response) => response.end("HTTP/1.1"));
  const http2 = createHttp2Server((_, response) => {
    response.write("first ");
    void finished.then(() => response.end("last".padEnd(4000, ".")));
  });
  const port = createHttpPort({ http, http2 }, silence);
  port.listen(0, "127.0.0.1");
  await once(port, "listening");
  onTestFinished(() => void port.close());
  return { port: (port.address() as AddressInfo).port, finish };
}

async function ask(port: number) {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  const stream = session.request({ ":path": "/" });
  let text = "";
  stream.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
  });
  await once(stream, "data");
  return { session, stream, text: () => text };
}

describe("a client's GOAWAY", () => {
  it.each([
    ["NO_ERROR", constants.NGHTTP2_NO_ERROR],
    ["CANCEL", constants.NGHTTP2_CANCEL],
    ["INTERNAL_ERROR", constants.NGHTTP2_INTERNAL_ERROR],
  ])("ends nothing and is not answered: %s", async (_, code) => {
    const { port, finish } = await open();
    const { session, stream, text } = await ask(port);
    let answered = 0;
    session.on("goaway", () => {
      answered += 1;
    });
    session.goaway(code);
    session.goaway(code);
    // What was sent before it has been read when this is answered.
    await new Promise((resolve) => session.ping(resolve));
    finish();
    await once(stream, "end");
    expect([text(), stream.rstCode]).toEqual([`first ${"last".padEnd(4000, ".")}`, 0]);
    expect(answered).toBe(0);
  });

  it("leaves a connection that its client closes closed", async () => {
    const { port, finish } = await open();
    const { session, stream } = await ask(port);
    session.close();
    finish();
    await once(stream, "end");
    await once(session, "close");
  });
});

describe("a connection that says nothing", () => {
  it.each([
    ["nothing", ""],
    ["the beginning of a preface", "PR"],
  ])("is ended when its time is over: %s", async (_, bytes) => {
    const { port } = await open({ ms: 50, end: (socket) => socket.end("too late") });
    const socket = connect(port, "127.0.0.1");
    socket.write(bytes);
    const [said] = (await once(socket, "data")) as [Buffer];
    expect(String(said)).toBe("too late");
    await once(socket, "end");
    socket.destroy();
  });

  it("is closed when its client leaves it", async () => {
    const { port } = await open();
    const socket = connect(port, "127.0.0.1");
    socket.end("P");
    socket.resume();
    await once(socket, "close");
  });
});
