import { type ErrorCode, OpenclawError } from "../errors.ts";
import type { Blame } from "./proxy-failure.ts";

/** What a row may put into its words. */
export interface NetworkContext {
  /** Who failed, for the beginning of a sentence and for its middle: who was asked, or the proxy in between. */
  Who: string;
  who: string;
  /** Of a proxy that failed: whom it was to reach. */
  onTheWay: string;
  host: string;
  /** Where the endpoint is named, such as AWS_ENDPOINT_URL. */
  named: string;
  proxy: Blame | undefined;
  /** What a proxy answered in place of the server. */
  said: string;
}

/**
 * The part of the way to an answer that is known to be broken, nearest first. What lies behind it may be broken as well,
 * and nobody knows: a proxy that is down says nothing about the region.
 */
export type Fault = "this machine" | "the proxy" | "the certificate" | "the far end" | "the answer";

/** One way in which an answer does not come at all. */
export interface NetworkRow {
  /** Node's error codes; one that ends with `*` stands for all that start so. */
  codes: readonly string[];
  code: ErrorCode;
  /** What is broken where no proxy is. Default: the far end. */
  fault?: Fault;
  message: (context: NetworkContext) => string;
  hint: (context: NetworkContext) => string;
}

/** What to look at where an answer is none of AWS's. */
export const IN_BETWEEN = "A proxy or another server may be in between: openclaw doctor";

/** What to look at where nobody is to blame. */
const CHECK_WAY = "Check region, endpoint and proxy: openclaw doctor";

/** What to look at: the variable of a proxy that failed, else everything that decides where is asked. */
const checkWay = ({ proxy }: NetworkContext): string =>
  proxy?.isAtFault ? `Check ${proxy.variable}, or exempt the host with NO_PROXY.` : CHECK_WAY;

/**
 * Node's own error codes (https://nodejs.org/api/errors.html#common-system-errors and
 * https://nodejs.org/api/tls.html#x509-certificate-error-codes), first match wins.
 */
