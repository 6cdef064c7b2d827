import { isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as connectTls, TLSSocket } from "node:tls";

/** Time to connect in ms: name look-up, TCP, the way through a proxy and TLS together. */
export const CONNECT_MS = 3000;

/** The error of a connection that did not come about in time, under the code that undici gives it. The SDK retries it. */
export function connectTimeout(): Error {
  return Object.assign(new Error(`No connection within ${CONNECT_MS} ms.`), {
    name: "TimeoutError",
    code: "UND_ERR_CONNECT_TIMEOUT",
  });
}

/**
 * Destroys a socket that is not connected in time, TLS included: the SDK's own bound ends with TCP, and a peer that
 * accepts a connection and then says nothing would be waited for as long as for a model that thinks.
 */
export function boundConnecting(socket: Duplex, leftMs = CONNECT_MS): void {
  let isSettled = false;
  // A busy process learns late that it is connected, and of its timers first: what has arrived by then still counts.
  const timer = setTimeout(() => {
    setImmediate(() => {
      if (!isSettled) socket.destroy(connectTimeout());
    });
  }, leftMs);
  const connected = socket instanceof TLSSocket ? "secureConnect" : "connect";
  for (const event of [connected, "close"]) {
    socket.once(event, () => {
      isSettled = true;
      clearTimeout(timer);
    });
  }
}

/**
 * Puts TLS over a connection, as Node's HTTPS agent does, in the time that any connection has. Resolves when the other side
 * has proved who it is; rejects with Node's errors.
 */
export async function secure(tcp: Socket, host: string, ca: Buffer | undefined): Promise<TLSSocket> {
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = connectTls({ socket: tcp, host, ca, ALPNProtocols: ["http/1.1"], ...name });
  boundConnecting(socket);
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", () => reject(hungUp()));
    socket.once("secureConnect", () => resolve(socket));
  });
}

/** What Node's agent says of a connection that was closed in the middle of TLS. */
function hungUp(): Error {
  const message = "Client network socket disconnected before secure TLS connection was established";
  return Object.assign(new Error(message), { code: "ECONNRESET" });
}
