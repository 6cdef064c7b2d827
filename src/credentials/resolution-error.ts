import { fromNetworkFailure } from "../network/network-errors.ts";
import { type ErrorCode, OpenclawError, withFields } from "../errors.ts";
import { describeChosen, renewalOf } from "./describe.ts";
import { hideKeyIds, redactSecrets } from "./mask.ts";
import type { Chosen } from "./chosen.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { processError } from "./credential-process.ts";
import { startOf } from "./profile-source.ts";

/** What a row may put into its words. */
export interface ResolutionContext {
  /** The failure's message, without secrets. */
  text: string;
  /** Where the credentials were to come from, in words. */
  from: string;
  /** The profile whose sign-in decides: the start of a chain of roles. */
  profile: string;
  renewal: string;
}

/** One way in which a source gives no credentials. */
export interface ResolutionRow {
  /** Matched against `Name: message` of the failure. */
  pattern: RegExp;
  code: ErrorCode;
  message: (circumstances: ResolutionContext) => string;
  hint: (circumstances: ResolutionContext) => string;
}

const renew = ({ renewal }: ResolutionContext): string => renewal;

/**
 * What the SDK's providers say, by their wording: most of it arrives as one error type without a code. From the sources
 * of @aws-sdk/credential-provider-sso, -login, -process, -http, token-providers (3.97x) and the error names of STS and
 * IAM Identity Center. Each row has a test with the real wording; the first that matches counts.
 */
export const RESOLUTION_TABLE: readonly ResolutionRow[] = [
  {
    pattern:
      /SSO session associated with this profile has expired|Token is expired|Cannot refresh|UnauthorizedException|Session token not found or invalid/,
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
    pattern: /ForbiddenException|^[^:]*: ForbiddenException/,
    code: "access-denied",
    message: ({ from, text }) => `IAM Identity Center gives no credentials for ${from}: ${text}`,
    hint: ({ profile }) =>
      `Check sso_account_id and sso_role_name: aws configure sso --profile ${quoteForShell(profile)}`,
  },
  {
    pattern:
      /session has expired\. Please reauthenticate|change in your password|re-?authenticate using `?aws login|Failed to load (a )?token|Token validation failed/,
    code: "credentials-expired",
    message: ({ profile }) => `The aws login session of profile '${profile}' has expired or is gone.`,
    hint: renew,
  },
  {
    pattern:
      /^ExpiredToken(Exception)?:|token (included in the request )?(is|has) expired|credential_process returned expired/i,
    code: "credentials-expired",
    message: ({ from, text }) => `The credentials behind ${from} have expired: ${text}`,
    hint: renew,
  },
  {
    pattern: /^AccessDenied(Exception)?:.*AssumeRoleWithWebIdentity/,
    code: "access-denied",
    message: ({ from, text }) => `AWS refuses ${from}: ${text}`,
    hint: () =>
      "Allow sts:AssumeRoleWithWebIdentity to the token's issuer in the role's trust policy, and compare its audience and subject there with those of the token.",
  },
  {
    pattern: /^AccessDenied(Exception)?:/,
    code: "access-denied",
    message: ({ from, text }) => `AWS refuses ${from}: ${text}`,
    hint: () => "Allow sts:AssumeRole to these credentials in the role's trust policy.",
  },
  {
    pattern:
      /^(InvalidClientTokenId|SignatureDoesNotMatch|UnrecognizedClient|InvalidIdentityToken|IDPRejectedClaim|IncompleteSignature)/,
    code: "credentials-rejected",
    message: ({ from, text }) => `AWS rejects the credentials behind ${from}: ${text}`,
    hint: renew,
  },
  {
    pattern: /^RegionDisabled/,
    code: "access-denied",
    message: ({ from, text }) => `STS is not enabled in this region for ${from}: ${text}`,
    hint: () => "Use a region that is enabled: --region us-east-1",
  },
  {
    pattern: /Throttling|TooManyRequests|Rate exceeded/,
    code: "throttled",
    message: ({ from, text }) => `AWS is asked too often for ${from}: ${text}`,
    hint: () => "Wait a minute and try again.",
  },
  {
    pattern: /^(IDPCommunicationError|ServiceUnavailable|InternalFailure|InternalServerException)/,
    code: "service-unavailable",
    message: ({ from, text }) => `AWS could not give credentials for ${from}: ${text}`,
    hint: () => "Try again in a minute.",
  },
];

/** A request for credentials that nobody answered. */
export interface UnansweredRequest {
  failure: unknown;
  /** Who was asked: scheme, host and port. */
  origin: string;
}

/** What stands around a failure to get credentials. */
export interface ResolutionSetup {
  signal: AbortSignal;
  hide?: (text: string) => string;
  /** The last request, where it got no answer: the SDK's providers tell it in words of their own, or not at all. */
  unanswered?: UnansweredRequest | undefined;
}

/** Turns what a provider threw into the error a person sees. Secrets and command lines never get into it. */
export function toResolutionError(
  failure: unknown,
  chosen: Chosen,
  { signal, hide = hideKeyIds, unanswered }: ResolutionSetup,
): OpenclawError {
  if (failure instanceof OpenclawError) return failure;
  if (signal.aborted && signal.reason instanceof OpenclawError) return signal.reason;
  const error = failure instanceof Error ? failure : new Error(String(failure));
  const from = describeChosen(chosen);
  const unreached = unanswered && fromUnanswered(unanswered, from);
  if (unreached) return unreached;
  const start = "from" in chosen ? startOf(chosen.from) : undefined;
  if (start?.kind === "process" && error.name === "TimeoutError")
    return processError(start, "did not end in time");
  const wording = `${error.name}: ${error.message}`;
  const row = RESOLUTION_TABLE.find(({ pattern }) => pattern.test(wording) || pattern.test(error.message));
  if (row) {
    const circumstances = {
      text: sentence(hide(error.message)),
      from,
      profile: start && "profile" in start ? start.profile : "from" in chosen ? chosen.profile : "default",
      renewal: renewalOf(chosen),
    };
    return new OpenclawError(row.code, {
      message: row.message(circumstances),
      hint: row.hint(circumstances),
      cause: error,
    });
  }
  return (
    fromFile(error, from) ??
    fromNetworkFailure(error, `What gives credentials (${from})`) ??
    unexplained(error, from)
  );
}

/** The error for a request that nobody answered; undefined where the failure is not of a known kind. */
function fromUnanswered({ failure, origin }: UnansweredRequest, from: string): OpenclawError | undefined {
  if (failure instanceof OpenclawError) return failure;
  const known = failure instanceof Error ? fromNetworkFailure(failure, origin) : undefined;
  return known && withFields(known, { message: `${known.message} Credentials come from there (${from}).` });
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
  const line = text.trim().split("\n", 1)[0] ?? "";
  return /[.!?]$/.test(line) ? line : `${line}.`;
}
