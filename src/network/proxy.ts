import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import type { NodeHttpHandler, NodeHttpHandlerOptions } from "@smithy/node-http-handler";
import { HttpProxyAgent } from "http-proxy-agent";
import { HttpsProxyAgent } from "https-proxy-agent";
import { getProxyForUrl } from "proxy-from-env";
import { boundConnecting, CONNECT_MS, connectTimeout } from "./connect-bound.ts";
import { TimedHandler } from "./timed-handler.ts";

/** The proxy that the environment names for a URL, without the password it may hold; undefined for none. */
export function describeProxy(url: string): string | undefined {
  const proxy = getProxyForUrl(url);
  if (!proxy) return undefined;
  const { protocol, host } = new URL(proxy);
  return `${protocol}//${host}`;
}

/** Sends each request through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name for its host, or directly. */
export class ProxyingHandler extends TimedHandler {
  readonly #options: NodeHttpHandlerOptions;
  readonly #ca: Buffer | undefined;
  readonly #proxied = new Map<string, TimedHandler>();

  constructor(options: NodeHttpHandlerOptions, ca: Buffer | undefined) {
    super(options);
    this.#options = options;
    this.#ca = ca;
  }

  override handle(
    ...[request, options]: Parameters<NodeHttpHandler["handle"]>
  ): ReturnType<NodeHttpHandler["handle"]> {
    const port = request.port === undefined ? "" : `:${request.port}`;
    const proxy = getProxyForUrl(`${request.protocol}//${request.hostname}${port}`);
    return proxy ? this.#handlerFor(proxy).handle(request, options) : super.handle(request, options);
  }

  override destroy(): void {
    super.destroy();
    for (const handler of this.#proxied.values()) handler.destroy();
  }

  #handlerFor(proxy: string): TimedHandler {
    const known = this.#proxied.get(proxy);
    if (known) return known;
    const handler = new TimedHandler({
      ...this.#options,
      httpAgent: new BoundedHttpProxyAgent(proxy, { keepAlive: true }),
      httpsAgent: new TrustingProxyAgent(proxy, this.#ca),
    });
    this.#proxied.set(proxy, handler);
    return handler;
  }
}

/** A proxy agent for http:// endpoints with bounded connecting. */
class BoundedHttpProxyAgent extends HttpProxyAgent<string> {
  override connect(...[request, options]: Parameters<HttpProxyAgent<string>["connect"]>) {
    return inTime(this, () => super.connect(request, options));
  }
}

/** A proxy agent that also trusts `ca` behind the proxy: the library passes it only to the proxy itself. */
class TrustingProxyAgent extends HttpsProxyAgent<string> {
  readonly #ca: Buffer | undefined;

  constructor(proxy: string, ca: Buffer | undefined) {
    super(proxy, { keepAlive: true, ca });
    this.#ca = ca;
  }

  override connect(...[request, options]: Parameters<HttpsProxyAgent<string>["connect"]>) {
    const trusting = this.#ca ? { ...options, ca: this.#ca } : options;
    return inTime(this, () => super.connect(request, trusting));
  }
}

/** Lets an agent connect, through the proxy and with TLS behind it, within the time that any connection has. */
async function inTime<T extends Duplex>(
  agent: { connectOpts: object },
  connect: () => Promise<T>,
): Promise<T> {
  const started = performance.now();
  const expiry = new AbortController();
  const timer = setTimeout(() => expiry.abort(), CONNECT_MS);
  const own = agent.connectOpts;
  try {
    // The library makes the socket to the proxy from these, at once; a proxy that says nothing loses it by the signal.
    agent.connectOpts = { ...own, signal: expiry.signal };
    const connecting = connect();
    agent.connectOpts = own;
    const socket = await connecting;
    if (socket instanceof TLSSocket) boundConnecting(socket, CONNECT_MS - (performance.now() - started));
    return socket;
  } catch (error) {
    if (expiry.signal.aborted) throw connectTimeout();
    // What the library says by itself, about a proxy that hangs up or answers nonsense, has no code. This one is Node's.
    throw error instanceof Error && !("code" in error)
      ? Object.assign(error, { code: "ERR_PROXY_TUNNEL" })
      : error;
  } finally {
    clearTimeout(timer);
  }
}
