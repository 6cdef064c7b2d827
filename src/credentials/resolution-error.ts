import { stemOf } from "../aws/error-name.ts";
import { type ErrorCode, OpenclawError, withFields } from "../errors.ts";
import { isRecord, textAt } from "../json.ts";
import {
  checkAnswerer,
  fromNetworkFailure,
  hostOfRedirect,
  placeOfSource,
} from "../network/network-errors.ts";
import type { Exchange } from "../network/request-handler.ts";
import { describeSkew, SET_CLOCK } from "../network/clock-skew.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import type { Chosen } from "./chosen.ts";
import { processError } from "./credential-process.ts";
import { describeChosen, renewalOf } from "./describe.ts";
import { hideKeyIds, redactSecrets } from "./mask.ts";
import { startOf } from "./profile-source.ts";

/** Who hands out credentials over HTTP, in words. */
export const ASKED = {
  sts: "STS",
  sso: "IAM Identity Center",
  signIn: "AWS sign-in",
  container: "The container endpoint",
} as const;

/** What a row may put into its words. */
export interface ResolutionContext {
  /** The failure's message, without secrets, as a sentence. */
  text: string;
  /** Where the credentials were to come from, in words. */
  from: string;
  /** The profile whose sign-in decides: the start of a chain of roles. */
  profile: string;
  renewal: string;
  /** Who answered: "STS at https://sts.eu-west-1.amazonaws.com". */
  who: string;
  /** Who named the endpoint, such as `env AWS_ENDPOINT_URL_STS`; undefined for a region's own. */
  endpointSource: string | undefined;
  status: number;
  /** Where a redirect leads, as ` to HOST`; empty otherwise. */
  location: string;
  /** The ARN of the role, and of who asks for it, as far as the answer names them. */
  role: string;
  caller: string;
  /** What the profile gives beside the role: `external_id`, `mfa_serial`. */
  gives: { externalId: boolean; mfa: boolean };
  /** Where the role is named, as a command that names another. */
  setRole: string;
  /** A command that has credentials asked for an hour. */
  setDuration: string;
  /** How far this machine's clock is off, by the date of the answer, such as " 62 minutes fast"; " wrong" without a date. */
  skew: string;
}

/** One way in which a source gives no credentials. Whatever a row names has to fit. */
export interface ResolutionRow {
  /** HTTP status of the answer, or the first and the last one. */
  status?: number | readonly [number, number];
  /** Types of AWS's errors; the words `Exception` and `Error` at their end do not count. */
  types?: readonly string[];
  /** Whether the answer is HTML, or has no type of AWS. */
  is?: "html" | "untyped";
  asked?: string;
  /** Matched against `Name: message` of the failure, and against its message. */
  pattern?: RegExp;
  code: ErrorCode;
  message: (circumstances: ResolutionContext) => string;
  hint: (circumstances: ResolutionContext) => string;
}

const renew = ({ renewal }: ResolutionContext): string => renewal;
const AGAIN = "Try again in a minute.";
const answers = (c: ResolutionContext): string =>
  `${c.who} answers ${c.status}${said(c)} Credentials come from there (${c.from}).`;

/** STS asks for these where the trust policy of the role does: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_roles.html */
function conditionsOf({ gives }: ResolutionContext): string {
  const external = gives.externalId
    ? "compare its sts:ExternalId with external_id of the profile"
    : "set external_id in the profile where it asks for an ExternalId";
  return gives.mfa ? external : `${external}, and mfa_serial where it asks for MFA`;
}

/**
 * What the answers of STS, IAM Identity Center, AWS sign-in and container endpoints mean, by status and type before any
 * words; then what the SDK's providers say without an answer, by their wording, since it arrives as one error type without a
 * code. Types are those of botocore's service models of sts, sso, sso-oidc and signin, and of
 * https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html; those of throttling the SDK's own list
 * (@smithy/core, service-error-classification). The words are those of @aws-sdk/credential-provider-sso, -login,
 * -process, token-providers (3.97x). Each row has a test; the first that fits counts.
 */
