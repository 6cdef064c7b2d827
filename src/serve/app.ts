import { Http2ServerRequest } from "node:http2";
import type { Http2Bindings, HttpBindings } from "@hono/node-server";
import { Hono, type Context, type MiddlewareHandler } from "hono";
import { cors } from "hono/cors";
import { OpenclawError, shorten } from "../errors.ts";
import { foreignHostIn, hostsOf } from "../loopback.ts";
import type { Runtime } from "../runtime.ts";
import type { ApiKeys } from "./keys/api-keys.ts";
import { Call, CLIENT_CLOSED, type Outgoing } from "./call.ts";
import type { AnswerService, Dialect, Route, ToldError } from "./dialect.ts";
import { bedrock } from "./dialects/bedrock/routes.ts";
import { chatCompletions } from "./dialects/chat-completions/routes.ts";
import { embeddings } from "./dialects/embeddings/routes.ts";
import { messages } from "./dialects/messages/routes.ts";
import { responses } from "./dialects/responses/routes.ts";
import { type ErrorAnswer, toErrorAnswer } from "./error-answer.ts";
import { hangUpStream } from "./http2-side.ts";
import { openaiRateHeaders } from "./keys/rate-headers.ts";
import { BodyRefusal, BytesInFlight, isCutOff, readJsonBody } from "./request-body.ts";
import type { ServeLog } from "./serve-log.ts";
import type { ServerState } from "./telemetry/server-metrics.ts";
import { count } from "../terminal/numbers.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";

export interface AppOptions extends AnswerService {
  runtime: Runtime;
  log: ServeLog;
  keys: ApiKeys;
  telemetry: Telemetry;
  /** Whether `/metrics` is among the routes; it is not where it has a port of its own. */
  tellsMetrics: boolean;
  /** Origins whose pages may call the server; `*` is any. */
  origins: readonly string[];
  /** Whether it answers inside TLS only. */
  isSecure: boolean;
  /** Whether the server listens on this machine alone. */
  isLocal: boolean;
  /** Answers at once. */
  mostStreams: number;
  /** Of a request's body. */
  mostBytes: number;
  /** Of the bodies of all requests that are running. */
  mostBytesInFlight: number;
  /** Within which a request must have come whole, in ms. */
  readMs: number;
}

/** What clients speak. The first is also that of whoever speaks none of them. */
const DIALECTS: readonly [Dialect, ...Dialect[]] = [
  chatCompletions,
  responses,
  messages,
  embeddings,
  bedrock,
];

/** Which clients send a request, whether or not there is what it asks for: what is wrong with it is told in their form. */
function spokenBy(path: string, headers: Headers): Dialect {
  const isBelow = (root: string): boolean => path === root || path.startsWith(`${root}/`);
  return (
    DIALECTS.find(({ roots }) => roots?.some(isBelow)) ??
    DIALECTS.find(({ isSpokenBy }) => isSpokenBy?.(headers)) ??
    DIALECTS[0]
  );
}

/** The id of a request of which AWS knows nothing. */
export function newRequestId(): string {
  return `req_${crypto.randomUUID().replaceAll("-", "")}`;
}

/** An error in the form of whoever speaks no dialect yet. */
export function toldError(error: ErrorAnswer, requestId: string): ToldError {
  return DIALECTS[0].toError(error, requestId);
}

type Variables = { call: Call; dialect: Dialect | undefined };
type Environment = { Bindings: HttpBindings | Http2Bindings; Variables: Variables };
type ServeContext = Context<Environment>;
type Handler = MiddlewareHandler<Environment>;
/** Refuses a request for how it came, whatever it asks for. */
type Guard = (context: ServeContext) => Response | undefined;

/** The dialect of its route, or of whoever sends it. */
function dialectOf(context: ServeContext): Dialect {
  return context.get("dialect") ?? spokenBy(context.req.path, context.req.raw.headers);
}

/** What stands here for paths that other servers have, OpenAI's older ones and LiteLLM's among them. */
const OF_OTHER_SERVERS: ReadonlyMap<string, string> = new Map([
  ["/v1/completions", "/v1/chat/completions"],
  ["/completions", "/v1/chat/completions"],
  ["/health/liveliness", "/health"],
  ["/health/liveness", "/health"],
  ["/health/readiness", "/ready"],
]);

/** The routes, and the calls that are running on them. */
export class App {
  readonly hono = new Hono<Environment>({ strict: false });
  readonly #options: AppOptions;
  readonly #calls = new Set<Call>();
  /** Calls whose body is not whole. */
  readonly #reading = new Set<Call>();
  readonly #bytes: BytesInFlight;
  /** Calls that have their place among the answers that are running. */
  readonly #answering = new Set<Call>();
  #isDraining = false;
  #onIdle = (): void => undefined;

