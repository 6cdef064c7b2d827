import { OpenclawError } from "../errors.ts";

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
