import { type ClientRequestArgs, Agent as HttpAgent } from "node:http";
import { type AgentOptions, Agent as HttpsAgent, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { checkServerIdentity, type ConnectionOptions, TLSSocket } from "node:tls";
import { withoutBrackets } from "../loopback.ts";
import { boundConnecting, CONNECT_MS, connectTimeout } from "./secure.ts";

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
