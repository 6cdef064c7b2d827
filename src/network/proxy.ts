import type { ClientRequest } from "node:http";
import { isIP } from "node:net";
import type { Duplex, Readable } from "node:stream";
import { HttpProxyAgent } from "http-proxy-agent";
import { HttpsProxyAgent } from "https-proxy-agent";
import type { Environment } from "../runtime.ts";
import { connectInTime, identityOf } from "./connect-bound.ts";
import { blameProxy, ProxyRefusal } from "./proxy-failure.ts";
import { findProxy, type Proxy } from "./proxy-settings.ts";
import {
  type Agents,
  destroyAgents,
  type ExchangeTerms,
  type RequestWatcher,
  TimedHandler,
} from "./timed-handler.ts";

type Exchange = ReturnType<TimedHandler["handle"]>;

interface ProxyingOptions {
  /** Of what goes past the proxy. */
  agents: Agents;
  requestTimeoutMs: number | undefined;
  ca: Buffer | undefined;
  env: Environment;
  watcher: RequestWatcher;
}

/** Sends each request through the proxy that the environment names for its URL, or directly. */
export class ProxyingHandler extends TimedHandler {
  readonly #ca: Buffer | undefined;
  readonly #env: Environment;
  readonly #proxied = new Map<string, Promise<Agents>>();

  constructor({ agents, requestTimeoutMs, ca, env, watcher }: ProxyingOptions) {
    super(agents, requestTimeoutMs, watcher);
    this.#ca = ca;
    this.#env = env;
  }

  /**
   * Throws `config-invalid` for a variable that names no proxy; other failures are Node's, with the proxy as
   * network-errors.ts tells it.
   */
  protected override async exchange(
    request: Parameters<TimedHandler["handle"]>[0],
    terms: ExchangeTerms,
  ): Exchange {
    const port = request.port === undefined ? "" : `:${request.port}`;
    const proxy = findProxy(`${request.protocol}//${request.hostname}${port}`, this.#env);
    if (!proxy) return super.exchange(request, terms);
    const agents = await this.#agentsFor(proxy);
    const isForwarded = request.protocol === "http:" && !proxy.scheme.startsWith("socks");
    try {
      const answer = await super.exchange(request, { ...terms, agents });
      if (isForwarded && isOfProxy(answer.response)) {
        (answer.response.body as Readable).destroy();
        throw new ProxyRefusal(proxy, answer.response.statusCode, answer.response.reason);
      }
      return answer;
    } catch (error) {
      // Over TLS and SOCKS the proxy's own failures are known by the agent; a request that it forwards knows no others.
      throw blameProxy(error, proxy, isForwarded);
    }
  }

  override destroy(): void {
    super.destroy();
    for (const agents of this.#proxied.values()) void agents.then(destroyAgents);
  }

  #agentsFor(proxy: Proxy): Promise<Agents> {
    const known = this.#proxied.get(proxy.variable) ?? createAgents(proxy, this.#ca);
    this.#proxied.set(proxy.variable, known);
    return known;
  }
}

async function createAgents(proxy: Proxy, ca: Buffer | undefined): Promise<Agents> {
  if (proxy.scheme.startsWith("socks")) {
    const { BoundedSocksAgent } = await import("./socks-agent.ts");
    const agent = new BoundedSocksAgent(proxy, ca);
    return { http: agent, https: agent as unknown as HttpsProxyAgent<string> };
  }
  return { http: new ForwardingAgent(proxy, ca), https: new TunnelAgent(proxy, ca) };
}

/**
 * Whether an answer to a forwarded request is the proxy's and not the server's: one that demands a log-in, or a page in
 * place of what any API says, with a status of those that proxies have of their own.
 */
function isOfProxy({ statusCode, headers }: Awaited<Exchange>["response"]): boolean {
  if (statusCode === 407) return true;
  const isOfAws = Object.keys(headers).some((name) => /^x-amzn?-/i.test(name));
  return (
    [400, 403, 502, 503, 504].includes(statusCode) &&
    !isOfAws &&
    !/\b(json|xml)\b/i.test((headers["content-type"] ?? "").replace(/xhtml\+xml/i, "html"))
  );
}

/** What the libraries are given: a URL without user and password, which their own reader would not take as it is. */
function connectionTo({ scheme, host, user, password, shown }: Proxy, ca: Buffer | undefined) {
  const login = Buffer.from(`${user}:${password}`).toString("base64");
  const headers: Record<string, string> =
    user === "" && password === "" ? {} : { "Proxy-Authorization": `Basic ${login}` };
  return {
    url: shown,
    options: {
      keepAlive: true,
      headers,
      ca,
      ...(scheme === "https:" && isIP(host) === 0 ? { servername: host } : {}),
    },
  };
}

/** A proxy agent for http:// endpoints with bounded connecting. */
class ForwardingAgent extends HttpProxyAgent<string> {
  readonly #proxy: Proxy;

  constructor(proxy: Proxy, ca: Buffer | undefined) {
    const { url, options } = connectionTo(proxy, ca);
    super(url, options);
    this.#proxy = proxy;
  }

  override connect(...[request, options]: Parameters<HttpProxyAgent<string>["connect"]>) {
    return inTime(this, this.#proxy, () => super.connect(request, options));
  }
}

/** A proxy agent for https:// endpoints that also trusts `ca` behind the proxy: the library passes it only to the proxy. */
class TunnelAgent extends HttpsProxyAgent<string> {
  readonly #proxy: Proxy;
  readonly #ca: Buffer | undefined;

  constructor(proxy: Proxy, ca: Buffer | undefined) {
    const { url, options } = connectionTo(proxy, ca);
    super(url, options);
    this.#proxy = proxy;
    this.#ca = ca;
  }

  override connect(...[request, options]: Parameters<HttpsProxyAgent<string>["connect"]>) {
    const trusting = { ...options, ...(this.#ca && { ca: this.#ca }), ...identityOf(options.host) };
    return inTime(this, this.#proxy, async () => {
      let refusal: ProxyRefusal | undefined;
      request.once(
        "proxyConnect",
        ({ statusCode, statusText }: { statusCode: number; statusText: string }) => {
          if (statusCode !== 200) refusal = new ProxyRefusal(this.#proxy, statusCode, statusText);
        },
      );
      const socket = await super.connect(request as ClientRequest, trusting);
      if (!refusal) return socket;
      // The library would have it read as the answer of the server.
      socket.destroy();
      throw refusal;
    });
  }
}

/** Lets an agent of the library connect within the time that any connection has. */
async function inTime<T extends Duplex>(
  agent: { connectOpts: object },
  proxy: Proxy,
  connect: () => Promise<T>,
): Promise<T> {
  const own = agent.connectOpts;
  try {
    return await connectInTime((signal) => {
      // The library makes the socket to the proxy from these, at once; a proxy that says nothing loses it by the signal.
      agent.connectOpts = { ...own, signal };
      const connecting = connect();
      agent.connectOpts = own;
      return connecting;
    });
  } catch (error) {
    // What the library says by itself, about a proxy that hangs up or answers nonsense, has no code. This one is Node's.
    const coded =
      error instanceof Error && !("code" in error)
        ? Object.assign(error, { code: "ERR_PROXY_TUNNEL" })
        : error;
    throw blameProxy(coded, proxy, true);
  }
}