export const NETWORK_TABLE: readonly NetworkRow[] = [
  {
    codes: ["ENOTFOUND", "EAI_AGAIN", "ENODATA"],
    code: "network",
    message: (c) => `The name ${c.host} cannot be found, so ${c.who} cannot be reached${c.onTheWay}.`,
    hint: checkWay,
  },
  {
    codes: ["ECONNREFUSED"],
    code: "network",
    message: (c) => `Nothing accepts connections at ${c.who}${c.onTheWay}.`,
    hint: checkWay,
  },
  {
    codes: ["EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "ENETDOWN"],
    code: "network",
    fault: "this machine",
    message: (c) => `There is no network route to ${c.who}${c.onTheWay}.`,
    hint: () => "Check this machine's network connection.",
  },
  {
    codes: ["ECONNRESET", "EPIPE", "ECONNABORTED", "UND_ERR_SOCKET", "ERR_STREAM_PREMATURE_CLOSE"],
    code: "network",
    message: (c) => `${c.Who} closed the connection before it answered${c.onTheWay}.`,
    hint: (c) =>
      c.proxy?.isAtFault ? checkWay(c) : "Try again; if it stays, a proxy may be in between: openclaw doctor",
  },
  {
    codes: ["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"],
    code: "network",
    fault: "the certificate",
    message: (c) => `The TLS certificate of ${c.who} is not valid at this time${c.onTheWay}.`,
    hint: () => "Have it renewed, or check this machine's clock: openclaw doctor",
  },
  {
    codes: ["ERR_TLS_CERT_ALTNAME_INVALID", "HOSTNAME_MISMATCH"],
    code: "network",
    fault: "the certificate",
    message: (c) => `The TLS certificate of ${c.who} is for another host${c.onTheWay}.`,
    hint: (c) =>
      `Use a host name that the certificate has${c.proxy?.isAtFault ? ` in ${c.proxy.variable}` : ""}.`,
  },
  {
    codes: [
      "CERT_*",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "INVALID_CA",
      "INVALID_PURPOSE",
      "PATH_LENGTH_EXCEEDED",
      "SELF_SIGNED_CERT_IN_CHAIN",
      "UNABLE_TO_*",
    ],
    code: "network",
    fault: "the certificate",
    message: (c) => `The TLS certificate of ${c.who} is not one this machine trusts${c.onTheWay}.`,
    hint: () => "Behind a proxy that inspects TLS, name its CA certificate: export AWS_CA_BUNDLE=FILE",
  },
  {
    codes: ["EPROTO", "ERR_SSL_*", "ERR_TLS_*"],
    code: "network",
    fault: "the certificate",
    message: (c) => `${c.Who} does not speak TLS${c.onTheWay}.`,
    hint: (c) =>
      c.proxy?.isAtFault
        ? `Write ${c.proxy.variable} with http:// where the proxy itself speaks no TLS.`
        : `Check https:// against http:// in ${c.named}: openclaw doctor`,
  },
  {
    codes: ["UND_ERR_CONNECT_TIMEOUT"],
    code: "timeout",
    message: (c) => `${c.Who} did not complete a connection within 3 s${c.onTheWay}.`,
    hint: checkWay,
  },
  {
    codes: ["ERR_PROXY_LOGIN"],
    code: "network",
    message: (c) =>
      `${c.Who} ${c.proxy?.hasUser ? "refuses the user and password it was given" : "demands a user and password"}${c.onTheWay}.`,
    hint: ({ proxy }) =>
      `Put them into the variable: export ${proxy?.variable}=${proxy?.scheme}//USER:PASSWORD@${proxy?.address}`,
  },
  {
    codes: ["ERR_PROXY_REFUSED"],
    code: "network",
    message: (c) => `${c.Who} answers ${c.said}${c.onTheWay}.`,
    hint: ({ said }) =>
      /^(?:429|5\d\d)\b/.test(said)
        ? "Try again in a minute; if it stays, ask whoever runs the proxy."
        : "Ask whoever runs the proxy to let this host through, or exempt it with NO_PROXY.",
  },
  {
    codes: ["ERR_PROXY_TUNNEL"],
    code: "network",
    message: (c) => `${c.Who} does not answer like one${c.onTheWay}.`,
    hint: checkWay,
  },
  {
    // The name of the SDK's own time-outs and of AbortSignal.timeout().
    codes: ["ETIMEDOUT", "ESOCKETTIMEDOUT", "TimeoutError"],
    code: "timeout",
    message: (c) => `${c.Who} did not answer in time${c.onTheWay}.`,
    hint: checkWay,
  },
  {
    // Before the others: Node says so of an answer that is HTTP, of which it then hands on nothing.
    codes: ["HPE_INVALID_HEADER_TOKEN"],
    code: "bad-response",
    message: (c) =>
      `${c.Who} answers with a header that HTTP does not allow, so nothing of it is read${c.onTheWay}.`,
    hint: checkWay,
  },
  {
    codes: ["HPE_*", "ERR_HTTP2*"],
    code: "bad-response",
    message: (c) => `${c.Who} does not answer in HTTP/1.1${c.onTheWay}.`,
    hint: checkWay,
  },
];

/** The row that a failure falls under, by its code and, only then, by its name. */
export function findNetworkRow(error: Error): NetworkRow | undefined {
  // The SDK gives a connection that was reset the name TimeoutError, too.
  return rowOf(codeOf(error)) ?? rowOf(error.name);
}

/** The part of the way that a failure shows to be broken, by what Node said of it; the answer, where there was one. */
export function faultOf({ cause }: OpenclawError): Fault {
  const row = cause instanceof Error ? findNetworkRow(cause) : undefined;
  if (!row || !(cause instanceof Error)) return "the answer";
  // A proxy that refuses is there: what it was asked for is what it does not have.
  const isDown = blameOf(cause)?.isAtFault === true && !row.codes.includes("ERR_PROXY_REFUSED");
  return isDown ? "the proxy" : (row.fault ?? "the far end");
}

/**
 * Turns a failure of DNS, connection, TLS, time or a proxy into `network`, `timeout` or `bad-response`; undefined for
 * others. `endpoint` is who was asked, as a URL where somebody named one, and `source` who named it: that is said, and is the first thing to look at.
 */
export function fromNetworkFailure(
  error: Error,
  endpoint: string,
  source?: string,
): OpenclawError | undefined {
  const row = findNetworkRow(error);
  if (!row) return undefined;
  const cause = deepest(error) as { hostname?: string; said?: string };
  const proxy = blameOf(error);
  const host = cause.hostname ?? hostOf(endpoint);
  const shown = proxy && tellProxy(proxy);
  const context: NetworkContext = {
    ...(proxy?.isAtFault
      ? { Who: `The ${shown}`, who: `the ${shown}`, onTheWay: `, on the way to ${endpoint}` }
      : { Who: endpoint, who: endpoint, onTheWay: shown ? `, through the ${shown}` : "" }),
    host,
    named: placeOfSource(source),
    proxy,
    said: cause.said ?? "",
  };
  const [message, hint] = [row.message(context), row.hint(context)];
  // A flag is before everybody's eyes.
  const isNamed = source !== undefined && !source.startsWith("--") && proxy?.isAtFault !== true;
  return new OpenclawError(row.code, {
    message: isNamed ? message.replace(/\.$/, ` (${source}).`) : message,
    hint: isNamed && hint === CHECK_WAY ? checkSource(source) : hint,
    cause: error,
  });
}

/** Who names an endpoint, as a person finds it: the variable, without what it is. Undefined is nobody. */
export function placeOfSource(source: string | undefined): string {
  return source?.replace(/^env /, "") ?? "the endpoint";
}

/** What to look at where an endpoint answers as none of AWS's: where it is named, if it is. */
export function checkAnswerer({ endpointSource }: { endpointSource?: string | undefined }): string {
  return endpointSource === undefined
    ? IN_BETWEEN
    : `Check host and path in ${placeOfSource(endpointSource)}: openclaw doctor`;
}

function checkSource(source: string): string {
  const variable = /^env (.+)/.exec(source)?.[1];
  return variable === undefined ? `Check ${source}.` : `Check ${variable}, or: unset ${variable}`;
}

function rowOf(code: string): NetworkRow | undefined {
  return NETWORK_TABLE.find(({ codes }) =>
    codes.some((known) => (known.endsWith("*") ? code.startsWith(known.slice(0, -1)) : known === code)),
  );
}

function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).hostname : endpoint;
}

