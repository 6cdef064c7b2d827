import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo, Server as TcpServer, Socket } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { errorCode, OpenclawError, shorten } from "../errors.ts";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { ALPN_PROTOCOLS, createHttpPort, endWithWords, LAST_MS } from "../http-port.ts";
import { App, type AppOptions, newRequestId, toldError } from "./app.ts";
import type { ServerState } from "./telemetry/server-metrics.ts";
import { type Certificate, OLDEST_TLS } from "./certificate.ts";
import { Http2Side } from "./http2-side.ts";
import { whenTime } from "../next-turn.ts";
import { settlesWithin } from "../settles-within.ts";

/** A request's headers are awaited so long, in ms. */
const HEADERS_MS = 15_000;
/** Node's own bound of a whole request comes so long after that of its body, which can say more, in ms. */
const LATER_MS = 5000;
/** How often the two are looked at, in ms. */
const LOOK_MS = 1000;

/**
 * Connections that may wait while this process is busy, as far as the system's own bound lets them (Linux: 4096). A client
 * whose connection finds no room believes that it has one, waits for seconds and may be reset (listen(2), tcp(7)).
 */
const BACKLOG = 4096;
/**
 * What is still coming of a request that has been answered is thrown away for so long, in ms, or as long as a request may
 * take where that is longer, and up to so many bytes: a connection that is closed before takes the answer with it
 * (RFC 9112, section 9.6). The time is nginx's lingering_time.
 */
const LINGER_MS = 30_000;
const LINGER_BYTES = 256 * 1024 * 1024;

export interface ServerOptions extends Omit<AppOptions, "isSecure"> {
  host: string;
  /** 0 takes any free one. */
  port: number;
  /** Has the port speak TLS, and nothing else. */
  certificate: Certificate | undefined;
}

export interface RunningServer {
  host: string;
  port: number;
  running(): number;
  /** Shows another certificate to who connects from now on. */
  replaceCertificate(certificate: Certificate): void;
  /** What is going on, for metrics. */
  state(): ServerState;
  /**
   * Takes no more work, lets what is running end within so many ms, stops the rest and closes every connection. Resolves
   * to how many answers were cut off.
   */
  drain(ms: number): Promise<number>;
}

/** Starts the server. Rejects with Node's system error when the port cannot be had. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const app = new App({ ...options, isSecure: options.certificate !== undefined });
  const exchanges = new Exchanges();
  const { idleMs, readMs, log } = options;
  const headersMs = Math.min(HEADERS_MS, readMs);
  // The process's own Request and Response stay what they are: AWS's clients use them, too.
  const answer = tellingMethods(
    getRequestListener(app.hono.fetch, {
      overrideGlobalObjects: false,
      // By itself it cuts the connection half a second after an answer that came before the whole request.
      autoCleanupIncoming: false,
      hostname: options.host,
      errorHandler: refuseRequest,
    }),
  );
  const http = createServer(
    {
      headersTimeout: headersMs,
      requestTimeout: HEADERS_MS + readMs + LATER_MS,
      // A request without one is refused in words of our own.
      requireHostHeader: false,
      // Longer than the load balancers of AWS (60 s) and Go's clients (90 s) keep a connection: it is they who close it, and
      // never this server while the next request is on its way.
      keepAliveTimeout: idleMs,
      connectionsCheckingInterval: LOOK_MS,
    },
    inTurn(exchanges, Math.max(LINGER_MS, readMs), answer),
  );
  watchConnections(http, exchanges, options);
  // It looks at its bounds of time from when it would listen itself.
  http.emit("listening");
  const http2 = new Http2Side(answer, { headersMs, idleMs, note: (line) => log.note(line) });
  const secure = options.certificate && createSecureServer(options.certificate, headersMs, log);
  const port = createHttpPort(
    { http, http2: http2.server, secure },
    { ms: headersMs, end: (socket) => http.emit("clientError", new SilentError(), socket) },
  );
  const sockets = new Set<Socket>();
  port.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const listening = once(port, "listening");
  port.listen({ host: options.host, port: options.port, backlog: BACKLOG });
  await listening;
  return {
    host: options.host,
    port: (port.address() as AddressInfo).port,
    running: () => app.running,
    replaceCertificate: (certificate) => secure?.setSecureContext({ ...certificate, minVersion: OLDEST_TLS }),
    state: () => app.state,
    drain: async (ms) => {
      http2.leave();
      const left = await finish(app, ms);
      await close(port, http, sockets);
      return left;
    },
  };
}

/** Speaks TLS with who shakes hands within so many ms, however slowly the bytes come. */
function createSecureServer(
  certificate: Certificate,
  handshakeMs: number,
  log: ServerOptions["log"],
): TlsServer {
  const secure = createTlsServer({ ...certificate, minVersion: OLDEST_TLS, ALPNProtocols: ALPN_PROTOCOLS });
  const timers = new Map<number | undefined, NodeJS.Timeout>();
  secure.on("connection", (socket: Socket) => {
    const { remotePort } = socket;
    const timer = setTimeout(whenTime, handshakeMs, () => socket.destroy());
    timers.set(remotePort, timer);
    socket.once("close", () => {
      clearTimeout(timer);
      if (timers.get(remotePort) === timer) timers.delete(remotePort);
    });
  });
  secure.on("secureConnection", ({ remotePort }) => clearTimeout(timers.get(remotePort)));
  // Mostly a client that does not trust the certificate.
  secure.on("tlsClientError", (error: Error, socket) => {
    socket.destroy();
    if (errorCode(error) !== "ECONNRESET") log.note(`TLS with a client did not come about: ${error.message}`);
  });
  return secure;
}

