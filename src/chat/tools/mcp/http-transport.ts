import type { Readable } from "node:stream";
import type { TimedHandler } from "../../../network/timed-handler.ts";
import {
  StreamableHTTPClientTransport,
  StreamableHTTPError,
} from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { JSONRPCMessage } from "@modelcontextprotocol/sdk/types.js";
import { setTimeout as wait } from "node:timers/promises";
import { hideSecrets, rememberSecrets } from "../../../credentials/hide-secrets.ts";
import { OpenclawError, shorten } from "../../../errors.ts";
import { isDeeperThan } from "../../../json.ts";
import { MOST_DEPTH } from "../../../json-bounds.ts";
import { isSecretName } from "../../../network/clear-text.ts";
import { fromNetworkFailure, hostOfRedirect } from "../../../network/network-errors.ts";
import { inTurns } from "../../../next-turn.ts";
import { queryParameters } from "../../../network/query-parameters.ts";
import { createRequestHandler } from "../../../network/request-handler.ts";
import { HttpRequest } from "../../../network/sdk-parts.ts";
import { decodeUserInfo } from "../../../network/user-info.ts";
import { readBytes } from "../../../read-bytes.ts";
import type { Runtime } from "../../../runtime.ts";
import { settlesWithin } from "../../../settles-within.ts";
import { quoteForShell } from "../../../terminal/quote-for-shell.ts";
import { VERSION } from "../../../version.ts";
import { EXACT_FIELDS, LINE_END, MOST_MESSAGE_BYTES, type ServerLabel } from "./stdio-transport.ts";
import { ENDLESS, NOT_JSON_RPC, Unanswered } from "./unanswered.ts";
import {
  markedCopy,
  markedNumber,
  markNumbers,
  replaceTexts,
  unmarked,
  withPlainNumbers,
} from "../../../json-numbers.ts";
import { anySignal } from "../../../until-aborted.ts";

export interface HttpServer {
  url: string;
  headers?: Readonly<Record<string, string>> | undefined;
}

/** Behind the end of a stream an answer may still be on its way through the reader, for so many ms. */
const LAST_ANSWER_MS = 500;
/** Between two streams that are opened for what a server says unasked, in ms; it may ask for less. */
const BETWEEN_STREAMS_MS = 1000;
/** The most of a refusal's body that is read, in bytes, and how long it is waited for, in ms. */
const MOST_REFUSAL_BYTES = 64 * 1024;
const REFUSAL_MS = 2000;
/** What is said of a message that is longer than one may be. */
const TOO_LONG = `sent a message of more than ${MOST_MESSAGE_BYTES / 1024 / 1024} MB`;
/** The same of one that is nested deeper. */
const TOO_DEEP = `it sent a message that is nested more than ${MOST_DEPTH} levels deep`;
/** The same of one that nobody waits for. */
const FOR_NOBODY = "answered a request that it was not asked";
/** What the SDK says when a stream that could be resumed never came back. */
const NOT_RESUMED = /^Maximum reconnection attempts/;

/**
 * A server behind streamable HTTP (https://modelcontextprotocol.io/specification/2025-11-25/basic/transports): the SDK's
 * transport on this program's network, with its proxy, certificates and bounds. What the SDK waits for until its time is
 * up fails here when it is known never to come.
 */
export class HttpTransport implements Transport {
  onmessage?: (message: JSONRPCMessage) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  setProtocolVersion?: (version: string) => void;

  readonly #label: ServerLabel;
  readonly #url: URL;
  readonly #runtime: Runtime;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #handler: TimedHandler;
  readonly #inner: StreamableHTTPClientTransport;
  readonly #unanswered = new Unanswered();
  /** The requests whose answers may come over another stream when theirs ends. */
  readonly #resumable = new Set<string | number>();
  /** How to stop waiting for the answers that are on their way, by the ids of their requests. */
  readonly #streams = new Map<string | number, AbortController>();
  #lastStream = Number.NEGATIVE_INFINITY;
  #useless: string | undefined;

