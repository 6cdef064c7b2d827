import type { HttpBindings } from "@hono/node-server";
import { Hono, type Context, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { cors } from "hono/cors";
import type { Model } from "openai/resources/models";
import type { ErrorObject } from "openai/resources/shared";
import { OpenclawError } from "../errors.ts";
import { isLoopback } from "../loopback.ts";
import { toErrorAnswer } from "./dialects/chat-completions/to-error.ts";
import type { Runtime } from "../runtime.ts";
import type { ApiKeys } from "./api-keys.ts";
import { Call } from "./call.ts";
import { CLIENT_CLOSED, completeChat, type CompletionService } from "./dialects/chat-completions/routes.ts";
import { servedModel, servedModels } from "./listed-models.ts";
import type { ServeLog } from "./serve-log.ts";

export interface AppOptions extends CompletionService {
  runtime: Runtime;
  log: ServeLog;
  keys: ApiKeys;
  /** Origins whose pages may call the server; `*` is any. */
  origins: readonly string[];
  /** Whether the server listens on this machine alone. */
  isLocal: boolean;
  /** Completions at once. */
  mostStreams: number;
  /** Of a request's body. */
  mostBytes: number;
}

type Variables = { call: Call };
type ServeContext = Context<{ Bindings: HttpBindings; Variables: Variables }>;
type Handler = MiddlewareHandler<{ Bindings: HttpBindings; Variables: Variables }>;

/** The routes, and the calls that are running on them. */
export class App {
  readonly hono = new Hono<{ Bindings: HttpBindings; Variables: Variables }>();
  readonly #options: AppOptions;
  readonly #calls = new Set<Call>();
  #completions = 0;
  #isDraining = false;
  #onIdle = (): void => undefined;

  constructor(options: AppOptions) {
    this.#options = options;
    this.#defineRoutes();
  }

  /** Takes no more work. Resolves when the last call is over. */
  async drain(): Promise<void> {
    this.#isDraining = true;
    if (this.#calls.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  /** Stops every call. */
  stopAll(reason: OpenclawError): void {
    for (const call of this.#calls) call.stop(reason);
  }

  get running(): number {
    return this.#calls.size;
  }

  #defineRoutes(): void {
    const { hono } = this;
    const { keys, origins, upstream, names } = this.#options;
    hono.use(this.#logged);
    if (!keys.areRequired && this.#options.isLocal) hono.use(refuseForeignHosts);
    if (origins.length > 0) {
      const origin = origins.includes("*") ? "*" : [...origins];
      hono.use(cors({ origin, exposeHeaders: ["x-request-id", "retry-after"], maxAge: 3600 }));
    }
    hono.get("/health", (context) => context.json({ status: "ok" }));
    hono.get("/ready", (context) => this.#answerReady(context));
    hono.use("/v1/*", this.#open);
    hono.get("/v1/models", async (context) => context.json(await servedModels(upstream, names)));
    hono.get("/v1/models/:id{.+}", async (context) =>
      context.json<Model>(await servedModel(upstream, names, context.req.param("id"))),
    );
    hono.post("/v1/chat/completions", this.#limited, this.#bounded(), (context) => this.#complete(context));
    for (const [path, methods] of Object.entries(METHODS)) {
      hono.all(path, (context) => {
        const message = `${context.req.method} ${context.req.path} is not possible.`;
        return fail(context, 405, message, "method_not_allowed", { headers: { allow: methods } });
      });
    }
    hono.notFound((context) => {
      const { method, path } = context.req;
      return fail(context, 404, `Unknown request URL: ${method} ${path}.`, "unknown_url");
    });
    hono.onError((failure, context) => this.#answerFailure(failure, context));
  }

  /** Follows a request from its first byte to its last, and gives it its line in the log. */
  readonly #logged: Handler = async (context, next) => {
    const { runtime, log } = this.#options;
    const { method, path } = context.req;
    const entry = { method, path, requestId: `req_${crypto.randomUUID().replaceAll("-", "")}` };
    const call = new Call(entry, runtime, log, () => {
      this.#calls.delete(call);
      if (this.#calls.size === 0) this.#onIdle();
    });
    this.#calls.add(call);
    context.set("call", call);
    context.req.raw.signal.addEventListener("abort", () => call.leave(), { once: true });
    await next();
    if (!context.res.headers.has("x-request-id")) context.header("x-request-id", call.entry.requestId);
    if (this.#isDraining) context.header("connection", "close");
    if (!call.isStreaming) call.end(call.entry.isAborted ? CLIENT_CLOSED : context.res.status);
  };

  /** Lets in who has a key, where there are keys, and nobody while the server is being shut down. */
  readonly #open: Handler = async (context, next) => {
    const { keys } = this.#options;
    if (keys.areRequired && context.req.method !== "OPTIONS") {
      const name = keys.nameOf(context.req.header("authorization"));
      if (name === undefined) return refuseKey(context);
      context.var.call.entry.key = name;
    }
    if (this.#isDraining) {
      throw new OpenclawError("interrupted", { message: "This server is shutting down: ask another one." });
    }
    return next();
  };

  /** Counts the completions that are running, from before their body is read until their last byte is sent. */
  readonly #limited: Handler = async (context, next) => {
    const { mostStreams } = this.#options;
    if (this.#completions >= mostStreams) {
      const message = `This server answers ${mostStreams} requests at once, and that many are running.`;
      return fail(context, 429, message, "too_many_streams", {
        type: "rate_limit_error",
        headers: { "retry-after": "1" },
      });
    }
    this.#completions += 1;
    context.var.call.onEnd(() => {
      this.#completions -= 1;
    });
    return next();
  };

  #bounded(): Handler {
    const { mostBytes } = this.#options;
    return bodyLimit({
      maxSize: mostBytes,
      onError: (context) =>
        fail(context, 413, `The body has more than ${mostBytes} bytes.`, "request_too_large"),
    });
  }

  async #complete(context: ServeContext): Promise<Response> {
    const type = context.req.header("content-type") ?? "";
    // A page of another origin can send any other type without asking the server first.
    if (!/^application\/json *(;|$)/i.test(type)) {
      return fail(context, 415, "The Content-Type must be application/json.", "unsupported_media_type");
    }
    let body: unknown;
    try {
      body = JSON.parse(await context.req.text());
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return fail(context, 400, `The body is not JSON: ${error.message}.`, "invalid_json");
    }
    return completeChat(this.#options, {
      call: context.var.call,
      body,
      now: this.#options.runtime.now(),
      hangUp: () => context.env.incoming.socket.destroy(),
    });
  }

  async #answerReady(context: ServeContext): Promise<Response> {
    const { credentials, models } = await this.#options.upstream.readiness();
    const isReady = !this.#isDraining && credentials === "ok" && models === "ok";
    const status = this.#isDraining ? "draining" : isReady ? "ready" : "not-ready";
    return context.json({ status, credentials, models }, isReady ? 200 : 503);
  }

  #answerFailure(failure: unknown, context: ServeContext): Response {
    const { call } = context.var;
    call.fail(failure);
    const { status, error, retryAfter } = toErrorAnswer(failure);
    if (failure instanceof OpenclawError && failure.requestId !== undefined)
      call.entry.requestId = failure.requestId;
    return errorResponse(
      status,
      error,
      retryAfter === undefined ? {} : { "retry-after": String(Math.ceil(retryAfter)) },
    );
  }
}

const METHODS = {
  "/health": "GET, HEAD",
  "/ready": "GET, HEAD",
  "/v1/models": "GET, HEAD",
  "/v1/models/:id{.+}": "GET, HEAD",
  "/v1/chat/completions": "POST",
};

/**
 * Without keys the server trusts whoever reaches this machine's own address. A page in a browser can, under a name of its
 * own that it lets point here (DNS rebinding); its name is in the Host header then.
 */
const refuseForeignHosts: Handler = async (context, next) => {
  const host = (context.req.header("host") ?? "").replace(/:\d+$/, "").replace(/^\[|\]$/g, "");
  if (isLoopback(host.toLowerCase())) return next();
  const message = `Without an API key this server answers to localhost only, and not to '${host.slice(0, 100)}'.`;
  return fail(context, 403, message, "forbidden_host", { type: "permission_error" });
};

function refuseKey(context: ServeContext): Response {
  const isGiven = context.req.header("authorization") !== undefined;
  const message = isGiven
    ? "The API key is not one of this server's."
    : "An API key is needed: send it as 'Authorization: Bearer KEY'.";
  return fail(context, 401, message, "invalid_api_key", {
    type: "authentication_error",
    headers: { "www-authenticate": "Bearer" },
  });
}

function fail(
  context: ServeContext,
  status: number,
  message: string,
  code: string,
  { type = "invalid_request_error", headers = {} }: { type?: string; headers?: Record<string, string> } = {},
): Response {
  context.var.call.entry.error = { code, message };
  return errorResponse(status, { message, type, param: null, code }, headers);
}

function errorResponse(status: number, error: ErrorObject, headers: Record<string, string>): Response {
  return Response.json({ error }, { status, headers });
}
