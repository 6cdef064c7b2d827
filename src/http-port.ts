import { type IncomingMessage, type Server as HttpServer, STATUS_CODES } from "node:http";
import type { Http2Server, ServerHttp2Session } from "node:http2";
import { createServer, type Server as TcpServer, type Socket } from "node:net";
import type { Server as TlsServer, TLSSocket } from "node:tls";
import { whenTime } from "./next-turn.ts";
import { readInTurns } from "./read-in-turns.ts";

/** What an HTTP/2 client without TLS sends first (RFC 9113, section 3.4); no HTTP/1.1 method begins so. */
const HTTP2_PREFACE = Buffer.from("PRI");
/** The first byte of a TLS handshake (RFC 8446, section 5.1); no text begins so. */
const TLS_HANDSHAKE = 0x16;
/** What clients are offered inside TLS (RFC 7301), the best first. */
export const ALPN_PROTOCOLS = ["h2", "http/1.1"];

export interface PortServers {
  /** Takes what is HTTP/1.1, or nothing that is known. It does not listen itself. */
  readonly http: HttpServer;
  /** Takes HTTP/2. */
  readonly http2: Http2Server;
  /** Takes what is TLS. It offers `ALPN_PROTOCOLS`, and what is inside goes to the other two. */
  readonly secure?: TlsServer | undefined;
}

/** Within which a connection must have said what it speaks, and what is done with one that has not. */
export interface Silence {
  readonly ms: number;
  end(socket: Socket): void;
}

/**
 * A server, not listening yet, that hands each connection to whoever speaks its protocol: HTTP/1.1 or HTTP/2 with prior
 * knowledge, told apart by the first bytes, and either inside TLS, by what the client chose.
 */
export function createHttpPort(servers: PortServers, silence?: Silence): TcpServer {
  servers.http2.on("session", outliveGoaway);
  servers.secure?.on("secureConnection", (socket: TLSSocket) => {
    const isHttp2 = socket.alpnProtocol === "h2";
    if (isHttp2) socket.allowHalfOpen = false;
    (isHttp2 ? servers.http2 : servers.http).emit("connection", socket);
    if (!isHttp2) readInTurns(socket);
  });
  // Half open as those of Node's own HTTP server: what a client that has said all is told is up to that.
  return createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
    tellApart(socket, servers, silence),
  );
}

/** Reads the first bytes of a connection, puts them back and hands it on. */
function tellApart(socket: Socket, { http, http2, secure }: PortServers, silence: Silence | undefined): void {
  // A client that resets its connection is no error of ours; who answers it learns of it by `close`.
  socket.on("error", () => undefined);
  let isSilent = true;
  const end = (): void => {
    if (isSilent) silence?.end(socket);
  };
  const timer = silence && setTimeout(whenTime, silence.ms, end);
  const stop = (): void => {
    isSilent = false;
    clearTimeout(timer);
    socket.off("readable", onReadable).off("end", onEnd).off("close", stop);
  };
  let first = Buffer.alloc(0);
  const onReadable = (): void => {
    for (let chunk: Buffer | null; (chunk = socket.read() as Buffer | null) !== null;) {
      first = Buffer.concat([first, chunk]);
    }
    const start = first.subarray(0, HTTP2_PREFACE.length);
    const isHttp2 = HTTP2_PREFACE.subarray(0, start.length).equals(start);
    if (isHttp2 && start.length < HTTP2_PREFACE.length) return undefined;
    stop();
    const isTls = secure && first[0] === TLS_HANDSHAKE;
    if (isTls || isHttp2) socket.unshift(first);
    if (isTls) return void secure.emit("connection", socket);
    // Only then does the session of HTTP/2 learn that the client has gone.
    if (isHttp2) socket.allowHalfOpen = false;
    (isHttp2 ? http2 : http).emit("connection", socket);
    if (!isHttp2) readInTurns(socket, first);
    return undefined;
  };
  const onEnd = (): void => void socket.end();
  socket.on("readable", onReadable).on("end", onEnd).on("close", stop);
}

/** How often the end of a connection is looked for whose client has said GOAWAY, in ms. */
const LOOK_MS = 500;

/**
 * Has a client's GOAWAY end nothing. It says that the server may open no more streams (RFC 9113, section 6.8), which none
 * does here; Node answers it with a GOAWAY of its own, and clients whose @smithy/node-http-handler is older than 4.6.1, which
 * send theirs when an answer begins, drop the rest of it for that. The connection is the client's to close.
 */
function outliveGoaway(session: ServerHttp2Session): void {
  let streams = 0;
  session.on("stream", (stream) => {
    streams += 1;
    stream.once("close", () => {
      streams -= 1;
    });
  });
  session.on("goaway", () => {
    // Node calls one of them right after this event, by the code that the client gave.
    session.close = () => undefined;
    session.destroy = () => undefined;
    queueMicrotask(() => {
      Reflect.deleteProperty(session, "close");
      Reflect.deleteProperty(session, "destroy");
    });
  });
  session.once("goaway", () => {
    // Without streams Node reads nothing any more, the end of the connection neither.
    const { _handle: handle } = session.socket as { _handle?: { readStart?: () => void } | null };
    const timer = setInterval(() => {
      if (streams === 0) handle?.readStart?.();
    }, LOOK_MS);
    session.once("close", () => clearInterval(timer));
  });
}

/** For the last bytes of a connection that is to be closed, in ms. */
export const LAST_MS = 500;

/** Says the last on a connection of HTTP/1.1 for which Node has no answer that could be given. */
export function endWithWords(
  socket: Socket,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string,
): void {
  const all = { ...headers, "content-length": String(Buffer.byteLength(body)), connection: "close" };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}\r\n${body}`);
  // The client may go on sending.
  setTimeout(whenTime, LAST_MS, () => socket.destroy()).unref();
}

/** Answers who takes a server for a proxy, with the methods that there are; Node closes the connection without a word. */
export function refuseTunnels(server: HttpServer, methods: string): void {
  server.on("connect", (_: IncomingMessage, socket: Socket) => {
    const headers = { "content-type": "text/plain; charset=utf-8", allow: methods };
    endWithWords(socket, 405, headers, "This is no proxy: CONNECT is not possible.\n");
  });
}
