import { type Agent as HttpAgent, type IncomingMessage, request as httpRequest } from "node:http";
import { type Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { Readable } from "node:stream";
import type { HttpRequest as RequestLike, HttpHandlerOptions } from "@smithy/types";
import { OpenclawError } from "../errors.ts";
import { withoutBrackets } from "../loopback.ts";
import { readBytes } from "../read-bytes.ts";
import { whenAborted } from "../until-aborted.ts";
import { IN_BETWEEN } from "./network-errors.ts";
import { buildQueryString, HttpRequest, HttpResponse } from "./sdk-parts.ts";
import { takeInTurns } from "./take-in-turns.ts";

/** Where the connections of a handler come from, by the protocol. */
export interface Agents {
  http: HttpAgent;
  https: HttpsAgent;
}

interface Exchanged {
  response: HttpResponse;
}

export interface WholeAnswer {
  status: number;
  /** By their names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** What somebody has to do with each request. */
export interface RequestWatcher {
  /** Before it is sent. */
  sends: (request: RequestLike) => Promise<void>;
  /** With what went wrong before an answer was there. */
  fails: (failure: unknown, request: RequestLike) => void;
  /** How many bytes of a body in pieces have gone out, of all. */
  uploads?: ((sent: number, total: number) => void) | undefined;
  /** With the answer. Where somebody wants it, it is read whole before anybody else sees it. */
  answers?: ((answer: WholeAnswer, request: RequestLike) => void) | undefined;
}

/** The longest answer that is read whole, in bytes: those that hand out credentials, or name them, have a few thousand. */
const LONGEST_ANSWER = 64 * 1024;

/**
 * A handler of the SDK for HTTP/1.1 whose time for a request is the time for the whole answer: that of the SDK's own ends
 * with the headers, and a body that stops in the middle would be waited for without end.
 */
export class TimedHandler {
  readonly metadata = { handlerProtocol: "http/1.1" };
  readonly #agents: Agents;
  readonly #requestMs: number | undefined;
  readonly #watcher: RequestWatcher | undefined;

  constructor(agents: Agents, requestMs?: number, watcher?: RequestWatcher) {
    this.#agents = agents;
    this.#requestMs = requestMs;
    this.#watcher = watcher;
  }

  /** Throws what Node does, a `TimeoutError` where the time is up, and an `AbortError`. */
  async handle(request: RequestLike, options: HttpHandlerOptions = {}): Promise<Exchanged> {
    const { abortSignal, requestTimeout: requestMs = this.#requestMs } = options;
    const started = performance.now();
    try {
      await this.#watcher?.sends(request);
      const answer = await this.exchange(inPieces(request, this.#watcher?.uploads), {
        signal: abortSignal as AbortSignal | undefined,
        requestMs,
        agents: this.#agents,
      });
      takeInTurns(answer.response.body as IncomingMessage);
      if (requestMs !== undefined) {
        boundBody(answer.response.body as Readable, requestMs, requestMs - (performance.now() - started));
      }
      if (this.#watcher?.answers) await this.#readWhole(answer, request, this.#watcher.answers);
      return answer;
    } catch (failure) {
      this.#watcher?.fails(failure, request);
      throw failure;
    }
  }

  async #readWhole(
    { response }: Exchanged,
    request: RequestLike,
    tell: NonNullable<RequestWatcher["answers"]>,
  ): Promise<void> {
    const stream = response.body as Readable;
    const tooLong = (): OpenclawError => {
      stream.destroy();
      return new OpenclawError("bad-response", {
        message: `${request.protocol}//${request.hostname} answers with more than ${LONGEST_ANSWER} bytes, as AWS never does.`,
        hint: IN_BETWEEN,
      });
    };
    const body = await readBytes(stream, { most: LONGEST_ANSWER, tooLong });
    response.body = Readable.from(body.length === 0 ? [] : [body]);
    const headers = Object.entries(response.headers).map(([name, value]) => [name.toLowerCase(), value]);
    tell(
      {
        status: response.statusCode,
        headers: Object.fromEntries(headers) as Record<string, string>,
        body: body.toString("utf8"),
      },
      request,
    );
  }

  /** Sends a request and resolves with the headers of its answer. */
  protected exchange(request: RequestLike, terms: ExchangeTerms): Promise<Exchanged> {
    return exchange(request, terms);
  }

  destroy(): void {
    destroyAgents(this.#agents);
  }

  /** What the SDK's clients would set is set already. */
  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): object {
    return {};
  }
}

/** Closes all connections. */
export function destroyAgents({ http, https }: Agents): void {
  http.destroy();
  https.destroy();
}

export interface ExchangeTerms {
  signal: AbortSignal | undefined;
  /** For the headers, in ms. */
  requestMs: number | undefined;
  agents: Agents;
}

/** Codes of Node that the SDK's retry strategies take for a time-out by the error's name. */
const TIMEOUT_CODES: ReadonlySet<unknown> = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT"]);

/** Sends a request as it is. The errors are those of the SDK's handler. */
async function exchange(
  request: RequestLike,
  { signal, requestMs, agents }: ExchangeTerms,
): Promise<Exchanged> {
  if (signal?.aborted) throw abortError(signal);
  return new Promise((resolve, reject) => {
    const isSecure = request.protocol === "https:";
    const query = buildQueryString(request.query ?? {});
    const sent = (isSecure ? httpsRequest : httpRequest)({
      headers: request.headers,
      host: withoutBrackets(request.hostname),
      method: request.method,
      path: query === "" ? request.path : `${request.path}?${query}`,
      port: request.port,
      agent: isSecure ? agents.https : agents.http,
    });
    let timer: NodeJS.Timeout | undefined;
    // What is still to be connected tells nobody that it was given up, and an answer that is read is cut off by it.
    const giveUp = (error: Error): void => {
      clearTimeout(timer);
      sent.destroy();
      reject(error);
    };
    sent.once("response", (message) => {
      clearTimeout(timer);
      const { statusCode = -1, statusMessage: reason = "", headers } = message;
      const texts = Object.entries(headers).map(([name, value]) => [name, String(value)]);
      resolve({
        response: new HttpResponse({
          statusCode,
          reason,
          headers: Object.fromEntries(texts) as Record<string, string>,
          body: message,
        }),
      });
    });
    sent.on("error", (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(TIMEOUT_CODES.has(error.code) ? Object.assign(error, { name: "TimeoutError" }) : error);
    });
    const forget = signal && whenAborted(signal, () => giveUp(abortError(signal)));
    if (forget) sent.once("close", forget);
    if (requestMs !== undefined && requestMs > 0) {
      timer = setTimeout(() => {
        const error = new Error(`The answer did not begin within ${requestMs} ms.`);
        giveUp(Object.assign(error, { name: "TimeoutError", code: "ETIMEDOUT" }));
      }, requestMs);
    }
    if (request.body instanceof Readable) request.body.pipe(sent);
    else sent.end(request.body as string | Uint8Array | undefined);
  });
}

function abortError({ reason: cause }: AbortSignal): Error {
  return Object.assign(new Error("Request aborted", { cause }), { name: "AbortError" });
}

/** A body of pieces goes out piece by piece, as fast as the other side takes them, at each attempt anew. */
function inPieces(request: RequestLike, tell: RequestWatcher["uploads"]): RequestLike {
  if (!Array.isArray(request.body)) return request;
  const sent = HttpRequest.clone(request);
  const pieces = request.body as readonly Uint8Array[];
  sent.body = tell ? Readable.from(tellingPieces(pieces, tell), { highWaterMark: 1 }) : Readable.from(pieces);
  return sent;
}

/** So much is handed on at once where somebody is told, in bytes. */
const TOLD_BYTES = 65_536;

/** The pieces, smaller, and how much of them was taken: the next is asked for when the connection has room for it. */
function* tellingPieces(
  pieces: readonly Uint8Array[],
  tell: (sent: number, total: number) => void,
): Generator<Uint8Array, void, undefined> {
  const total = pieces.reduce((length, piece) => length + piece.length, 0);
  let sent = 0;
  for (const piece of pieces) {
    for (let start = 0; start < piece.length; start += TOLD_BYTES) {
      tell(sent, total);
      const part = piece.subarray(start, start + TOLD_BYTES);
      sent += part.length;
      yield part;
    }
  }
  tell(total, total);
}

/** Destroys a body that is not whole when the time is up. The SDK retries it, as it does for headers that do not come. */
function boundBody(body: Readable, requestMs: number, leftMs: number): void {
  const timer = setTimeout(() => {
    const error = new Error(`The answer was not whole within ${requestMs} ms.`);
    body.destroy(Object.assign(error, { name: "TimeoutError", code: "ETIMEDOUT" }));
  }, leftMs);
  body.once("close", () => clearTimeout(timer));
}
