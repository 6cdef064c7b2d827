import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { serve } from "../helpers/served.ts";
import { watchHealth } from "../helpers/watch-health.ts";

/** What nobody waits longer for, on a machine that does much else. */
const LONGEST_MS = 4000;

const head = (length: number): string =>
  `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

async function connectTo(origin: string): Promise<Socket> {
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

it("answers others while requests come on one connection without waiting for answers", async () => {
  const { origin } = await serve({ isAlone: true });
  const watched = watchHealth(origin);
  const socket = await connectTo(origin);
  const times = 20_000;
  let answered = 0;
  const { ms } = await watched(async () => {
    socket.write(`${head(1)}x`.repeat(times));
    for await (const bytes of socket) {
      answered += String(bytes).split("HTTP/1.1 400").length - 1;
      if (answered >= 2000) break;
    }
  });
  expect(answered).toBeGreaterThanOrEqual(2000);
  expect(ms).toBeLessThan(LONGEST_MS);
}, 60_000);

it("answers others, and every one of them, while many bodies come at once", async () => {
  const { origin } = await serve({ isAlone: true });
  const watched = watchHealth(origin);
  const body = Buffer.from(`[${"1 ".repeat(1024 * 1024)}]`);
  const sockets = await Promise.all(Array.from({ length: 80 }, () => connectTo(origin)));
  for (const socket of sockets) socket.write(head(body.length));
  await wait(300);
  const { ms, result } = await watched(() =>
    Promise.all(
      sockets.map(async (socket) => {
        socket.write(body);
        const [bytes] = (await once(socket, "data")) as [Buffer];
        return String(bytes).slice(9, 12);
      }),
    ),
  );
  expect(new Set(result)).toEqual(new Set(["400"]));
  expect(ms).toBeLessThan(LONGEST_MS);
}, 60_000);
