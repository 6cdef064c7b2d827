import type { Dialect } from "../../dialect.ts";
import { headersOf } from "../../keys/rate-headers.ts";

/** What is left of a minute as Anthropic tells it, times in RFC 3339 (https://docs.claude.com/en/api/rate-limits#response-headers). */
export const toRateHeaders: NonNullable<Dialect["toRateHeaders"]> = (rate, now) =>
  headersOf(rate, (kind, { limit, remaining, resetMs }) => ({
    [`anthropic-ratelimit-${kind}-limit`]: String(limit),
    [`anthropic-ratelimit-${kind}-remaining`]: String(remaining),
    [`anthropic-ratelimit-${kind}-reset`]: new Date(now + resetMs).toISOString(),
  }));
