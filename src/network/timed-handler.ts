import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { NodeHttpHandlerOptions } from "@smithy/node-http-handler";
import { OpenclawError } from "../errors.ts";
import { readBytes } from "../read-bytes.ts";
import { IN_BETWEEN } from "./network-errors.ts";
import { HttpRequest, NodeHttpHandler } from "./sdk-parts.ts";
import { takeInTurns } from "./take-in-turns.ts";

type Handle = NodeHttpHandler["handle"];

export interface WholeAnswer {
  status: number;
  /** By their names in lower case. */
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** What somebody has to do with each request. */
export interface RequestWatcher {
  /** Before it is sent. */
  sends: (request: Parameters<Handle>[0]) => Promise<void>;
  /** With what went wrong before an answer was there. */
  fails: (failure: unknown, request: Parameters<Handle>[0]) => void;
  /** How many bytes of a body in pieces have gone out, of all. */
  uploads?: ((sent: number, total: number) => void) | undefined;
  /** With the answer. Where somebody wants it, it is read whole before anybody else sees it. */
  answers?: ((answer: WholeAnswer, request: Parameters<Handle>[0]) => void) | undefined;
}

/** The longest answer that is read whole, in bytes: those that hand out credentials, or name them, have a few thousand. */
const LONGEST_ANSWER = 64 * 1024;

/**
 * The SDK's HTTP/1.1 handler whose time for a request is the time for the whole answer: the SDK's own ends with the
 * headers, and a body that stops in the middle would be waited for without end.
 */
export class TimedHandler extends NodeHttpHandler {
  readonly #requestMs: number | undefined;
  readonly #watcher: RequestWatcher | undefined;

  constructor(options: NodeHttpHandlerOptions, watcher?: RequestWatcher) {
    super(options);
    this.#requestMs = options.requestTimeout;
    this.#watcher = watcher;
  }

  override async handle(...[request, options]: Parameters<Handle>): ReturnType<Handle> {
    const requestMs = options?.requestTimeout ?? this.#requestMs;
    const started = performance.now();
    try {
      await this.#watcher?.sends(request);
      const answer = await this.exchange(inPieces(request, this.#watcher?.uploads), options);
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
    { response }: Awaited<ReturnType<Handle>>,
    request: Parameters<Handle>[0],
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
  protected exchange(...[request, options]: Parameters<Handle>): ReturnType<Handle> {
    return super.handle(request, options);
  }
}

/** A body of pieces goes out piece by piece, as fast as the other side takes them, at each attempt anew. */
function inPieces(request: Parameters<Handle>[0], tell: RequestWatcher["uploads"]): Parameters<Handle>[0] {
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