  private constructor(
    label: ServerLabel,
    url: URL,
    headers: Readonly<Record<string, string>>,
    handler: TimedHandler,
    runtime: Runtime,
  ) {
    this.#label = label;
    this.#url = url;
    this.#headers = headers;
    this.#handler = handler;
    this.#runtime = runtime;
    this.#inner = new StreamableHTTPClientTransport(url, { fetch: (...call) => this.#fetch(...call) });
    this.setProtocolVersion = (version) => this.#inner.setProtocolVersion(version);
  }

  /** Prepares the way to a server; opens no connection. Throws `config-invalid`, and `config-unreadable` for a CA bundle. */
  static async to(
    label: ServerLabel,
    { url: address, headers = {} }: HttpServer,
    runtime: Runtime,
  ): Promise<HttpTransport> {
    const { name, place } = label;
    const url = new URL(address);
    const [user, password] = [decodeUserInfo(url.username), decodeUserInfo(url.password)];
    url.username = url.password = "";
    const own: Record<string, string> = { "user-agent": `openclaw/${VERSION}` };
    if (user) own["authorization"] = `Basic ${Buffer.from(`${user}:${password ?? ""}`).toString("base64")}`;
    for (const [header, value] of Object.entries(headers)) {
      if (!/^[\w!#$%&'*+.^`|~-]+$/.test(header) || /[^\t\u0020-\u007E\u0080-\u00FF]/.test(value))
        throw invalid(
          `the header '${shorten(header)}' has a character that none may have`,
          `${place}.headers`,
        );
      own[header.toLowerCase()] = value;
    }
    const { authorization, ...others } = own;
    const keys = Object.entries(others).flatMap(([header, value]) => (isSecretName(header) ? [value] : []));
    rememberSecrets(
      runtime,
      [authorization, authorization?.split(" ").at(-1), ...url.searchParams.values()],
      [password, ...keys],
    );
    return new HttpTransport(label, url, own, await createRequestHandler(runtime), runtime);

    function invalid(why: string, path: string): OpenclawError {
      return new OpenclawError("config-invalid", {
        message: `The MCP server '${name}' cannot be called: ${why}.`,
        hint: `openclaw config get ${quoteForShell(path)}`,
      });
    }
  }

  get sessionId(): string | undefined {
    return this.#inner.sessionId;
  }

  /** What is wrong with what it sent last, where that is of no use. */
  get useless(): string | undefined {
    return this.#useless;
  }

  async start(): Promise<void> {
    const inner = this.#inner;
    Object.assign(inner, {
      onmessage: (marked: JSONRPCMessage) => {
        if (isDeeperThan(marked, MOST_DEPTH)) return this.#giveUp(idsOf(marked), TOO_DEEP);
        const message = withPlainNumbers(replaceTexts(marked, markedNumber), EXACT_FIELDS) as JSONRPCMessage;
        for (const id of idsOf(message)) {
          this.#useless = this.#unanswered.has(id) ? undefined : FOR_NOBODY;
          this.#streams.delete(id);
        }
        if (this.#unanswered.comes(message)) return this.#giveUp(this.#streams.keys(), `it ${ENDLESS}`);
        return this.onmessage?.(message);
      },
      onclose: () => this.onclose?.(),
      onerror: (error: Error) => {
        if (NOT_RESUMED.test(error.message)) this.#giveUp([...this.#resumable]);
        // It is read by JSON.parse, and looked at by the SDK's schema of a message.
        if (error instanceof SyntaxError || "issues" in error) this.#useless = NOT_JSON_RPC;
        this.onerror?.(error);
      },
    } satisfies Partial<Transport>);
    await inner.start();
  }

  async send(message: JSONRPCMessage): Promise<void> {
    this.#unanswered.sends(message);
    if (!("method" in message)) return this.#inner.send(message);
    // Whoever no longer waits for an answer does not keep its connection either.
    if (message.method === "notifications/cancelled") {
      const id = message.params?.["requestId"];
      if (typeof id === "number" || typeof id === "string") this.#forget(id);
    }
    const id = "id" in message ? message.id : undefined;
    if (id !== undefined) this.#useless = undefined;
    // The SDK writes it, and knows no numbers but those of JavaScript.
    const sent = this.#inner.send(markedCopy(message), {
      onresumptiontoken: () => {
        if (id !== undefined) this.#resumable.add(id);
      },
    });
    await sent.catch((error: unknown) => {
      throw error instanceof StreamableHTTPError && isMoved(error.code) ? this.#movedOn() : error;
    });
  }

  /** Ends the session at the server, where there is one, and closes every connection. */
  async close(): Promise<void> {
    if (this.#inner.sessionId !== undefined && !this.#runtime.signal.aborted) {
      const ended = this.#inner.terminateSession().catch((error: unknown) => this.onerror?.(error as Error));
      await Promise.race([ended, wait(LAST_ANSWER_MS, undefined, { ref: false })]);
    }
    await this.#inner.close();
    this.#handler.destroy();
  }

  #forget(id: string | number): void {
    this.#resumable.delete(id);
    this.#streams.get(id)?.abort();
    this.#streams.delete(id);
  }

