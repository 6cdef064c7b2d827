import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { constants, createServer as createHttp2Server } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { createHttpPort, refuseTunnels } from "../http-port.ts";
import type { StreamEnd } from "./script.ts";

/** The request side that both protocols share. */
export interface IncomingRequest extends AsyncIterable<Buffer> {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion: string;
  readonly headers: NodeJS.Dict<string | string[]>;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
}

/** The answer side that both protocols share. */
interface OutgoingResponse {
  writeHead(status: number, headers: Record<string, string>): unknown;
  /** False asks to wait for `drain`; the callback comes when the bytes are out. */
  write(chunk: Uint8Array, onWritten: () => void): boolean;
  end(chunk?: string | Uint8Array): unknown;
  once(event: "drain" | "close", listener: () => void): unknown;
}

/** One request and its answer, on either protocol. */
export interface Exchange {
  readonly request: IncomingRequest;
  readonly response: OutgoingResponse;
  /** Aborted when the client or the emulator has ended the connection of this answer. */
  readonly signal: AbortSignal;
  /** Waits, but no longer than the connection stays: rejects with the signal's reason when it has ended. */
  whileOpen<T>(promise: PromiseLike<T>): Promise<T>;
  /** Sends the headers before there is a body. */
  flushHeaders(): void;
  /** Ends the answer in one of the ways in which networks and services break. */
  breakOff(how: StreamEnd): void;
}

export interface Listener {
  readonly port: number;
  /** Ends every connection at once. */
  close(): Promise<void>;
}

/** A whole request is awaited so long, in ms. */
const REQUEST_MS = 300_000;

/**
 * Listens on one TCP port for HTTP/1.1 and for HTTP/2 without TLS.
 * Rejects with Node's system error when the port cannot be had.
 */
export async function listen(
  host: string,
  port: number,
  handle: (exchange: Exchange) => void,
): Promise<Listener> {
  const sockets = new Map<number, Socket>();
  /** HTTP/2 hides its socket behind a proxy that refuses to be destroyed, but tells the port. */
  const drop = (remotePort: number | undefined, how: StreamEnd): void => {
    const socket = sockets.get(remotePort ?? -1);
    if (how === "close") socket?.destroy();
    else if (how !== "stall") socket?.resetAndDestroy();
  };

  const http = createHttpServer({ keepAliveTimeout: 0, requestTimeout: REQUEST_MS }, (request, response) => {
    handle({
      request,
      response,
      ...watch(response),
      flushHeaders: () => response.flushHeaders(),
      breakOff: (how) => drop(request.socket.remotePort, how),
    });
  });
  refuseTunnels(http, "GET, HEAD, POST, PUT, DELETE");
  const http2 = createHttp2Server((request, response) => {
    handle({
      request,
      response,
      ...watch(response),
      // HTTP/2 sends them with writeHead.
      flushHeaders: () => undefined,
      breakOff: (how) => {
        if (how === "reset-stream") response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
        else drop(request.stream.session?.socket.remotePort, how);
      },
    });
  });

  const tcp = createHttpPort({ http, http2 });
  tcp.on("connection", (socket: Socket) => {
    const remotePort = socket.remotePort ?? -1;
    sockets.set(remotePort, socket);
    socket.once("close", () => sockets.delete(remotePort));
  });
  tcp.listen({ host, port });
  await once(tcp, "listening");
  return {
    port: (tcp.address() as AddressInfo).port,
    close: () =>
      new Promise<void>((resolve) => {
        tcp.close(() => resolve());
        for (const socket of sockets.values()) socket.destroy();
      }),
  };
}

function watch(response: OutgoingResponse): Pick<Exchange, "signal" | "whileOpen"> {
  const gone = new AbortController();
  const closed = new Promise<never>((_, reject) => {
    response.once("close", () => {
      const reason = new Error("The connection has ended.");
      reject(reason);
      gone.abort(reason);
    });
  });
  // Nobody may be waiting when it ends.
  closed.catch(() => undefined);
  return { signal: gone.signal, whileOpen: (promise) => Promise.race([promise, closed]) };
}
