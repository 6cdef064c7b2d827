import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { readInTurns } from "../src/read-in-turns.ts";

const SENT = Buffer.from(Array.from({ length: 400_000 }, (_, index) => `${index},`).join(""));

/** Both ends of a connection: the client's, and the server's with what it says first. */
async function pair(): Promise<[client: Socket, server: Socket]> {
  const port = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(port, "listening");
  const client = connect((port.address() as AddressInfo).port, "127.0.0.1");
  const [server] = (await once(port, "connection")) as [Socket];
  onTestFinished(() => {
    for (const socket of [client, server]) socket.destroy();
    port.close();
  });
  return [client, server];
}

const work = (ms: number): void => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

it("hands on in small pieces what takes its time, and lets others have their turn in between", async () => {
  const [client, server] = await pair();
  const pieces: Buffer[] = [];
  let turns = 0;
  server.on("data", (piece: Buffer) => {
    pieces.push(piece);
    if (pieces.length <= 100) work(2);
  });
  readInTurns(server, Buffer.from("first "));
  const ended = once(server, "end");
  client.end(SENT);
  const turn = (): void => {
    turns += 1;
    if (!server.readableEnded) setImmediate(turn);
  };
  setImmediate(turn);
  await ended;
  expect(Buffer.concat(pieces).equals(Buffer.concat([Buffer.from("first "), SENT]))).toBe(true);
  expect(Math.max(...pieces.slice(0, 90).map(({ length }) => length))).toBeLessThanOrEqual(4096);
  // 200 ms of work, of which a turn has 10 ms and a piece.
  expect(turns).toBeGreaterThan(10);
});

it("hands on everything to who stops in between", async () => {
  const [client, server] = await pair();
  const whole = buffer(server);
  readInTurns(server);
  client.end(SENT);
  const stops = setInterval(() => {
    server.pause();
    setTimeout(() => server.resume(), 2);
  }, 3);
  onTestFinished(() => clearInterval(stops));
  expect((await whole).equals(SENT)).toBe(true);
});

it("tells of a reset, and closes the connection", async () => {
  const [client, server] = await pair();
  readInTurns(server);
  const failed = once(server, "error");
  client.resetAndDestroy();
  expect(await failed).toMatchObject([{ code: "ECONNRESET" }]);
  expect(server.destroyed).toBe(true);
});
