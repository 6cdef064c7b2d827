import { once } from "node:events";
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { generate } from "selfsigned";

/** A certificate for 127.0.0.1 and the authority that signed it, all PEM. */
export interface Certificate {
  authority: string;
  certificate: string;
  key: string;
}

/** One connection that a client opened. */
export interface FrontConnection {
  /** Whether TLS came about. */
  isSecure: boolean;
  /** What the client has said inside TLS so far, to the byte. */
  received: Buffer;
  /** When the first of it came, in ms since the process began. */
  firstByteAt: number | undefined;
}

export interface TlsFront {
  /** `https://127.0.0.1:PORT` */
  url: string;
  /** Every connection, in the order in which they came. */
  connections: FrontConnection[];
  /** Ends every connection at once. */
  close(): Promise<void>;
}

/** An authority of its own, RSA with 2048 bits as AWS's, and a certificate from it. */
export async function issueCertificate(): Promise<Certificate> {
  const authority = await generate([{ name: "commonName", value: "openclaw test authority" }], {
    algorithm: "sha256",
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const own = await generate([{ name: "commonName", value: "127.0.0.1" }], {
    algorithm: "sha256",
    ca: { key: authority.private, cert: authority.cert },
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
    ],
  });
  return { authority: authority.cert, certificate: own.cert, key: own.private };
}

/**
 * Puts TLS 1.3 in front of a plain server of this machine, on a loopback port of its own, and with `roundTripMs` a network
 * of so many milliseconds there and back.
 */
export async function startTlsFront(
  { certificate, key }: Certificate,
  behindPort: number,
  roundTripMs = 0,
): Promise<TlsFront> {
  const connections: FrontConnection[] = [];
  const byRemotePort = new Map<number | undefined, FrontConnection>();
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    // Whoever hangs up ends the other side, too; that is all there is to do.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  };
  const secure = createTlsServer(
    {
      key,
      cert: certificate,
      minVersion: "TLSv1.3",
      ALPNProtocols: ["http/1.1"],
      noDelay: true,
      allowHalfOpen: true,
    },
    (inside) => {
      keep(inside);
      const connection = byRemotePort.get(inside.remotePort);
      if (connection) connection.isSecure = true;
      const behind = connect({ port: behindPort, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
      keep(behind);
      inside.on("data", (chunk: Buffer) => {
        if (!connection) return;
        connection.firstByteAt ??= performance.now();
        connection.received = Buffer.concat([connection.received, chunk]);
      });
      for (const [from, to] of [
        [inside, behind],
        [behind, inside],
      ] as const) {
        from.on("close", () => to.destroySoon());
        from.pipe(to);
      }
    },
  );
  secure.on("connection", (socket: Socket) => {
    keep(socket);
    const connection = { isSecure: false, received: Buffer.alloc(0), firstByteAt: undefined };
    byRemotePort.set(socket.remotePort, connection);
    connections.push(connection);
  });
  // A client that breaks the handshake off has its reasons, and the test that looks at it.
  secure.on("tlsClientError", () => undefined);
  const servers: Server[] = [secure];
  let port = await listen(secure);
  if (roundTripMs > 0) {
    const relay = createRelay(port, roundTripMs, keep);
    servers.push(relay);
    port = await listen(relay);
  }
  return {
    url: `https://127.0.0.1:${port}`,
    connections,
    close: async () => {
      const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

/** Passes connections on to a port of this machine as a network does that takes so many ms there and back. */
function createRelay(port: number, roundTripMs: number, keep: (socket: Socket) => void): Server {
  const halfMs = roundTripMs / 2;
  return createTcpServer({ noDelay: true, allowHalfOpen: true }, (near) => {
    const far = connect({ port, host: "127.0.0.1", noDelay: true, allowHalfOpen: true });
    keep(near);
    keep(far);
    // TCP's handshake takes a round trip before the client can say anything, and here it took none.
    const connectedAt = performance.now() + roundTripMs;
    carry(near, far, (now) => Math.max(now, connectedAt) + halfMs);
    carry(far, near, (now) => now + halfMs);
  });
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Hands on what comes from one socket to another, in order, each piece and the end when it is due. */
function carry(from: Socket, to: Socket, dueAt: (now: number) => number): void {
  const waiting: { due: number; deliver: () => void }[] = [];
  const deliverDue = (): void => {
    while (waiting[0] && waiting[0].due <= performance.now()) waiting.shift()?.deliver();
    if (waiting[0]) setTimeout(deliverDue, Math.max(waiting[0].due - performance.now(), 0));
  };
  const hold = (deliver: () => void): void => {
    waiting.push({ due: dueAt(performance.now()), deliver });
    if (waiting.length === 1) deliverDue();
  };
  from.on("data", (chunk) => hold(() => to.write(chunk)));
  from.on("end", () => hold(() => to.end()));
  from.on("close", () => hold(() => to.destroySoon()));
}