  /** The error for redirects within the server that lead to ever more of them. */
  #movedOn(): OpenclawError {
    const { name, place } = this.#label;
    return new OpenclawError("bad-response", {
      message: `The MCP server '${name}' redirects again and again, and answers nowhere.`,
      hint: `Check the path in ${place}.url.`,
    });
  }

  #giveUp(
    ids: Iterable<string | number>,
    why = this.#useless === undefined ? "the connection broke off before it answered" : `it ${this.#useless}`,
  ): void {
    const answers = this.#unanswered.fail(why, ids);
    for (const answer of answers) this.onmessage?.(answer);
  }

  /** One request over this program's network, in the form that the SDK's transport takes. */
  async #fetch(...[address, init]: Parameters<typeof fetch>): Promise<Response> {
    const method = init?.method ?? "GET";
    const headers = Object.fromEntries(new Headers(init?.headers));
    const isStream = method === "GET";
    if (isStream) await this.#awaitTurn();
    const sent = typeof init?.body === "string" ? unmarked(init.body) : undefined;
    const id = sent === undefined ? undefined : idOf(sent);
    const stop = new AbortController();
    if (id !== undefined) this.#streams.set(id, stop);
    const signal = init?.signal ? anySignal(init.signal, stop.signal) : stop.signal;
    const {
      status,
      headers: answered,
      body,
    } = await this.#ask(new URL(String(address)), { method, headers, body: sent }, signal);
    const isGood = status >= 200 && status < 300;
    // The others of 3xx turn a POST into a GET.
    const isRedirect = isMoved(status) && answered["location"] !== undefined;
    if (method === "POST" && !isGood && !(isRedirect && staysWithin(answered["location"], this.#url)))
      throw await this.#refusal(status, answered, body);
    if (isStream && !isGood && headers["last-event-id"] !== undefined) this.#giveUp([...this.#resumable]);
    const type = answered["content-type"] ?? "";
    const isOfProtocol = status !== 202 && /^(?:application\/json|text\/event-stream)\b/i.test(type);
    if (id !== undefined && isGood && !isOfProtocol) throw await this.#refusal(status, answered, body);
    const isEmpty = status === 204 || status === 205 || status === 304;
    if (isEmpty) body.resume();
    const hasEvents = /^text\/event-stream\b/i.test(type);
    const stream = isEmpty
      ? null
      : toWebStream(inMarks(boundMessages(body, hasEvents, this.#label.name), hasEvents), body, (failure) =>
          // Behind a redirect the answer comes from elsewhere.
          this.#onEnd(isRedirect ? undefined : id, failure),
        );
    return new Response(stream, { status, headers: answered });
  }

  async #ask(
    url: URL,
    { method, headers, body }: { method: string; headers: Record<string, string>; body: string | undefined },
    signal: AbortSignal,
  ): Promise<{ status: number; headers: Record<string, string>; body: Readable }> {
    const runtime = this.#runtime;
    const request = new HttpRequest({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      ...(url.port === "" ? {} : { port: Number(url.port) }),
      path: url.pathname,
      query: queryParameters(url.searchParams),
      headers: {
        host: url.host,
        ...this.#headers,
        ...headers,
        ...(body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) }),
      },
      ...(body === undefined ? {} : { body }),
    });
    try {
      const { response } = await this.#handler.handle(request, { abortSignal: signal });
      runtime.terminal.verbose(
        () => `${method} ${shownUrl(url)} ${response.statusCode} (MCP server ${this.#label.name})`,
      );
      const answered = Object.entries(response.headers).map(
        ([name, value]) => [name.toLowerCase(), value] as const,
      );
      return {
        status: response.statusCode,
        headers: Object.fromEntries(answered),
        body: response.body as Readable,
      };
    } catch (failure) {
      if (failure instanceof OpenclawError || signal.aborted) throw failure;
      const error = failure instanceof Error ? failure : new Error(String(failure));
      throw (
        fromNetworkFailure(error, shownUrl(url), `${this.#label.place}.url`) ??
        new OpenclawError("network", {
          message: `The MCP server '${this.#label.name}' cannot be reached: ${hideSecrets(error.message, runtime)}.`,
          hint: `Check ${this.#label.place}.url.`,
          cause: error,
        })
      );
    }
  }

  /** The error for an answer that is none of a server, or a refusal. */
  async #refusal(status: number, headers: Record<string, string>, body: Readable): Promise<OpenclawError> {
    const said = hideSecrets(wordsOf(await readSome(body), headers["content-type"] ?? ""), this.#runtime);
    const { name, place } = this.#label;
    const words = said === "" ? "" : `: ${shorten(said.replace(/\.$/, ""), 300)}`;
    const details = { status };
    if (status === 401 || status === 403) {
      const asks = status === 401 ? "asks for a login" : "does not let this caller in";
      return new OpenclawError("config-invalid", {
        message: `The MCP server '${name}' ${asks} (HTTP ${status})${words}.`,
        hint: `Give it a token: openclaw config set ${quoteForShell(`${place}.headers.Authorization`)} 'Bearer \${NAME}'`,
        details,
      });
    }
    const location = headers["location"];
    const isHere = staysWithin(location, this.#url);
    if (status >= 300 && status < 400)
      return new OpenclawError("config-invalid", {
        message: `The MCP server '${name}' is said to be elsewhere, at ${isHere ? shownUrl(new URL(location ?? "", this.#url)) : hostOfRedirect(location ?? "")}; what is sent to it is not sent there.`,
        hint: `If you trust that: openclaw config set ${quoteForShell(`${place}.url`)} URL`,
        details,
      });
    if (status === 404 || status === 405 || status < 300)
      return new OpenclawError(status < 300 ? "bad-response" : "config-invalid", {
        message: `There is no MCP server at ${shownUrl(this.#url)}: it answers ${status < 300 ? `with ${kindOf(headers["content-type"], status)}` : `HTTP ${status}`}${words}.`,
        hint: `Check the path in ${place}.url; servers of the old kind, HTTP+SSE, are not spoken to.`,
        details,
      });
    const isOverloaded = status === 429;
    return new OpenclawError(
      isOverloaded ? "throttled" : status >= 500 ? "service-unavailable" : "bad-response",
      {
        message: `The MCP server '${name}' answers HTTP ${status}${words}.`,
        hint: status >= 500 || isOverloaded ? "Try again later." : `Check ${place}.`,
        details,
      },
    );
  }

  #onEnd(id: string | number | undefined, failure?: unknown): void {
    if (id === undefined) return;
    // What was refused here will not come over another stream either.
    if (failure instanceof OpenclawError) return this.#giveUp([id], `it ${TOO_LONG}`);
    setTimeout(() => {
      this.#streams.delete(id);
      if (!this.#resumable.has(id)) this.#giveUp([id]);
    }, LAST_ANSWER_MS).unref();
  }

  /** A server whose streams end at once is not asked without pause. */
  async #awaitTurn(): Promise<void> {
    const { elapsed } = this.#runtime;
    const rest = this.#lastStream + BETWEEN_STREAMS_MS - elapsed();
    this.#lastStream = elapsed() + Math.max(rest, 0);
    if (rest > 0) await wait(rest, undefined, { ref: false });
  }
}