/** A connection on which nothing came by which to tell what is spoken, as Node tells it of one without a request. */
class SilentError extends Error {
  readonly code = "ERR_HTTP_REQUEST_TIMEOUT";
}

/** While answers are running, connections are still taken, so that a load balancer hears that this server is leaving. */
async function finish(app: App, ms: number): Promise<number> {
  await settlesWithin(ms, app.drain());
  const left = app.running;
  const stopped = app.drain();
  const reason = new OpenclawError("interrupted", { message: "This server is shutting down." });
  app.stopAll(reason);
  // Its last words wait for a reader that may take nothing any more.
  await settlesWithin(LAST_MS, stopped);
  app.giveUpAll(reason);
  return left;
}

async function close(port: TcpServer, http: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  await new Promise<void>((resolve) => {
    port.close(() => resolve());
    for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    http.closeIdleConnections();
    // What is left has its last bytes on the way, or sends something that nobody will answer.
    setTimeout(() => {
      for (const socket of sockets) socket.destroy();
    }, LAST_MS).unref();
  });
}

/** Answers what reaches no route: a request whose address cannot be read. */
function refuseRequest(failure: unknown): Response {
  const message = `The request cannot be read: ${(failure as Error).message}.`;
  const id = newRequestId();
  const { body } = toldError({ status: 400, code: "invalid_request", message, param: null }, id);
  return Response.json(body, { status: 400, headers: { "x-request-id": id } });
}

/** The methods that there are, whatever the address. */
const METHODS = "GET, HEAD, POST, OPTIONS";

/** Answers who asks with `OPTIONS *` what the server itself takes (RFC 9110, section 9.3.7): that is no address of a route. */
function tellingMethods(answer: Answer): Answer {
  return async (request, response) => {
    if (request.method !== "OPTIONS" || request.url !== "*") return answer(request, response);
    response.writeHead(204, { allow: METHODS, "x-request-id": newRequestId() });
    response.end();
  };
}

type Answer = ReturnType<typeof getRequestListener>;

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/** What is being answered on each connection. */
class Exchanges {
  readonly #running = new WeakMap<Socket, Set<Exchange>>();
  readonly #last = new WeakMap<Socket, Exchange>();

  on(socket: Socket): Set<Exchange> {
    const running = this.#running.get(socket) ?? new Set<Exchange>();
    this.#running.set(socket, running);
    return running;
  }

  /** Takes one more; it is over when its response is closed. Returns what came before it. */
  begin(exchange: Exchange): Exchange | undefined {
    const { socket } = exchange.request;
    const running = this.on(socket);
    const last = this.#last.get(socket);
    running.add(exchange);
    this.#last.set(socket, exchange);
    exchange.response.once("close", () => running.delete(exchange));
    // They end in their order.
    return last && running.has(last) ? last : undefined;
  }

  /**
   * Whether words of the connection's own would be read as the answer to what is coming on it: no request has come whole
   * that waits for its answer, and nothing was said yet of the one that is not whole.
   */
  isUnanswered(socket: Socket): boolean {
    const running = this.on(socket);
    const last = this.#last.get(socket);
    const isAnsweredEarly = last !== undefined && !last.request.complete && !running.has(last);
    return (
      !isAnsweredEarly &&
      [...running].every(({ request, response }) => !request.complete && !response.headersSent)
    );
  }
}

/**
 * Works on one request of a connection after the other. A client may send hundreds at once, which Node hands on all
 * together, and whose answers could be sent only in turn all the same (RFC 9112, section 9.3.2).
 */