  constructor(options: AppOptions) {
    this.#options = options;
    this.#bytes = new BytesInFlight(options.mostBytesInFlight);
    this.#defineRoutes();
  }

  /** Takes no more work. Resolves when the last call is over. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    // Nobody waits for what is not even asked yet.
    for (const call of this.#reading) call.stop(leaving());
    for (const call of this.#calls) call.stopWaiting(leaving());
    if (this.#calls.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  stopAll(reason: OpenclawError): void {
    for (const call of this.#calls) call.stop(reason);
  }

  /** Answers those calls that have not begun to answer, though they were stopped. */
  giveUpAll(reason: OpenclawError): void {
    for (const call of this.#calls) call.giveUp(reason);
  }

  get running(): number {
    return this.#calls.size;
  }

  /** What is going on, for metrics. */
  get state(): ServerState {
    const running = [...this.#calls];
    return {
      running,
      answers: [...this.#answering],
      waiting: running.filter(({ isQueued }) => isQueued),
    };
  }

  #defineRoutes(): void {
    const { hono } = this;
    const { keys, origins, isLocal, isSecure, telemetry, tellsMetrics } = this.#options;
    hono.use(this.#logged);
    const isOpen = !keys.areRequired && isLocal;
    const guards = [
      ...(isSecure ? [refuseClearText] : []),
      refuseSeveralHosts,
      ...(isOpen ? [refuseForeignHosts] : []),
    ];
    hono.use((context, next) => {
      for (const guard of guards) {
        const refused = guard(context);
        if (refused) return Promise.resolve(refused);
      }
      return next();
    });
    if (origins.length > 0) {
      const origin = origins.includes("*") ? "*" : [...origins];
      hono.use(
        cors({
          origin,
          // Every one: no page is let in with credentials of its browser's, of whom the Fetch standard wants them by name.
          exposeHeaders: ["*"],
          maxAge: 3600,
        }),
      );
    }
    hono.get("/health", (context) => context.json({ status: "ok" }));
    hono.get("/ready", (context) => this.#answerReady(context));
    if (tellsMetrics) {
      hono.get("/metrics", this.#known, (context) => {
        const { text, contentType } = telemetry.metrics.text(this.state, context.req.header("accept"));
        return context.body(text, 200, { "content-type": contentType });
      });
    }
    // Claude Code looks so whether anybody is there, and takes a 404 for nobody.
    for (const path of ["/", "/api/hello"])
      hono.get(path, (context, next) =>
        context.req.raw.method === "HEAD" ? Promise.resolve(context.body(null, 200)) : next(),
      );
    const routes = DIALECTS.flatMap((dialect) => dialect.routes.map((route) => ({ ...route, dialect })));
    // Those that are for some requests only come first: the others answer whatever is left.
    const inOrder = [...routes.filter(({ isFor }) => isFor), ...routes.filter(({ isFor }) => !isFor)];
    for (const path of new Set(routes.map((route) => route.path))) {
      const spoken = inOrder.filter((route) => route.path === path);
      hono.use(path, (context, next) => {
        const dialect = spoken.find(({ isFor }) => isFor?.(context.req.raw.headers) !== false)?.dialect;
        if (dialect) {
          context.set("dialect", dialect);
          context.get("call").entry.dialect = dialect.name;
        }
        return this.#open(context, next);
      });
    }
    for (const route of inOrder) this.#define(route);
    const own = ["/health", "/ready", ...(tellsMetrics ? ["/metrics"] : [])];
    const paths = [...own, ...routes.map(({ path }) => path)];
    for (const path of paths) {
      const methods = routes.flatMap((route) => (route.path === path ? route.method : []));
      const allow = (methods.length === 0 ? ["GET"] : [...new Set(methods)])
        .join(", ")
        .replace("GET", "GET, HEAD");
      hono.all(path, (context) => {
        const message = `${context.req.method} ${shorten(context.req.path)} is not possible.`;
        return fail(context, 405, "method_not_allowed", message, { allow });
      });
    }
    // What there is not is told to those who have a key.
    hono.use("/v1/*", this.#open);
    hono.notFound((context) => {
      const { method, path } = context.req;
      const meant = paths.find((known) => known !== path && path.endsWith(known.replace(/^\/v1/, "")));
      const other = OF_OTHER_SERVERS.get(path);
      let hint = other === undefined ? "" : ` This server has ${other}.`;
      if (meant !== undefined) hint = ` Did you mean ${meant}? A base URL ends with one /v1.`;
      return fail(context, 404, "unknown_url", `Unknown request URL: ${method} ${shorten(path)}.${hint}`);
    });
    hono.onError(answerFailure);
  }

  #define({ method, path, isBodiless = false, isFor, answer }: Route): void {
    const route = path.replaceAll(/\{[^}]*\}/g, "");
    const hasBody = method === "POST" && !isBodiless;
    this.hono.on(method, path, async (context, next) => {
      const { headers } = context.req.raw;
      if (isFor?.(headers) === false) return next();
      const call = context.get("call");
      call.route = route;
      const body = hasBody ? await this.#takeBody(context, call) : undefined;
      if (body instanceof Response) return body;
      return answer(this.#options, {
        call,
        id: context.req.param("id") ?? "",
        get query() {
          return new URL(context.req.url).searchParams;
        },
        headers,
        body,
        now: this.#options.runtime.now(),
        hangUp: () => hangUp(context.env.incoming),
      });
    });
  }

  /** Follows a request from its first byte to its last, and gives it its line in the log. */
  readonly #logged: Handler = async (context, next) => {
    const { runtime, log, telemetry } = this.#options;
    const { method, path } = context.req;
    const entry = { method, path: shorten(path), requestId: newRequestId() };
    const call = new Call(entry, runtime, log, () => {
      this.#calls.delete(call);
      if (this.#calls.size === 0) this.#onIdle();
    });
    telemetry.follow(call, context.req.raw);
    this.#calls.add(call);
    context.set("call", call);
    const { incoming, outgoing } = context.env;
    outgoing.once("close", () => call.leave());
    try {
      await call.run(next);
    } catch (failure) {
      context.res = answerFailure(failure, context);
    }
    const { requestId, region, queuedMs } = call.entry;
    const { requestIdHeader, toRateHeaders = openaiRateHeaders } = dialectOf(context);
    const isHttp2 = incoming instanceof Http2ServerRequest;
    const headers: Record<string, string> = {
      "x-request-id": requestId,
      ...(requestIdHeader !== undefined && { [requestIdHeader]: requestId }),
      ...(call.rate && toRateHeaders(call.rate, runtime.now())),
      // The connection of HTTP/2 is no request's to end.
      ...(this.#isDraining && !isHttp2 && { connection: "close" }),
      ...(queuedMs !== undefined && { "x-openclaw-queued-ms": String(queuedMs) }),
      ...(region !== undefined && { "x-openclaw-region": region }),
    };
    // A request that nobody reads is reset by Node with its answer, which may be lost so.
    if (isHttp2) incoming.resume();
    const { answer } = call;
    const { res } = context;
    if (typeof answer?.body !== "function") call.end(call.entry.isAborted ? CLIENT_CLOSED : res.status);
    if (!answer) {
      if (isHttp2) res.headers.delete("connection");
      for (const [name, value] of Object.entries(headers)) res.headers.set(name, value);
      return;
    }
    const { body } = answer;
    outgoing.writeHead(200, { ...this.#allowed(res), ...answer.headers, ...headers });
    if (typeof body === "function") void body(outgoing);
    else if (typeof body === "string") outgoing.end(body);
    else {
      const out: Outgoing = outgoing;
      for (const piece of body) out.write(piece);
      out.end();
    }
  };

  /** What pages of other origins may read of an answer. */
  #allowed({ headers }: Response): Record<string, string> {
    if (this.#options.origins.length === 0) return {};
    return Object.fromEntries(
      [...headers].filter(([name]) => name.startsWith("access-control-") || name === "vary"),
    );
  }

  /** Lets in who has a key, where there are keys. */
  readonly #known: Handler = (context, next) => {
    const { keys, runtime } = this.#options;
    if (!keys.areRequired || context.req.method === "OPTIONS") return next();
    const header = (name: string): string | undefined => context.req.header(name);
    const sent = { authorization: header("authorization"), "x-api-key": header("x-api-key") };
    const found = keys.find(sent, runtime.now());
    if (typeof found === "string")
      return Promise.resolve(fail(context, 401, "invalid_api_key", found, { "www-authenticate": "Bearer" }));
    const call = context.get("call");
    call.entry.key = found.name;
    call.key = found;
    return next();
  };

  /** Lets in who has a key, and nobody while the server is being shut down. */
  readonly #open: Handler = (context, next) =>
    this.#known(context, () => {
      if (this.#isDraining) throw leaving();
      return next();
    });

  /**
   * The body of a request, or its refusal. Until it is whole, a request takes nothing but the bytes that have come; from then
   * until its last byte is sent it is counted among the answers that are running. Who would be turned away then is at once.
   */
  async #takeBody(context: ServeContext, call: Call): Promise<unknown> {
    if (this.#isFull) return this.#refuseMore(context);
    const { mostBytes, readMs } = this.#options;
    const { incoming } = context.env;
    const share = this.#bytes.share();
    call.onEnd(() => share.release());
    this.#reading.add(call);
    let body: unknown;
    try {
      const types = dialectOf(context).bodyTypes?.(context.req.raw.headers);
      body = await readJsonBody(incoming, { most: mostBytes, readMs, share, signal: call.signal, types });
      call.bodyBytes = share.bodyBytes;
    } catch (error) {
      if (isCutOff(incoming)) call.leave();
      if (!(error instanceof BodyRefusal)) throw error;
      return fail(context, error.status, error.code, error.message, error.headers);
    } finally {
      this.#reading.delete(call);
    }
    if (this.#isFull) return this.#refuseMore(context);
    this.#answering.add(call);
    call.onEnd(() => this.#answering.delete(call));
    return body;
  }

  get #isFull(): boolean {
    return this.#answering.size >= this.#options.mostStreams;
  }

  #refuseMore(context: ServeContext): Response {
    const message = `This server answers ${count(this.#options.mostStreams, "request")} at once, and as many are running.`;
    return fail(context, 429, "too_many_streams", message, { "retry-after": "1" });
  }

  async #answerReady(context: ServeContext): Promise<Response> {
    const { credentials, models } = await this.#options.upstream.readiness();
    // A store that is away is no reason to send clients to another server, which has the same one.
    const { state: shared } = this.#options.limiter;
    const isReady = !this.#isDraining && credentials === "ok" && models === "ok" && shared !== "refusing";
    const status = this.#isDraining ? "draining" : isReady ? "ready" : "not-ready";
    return context.json({ status, credentials, models, ...(shared ? { shared } : {}) }, isReady ? 200 : 503);
  }
}

/** Ends what the client is read from, and on HTTP/2 nothing of its other requests. */
function hangUp(request: ServeContext["env"]["incoming"]): void {
  if (request instanceof Http2ServerRequest) hangUpStream(request);
  else request.socket.destroy();
}

function leaving(): OpenclawError {
  return new OpenclawError("interrupted", { message: "This server is shutting down: ask another one." });
}

function answerFailure(failure: unknown, context: ServeContext): Response {
  const call = context.get("call");
  call.fail(failure);
  call.answer = undefined;
  if (failure instanceof OpenclawError && failure.requestId !== undefined)
    call.entry.requestId = failure.requestId;
  return answerError(context, toErrorAnswer(failure));
}

/**
 * Without keys the server trusts whoever reaches this machine's own address. A page in a browser can, under a name of its
 * own that it lets point here (DNS rebinding); its name is in the Host header then.
 */
const refuseForeignHosts: Guard = (context) => {
  const host = foreignHostIn(context.env.incoming);
  if (host === undefined) return undefined;
  if (host === "") {
    const message =
      "This request has no Host header, and without an API key this server answers to localhost only: send 'Host: localhost'.";
    return fail(context, 400, "missing_host", message);
  }
  const message = `Without an API key this server answers to localhost only, and not to '${shorten(host)}'.`;
  return fail(context, 403, "forbidden_host", message);
};

/** What was sent so was read by others on the way; the answer says what to do, and nothing else. */
const refuseClearText: Guard = (context) => {
  const { incoming } = context.env;
  const { encrypted } =
    incoming instanceof Http2ServerRequest
      ? (incoming.stream.session ?? {})
      : (incoming.socket as { encrypted?: boolean });
  if (encrypted === true) return undefined;
  return fail(context, 400, "tls_required", "This port speaks TLS: its address begins with https://.");
};

/** Of two names the one that is checked may not be the one that is meant (RFC 9112, section 3.2). */
const refuseSeveralHosts: Guard = (context) => {
  const hosts = hostsOf(context.env.incoming);
  // HTTP/2 may say one name in two ways (RFC 9113, section 8.3.1).
  const names = context.env.incoming instanceof Http2ServerRequest ? new Set(hosts).size : hosts.length;
  if (names <= 1) return undefined;
  return fail(context, 400, "invalid_request", "The request has more than one Host header.");
};

function fail(
  context: ServeContext,
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): Response {
  context.get("call").refuse(code, message);
  return answerError(context, { status, code, message, param: null }, headers);
}

/** Codes of errors that asking again does not mend, whatever their status says. */
const LASTING: ReadonlySet<string> = new Set([
  "insufficient_quota",
  "server_configuration",
  "internal_error",
]);

function answerError(
  context: ServeContext,
  error: ErrorAnswer,
  headers: Record<string, string> = {},
): Response {
  const dialect = dialectOf(context);
  const call = context.get("call");
  const { retryAfter } = error;
  const told = dialect.toError(error, call.entry.requestId);
  const when = retryAfter === undefined ? {} : { "retry-after": String(Math.ceil(retryAfter)) };
  // The clients of OpenAI and of Anthropic heed it.
  const never = error.isFinal || LASTING.has(error.code) ? { "x-should-retry": "false" } : {};
  return Response.json(told.body, {
    status: told.status ?? error.status,
    headers: { ...when, ...never, ...headers, ...told.headers },
  });
}
