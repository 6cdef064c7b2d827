import { ERROR_TABLE, type ErrorContext, type ErrorRow } from "../../src/session/error-table.ts";
import { NETWORK_TABLE, type NetworkContext } from "../../src/network/network-errors.ts";
import { RESOLUTION_TABLE, type ResolutionContext } from "../../src/credentials/resolution-error.ts";
import { EXIT_CODES, type ErrorCode } from "../../src/errors.ts";
import { code, fence, page, table } from "./markdown.ts";

/** What each code means, in words for a person. The compiler keeps the list whole. */
const MEANINGS: Record<ErrorCode, string> = {
  internal: "a bug of openclaw, or a fault of this machine such as a full disk",
  usage: "unknown command or option, or a value it does not take",
  "config-unreadable": "the configuration file cannot be read or written",
  "config-invalid": "the configuration file cannot be parsed, or a setting has a value it does not take",
  "config-not-set": "the setting has no value",
  "config-readonly": "OPENCLAW_CONFIG_READONLY=1 forbids writing",
  "no-default-model": "no model is named, and none is configured",
  "no-credentials": "no AWS credentials were found",
  "credentials-expired": "the credentials are out of date",
  "credentials-rejected": "AWS does not accept the key, the token or the signature",
  "access-denied": "an IAM policy does not allow the call",
  "model-access": "the account has no access to the model",
  throttled: "too many requests, also after retries",
  "quota-exceeded": "a quota is used up",
  "service-unavailable": "the service is not available, also after retries",
  timeout: "no answer in time",
  network: "the endpoint cannot be reached",
  "bad-response": "the answer is not one of AWS",
  "stream-broken": "the answer broke off before its end",
  "model-error": "the model failed, or put out something malformed",
  "max-steps": "the model went on calling tools for as many rounds as it may",
  "tool-failed": "the tool that was run says that it failed",
  "model-not-found": "AWS knows no such model here, or has ended it",
  "needs-inference-profile": "the model can be called only through an inference profile",
  "input-too-long": "the input does not fit into the model's context",
  "invalid-request": "the request is refused, for example an unsupported parameter",
  "bad-attachment": "a file cannot be sent to the model",
  "budget-exceeded": "the call would cost more than it may, or a budget is spent",
  blocked: "the answer was withheld by a guardrail, a content filter or the model",
  interrupted: "stopped by SIGINT (130) or SIGTERM (143)",
};

/** Stands for what the rows put into their words. */
const PLACEHOLDERS: ErrorContext = {
  message: "‹AWS's message›",
  modelId: "‹model›",
  region: "‹region›",
  action: "‹action›",
  credentials: "‹source of the credentials›",
  renewal: "‹how to renew them›",
  endpoint: "‹endpoint›",
  location: "‹host›",
};

const NETWORK_PLACEHOLDERS: NetworkContext = {
  Who: "‹endpoint or proxy›",
  who: "‹endpoint or proxy›",
  onTheWay: "",
  host: "‹host›",
  named: "‹who names the endpoint›",
  proxy: {
    address: "‹host:port›",
    variable: "‹variable›",
    scheme: "http:",
    hasUser: false,
    isAtFault: false,
  },
  said: "‹status›",
};

const RESOLUTION_PLACEHOLDERS: ResolutionContext = {
  text: "‹the reason›",
  from: "‹source of the credentials›",
  profile: "‹profile›",
  renewal: "‹how to renew them›",
  who: "‹who answers›",
  endpointSource: undefined,
  status: Number.NaN,
  location: "",
  role: "‹role›",
  caller: "‹who asks›",
  gives: { externalId: false, mfa: false },
  setRole: "‹how to name another role›",
  setDuration: "aws configure set duration_seconds 3600 --profile ‹profile›",
  skew: " ‹difference›",
};

/** docs/errors.md: the codes scripts branch on, and what becomes of each AWS error. */
export function errorsPage(): string {
  return page(
    "# Errors",
    fence(
      "console",
      [
        "$ openclaw chat --emulator -m us.anthropic.claude-opus-4-6-v1:0 hi",
        "error: AWS knows no model 'us.anthropic.claude-opus-4-6-v1:0' in us-east-1.",
        "hint: Did you mean us.anthropic.claude-opus-4-6-v1?",
      ].join("\n"),
    ),
    "An error is two lines on stderr: what failed, and one thing to do. With `--json` it is also the `error` object of the document on stdout. Its `code` never changes its meaning.",
    "## Codes",
    table(
      ["code", "exit", "means"],
      (Object.keys(EXIT_CODES) as ErrorCode[]).map((name) => [
        code(name),
        String(EXIT_CODES[name]),
        MEANINGS[name],
      ]),
    ),
    "## What AWS says, and what openclaw makes of it",
    "The first row that fits by the name of the error, by its message where AWS gives nothing else to go by, and by the HTTP status where an answer carries no name at all.",
    table(
      ["AWS error", "status", "when its message matches", "code", "message", "hint"],
      ERROR_TABLE.map(describeRow),
    ),
    "Names are shown without `Exception` or `Error` at their end: `Throttling` stands for `ThrottlingException`. A denial names the action, the resource and, where AWS tells, the kind of policy that decides and whether it denies explicitly; the hint is about that policy.",
    "## When nothing answers",
    "By the code of Node's error: DNS, TLS, proxy, reset, time-out.",
    table(
      ["Node's code", "code", "message", "hint"],
      NETWORK_TABLE.map((row) => [
        row.codes.map(code).join(", "),
        code(row.code),
        row.message(NETWORK_PLACEHOLDERS),
        row.hint(NETWORK_PLACEHOLDERS),
      ]),
    ),
    "## When credentials cannot be had",
    "By the status and the type of the answer of STS, IAM Identity Center, a sign-in or a container endpoint; without an answer by what the SDK says.",
    table(
      ["status", "AWS error", "when it says", "code", "message", "hint"],
      RESOLUTION_TABLE.map((row) => [
        typeof row.status === "object" ? row.status.join("–") : String(row.status ?? ""),
        [row.types?.map(code).join(", "), row.is, row.asked].filter(Boolean).join("; "),
        row.pattern ? code(row.pattern.source) : "",
        code(row.code),
        row.message(RESOLUTION_PLACEHOLDERS).replaceAll("NaN", "‹status›"),
        row.hint(RESOLUTION_PLACEHOLDERS),
      ]),
    ),
  );
}

function describeRow(row: ErrorRow): string[] {
  const [first, last] = typeof row.status === "number" ? [row.status, row.status] : row.status;
  // A status is a number; of a range, none of them stands for all.
  const context = { ...PLACEHOLDERS, status: first === last ? first : Number.NaN };
  const words = (text: string): string => text.replaceAll("NaN", "‹status›");
  return [
    row.names.length > 0 ? row.names.map(code).join(", ") : "none",
    first === last ? String(first) : `${first}–${last}`,
    row.pattern ? code(row.pattern.source) : "",
    code(row.code),
    words(row.message(context)),
    words(row.hint(context)),
  ];
}
