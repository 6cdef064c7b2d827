import type { ErrorCode } from "../../errors.ts";

/** What became of a line: `cut` is an answer that ended at its token limit, and counts as one. */
export type LineOutcome = "ok" | "cut" | ErrorCode;

/** What a line used, of all times that it was asked. */
export interface LineCounts {
  inputTokens: number;
  outputTokens: number;
  /** In USD, as far as prices are known. */
  usd: number;
  /** Answers whose price nobody knows. */
  unpriced: number;
}

export interface LineResult extends LineCounts {
  /** Of the line, from 1. */
  number: number;
  outcome: LineOutcome;
  /** The line of the output: JSON, without its line end. */
  json: string;
}

export interface Tally extends LineCounts {
  /** Lines that are done, answered or not. */
  lines: number;
  /** Answers that ended at their token limit. */
  cut: number;
  /** Lines without an answer, by the code of their error. */
  failed: Partial<Record<ErrorCode, number>>;
}

/** Of no line. */
export function emptyTally(): Tally {
  return { lines: 0, cut: 0, failed: {}, inputTokens: 0, outputTokens: 0, usd: 0, unpriced: 0 };
}

/** Adds what one more line came to. */
export function addToTally(tally: Tally, result: Omit<LineResult, "json" | "number">): void {
  const { outcome } = result;
  tally.lines += 1;
  if (outcome === "cut") tally.cut += 1;
  else if (outcome !== "ok") tally.failed[outcome] = (tally.failed[outcome] ?? 0) + 1;
  addCounts(tally, result);
}

/** Adds what a line used to what others did, or what it used at another time. */
export function addCounts(sum: LineCounts, more: LineCounts): void {
  sum.inputTokens += more.inputTokens;
  sum.outputTokens += more.outputTokens;
  sum.usd += more.usd;
  sum.unpriced += more.unpriced;
}

/** Takes back that a line failed, which is asked again. What it used was used. */
export function takeBackFailure(tally: Tally, code: ErrorCode): void {
  tally.lines -= 1;
  const left = (tally.failed[code] ?? 0) - 1;
  if (left > 0) tally.failed[code] = left;
  else delete tally.failed[code];
}

/** The error that is what became of a line; undefined for one with an answer. */
export function failureOf(outcome: LineOutcome): ErrorCode | undefined {
  return outcome === "ok" || outcome === "cut" ? undefined : outcome;
}

/** Lines without an answer. */
export function failedLines({ failed }: Tally): number {
  return Object.values(failed).reduce((sum, count) => sum + count, 0);
}
