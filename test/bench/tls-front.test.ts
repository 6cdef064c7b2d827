import { once } from "node:events";
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { type Certificate, issueCertificate, startTlsFront, type TlsFront } from "../helpers/tls-front.ts";

let certificate: Certificate;
beforeAll(async () => {
  certificate = await issueCertificate();
});

/** A front before a server that sends back what it gets. */
async function echoing(roundTripMs?: number): Promise<TlsFront> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const front = await startTlsFront(certificate, (server.address() as AddressInfo).port, roundTripMs);
  onTestFinished(async () => {
    await front.close();
    server.close();
  });
  return front;
}

async function dial(front: TlsFront, over?: Socket): Promise<TLSSocket> {
  const address = over ? { socket: over } : { port: Number(new URL(front.url).port), host: "127.0.0.1" };
  const socket = connectTls({ ...address, ca: certificate.authority, checkServerIdentity: () => undefined });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  return socket;
}

async function say(socket: TLSSocket, what: string): Promise<void> {
  socket.write(what);
  await once(socket, "data");
}

describe("TLS in front of a server", () => {
  it("is 1.3, with a certificate that its authority vouches for", async () => {
    const socket = await dial(await echoing());
    expect(socket.getProtocol()).toBe("TLSv1.3");
    expect(socket.authorized).toBe(true);
    expect(socket.getPeerCertificate().subjectaltname).toBe("IP Address:127.0.0.1");
  });

  it("knows each connection and what came through it, to the byte", async () => {
    const front = await echoing();
    const silent = await dial(front);
    const socket = await dial(front);
    await say(socket, "hello");
    await say(socket, " there");
    const handshakeOnly = connectTcp(Number(new URL(front.url).port), "127.0.0.1");
    onTestFinished(() => void handshakeOnly.destroy());
    await once(handshakeOnly, "connect");
    silent.end();
    await once(silent, "close");
    const nothing = { received: Buffer.alloc(0), firstByteAt: undefined };
    await vi.waitFor(() =>
      expect(front.connections).toEqual([
        { isSecure: true, ...nothing },
        { isSecure: true, received: Buffer.from("hello there"), firstByteAt: expect.any(Number) as number },
        { isSecure: false, ...nothing },
      ]),
    );
  });
});

/** Long beside what a busy machine adds. */
const ROUND_TRIP_MS = 300;

/** How many whole round trips something takes. */
async function roundTrips(work: Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work;
  return Math.floor((performance.now() - started + 2) / ROUND_TRIP_MS);
}

describe("a network that takes its time", () => {
  it("takes three round trips to the first answer of a connection, and one to the next", async () => {
    const front = await echoing(ROUND_TRIP_MS);
    const first = dial(front).then(async (socket) => {
      await say(socket, "hello");
      return socket;
    });
    expect(await roundTrips(first)).toBe(3);
    expect(await roundTrips(say(await first, "again"))).toBe(1);
  });

  it("takes one less where TCP was connected a round trip ago", async () => {
    const front = await echoing(ROUND_TRIP_MS);
    const early = connectTcp(Number(new URL(front.url).port), "127.0.0.1");
    await once(early, "connect");
    await new Promise((resolve) => setTimeout(resolve, ROUND_TRIP_MS));
    expect(await roundTrips(dial(front, early).then((socket) => say(socket, "hello")))).toBe(2);
  });

  it("brings everything in the order in which it was said, and the end last", async () => {
    const socket = await dial(await echoing(20));
    const words = Array.from({ length: 500 }, (_, index) => `${index} `);
    for (const word of words) {
      socket.write(word);
      // Pieces of their own, some in the same millisecond and some not.
      if (word.includes("7")) await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end();
    expect(await text(socket)).toBe(words.join(""));
  });
});
