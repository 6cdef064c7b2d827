import type { Wait } from "../terminal/spinner.ts";
import type { RetryErrorInfo, RetryStrategyV2 } from "@smithy/types";
import { type ProfileKeys, readEnvOrProfile } from "../aws/env-or-profile.ts";
import { findRow } from "./error-table.ts";
import { OpenclawError } from "../errors.ts";
import { blameOf, tellProxy } from "../network/network-errors.ts";
import type { Environment } from "../runtime.ts";
import { AdaptiveRetryStrategy, StandardRetryStrategy } from "../network/sdk-parts.ts";

export interface RetrySettings {
  mode: "standard" | "adaptive";
  /** The first try included. */
  maxAttempts: number;
}

/** The SDK's own default. */
const MAX_ATTEMPTS = 3;
/** A service that asks for a longer wait than this is not asked again. In ms. */
const LONGEST_WAIT_MS = 60_000;
/**
 * Reads AWS_RETRY_MODE and AWS_MAX_ATTEMPTS, else `retry_mode` and `max_attempts` of the profile
 * (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html). Throws `config-invalid` for values that are none.
 */
export function decideRetries(env: Environment, profile: ProfileKeys | undefined): RetrySettings {
  const mode = readEnvOrProfile(env, profile, "AWS_RETRY_MODE", "retry_mode");
  const attempts = readEnvOrProfile(env, profile, "AWS_MAX_ATTEMPTS", "max_attempts");
  if (attempts && !/^[1-9]\d{0,3}$/.test(attempts.text)) {
    throw new OpenclawError("config-invalid", {
      message: `${attempts.source} '${attempts.text}' is no whole number from 1 to 9999.`,
      hint: "Unset it for three attempts, or set it to 1 for no retries.",
    });
  }
  return {
    mode: mode ? readMode(mode.text, mode.source) : "standard",
    maxAttempts: attempts ? Number(attempts.text) : MAX_ATTEMPTS,
  };
}

/** `legacy` is a mode of other SDKs; here it means the standard one. */
function readMode(text: string, source: string): RetrySettings["mode"] {
  switch (text.toLowerCase()) {
    case "standard":
    case "legacy":
      return "standard";
    case "adaptive":
      return "adaptive";
    default:
      throw new OpenclawError("config-invalid", {
        message: `${source} '${text}' is no retry mode.`,
        hint: "Set it to standard or adaptive, or unset it.",
      });
  }
}

export interface RetryTools {
  /** Milliseconds since 1970. */
  now: () => number;
  /** Resolves after so many milliseconds. */
  wait: (ms: number) => Promise<unknown>;
  /** Who is asked, as a sentence begins with it. */
  who: string;
  /** Tells a person what happened and when it is tried again. */
  note: (line: string) => void;
  /** Tells a person who looks on the same, and for how many ms it is waited. */
  tellPause: (why: Wait, ms: number) => void;
}

/**
 * The SDK's strategy, with its jittered exponential back-off, but for two things. A quota that is used up, for the day or
 * the account, is not asked for again. `Retry-After` is kept to: the SDK waits at most 5 s longer than it would have.
 */
