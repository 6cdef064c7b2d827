import type { OpenclawError } from "../errors.ts";
import { numberOf } from "../json.ts";

/**
 * How many seconds a service asks to wait, by the headers of its answer: `retry-after-ms`, as OpenAI has it, or `retry-after`
 * in seconds or as a date (https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3). `now` is in ms. Undefined where it does
 * not say.
 */
export function secondsToWait(
  headers: Readonly<Record<string, string | undefined>>,
  now: number,
): number | undefined {
  const { "retry-after-ms": ms, "retry-after": after } = headers;
  const inMs = numberIn(ms);
  if (inMs !== undefined) return inMs / 1000;
  const seconds = numberIn(after);
  if (seconds !== undefined || after === undefined) return seconds;
  const date = Date.parse(after);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - now) / 1000);
}

/** How many seconds a failure says that a service asked to wait; undefined where it did not. */
export function secondsAsked({ details }: Pick<OpenclawError, "details">): number | undefined {
  return numberOf(details?.["retryAfter"]);
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d+(?:\.\d+)?\s*$/.test(text) ? Number(text) : undefined;
}
