import { type ErrorCode, OpenclawError } from "../errors.ts";

/** What a row may put into its words. */
export interface NetworkContext {
  /** Who was asked, as a URL where somebody named one. */
  endpoint: string;
  host: string;
  /** `host:port` of somebody else who stands in between: a proxy. */
  between: string | undefined;
}

/** One way in which an answer does not come at all. */
export interface NetworkRow {
  /** Node's error codes; one that ends with `*` stands for all that start so. */
  codes: readonly string[];
  code: ErrorCode;
  message: (context: NetworkContext) => string;
  hint: (context: NetworkContext) => string;
}

const checkEndpoint = (): string => "Check region, endpoint and proxy: openclaw doctor";

/**
 * Node's own error codes (https://nodejs.org/api/errors.html#common-system-errors and OpenSSL's verification codes),
 * first match wins.
 */
export const NETWORK_TABLE: readonly NetworkRow[] = [
  {
    codes: ["ENOTFOUND", "EAI_AGAIN", "ENODATA"],
    code: "network",
    message: ({ endpoint, host }) => `The name ${host} cannot be found, so ${endpoint} cannot be reached.`,
    hint: checkEndpoint,
  },
  {
    codes: ["ECONNREFUSED"],
    code: "network",
    message: ({ endpoint, between }) =>
      between === undefined
        ? `Nothing accepts connections at ${endpoint}.`
        : `Nothing accepts connections at ${between}, on the way to ${endpoint}.`,
    hint: (c) =>
      c.between === undefined
        ? checkEndpoint()
        : "Check HTTPS_PROXY and HTTP_PROXY, or exempt the host with NO_PROXY.",
  },
  {
    codes: ["EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "ENETDOWN"],
    code: "network",
    message: ({ endpoint }) => `There is no network route to ${endpoint}.`,
    hint: () => "Check this machine's network connection.",
  },
  {
    codes: ["ECONNRESET", "EPIPE", "ECONNABORTED", "UND_ERR_SOCKET", "ERR_STREAM_PREMATURE_CLOSE"],
    code: "network",
    message: ({ endpoint }) => `${endpoint} closed the connection before it answered.`,
    hint: () => "Try again; if it stays, a proxy may be in between: openclaw doctor",
  },
  {
    codes: [
      "CERT_HAS_EXPIRED",
      "CERT_NOT_YET_VALID",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "SELF_SIGNED_CERT_IN_CHAIN",
      "UNABLE_TO_GET_ISSUER_CERT",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    ],
    code: "network",
    message: ({ endpoint }) => `The TLS certificate of ${endpoint} is not one this machine trusts.`,
    hint: () => "Behind a proxy that inspects TLS, point AWS_CA_BUNDLE to its CA certificate.",
  },
  {
    codes: ["EPROTO", "ERR_SSL_*"],
    code: "network",
    message: ({ endpoint }) => `${endpoint} does not speak TLS.`,
    hint: () => "Check https:// against http:// in the endpoint: openclaw doctor",
  },
  {
    codes: ["UND_ERR_CONNECT_TIMEOUT"],
    code: "timeout",
    message: ({ endpoint }) => `${endpoint} did not accept a connection within 3 s.`,
    hint: checkEndpoint,
  },
  {
    codes: ["ERR_PROXY_TUNNEL"],
    code: "network",
    message: ({ endpoint }) => `The proxy on the way to ${endpoint} does not answer like one.`,
    hint: () => "Check HTTPS_PROXY and HTTP_PROXY, or exempt the host with NO_PROXY.",
  },
  {
    // The name of the SDK's own time-outs and of AbortSignal.timeout().
    codes: ["ETIMEDOUT", "ESOCKETTIMEDOUT", "TimeoutError"],
    code: "timeout",
    message: ({ endpoint }) => `${endpoint} did not answer in time.`,
    hint: checkEndpoint,
  },
  {
    codes: ["HPE_*", "ERR_HTTP2*"],
    code: "bad-response",
    message: ({ endpoint }) => `${endpoint} does not answer in HTTP/1.1.`,
    hint: checkEndpoint,
  },
];

/** The row that a failure falls under, by its code and, only then, by its name. */
export function findNetworkRow(error: Error): NetworkRow | undefined {
  // The SDK gives a connection that was reset the name TimeoutError, too.
  return rowOf(codeOf(error)) ?? rowOf(error.name);
}

/** Turns a failure of DNS, connection, TLS or time into `network`, `timeout` or `bad-response`; undefined for others. */
export function fromNetworkFailure(error: Error, endpoint: string): OpenclawError | undefined {
  const row = findNetworkRow(error);
  if (!row) return undefined;
  const host = (deepest(error) as { hostname?: string }).hostname ?? hostOf(endpoint);
  const context = { endpoint, host, between: betweenOf(error, endpoint) };
  return new OpenclawError(row.code, {
    message: row.message(context),
    hint: row.hint(context),
    cause: error,
  });
}

function rowOf(code: string): NetworkRow | undefined {
  return NETWORK_TABLE.find(({ codes }) =>
    codes.some((known) => (known.endsWith("*") ? code.startsWith(known.slice(0, -1)) : known === code)),
  );
}

function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).hostname : endpoint;
}

/** The address of a refused connection that is not one to the endpoint itself, by its port. */
function betweenOf(error: Error, endpoint: string): string | undefined {
  const { address, port } = deepest(error) as { address?: unknown; port?: unknown };
  if (typeof address !== "string" || typeof port !== "number") return undefined;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  const own = url?.port ? Number(url.port) : url?.protocol === "http:" ? 80 : 443;
  return port === own ? undefined : `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

/** The system's code, which may sit one or two causes deep or, for several addresses, in a list of errors. */
function codeOf(error: Error): string {
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