export const RESOLUTION_TABLE: readonly ResolutionRow[] = [
  {
    types: [
      "BandwidthLimitExceeded",
      "EC2Throttled",
      "LimitExceeded",
      "PriorRequestNotComplete",
      "ProvisionedThroughputExceeded",
      "RequestLimitExceeded",
      "RequestThrottled",
      "SlowDown",
      "Throttled",
      "Throttling",
      "TooManyRequests",
      "TransactionInProgress",
    ],
    code: "throttled",
    message: (c) => `${c.who} is asked too often for ${c.from}: ${c.text}`,
    hint: () => "Wait a minute and try again.",
  },
  {
    status: 429,
    code: "throttled",
    message: (c) => `${c.who} is asked too often for ${c.from}${c.text === "" ? "." : `: ${c.text}`}`,
    hint: () => "Wait a minute and try again.",
  },
  {
    status: [500, 599],
    code: "service-unavailable",
    message: answers,
    hint: () => AGAIN,
  },
  {
    // It waited for the request in vain (RFC 9110, section 15.5.9).
    status: 408,
    code: "timeout",
    message: answers,
    hint: () => AGAIN,
  },
  {
    types: ["IDPCommunication", "ServiceUnavailable", "InternalFailure", "InternalServer"],
    code: "service-unavailable",
    message: (c) => `AWS could not give credentials for ${c.from}: ${c.text}`,
    hint: () => AGAIN,
  },
  {
    status: [300, 399],
    code: "bad-response",
    message: (c) => `${c.who} answers with a redirect (${c.status}${c.location}); AWS never does.`,
    hint: (c) =>
      `Log in to the network you are on, or check ${placeOfSource(c.endpointSource)}: openclaw doctor`,
  },
  {
    status: [200, 299],
    code: "bad-response",
    message: (c) => `${c.who} answers ${c.status} with something that is no credentials.`,
    hint: checkAnswerer,
  },
  {
    is: "html",
    code: "bad-response",
    message: (c) => `${c.who} answers ${c.status} with something that is not AWS's.`,
    hint: checkAnswerer,
  },
  {
    asked: ASKED.container,
    status: [401, 403],
    code: "no-credentials",
    message: (c) => `${c.who} refuses to give credentials (status: ${c.status})${said(c)}`,
    hint: () =>
      "Check AWS_CONTAINER_AUTHORIZATION_TOKEN, or the file that AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names.",
  },
  {
    asked: ASKED.container,
    status: [400, 499],
    code: "no-credentials",
    message: (c) => `${c.who} has no credentials (status: ${c.status})${said(c)}`,
    hint: () => "Give the task or pod a role, and check the path of the endpoint: env | grep AWS_CONTAINER",
  },
  {
    types: ["RequestExpired", "RequestTimeTooSkewed"],
    code: "credentials-rejected",
    message: (c) => `${c.who} rejects the request because this machine's clock is${c.skew}.`,
    hint: () => SET_CLOCK,
  },
  {
    types: ["SignatureDoesNotMatch", "InvalidSignature"],
    pattern: /signature (expired|not yet current)/i,
    code: "credentials-rejected",
    message: (c) => `${c.who} rejects the signature because this machine's clock is${c.skew}.`,
    hint: () => SET_CLOCK,
  },
  {
    asked: ASKED.signIn,
    types: ["AccessDenied"],
    pattern: /CreateOAuth2Token|INSUFFICIENT|not authorized/i,
    code: "access-denied",
    message: ({ from, text }) => `AWS refuses ${from}: ${text}`,
    hint: () => "Allow signin:CreateOAuth2Token to the user that signs in.",
  },
  {
    asked: ASKED.signIn,
    types: ["AccessDenied", "Validation"],
    code: "credentials-expired",
    message: ({ profile }) => `The aws login session of profile '${profile}' has expired or is gone.`,
    hint: renew,
  },
  {
    types: ["Unauthorized", "InvalidGrant", "InvalidClient", "UnauthorizedClient"],
    code: "credentials-expired",
    message: ({ profile }) => `The IAM Identity Center (SSO) session of profile '${profile}' has expired.`,
    hint: renew,
  },
  {
    types: ["Forbidden"],
    code: "access-denied",
    message: ({ from, text }) => `IAM Identity Center gives no credentials for ${from}: ${text}`,
    hint: ({ profile }) =>
      `Check sso_account_id and sso_role_name: aws configure sso --profile ${quoteForShell(profile)}`,
  },
  {
    types: ["ResourceNotFound", "InvalidRequest", "InvalidRequestRegion"],
    code: "no-credentials",
    message: ({ from, text }) => `IAM Identity Center knows nothing of ${from}: ${text}`,
    hint: ({ profile }) =>
      `Check sso_account_id, sso_role_name and sso_region: aws configure sso --profile ${quoteForShell(profile)}`,
  },
  {
    types: ["ExpiredToken"],
    code: "credentials-expired",
    message: ({ from, text }) => `The credentials behind ${from} have expired: ${text}`,
    hint: renew,
  },
  {
    types: ["InvalidIdentityToken"],
    pattern: /No OpenIDConnect provider found/i,
    code: "credentials-rejected",
    message: ({ from, text }) => `AWS rejects the credentials behind ${from}: ${text}`,
    hint: ({ text }) =>
      `Let the account of the role trust the token's issuer: aws iam create-open-id-connect-provider --url ${quoteForShell(/https:\/\/[^\s,;'"]*[\w/]/.exec(text)?.[0] ?? "URL")}`,
  },
  {
    types: ["InvalidIdentityToken"],
    pattern: /audience|client id/i,
    code: "credentials-rejected",
    message: ({ from, text }) => `AWS rejects the credentials behind ${from}: ${text}`,
    hint: () =>
      "Ask the issuer for a token whose audience the IAM OIDC provider has: aws iam add-client-id-to-open-id-connect-provider adds one.",
  },
  {
    types: ["AccessDenied"],
    pattern: /AssumeRoleWithWebIdentity/,
    code: "access-denied",
    message: ({ from, text }) => `AWS refuses ${from}: ${text}`,
    hint: ({ role }) =>
      `Allow sts:AssumeRoleWithWebIdentity to the token's OIDC provider in the trust policy of ${role}, and compare its audience (aud) and subject (sub) there with those of the token.`,
  },
  {
    types: ["AccessDenied"],
    pattern: /MultiFactorAuthentication/,
    code: "access-denied",
    message: ({ from, text }) => `AWS refuses ${from}: ${text}`,
    hint: ({ gives, profile }) =>
      gives.mfa
        ? "Type the device's next code, and check mfa_serial and the device's clock: aws iam list-mfa-devices"
        : `Name the MFA device: aws configure set mfa_serial ARN --profile ${quoteForShell(profile)}`,
  },
  {
    types: ["AccessDenied"],
    pattern: /AssumeRole|not authorized/,
    code: "access-denied",
    message: ({ from, text }) => `AWS refuses ${from}: ${text}`,
    hint: (c) => `Allow sts:AssumeRole to ${c.caller} in the trust policy of ${c.role}; ${conditionsOf(c)}.`,
  },
  {
    types: [
      "InvalidClientTokenId",
      "SignatureDoesNotMatch",
      "InvalidSignature",
      "UnrecognizedClient",
      "InvalidIdentityToken",
      "IDPRejectedClaim",
      "IncompleteSignature",
      "MissingAuthenticationToken",
    ],
    code: "credentials-rejected",
    message: ({ from, text }) => `AWS rejects the credentials behind ${from}: ${text}`,
    hint: renew,
  },
  {
    types: ["RegionDisabled"],
    code: "access-denied",
    message: ({ from, text }) => `STS is not enabled in this region for ${from}: ${text}`,
    hint: () =>
      "Enable STS there (IAM console, account settings), or name a region where it is, with --region.",
  },
  {
    // https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    types: ["Validation"],
    pattern: /\bDurationSeconds\b/i,
    code: "no-credentials",
    message: ({ from, text }) => `AWS does not give credentials for so long to ${from}: ${text}`,
    hint: ({ setDuration }) => `Ask for an hour, which every role allows: ${setDuration}`,
  },
  {
    types: ["Validation"],
    code: "no-credentials",
    message: ({ from, text }) => `AWS does not take what is asked of it for ${from}: ${text}`,
    hint: ({ setRole }) => `Correct the role and what stands beside it: ${setRole}`,
  },
  {
    types: ["AccessDenied"],
    code: "access-denied",
    message: ({ from, text }) => `AWS refuses ${from}: ${text}`,
    hint: renew,
  },
  {
    status: [401, 403],
    code: "access-denied",
    message: answers,
    hint: (c) => `Check ${placeOfSource(c.endpointSource)} and what is asked of it: openclaw doctor`,
  },
  {
    status: [400, 499],
    is: "untyped",
    code: "bad-response",
    message: (c) => `${c.who} answers ${c.status} with something that is not AWS's.`,
    hint: checkAnswerer,
  },
  {
    status: [400, 499],
    code: "no-credentials",
    message: answers,
    hint: () => "openclaw doctor",
  },
  {
    pattern: /SSO session associated with this profile has expired|Token is expired|Cannot refresh/,
    code: "credentials-expired",
    message: ({ profile }) => `The IAM Identity Center (SSO) session of profile '${profile}' has expired.`,
    hint: renew,
  },
  {
    pattern: /SSO session (token )?associated with (this )?profile|in SSO Token|SSO session associated/,
    code: "no-credentials",
    message: ({ profile }) => `Profile '${profile}' is not signed in to IAM Identity Center (SSO).`,
    hint: renew,
  },
  {
    pattern:
      /session has expired\. Please reauthenticate|change in your password|re-?authenticate using `?aws login|Failed to load (a )?token|Token validation failed/,
    code: "credentials-expired",
    message: ({ profile }) => `The aws login session of profile '${profile}' has expired or is gone.`,
    hint: renew,
  },
];

export interface ResolutionSetup {
  signal: AbortSignal;
  now: () => number;
  hide?: (text: string) => string;
  /** The last request: the SDK's providers tell of it in words of their own, or not at all. */
  exchange?: Exchange | undefined;
  /** Who named the endpoint that the last request went to. */
  endpointSource?: string | undefined;
  /** The settings of the profile whose role is assumed. */
  keys?: Readonly<Record<string, string>>;
}

/** Turns what a provider threw into the error a person sees. Secrets and command lines never get into it. */
export function toResolutionError(failure: unknown, chosen: Chosen, setup: ResolutionSetup): OpenclawError {
  if (failure instanceof OpenclawError) return failure;
  const { signal, exchange, endpointSource, hide = hideKeyIds } = setup;
  if (signal.aborted && signal.reason instanceof OpenclawError) return signal.reason;
  const error = failure instanceof Error ? failure : new Error(String(failure));
  const from = describeChosen(chosen);
  const isLate = error.name === "TimeoutError" && exchange?.answer === undefined;
  const unreached =
    exchange && fromUnanswered(isLate ? { failure, ...exchange } : exchange, from, endpointSource);
  if (unreached) return unreached;
  const start = "from" in chosen ? startOf(chosen.from) : undefined;
  if (start?.kind === "process" && error.name === "TimeoutError")
    return processError(start, "did not end in time");
  const unread = fromFile(error, from);
  if (unread) return unread;
  const evidence = weigh(error, exchange);
  const row = RESOLUTION_TABLE.find((candidate) => fits(candidate, evidence));
  if (row) {
    const context = contextOf(evidence, chosen, { ...setup, hide });
    return new OpenclawError(row.code, {
      message: row.message(context),
      hint: row.hint(context),
      requestId: evidence.requestId,
      cause: error,
    });
  }
  return fromNetworkFailure(error, `What gives credentials (${from})`) ?? unexplained(error, from);
}

/** The error for a request that nobody answered; undefined where the failure is not of a known kind. */
function fromUnanswered(
  { failure, origin }: Exchange,
  from: string,
  source: string | undefined,
): OpenclawError | undefined {
  if (failure instanceof OpenclawError) return failure;
  const known = failure instanceof Error ? fromNetworkFailure(failure, origin, source) : undefined;
  return known && withFields(known, { message: `${known.message} Credentials come from there (${from}).` });
}

/** What a failure is judged by. Status and type are those of the answer, where there is one. */
interface Evidence {
  exchange: Exchange | undefined;
  status: number | undefined;
  /** Without namespace, `Exception` and `Error`, in lower case; empty where there is none. */
  type: string;
  text: string;
  wording: string;
  isHtml: boolean;
  requestId: string | undefined;
}

function weigh(error: Error, exchange: Exchange | undefined): Evidence {
  const { answer } = exchange ?? {};
  if (answer === undefined) {
    const { name, message } = error;
    const wording = `${name}: ${message}`;
    return {
      exchange,
      status: undefined,
      type: stemOf(name),
      text: message,
      wording,
      isHtml: false,
      requestId: undefined,
    };
  }
  const { headers, body, status } = answer;
  const isHtml =
    /^\s*<(!doctype|html|head|body)/i.test(body) || /\bhtml\b/.test(headers["content-type"] ?? "");
  const { type, text } = isHtml ? { type: "", text: "" } : readFault(body, headers["x-amzn-errortype"]);
  return {
    exchange,
    status,
    type: stemOf(type),
    text,
    wording: `${type}: ${text}`,
    isHtml,
    requestId: headers["x-amzn-requestid"] ?? /<RequestId>([^<]*)</.exec(body)?.[1],
  };
}

/** Type and message of an error: XML of STS, JSON of the others, which spell their names in many ways. */
function readFault(body: string, named: string | undefined): { type: string; text: string } {
  const tag = (name: string): string | undefined => unescape(new RegExp(`<${name}>([^<]*)<`).exec(body)?.[1]);
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch {
    return { type: named ?? tag("Code") ?? "", text: tag("Message") ?? (/^\s*</.test(body) ? "" : body) };
  }
  const first = (names: readonly string[]): string | undefined =>
    names.map((name) => textAt(document, name)).find((text) => text !== undefined && text !== "");
  const type = named ?? first(["__type", "code", "Code", "error"]) ?? "";
  const text = first(["message", "Message", "error_description", "errorMessage"]);
  return { type: isRecord(document) ? type : "", text: text ?? "" };
}

function unescape(text: string | undefined): string | undefined {
  const characters: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text?.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name: string) => characters[name] ?? "");
}

function fits({ status, types, is, asked, pattern }: ResolutionRow, evidence: Evidence): boolean {
  const [first, last] = typeof status === "number" ? [status, status] : (status ?? []);
  const answered = evidence.status;
  if (first !== undefined && last !== undefined) {
    if (answered === undefined || answered < first || answered > last) return false;
  }
  if (types && !types.some((type) => stemOf(type) === evidence.type)) return false;
  if (is === "html" && !evidence.isHtml) return false;
  if (is === "untyped" && evidence.type !== "") return false;
  if (asked !== undefined && evidence.exchange?.asked !== asked) return false;
  return pattern === undefined || pattern.test(evidence.wording) || pattern.test(evidence.text);
}

function contextOf(
  { exchange, status = 0, text }: Evidence,
  chosen: Chosen,
  { hide, now, keys = {}, endpointSource }: ResolutionSetup & { hide: (text: string) => string },
): ResolutionContext {
  const start = "from" in chosen ? startOf(chosen.from) : undefined;
  const { asked = "AWS", origin, answer } = exchange ?? {};
  const location = answer?.headers["location"];
  const own = "profile" in chosen ? chosen.profile : undefined;
  return {
    text: sentence(hide(text)),
    from: describeChosen(chosen),
    profile: start && "profile" in start ? start.profile : (own ?? "default"),
    renewal: renewalOf(chosen),
    who: origin === undefined ? asked : `${asked} at ${origin}`,
    endpointSource,
    status,
    location: location === undefined ? "" : ` to ${hostOfRedirect(location)}`,
    role: /on resource: "?(arn:[^\s"]+)/.exec(text)?.[1] ?? keys["role_arn"] ?? "the role",
    caller: /User: (arn:\S+)/.exec(text)?.[1] ?? "these credentials",
    gives: { externalId: keys["external_id"] !== undefined, mfa: keys["mfa_serial"] !== undefined },
    setRole:
      own === undefined
        ? "export AWS_ROLE_ARN=ARN"
        : `aws configure set role_arn ARN --profile ${quoteForShell(own)}`,
    setDuration: `aws configure set duration_seconds 3600 --profile ${quoteForShell(own ?? "default")}`,
    skew: describeSkew(answer?.headers["date"], now()),
  };
}

function said({ text }: ResolutionContext): string {
  return text === "" ? "." : `: ${text}`;
}

/** A token file that cannot be read. */
function fromFile(error: Error, from: string): OpenclawError | undefined {
  const { code, path } = error as NodeJS.ErrnoException;
  if (path === undefined || (code !== "ENOENT" && code !== "EACCES" && code !== "EISDIR")) return undefined;
  return new OpenclawError("no-credentials", {
    message: `The credentials (${from}) need the file ${path}, which ${code === "ENOENT" ? "does not exist" : "cannot be read"}.`,
    hint: "Correct the path, or let the program that writes the file run first.",
    cause: error,
  });
}

function unexplained(error: Error, from: string): OpenclawError {
  return new OpenclawError("no-credentials", {
    message: `No credentials could be loaded (${from}): ${sentence(redactSecrets(error.message))}`,
    hint: "openclaw doctor",
    cause: error,
  });
}

function sentence(text: string): string {
  const line = text.trim().split("\n", 1)[0]?.slice(0, 1000) ?? "";
  return line === "" || /[.!?]$/.test(line) ? line : `${line}.`;
}
