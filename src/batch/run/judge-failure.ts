import type { ErrorCode, OpenclawError } from "../../errors.ts";
import { secondsAsked } from "../../network/retry-after.ts";

type Scope =
  /** The line: that is what became of it. */
  | "line"
  /** The line where others are answered, else the service, the network or the model: then nobody need ask on. */
  | "line-or-all"
  /** All lines: the next one would end in the same. */
  | "all";

interface FailureRule {
  scope: Scope;
  /** How often a line is asked before that is judged. */
  tries: number;
}

const ONCE: FailureRule = { scope: "line", tries: 1 };
const ALL: FailureRule = { scope: "all", tries: 1 };

/**
 * What each failure means for a run. The client has tried again by itself before: what is tried here once more comes a while
 * later.
 */
const RULES: Readonly<Record<ErrorCode, FailureRule>> = {
  internal: ALL,
  usage: ALL,
  "config-unreadable": ALL,
  "config-invalid": ALL,
  "config-not-set": ALL,
  "config-readonly": ALL,
  "no-default-model": ALL,
  "no-credentials": ALL,
  "credentials-expired": ALL,
  "credentials-rejected": ALL,
  "budget-exceeded": ALL,
  interrupted: ALL,
  // A file in Amazon S3 that may not be read is the line's own, a model that may not be asked is not.
  "access-denied": { scope: "line-or-all", tries: 2 },
  "model-access": { scope: "line-or-all", tries: 2 },
  "model-not-found": { scope: "line-or-all", tries: 2 },
  "needs-inference-profile": { scope: "line-or-all", tries: 2 },
  // As long as others are answered it has only to wait.
  throttled: { scope: "line-or-all", tries: Number.POSITIVE_INFINITY },
  "quota-exceeded": ALL,
  "service-unavailable": { scope: "line-or-all", tries: 4 },
  network: { scope: "line-or-all", tries: 4 },
  timeout: { scope: "line-or-all", tries: 2 },
  "stream-broken": { scope: "line-or-all", tries: 3 },
  "bad-response": { scope: "line-or-all", tries: 3 },
  "model-error": { scope: "line", tries: 2 },
  "max-steps": ONCE,
  "tool-failed": ONCE,
  "input-too-long": ONCE,
  "invalid-request": ONCE,
  "bad-attachment": ONCE,
  blocked: ONCE,
};

/** Failures that say that a service was there to answer: with no other line left, they are the line's own. */
const ANSWERED: ReadonlySet<ErrorCode> = new Set([
  "service-unavailable",
  "timeout",
  "stream-broken",
  "bad-response",
]);

export interface FailureContext {
  /** How often the line was asked, this time included. */
  tries: number;
  /** Whether another line of its model was asked after it had failed first and answered, or where it may be the model, of another. */
  othersAreAnswered: boolean;
  /** Whether so many failed in a row that it is hardly this line. */
  othersFail: boolean;
  /** Whether there are lines beside it that are not done. */
  hasOthers: boolean;
}

/** What is done about a failure: asked again after so many ms, put down as what became of the line, or the end of the run. */
export type Verdict = { again: number } | "result" | "end";

/** The longest wait between two tries of a line, in ms. */
const LONGEST_WAIT_MS = 60_000;
const FIRST_WAIT_MS = 1000;

/** Judges why a line has no answer; `random` is a number from 0 up to 1. */
export function judgeFailure(
  error: OpenclawError,
  { tries, othersAreAnswered, othersFail, hasOthers }: FailureContext,
  random: number,
): Verdict {
  const { code } = error;
  const rule = ruleOf(error);
  if (rule.scope === "all") return "end";
  const again = { again: waitBefore(error, tries, random) };
  if (tries < rule.tries) return again;
  if (rule.scope === "line" || othersAreAnswered) return "result";
  if (hasOthers && !othersFail) return again;
  return ANSWERED.has(code) && !hasOthers ? "result" : "end";
}

/** Whether a failure says nothing of others: it is what became of the line, whatever happens to the run. */
export function isLinesOwn(error: OpenclawError): boolean {
  return ruleOf(error).scope === "line";
}

function ruleOf({ code, details }: OpenclawError): FailureRule {
  // What never fits below the quota is the line's own, and its model has not been asked.
  return code === "quota-exceeded" && details?.["isPaced"] === true ? ONCE : RULES[code];
}

/** As long as the service asks for, and no less than twice as long each time, with some chance in it. */
function waitBefore(error: OpenclawError, tries: number, random: number): number {
  const doubled = Math.min(FIRST_WAIT_MS * 2 ** (tries - 1), LONGEST_WAIT_MS);
  return Math.max((secondsAsked(error) ?? 0) * 1000, doubled * (0.5 + random / 2));
}
