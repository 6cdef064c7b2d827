import { SocksProxyAgent } from "socks-proxy-agent";
import { errorCode } from "../errors.ts";
import { connectInTime, identityOf } from "./connect-bound.ts";
import { blameProxy, ProxyRefusal } from "./proxy-failure.ts";
import type { Proxy } from "./proxy-settings.ts";

/**
 * Connects through a SOCKS proxy with bounded connecting and `ca` behind it. As for curl, `socks5` and `socks4` have the
 * name looked up here, `socks5h` and `socks4a` by the proxy, and `socks` is `socks4`.
 */
export class BoundedSocksAgent extends SocksProxyAgent {
  readonly #proxy: Proxy;
  readonly #ca: Buffer | undefined;

  constructor(proxy: Proxy, ca: Buffer | undefined) {
    super(urlOf(proxy), { keepAlive: true });
    this.#proxy = proxy;
    this.#ca = ca;
  }

  override async connect(...[request, options]: Parameters<SocksProxyAgent["connect"]>) {
    const trusting = { ...options, ...(this.#ca && { ca: this.#ca }), ...identityOf(options.host) };
    try {
      return await connectInTime((signal) => {
        // One for each connection: its bound is that of the socket which the library makes for it.
        const opener = new SocksProxyAgent(urlOf(this.#proxy), { socketOptions: { signal } });
        // The library would look brackets up as part of a name.
        opener.proxy.host = this.#proxy.host;
        return opener.connect(request, trusting);
      });
    } catch (error) {
      // A name that is looked up here is the server's; for what the proxy does the library has words without a code.
      const isOfProxy = !(error instanceof Error) || errorCode(error) !== "ENOTFOUND";
      throw blameProxy(fromSocks(error, this.#proxy), this.#proxy, isOfProxy);
    }
  }
}

function urlOf({ scheme, address, user, password }: Proxy): string {
  const login =
    user === "" && password === "" ? "" : `${encodeURIComponent(user)}:${encodeURIComponent(password)}@`;
  return `${scheme === "socks:" ? "socks4:" : scheme}//${login}${address}`;
}

/** The failure behind an error of the `socks` package, which keeps the password in it and the code in its message. */
function fromSocks(error: unknown, proxy: Proxy): unknown {
  if (!(error instanceof Error) || errorCode(error) !== undefined) return error;
  const { message } = error;
  if (/authentication/i.test(message)) return new ProxyRefusal(proxy, 407);
  const [, reason] = / rejected connection - \(?(\w+)\)?$/.exec(message) ?? [];
  if (reason !== undefined) return new ProxyRefusal(proxy, reason);
  // Several addresses of one name that all refuse have no message.
  const code = message === "" ? "ECONNREFUSED" : /^\w+ (E[A-Z_]+)\b/.exec(message)?.[1];
  return Object.assign(new Error(message), { code: code ?? "ERR_PROXY_TUNNEL", hostname: proxy.host });
}