/** Whether a status says that the same is to be sent elsewhere. */
function isMoved(status: number | undefined): boolean {
  return status === 307 || status === 308;
}

function idOf(body: string): string | number | undefined {
  const { id, method } = JSON.parse(body) as { id?: string | number; method?: string };
  return method === undefined ? undefined : id;
}

function idsOf(message: JSONRPCMessage): (string | number)[] {
  return "method" in message || message.id === undefined ? [] : [message.id];
}

function staysWithin(location: string | undefined, url: URL): boolean {
  return (
    location !== undefined && URL.canParse(location, url.href) && new URL(location, url).origin === url.origin
  );
}

/** What an answer is that is none of a server, in words. */
function kindOf(type: string | undefined, status: number): string {
  if (status === 202 || status === 204 || status === 205) return "nothing";
  if (type === undefined || type === "") return "something of no type";
  return /^text\/html\b/i.test(type) ? "a web page" : type;
}

function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`;
}

/** The beginning of a refusal's body; what does not come counts as nothing, since the status says enough. */
async function readSome(body: Readable): Promise<string> {
  const tooLong = (): Error => new Error("more is not looked at");
  const read = readBytes(body, { most: MOST_REFUSAL_BYTES, tooLong }).catch(() => Buffer.alloc(0));
  await settlesWithin(REFUSAL_MS, read);
  body.destroy();
  return (await read).toString("utf8");
}

/** The message of an error in JSON, as JSON writes it. */
const MESSAGE =
  /"(?:message|error_description|detail)"\s*:\s*("(?:[^"\\\u0000-\u001F]|\\["\\/bfnrt]|\\u[\dA-Fa-f]{4})+")/;

/** What a refusal says in words: the message of an error in JSON, or a plain text. */
function wordsOf(text: string, type: string): string {
  if (/html/i.test(type)) return "";
  const [, said] = MESSAGE.exec(text) ?? [];
  return (said === undefined ? text : (JSON.parse(said) as string)).trim();
}

/** A body as the web has streams. `onEnd` is called behind its end. */
function toWebStream(
  pieces: AsyncIterator<Uint8Array>,
  body: Readable,
  onEnd: (failure?: unknown) => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      try {
        const { value, done } = await pieces.next();
        if (done !== true) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        controller.error(error);
        return onEnd(error);
      }
      onEnd();
    },
    cancel: () => {
      body.destroy();
      onEnd();
    },
  });
}

/** The pieces of a body as they come. A message that goes on without end breaks it; of a stream each event is one. */
async function* boundMessages(
  body: Readable,
  hasEvents: boolean,
  server: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  let length = 0;
  for await (const chunk of inTurns(body as AsyncIterable<Buffer>)) {
    const end = hasEvents ? Math.max(chunk.lastIndexOf("\n\n"), chunk.lastIndexOf("\r\n\r\n")) : -1;
    length = end < 0 ? length + chunk.length : chunk.length - end;
    if (length > MOST_MESSAGE_BYTES) {
      body.destroy();
      throw new OpenclawError("bad-response", {
        message: `The MCP server '${server}' ${TOO_LONG}.`,
        hint: "Ask for less at once.",
      });
    }
    yield chunk;
  }
}

/**
 * The pieces of a body with marks in place of the numbers that the SDK, which reads them, would change. No number and no
 * text of JSON goes on in another line.
 */
async function* inMarks(
  pieces: AsyncIterable<Uint8Array>,
  hasEvents: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const marked = (line: string): string =>
    hasEvents && !line.startsWith("data:") ? line : markNumbers(line);
  const inLines = (bytes: readonly Uint8Array[]): Buffer =>
    Buffer.from(
      Buffer.concat(bytes)
        .toString("utf8")
        .replaceAll(/[^\n]+/g, marked),
    );
  let line: Uint8Array[] = [];
  for await (const piece of pieces) {
    const end = piece.lastIndexOf(LINE_END) + 1;
    if (end > 0) yield inLines([...line.splice(0), piece.subarray(0, end)]);
    line.push(piece.subarray(end));
  }
  yield inLines(line);
}
