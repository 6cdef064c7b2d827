import { type ClientRequestArgs, Agent as HttpAgent } from "node:http";
import { type AgentOptions, Agent as HttpsAgent, type RequestOptions } from "node:https";
import { isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { checkServerIdentity, connect as connectTls, type ConnectionOptions, TLSSocket } from "node:tls";
import { withoutBrackets } from "../loopback.ts";

/** Time to connect in ms: name look-up, TCP, the way through a proxy and TLS together. */
const CONNECT_MS = 3000;

/** The error of a connection that did not come about in time, under the code that undici gives it. The SDK retries it. */
function connectTimeout(): Error {
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
 * Connects through a proxy, and with TLS behind it, within the time that any connection has. `connect` gives up by its
 * signal, and what it left undone is nobody's then. Throws what `connect` throws, and the error of `connectTimeout`.
 */
export async function connectInTime<T extends Duplex>(
  connect: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const expiry = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(connectTimeout());
      expiry.abort();
    }, CONNECT_MS);
  });
  try {
    const socket = await Promise.race([connect(expiry.signal), late]);
    if (socket instanceof TLSSocket) boundConnecting(socket, CONNECT_MS - (performance.now() - started));
    return socket;
  } finally {
    clearTimeout(timer);
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

type OnCreated = (error: Error | null, stream: Duplex) => void;

/** Node's HTTP agent with bounded connecting. */
export class BoundedHttpAgent extends HttpAgent {
  override createConnection(options: ClientRequestArgs, callback?: OnCreated): Duplex | null | undefined {
    const socket = super.createConnection(options, callback);
    if (socket) boundConnecting(socket);
    return socket;
  }
}

async function handOver(opened: Promise<Duplex>, callback: OnCreated): Promise<void> {
  let socket: Duplex;
  try {
    socket = await opened;
  } catch (error) {
    // Node's types name a stream here, too; its agent reads none.
    return (callback as (error: unknown) => void)(error);
  }
  callback(null, socket);
}

/** Where connections come from that were opened before they were needed. */
interface Opened {
  take(host: string, port: number): Promise<Duplex> | undefined;
}

/** Node's HTTPS agent with bounded connecting. It takes connections that were opened ahead before it opens its own. */
export class BoundedHttpsAgent extends HttpsAgent {
  readonly #ahead: Opened | undefined;

  constructor(options: AgentOptions, ahead?: Opened) {
    super(options);
    this.#ahead = ahead;
  }

  override createConnection(options: RequestOptions, callback?: OnCreated): Duplex | null | undefined {
    const opened = this.#ahead?.take(options.host ?? "", Number(options.port));
    if (opened && callback) {
      void handOver(opened, callback);
      return undefined;
    }
    const socket = super.createConnection(options, callback);
    if (socket) boundConnecting(socket);
    return socket;
  }
}

/**
 * Behind a proxy the certificate of an address is compared with that address: the libraries hand TLS a socket without a
 * host, which Node then takes for `localhost`. A name goes along as the server name.
 */
export function identityOf(host: string | undefined): Pick<ConnectionOptions, "checkServerIdentity"> {
  const address = withoutBrackets(host ?? "");
  if (isIP(address) === 0) return {};
  return { checkServerIdentity: (_, certificate) => checkServerIdentity(address, certificate) };
}
