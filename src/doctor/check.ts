import { type ErrorCode, OpenclawError } from "../errors.ts";

export type CheckStatus = "ok" | "warn" | "fail" | "skip";

/** What a check found. A failure carries the error whose exit code the whole run takes over. */
export type Outcome =
  | { status: "ok" | "skip"; detail: string }
  | { status: "warn"; detail: string; hint?: string | undefined }
  | { status: "fail"; detail: string; hint?: string | undefined; error: OpenclawError };

/** One question of `doctor`. `TContext` is what checks share: config, session, lists. */
export interface Check<TContext> {
  readonly id: string;
  readonly title: string;
  /** Ids of checks that must end in ok or warn first; without them this one is skipped. */
  readonly needs: readonly string[];
  /** What to do when the outcome itself does not say. */
  readonly hint: string;
  /** An `OpenclawError` that it throws is a failure; anything else is a bug. */
  readonly run: (context: TContext) => Promise<Outcome>;
}

export interface CheckResult {
  id: string;
  title: string;
  status: CheckStatus;
  detail: string;
  hint?: string;
  durationMs: number;
  /** Of a failure. */
  error?: OpenclawError;
}

export const ok = (detail: string): Outcome => ({ status: "ok", detail });
export const skip = (detail: string): Outcome => ({ status: "skip", detail });
export const warn = (detail: string, hint?: string): Outcome => ({ status: "warn", detail, hint });
/** A failure, in the words of its error. */
export const fail = (error: OpenclawError): Outcome => ({
  status: "fail",
  detail: error.message,
  hint: error.hint,
  error,
});
/** A failure of which no error tells yet. */
export const failAs = (code: ErrorCode, message: string, hint?: string): Outcome =>
  fail(new OpenclawError(code, { message, hint }));

const WEIGHT = { ok: 0, skip: 0, warn: 1, fail: 2 } as const;

/** Of several outcomes the worst, with the details of all: for a default model and its fallbacks. */
export function worst(outcomes: readonly Outcome[]): Outcome {
  const [first = ok(""), ...others] = outcomes;
  const gravest = others.reduce(
    (worse, next) => (WEIGHT[next.status] > WEIGHT[worse.status] ? next : worse),
    first,
  );
  return { ...gravest, detail: outcomes.map(({ detail }) => detail).join("; ") };
}
