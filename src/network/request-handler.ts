import type { HttpRequest } from "@smithy/types";
import { isLoopback, withoutBrackets } from "../loopback.ts";
import type { Runtime } from "../runtime.ts";
import { tellUpload } from "../terminal/spinner.ts";
import { decideCaBundle, type NamedProfile, readCertificates } from "./certificates.ts";
import { BoundedHttpAgent, BoundedHttpsAgent } from "./connect-bound.ts";
import type { ConnectionsAhead } from "./connections-ahead.ts";
import { namesProxy } from "./names-proxy.ts";
import { type Agents, type RequestWatcher, TimedHandler, type WholeAnswer } from "./timed-handler.ts";

/** The last that is known of a request: it is waited for, nobody answered, or this is the answer. */
export interface Exchange {
  /** Who is asked, in words, where a client says so. */
  asked: string | undefined;
  origin: string;
  /** Without the query. */
  path: string;
  failure?: unknown;
  answer?: WholeAnswer;
}

export interface HandlerOptions {
  /** The profile in force, for its `ca_bundle`. */
  profile?: NamedProfile | undefined;
  /** Told of each request when it is sent, and how it ended. Every answer is then read whole: for small ones. */
  onExchange?: (exchange: Exchange) => void;
  /** Whether every answer is read whole all the same, which bounds it. */
  readsWhole?: boolean;
  /** Who is asked, in words, for those who are told. */
  asked?: string;
  /** Whether credentials are what is asked for: they stand in the bodies, where no header shows them. */
  handsOutCredentials?: boolean;
  /** Whether no proxy may be in between. */
  isDirect?: boolean;
  /** Connections that were opened for it beforehand. */
  ahead?: ConnectionsAhead | undefined;
}

/**
 * The HTTP/1.1 handler of every client: bounded connecting, AWS_CA_BUNDLE or the profile's `ca_bundle`, the proxy that the
 * environment names, and a warning where a secret would travel in clear. `requestTimeoutMs` is for a whole answer; without
 * it one may take as long as it likes.
 * HTTP/1.1 also for streaming: the SDK's HTTP/2 handler takes no proxy, and to an
 * http:// endpoint it speaks a protocol that plain servers do not understand.
 * Throws `config-unreadable` and `config-invalid` for a file of certificates that is none.
 */
export async function createRequestHandler(
  runtime: Pick<Runtime, "env" | "isEmulated"> & Partial<Pick<Runtime, "terminal">>,
  requestTimeoutMs?: number,
  {
    profile,
    onExchange,
    readsWhole = onExchange !== undefined,
    asked,
    handsOutCredentials = false,
    isDirect = false,
    ahead,
  }: HandlerOptions = {},
): Promise<TimedHandler> {
  const { env, terminal, isEmulated } = runtime;
  const bundle = decideCaBundle(env, isEmulated ? undefined : profile);
  const ca = bundle && (await readCertificates(bundle));
  const agents: Agents = {
    http: new BoundedHttpAgent({ keepAlive: true }),
    https: new BoundedHttpsAgent({ keepAlive: true, ca }, ahead),
  };
  const isProxied = namesProxy(env) && !isEmulated && !isDirect;
  const staysHere = (host: string): boolean => !isProxied && isLoopback(withoutBrackets(host));
  const exchangeOf = (request: HttpRequest): Exchange => ({
    asked,
    origin: urlOf(request).origin,
    path: request.path,
  });
  const watcher: RequestWatcher = {
    sends: async (request) => {
      onExchange?.(exchangeOf(request));
      if (request.protocol !== "http:" || !terminal || staysHere(request.hostname)) return;
      const { CREDENTIALS, secretOf, warnOfClearText } = await import("./clear-text.ts");
      const what = handsOutCredentials ? CREDENTIALS : secretOf(request.headers);
      await warnOfClearText({ env, terminal }, urlOf(request), what);
    },
    uploads: terminal?.isStderrTTY ? (sent, total) => tellUpload(terminal, sent, total) : undefined,
    fails: (failure, request) => onExchange?.({ ...exchangeOf(request), failure }),
    answers: readsWhole ? (answer, request) => onExchange?.({ ...exchangeOf(request), answer }) : undefined,
  };
  if (!isProxied) return new TimedHandler(agents, requestTimeoutMs, watcher);
  const { ProxyingHandler } = await import("./proxy.ts");
  return new ProxyingHandler({ agents, requestTimeoutMs, ca, env, watcher });
}

function urlOf({ protocol, hostname, port }: HttpRequest): URL {
  return new URL(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`);
}
