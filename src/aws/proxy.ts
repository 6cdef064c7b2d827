import { NodeHttpHandler, type NodeHttpHandlerOptions } from "@smithy/node-http-handler";
import { HttpProxyAgent } from "http-proxy-agent";
import { HttpsProxyAgent } from "https-proxy-agent";
import { getProxyForUrl } from "proxy-from-env";

/** The proxy that the environment names for a URL, without the password it may hold; undefined for none. */
export function describeProxy(url: string): string | undefined {
  const proxy = getProxyForUrl(url);
  if (!proxy) return undefined;
  const { protocol, host } = new URL(proxy);
  return `${protocol}//${host}`;
}

/** Sends each request through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name for its host, or directly. */
export class ProxyingHandler extends NodeHttpHandler {
  readonly #options: NodeHttpHandlerOptions;
  readonly #ca: Buffer | undefined;
  readonly #proxied = new Map<string, NodeHttpHandler>();

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

  #handlerFor(proxy: string): NodeHttpHandler {
    const known = this.#proxied.get(proxy);
    if (known) return known;
    const handler = new NodeHttpHandler({
      ...this.#options,
      httpAgent: new HttpProxyAgent(proxy, { keepAlive: true }),
      httpsAgent: new TrustingProxyAgent(proxy, this.#ca),
    });
    this.#proxied.set(proxy, handler);
    return handler;
  }
}

/** A proxy agent that also trusts `ca` behind the proxy: the library passes it only to the proxy itself. */
class TrustingProxyAgent extends HttpsProxyAgent<string> {
  readonly #ca: Buffer | undefined;

  constructor(proxy: string, ca: Buffer | undefined) {
    super(proxy, { keepAlive: true, ...(ca ? { ca } : {}) });
    this.#ca = ca;
  }

  override connect(...[request, options]: Parameters<HttpsProxyAgent<string>["connect"]>) {
    const trusting = this.#ca ? { ...options, ca: this.#ca } : options;
    return super.connect(request, trusting);
  }
}
