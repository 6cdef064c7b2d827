import type { Proxy, ProxyName, ProxyScheme } from "./proxy-settings.ts";

/** The proxy that a failed request went through. */
export interface Blame extends ProxyName {
  scheme: ProxyScheme;
  /** Whether the proxy itself failed, and not what is behind it. */
  isAtFault: boolean;
  /** Whether the variable names a user. */
  hasUser: boolean;
}

/** Gives an error the proxy that its request went through. The first to say so is nearest to the failure. */
export function blameProxy(
  error: unknown,
  { address, variable, scheme, user }: Proxy,
  isAtFault: boolean,
): unknown {
  if (!(error instanceof Error) || "proxy" in error) return error;
  return Object.assign(error, {
    proxy: { address, variable, scheme, hasUser: user !== "", isAtFault } satisfies Blame,
  });
}

/** An answer of the proxy in place of the server's: it demands a log-in, forbids, or cannot reach it. */
export class ProxyRefusal extends Error {
  override readonly name = "ProxyRefusal";
  readonly code: "ERR_PROXY_LOGIN" | "ERR_PROXY_REFUSED";
  /** What the proxy answered, in its words. */
  readonly said: string;
  /** By which the SDK tells what is worth another try. */
  readonly $metadata: { httpStatusCode?: number };

  constructor(proxy: Proxy, answer: number | string, reason = "") {
    const said = `${answer} ${reason}`
      .replaceAll(/[^\x20-\x7E]/g, "")
      .trim()
      .slice(0, 80);
    super(`The proxy answers ${said}.`);
    this.code = answer === 407 ? "ERR_PROXY_LOGIN" : "ERR_PROXY_REFUSED";
    this.said = said;
    this.$metadata = typeof answer === "number" ? { httpStatusCode: answer } : {};
    blameProxy(this, proxy, true);
  }
}
