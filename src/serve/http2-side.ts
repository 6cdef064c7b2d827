import {
  constants,
  createServer,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { errorCode } from "../errors.ts";
import { LAST_MS } from "../http-port.ts";
import { readLater } from "../network/take-in-turns.ts";
import { whenTime } from "../next-turn.ts";

/**
 * What one connection may have at once: nginx has 128 streams (http2_max_concurrent_streams) and Go windows of 1 MiB
 * (http2.Server.MaxUploadBufferPerStream). Headers have the room that Node gives those of HTTP/1.1. What else a client may
 * do, such as CONTINUATION frames and settings, Node bounds itself.
 */
const SETTINGS = { maxConcurrentStreams: 128, initialWindowSize: 1024 * 1024, maxHeaderListSize: 16 * 1024 };
const CONNECTION_WINDOW = 4 * 1024 * 1024;

/**
 * Streams of a connection that may be broken off at once, and so many more in a second. nghttp2 lets 1,000 pass, which is a
 * second of this server's time (CVE-2023-44487, CVE-2025-8671), and has the same rate.
 */
const RESETS_AT_ONCE = 200;
const RESETS_A_SECOND = 33;

export interface Http2Options {
  /** What begins no request within so long is given up, in ms. */
  headersMs: number;
  /** A connection without requests, and a reader that takes nothing, is given up after so long, in ms. */
  idleMs: number;
  /** Told what ended a connection that was broken by its client. */
  note: (line: string) => void;
}

export type Http2Listener = (request: Http2ServerRequest, response: Http2ServerResponse) => unknown;

/** The HTTP/2 connections of the server: what they may do, and how they end. */
export class Http2Side {
  readonly server: Http2Server;
  /** Open connections, and how many streams run on each. */
  readonly #connections = new Set<{ session: ServerHttp2Session; running: number }>();
  readonly #options: Http2Options;
  #isLeaving = false;

  constructor(listener: Http2Listener, options: Http2Options) {
    this.#options = options;
    const turns = new WeakMap<object, Turn>();
    this.server = createServer({ settings: SETTINGS }, (request, response) => {
      const { session } = request.stream;
      if (session === undefined) return;
      const turn = turns.get(session) ?? new Turn();
      turns.set(session, turn);
      turn.take(() => {
        // One that was broken off meanwhile is nobody's work.
        if (!request.stream.closed) listener(request, response);
      });
    });
    this.server.on("session", (session) => this.#keep(session));
    this.server.on("sessionError", (error: Error) => {
      if (errorCode(error)?.startsWith("ERR_HTTP2") === true)
        options.note(`An HTTP/2 connection ended: ${error.message}.`);
    });
    this.server.on("checkContinue", (request: Http2ServerRequest, response: Http2ServerResponse) => {
      // Whoever asks whether to send a body is told to when somebody reads it, and never for one that is refused unread.
      request.once("resume", () => response.writeContinue());
      this.server.emit("request", request, response);
    });
    this.server.on("checkExpectation", (request: Http2ServerRequest, response: Http2ServerResponse) =>
      this.server.emit("request", request, response),
    );
  }

  /**
   * Has clients open no more streams: on a connection without requests at once, on any other with the next request or
   * after the last. What runs goes on, and older SDKs of AWS drop that at a GOAWAY.
   */
  leave(): void {
    this.#isLeaving = true;
    for (const { session, running } of this.#connections) if (running === 0) session.close();
  }

  #keep(session: ServerHttp2Session): void {
    const connection = { session, running: 0 };
    const countReset = resetCounter(session);
    this.#connections.add(connection);
    session.setLocalWindowSize(CONNECTION_WINDOW);
    // However much is sent beside them: a connection is there for requests.
    const startIdle = (ms: number): NodeJS.Timeout => setTimeout(whenTime, ms, () => end(session));
    const { headersMs, idleMs } = this.#options;
    let idle = startIdle(Math.min(headersMs, idleMs));
    const countFrame = frameCounter(session);
    session.on("stream", (stream) => {
      countFrames(stream, countFrame);
      clearTimeout(idle);
      if (this.#isLeaving) session.close();
      connection.running += 1;
      watchReader(stream, idleMs);
      stream.once("close", () => {
        connection.running -= 1;
        if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) countReset();
        if (connection.running > 0 || session.destroyed) return;
        if (this.#isLeaving) session.close();
        idle = startIdle(idleMs);
      });
    });
    session.once("close", () => {
      clearTimeout(idle);
      this.#connections.delete(connection);
    });
  }
}

/** Requests of a connection that are begun in one turn of the event loop. */
const MOST_IN_TURN = 16;

/** Begins work at once, as long as it is not too much for a turn of the event loop, and the rest in the next ones. */
class Turn {
  readonly #waiting: (() => void)[] = [];
  #begun = 0;

  take(work: () => void): void {
    if (this.#begun === 0) setImmediate(() => this.#next());
    if (this.#begun >= MOST_IN_TURN) return void this.#waiting.push(work);
    this.#begun += 1;
    work();
    return undefined;
  }

  #next(): void {
    this.#begun = 0;
    for (const work of this.#waiting.splice(0, MOST_IN_TURN)) this.take(work);
  }
}

/** So many frames of data are taken in from a connection before all others have their turn: what a browser sends has 16 KB. */
const FRAMES_AT_ONCE = 1000;

/**
 * Lets others have their turn while data comes in frames of a few bytes. Node reads on for as long as there is something,
 * 2 MB of it before any timer, whatever number of frames that is.
 */
function frameCounter(session: ServerHttp2Session): () => void {
  let taken = 0;
  return () => {
    taken += 1;
    if (taken !== FRAMES_AT_ONCE) {
      if (taken === 1) setImmediate(() => (taken = 0));
      return;
    }
    const { _handle: handle } = session.socket as {
      _handle?: Partial<Record<"readStop" | "readStart", () => void>> | null;
    };
    handle?.readStop?.();
    readLater(() => handle?.readStart?.());
  };
}

function countFrames(stream: ServerHttp2Stream, count: () => void): void {
  const { push } = stream;
  stream.push = (chunk, encoding) => {
    count();
    return push.call(stream, chunk, encoding);
  };
}

/** Counts streams that are broken off, and ends a connection that has too many of them. */
function resetCounter(session: ServerHttp2Session): () => void {
  let left = RESETS_AT_ONCE;
  let countedAt = performance.now();
  return () => {
    const now = performance.now();
    left = Math.min(left + ((now - countedAt) / 1000) * RESETS_A_SECOND, RESETS_AT_ONCE) - 1;
    countedAt = now;
    if (left < 0) session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  };
}

/** Ends a stream, and not the connection of others: its answer stays half. */
export function hangUpStream({ stream }: Http2ServerRequest): void {
  stream.close(constants.NGHTTP2_CANCEL);
}

/** What is still coming of a request that has its answer is thrown away for so long, in ms. */
const LINGER_MS = 1000;

/**
 * Gives up a client that takes nothing of what is there, and lets one be that waits for a model. Asks one that goes on
 * sending a request which is answered to stop (RFC 9113, section 8.1), when it has the answer.
 */
function watchReader(stream: ServerHttp2Stream, idleMs: number): void {
  stream.setTimeout(idleMs, () => {
    if (stream.writableLength > 0) stream.close(constants.NGHTTP2_CANCEL);
  });
  stream.once("finish", () => {
    if (stream.readableEnded) return;
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), LINGER_MS);
    stream.once("close", () => clearTimeout(timer));
  });
}

/** Says goodbye, and hangs up on a client that does not. */
function end(session: ServerHttp2Session): void {
  session.close();
  setTimeout(() => session.destroy(), LAST_MS).unref();
}
