import { once } from "node:events";
import { createServer, IncomingMessage, type RequestListener, Server } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { buffer, json } from "node:stream/consumers";
import { HttpRequest } from "@smithy/protocol-http";
import { expect, it, onTestFinished } from "vitest";
import { createRequestHandler } from "../../src/network/request-handler.ts";
import { takeInTurns } from "../../src/network/take-in-turns.ts";
import { BytesInFlight, readJsonBody } from "../../src/serve/request-body.ts";

const READ = 64 * 1024;
const READS = 50;

/** A message that is there as soon as anybody takes it, as Node reads one from a connection, and what each turn has read of it. */
function greedyMessage(isChunked: boolean): { message: IncomingMessage; turns: number[] } {
  let reads = 0;
  const turns = [0];
  const connection = new Duplex({
    highWaterMark: READ,
    write: (_chunk, _encoding, done) => done(),
    read() {
      reads += 1;
      this.push(reads > READS ? null : Buffer.alloc(READ));
    },
  });
  const message = new IncomingMessage(connection as Socket);
  if (isChunked) message.headers["transfer-encoding"] = "chunked";
  connection.on("data", (chunk: Buffer) => {
    turns.push((turns.pop() ?? 0) + 1);
    if (!message.push(chunk)) connection.pause();
  });
  connection.on("end", () => message.push(null));
  const turn = (): void => {
    turns.push(0);
    if (!message.readableEnded) setImmediate(turn);
  };
  setImmediate(turn);
  return { message, turns };
}

it("lets others have their turn after each read of a message in chunks, and reads it whole", async () => {
  const { message, turns } = greedyMessage(true);
  takeInTurns(message);
  expect(await buffer(message)).toHaveLength(READ * READS);
  expect(Math.max(...turns)).toBe(1);
});

it("leaves a message alone that comes as it is", async () => {
  const { message, turns } = greedyMessage(false);
  takeInTurns(message);
  expect(await buffer(message)).toHaveLength(READ * READS);
  expect(Math.max(...turns)).toBeGreaterThan(1);
});

/** A value, and a message with it of which every byte comes in a chunk of its own. */
const SAID = ["a".repeat(50_000)];
const CHUNKS = `content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n${Array.from(
  JSON.stringify(SAID),
  (byte) => `1\r\n${byte}\r\n`,
).join("")}0\r\n\r\n`;

async function listen(answer: RequestListener): Promise<[server: Server, port: number]> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return [server, (server.address() as AddressInfo).port];
}

it("takes one answer of a connection after the other", async () => {
  const [server, port] = await listen((request) => request.socket.write(`HTTP/1.1 200 OK\r\n${CHUNKS}`));
  let connections = 0;
  server.on("connection", () => (connections += 1));
  const handler = await createRequestHandler({ env: {}, isEmulated: false });
  onTestFinished(() => handler.destroy());
  const { response } = await handler.handle(
    new HttpRequest({ protocol: "http:", hostname: "127.0.0.1", port, method: "GET", path: "/" }),
  );
  expect(await json(response.body as IncomingMessage)).toEqual(SAID);
  expect(connections).toBe(1);
});

it("takes one request of a connection after the other", async () => {
  const said: unknown[] = [];
  const [, port] = await listen((request, response) => {
    const share = new BytesInFlight(1e7).share();
    const bounds = { most: 1e6, readMs: 60_000, signal: new AbortController().signal, share };
    void readJsonBody(request, bounds).then((value) => response.end(String(said.push(value))));
  });
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  for (let request = 0; request < 3; request += 1) {
    socket.write(`POST / HTTP/1.1\r\nhost: a\r\n${CHUNKS}`);
    await once(socket, "data");
  }
  expect(said).toEqual([SAID, SAID, SAID]);
});