/** Where a redirect leads: its host, since the rest may be a session of somebody's. */
export function hostOfRedirect(location: string): string {
  return URL.canParse(location) ? new URL(location).host : "another address";
}

/** A proxy, for a sentence in which it stands behind "the". */
export function tellProxy({ address, variable }: Pick<Blame, "address" | "variable">): string {
  return `proxy ${address} (${variable})`;
}

/** The proxy that a failed request went through, which a provider of the SDK may have wrapped. */
export function blameOf(error: unknown): Blame | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < 4 && current instanceof Error; depth += 1) {
    const { proxy, cause } = current as { proxy?: Blame; cause?: unknown };
    if (proxy !== undefined) return proxy;
    current = cause;
  }
  return undefined;
}

/** The system's code, which may sit one or two causes deep or, for several addresses, in a list of errors. */
export function codeOf(error: Error): string {
  const { code } = deepest(error) as { code?: unknown };
  return typeof code === "string" ? code : "";
}

/** The first error on the way to the cause that carries a code; the given one when none does. */
function deepest(error: Error): Error {
  let current: unknown = error;
  for (let depth = 0; depth < 4 && current instanceof Error; depth += 1) {
    const { code, cause, errors } = current as { code?: unknown; cause?: unknown; errors?: unknown[] };
    // An AggregateError has a code, but the address is that of its members.
    if (Array.isArray(errors) && errors[0] instanceof Error) current = errors[0];
    else if (typeof code === "string" && code !== "") return current;
    else current = cause;
  }
  return error;
}