export function createRetryStrategy(
  { mode, maxAttempts }: RetrySettings,
  setup: RetryTools,
): RetryStrategyV2 {
  const inner: RetryStrategyV2 =
    mode === "adaptive"
      ? new AdaptiveRetryStrategy(async () => maxAttempts)
      : new StandardRetryStrategy(async () => maxAttempts);
  // Lists are asked for side by side; the same notice twice says nothing more.
  const noted = new Set<string>();
  const noteOnce = (line: string): void => {
    if (!noted.has(line)) setup.note(line);
    noted.add(line);
  };
  return {
    acquireInitialRetryToken: (scope) => inner.acquireInitialRetryToken(scope),
    recordSuccess: (token) => inner.recordSuccess(token),
    refreshRetryTokenForRetry: async (token, failure) => {
      const { now, wait } = setup;
      const leftMs = (): number => (failure.retryAfterHint?.getTime() ?? 0) - now();
      // What is thrown here only tells the SDK to stop; it reports the failure itself.
      if (isUsedUp(failure)) throw new Error("The quota is used up.");
      if (leftMs() > LONGEST_WAIT_MS) throw new Error("The service asks for too long a wait.");
      const isRetried = RETRIED.has(failure.errorType) && token.getRetryCount() + 1 < maxAttempts;
      const what = whatHappened(setup.who, failure);
      const which = `(${token.getRetryCount() + 2} of ${maxAttempts})`;
      const tell = (ms: number): void => {
        if (isRetried) setup.tellPause({ text: `${what}: next try ${which}`, brief: "Next try" }, ms);
      };
      const backOffMs = mostBackOffMs(failure.errorType, token.getRetryCount());
      tell(Math.max(leftMs(), backOffMs));
      if (isRetried) {
        const when =
          leftMs() > backOffMs
            ? `in ${Math.ceil(leftMs() / 1000)} s, as it asks to wait`
            : backOffMs < 1000
              ? "at once"
              : `within ${backOffMs / 1000} s`;
        noteOnce(`openclaw: ${what}: next try ${when} ${which}`);
      }
      // The SDK itself waits here, for its back-off and for a part of what the service asks for.
      const renewed = await inner.refreshRetryTokenForRetry(token, failure);
      tell(Math.max(0, leftMs()));
      if (leftMs() > 0) await wait(leftMs());
      return renewed;
    },
  };
}

/** Why it is tried again, in words and by the name that it has for AWS or for Node. */
function whatHappened(who: string, { errorType, error }: RetryErrorInfo): string {
  if (isOfClock(error)) return `${who} refused the time of this machine, and told its own`;
  const name = nameOf(error);
  const named = name === undefined ? "" : ` (${name})`;
  const proxy = blameOf(error);
  if (proxy?.isAtFault) return `The ${tellProxy(proxy)} lets nothing through to ${who}${named}`;
  if (errorType === "THROTTLING") return `${who} is throttling${named}`;
  if (isAnswered(error)) return `${who} is not available${named}`;
  return `${who} gave no answer${proxy ? ` through the ${tellProxy(proxy)}` : ""}${named}`;
}

/** Whether a failure is that of a request whose signature had another time than the service. */
export function isOfClock(error: unknown): boolean {
  const { $metadata } = (error ?? {}) as { $metadata?: { clockSkewCorrected?: boolean } };
  return $metadata?.clockSkewCorrected === true;
}

/** Whether the service said itself what was wrong. */
function isAnswered(error: unknown): boolean {
  if (error instanceof OpenclawError && error.code === "service-unavailable") return true;
  const { $fault, $response } = (error ?? {}) as { $fault?: string; $response?: { statusCode?: number } };
  return $fault !== undefined || ($response?.statusCode ?? 0) >= 400;
}

/** AWS's name of a failure, or the code that Node gives what broke. */
function nameOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof OpenclawError) {
    const status = error.details?.["status"];
    return nameOf(error.cause) ?? (typeof status === "number" ? `HTTP ${status}` : undefined);
  }
  const { code } = error as { code?: unknown };
  if (typeof code === "string") return code;
  return error.name === "Error" ? nameOf(error.cause) : error.name;
}

/** The longest that the SDK backs off before a try, in ms: it takes a part of this by chance (@smithy/core, util-retry). */
function mostBackOffMs(errorType: string, retries: number): number {
  return Math.min(20_000, (errorType === "THROTTLING" ? 1000 : 50) * 2 ** retries);
}

/** The kinds of failure that the SDK's strategies retry. */
const RETRIED: ReadonlySet<string> = new Set(["THROTTLING", "TRANSIENT"]);

function isUsedUp({ error }: RetryErrorInfo): boolean {
  return error instanceof Error && findRow(error.name, error.message)?.code === "quota-exceeded";
}
