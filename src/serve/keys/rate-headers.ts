import type { RateState } from "./limit-store.ts";

type RateHeaders = (rate: RateState, now: number) => Record<string, string>;

/**
 * What is left of a minute as OpenAI tells it, times as `1.5s` or `59ms`
 * (https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers).
 */
export const openaiRateHeaders: RateHeaders = (rate) =>
  headersOf(rate, (kind, { limit, remaining, resetMs }) => ({
    [`x-ratelimit-limit-${kind}`]: String(limit),
    [`x-ratelimit-remaining-${kind}`]: String(remaining),
    [`x-ratelimit-reset-${kind}`]:
      resetMs < 1000 ? `${Math.ceil(resetMs)}ms` : `${Math.ceil(resetMs) / 1000}s`,
  }));

type Left = NonNullable<RateState["requests"]>;

/** The headers of each limit that a key has, as `tell` tells one. */
export function headersOf(
  rate: RateState,
  tell: (kind: string, left: Left) => Record<string, string>,
): Record<string, string> {
  const { requests, tokens } = rate;
  return { ...(requests && tell("requests", requests)), ...(tokens && tell("tokens", tokens)) };
}
