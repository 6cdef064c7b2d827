import { OpenclawError } from "../errors.ts";

interface NetworkRow {
  codes: readonly string[];
  message: (endpoint: string, host: string) => string;
  hint: string;
}

const CHECK_ENDPOINT = "Check region, endpoint and proxy: openclaw doctor";

/** Node's own error codes (https://nodejs.org/api/errors.html#common-system-errors and OpenSSL's verification codes). */
const NETWORK_TABLE: readonly NetworkRow[] = [
  {
    codes: ["ENOTFOUND", "EAI_AGAIN", "ENODATA"],
    message: (endpoint, host) => `The name ${host} cannot be found, so ${endpoint} cannot be reached.`,
    hint: CHECK_ENDPOINT,
  },
  {
    codes: ["ECONNREFUSED"],
    message: (endpoint) => `Nothing accepts connections at ${endpoint}.`,
    hint: CHECK_ENDPOINT,
  },
  {
    codes: ["EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL", "ENETDOWN"],
    message: (endpoint) => `There is no network route to ${endpoint}.`,
    hint: "Check this machine's network connection.",
  },
  {
    codes: ["ECONNRESET", "EPIPE", "ECONNABORTED", "UND_ERR_SOCKET", "ERR_STREAM_PREMATURE_CLOSE"],
    message: (endpoint) => `${endpoint} closed the connection before it answered.`,
    hint: "Try again; if it stays, a proxy may be in between: openclaw doctor",
  },
  {
    codes: [
      "CERT_HAS_EXPIRED",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "SELF_SIGNED_CERT_IN_CHAIN",
      "UNABLE_TO_GET_ISSUER_CERT",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    ],
    message: (endpoint) => `The TLS certificate of ${endpoint} is not one this machine trusts.`,
    hint: "Behind a proxy that inspects TLS, point AWS_CA_BUNDLE to its CA certificate.",
  },
  {
    codes: ["EPROTO", "ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_PACKET_LENGTH_TOO_LONG"],
    message: (endpoint) => `${endpoint} does not speak TLS.`,
    hint: "Check https:// against http:// in the endpoint: openclaw doctor",
  },
];

/** Turns a failure of DNS, connection, TLS or time into `network`, `timeout` or `bad-response`; undefined for others. */
export function fromNetworkFailure(error: Error, endpoint: string): OpenclawError | undefined {
  const code = codeOf(error);
  const row = NETWORK_TABLE.find(({ codes }) => codes.includes(code));
  if (row) {
    const host = (error as { hostname?: string }).hostname ?? hostOf(endpoint);
    return new OpenclawError("network", {
      message: row.message(endpoint, host),
      hint: row.hint,
      cause: error,
    });
  }
  // Only now: the SDK gives a connection that was reset the name TimeoutError, too.
  if (error.name === "TimeoutError" || code === "ETIMEDOUT" || code === "ESOCKETTIMEDOUT") {
    return new OpenclawError("timeout", {
      message: `${endpoint} did not answer in time.`,
      hint: CHECK_ENDPOINT,
      cause: error,
    });
  }
  if (code.startsWith("HPE_") || code.startsWith("ERR_HTTP2")) {
    return new OpenclawError("bad-response", {
      message: `${endpoint} does not answer in HTTP/1.1.`,
      hint: CHECK_ENDPOINT,
      cause: error,
    });
  }
  return undefined;
}

function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).hostname : endpoint;
}

/** The system's code, which may sit one or two causes deep or, for several addresses, in a list of errors. */
function codeOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error) || depth > 3) return "";
  const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown[] };
  if (typeof code === "string" && code !== "") return code;
  return codeOf(cause, depth + 1) || codeOf(errors?.[0], depth + 1);
}