function inTurn(exchanges: Exchanges, lingerMs: number, answer: RequestListener): RequestListener {
  return (request, response) => {
    // Before it is finished, when Node may close the connection.
    response.once("prefinish", () => linger(request, lingerMs));
    const before = exchanges.begin({ request, response });
    if (before === undefined) return void answer(request, response);
    // Nor is more taken from it meanwhile: who reads nothing and goes on sending is silent, too.
    const { socket } = request;
    const running = exchanges.on(socket);
    if (running.size === 2) stopReading(socket);
    before.response.once("close", () => {
      if (running.size === 1) goOnReading(socket);
      setImmediate(() => void answer(request, response));
    });
    return undefined;
  };
}

/** Reads nothing more, though Node itself goes on with each request that is whole: 2 MB of them before any timer. */
function stopReading(socket: Socket): void {
  socket.resume = () => socket;
  // One that was asked for before comes first.
  queueMicrotask(() => {
    if (Object.hasOwn(socket, "resume")) socket.pause();
  });
}

function goOnReading(socket: Socket): void {
  Reflect.deleteProperty(socket, "resume");
  socket.resume();
}

/** Lets a client send the rest of a request whose answer it has, and read that, on a connection that ends with it, too. */
function linger(request: IncomingMessage, ms: number): void {
  if (request.complete || request.destroyed) return;
  const { socket } = request;
  let bytes = 0;
  const giveUp = (): void => void socket.destroy();
  const timer = setTimeout(giveUp, ms);
  // With what is unread, or still comes, the system takes back what it has not sent: only this side is closed.
  socket.destroySoon = () => void socket.end();
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES) giveUp();
  });
  request.once("close", () => {
    clearTimeout(timer);
    Reflect.deleteProperty(socket, "destroySoon");
    if (socket.writableEnded) socket.destroySoon();
  });
}

/** Closes connections that do nothing, and answers on those that do not speak HTTP. */
function watchConnections(server: Server, exchanges: Exchanges, { idleMs, log }: ServerOptions): void {
  // Whoever asks whether to send a body is told to when somebody reads it, and never for one that is refused unread.
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    // What comes on the connection after a refusal is the body or not, and nobody could tell which.
    const { shouldKeepAlive } = response;
    response.shouldKeepAlive = false;
    request.once("resume", () => {
      if (response.headersSent) return;
      response.shouldKeepAlive = shouldKeepAlive;
      response.writeContinue();
    });
    server.emit("request", request, response);
  });
  // What is expected beside `100-continue`, which Node answers, may be passed over (RFC 9110, section 10.1.1).
  server.on("checkExpectation", (request: IncomingMessage, response: ServerResponse) =>
    server.emit("request", request, response),
  );
  // Called when neither side has sent anything for so long. A model may think longer than that; but a client that takes
  // nothing of what is there is not waiting for it.
  server.setTimeout(idleMs, (socket) =>
    whenTime(() => {
      if (exchanges.on(socket).size === 0 || socket.writableLength > 0) socket.destroy();
    }),
  );
  const refuse = (
    socket: Socket,
    status: number,
    code: string,
    message: string,
    more: Record<string, string> = {},
  ): void => {
    if (!socket.writable || !exchanges.isUnanswered(socket)) return void socket.destroy();
    const id = newRequestId();
    log.note(`${id} was refused with ${status}: ${message}`);
    const body = JSON.stringify(toldError({ status, code, message, param: null }, id).body);
    const headers = { "content-type": "application/json", ...more, "x-request-id": id };
    return endWithWords(socket, status, headers, body);
  };
  server.on("clientError", (error: Error, socket: Socket) => {
    const { status, what } = faultOf(errorCode(error));
    whenTime(() =>
      refuse(socket, status, "invalid_request", `${what} (${errorCode(error) ?? error.message})`),
    );
  });
  // Who takes this server for a proxy; Node closes the connection without a word. On HTTP/2 it answers with 405 itself.
  server.on("connect", ({ url = "" }: IncomingMessage, socket: Socket) => {
    const message = `This server is no proxy: CONNECT ${shorten(url)} is not possible.`;
    refuse(socket, 405, "method_not_allowed", message, { allow: METHODS });
  });
}

/** What is answered to a connection on which Node finds no request: by the codes of its errors. */
function faultOf(code: string | undefined): { status: number; what: string } {
  switch (code) {
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { status: 408, what: "The request was too long in coming." };
    case "HPE_HEADER_OVERFLOW":
      return { status: 431, what: "The headers are too large." };
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return { status: 413, what: "The extensions of a chunk are too large." };
    default:
      return { status: 400, what: "This is no request of HTTP/1.1." };
  }
}
