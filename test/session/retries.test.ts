import type { RetryErrorInfo } from "@smithy/types";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createRetryStrategy, decideRetries, type RetrySettings } from "../../src/session/retries.ts";

const profile = (keys: Record<string, string>) => ({ name: "dev", keys });

describe("decideRetries", () => {
  it.each<[string, Record<string, string>, Record<string, string> | undefined, RetrySettings]>([
    ["nothing", {}, undefined, { mode: "standard", maxAttempts: 3 }],
    [
      "variables",
      { AWS_RETRY_MODE: "adaptive", AWS_MAX_ATTEMPTS: "8" },
      undefined,
      { mode: "adaptive", maxAttempts: 8 },
    ],
    ["the profile", {}, { retry_mode: "adaptive", max_attempts: "2" }, { mode: "adaptive", maxAttempts: 2 }],
    [
      "variables before the profile",
      { AWS_MAX_ATTEMPTS: "5" },
      { max_attempts: "2" },
      { mode: "standard", maxAttempts: 5 },
    ],
    ["another SDK's mode", { AWS_RETRY_MODE: "Legacy" }, undefined, { mode: "standard", maxAttempts: 3 }],
    ["white space", { AWS_MAX_ATTEMPTS: " 1 " }, undefined, { mode: "standard", maxAttempts: 1 }],
  ])("takes %s", (_, env, keys, expected) => {
    expect(decideRetries(env, keys && profile(keys))).toEqual(expected);
  });

  it.each([
    [{ AWS_MAX_ATTEMPTS: "0" }, {}, "AWS_MAX_ATTEMPTS '0'"],
    [{ AWS_MAX_ATTEMPTS: "-1" }, {}, "AWS_MAX_ATTEMPTS '-1'"],
    [{ AWS_MAX_ATTEMPTS: "many" }, {}, "AWS_MAX_ATTEMPTS 'many'"],
    [{ AWS_MAX_ATTEMPTS: "2.5" }, {}, "AWS_MAX_ATTEMPTS '2.5'"],
    [{}, { max_attempts: "no" }, "max_attempts of profile dev 'no'"],
    [{ AWS_RETRY_MODE: "eager" }, {}, "AWS_RETRY_MODE 'eager'"],
  ])("refuses %j %j", (env, keys, words) => {
    expect(() =>
      decideRetries(env as Record<string, string>, profile(keys as Record<string, string>)),
    ).toThrow(
      expect.objectContaining({ code: "config-invalid", message: expect.stringContaining(words) as string }),
    );
  });
});

const failure = (name: string, message: string, more: Partial<RetryErrorInfo> = {}): RetryErrorInfo => ({
  error: Object.assign(new Error(message), { name, $fault: "server", $metadata: {} }) as NonNullable<
    RetryErrorInfo["error"]
  >,
  errorType: "THROTTLING",
  ...more,
});
const BUSY = failure("ThrottlingException", "Too many requests, please wait before trying again.");

/** A strategy on a clock that stands still, and what it waited for beyond the SDK's own back-off. */
function create(settings: RetrySettings = { mode: "standard", maxAttempts: 3 }) {
  const waits: number[] = [];
  const notes: string[] = [];
  const pauses: { text: string; ms: number }[] = [];
  const strategy = createRetryStrategy(settings, {
    now: () => Date.now(),
    wait: async (ms) => void waits.push(ms),
    who: "Bedrock",
    note: (line) => void notes.push(line),
    tellPause: ({ text }, ms) => void pauses.push({ text, ms }),
  });
  return { strategy, waits, notes, pauses };
}

describe("the strategy", () => {
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });

  it("tells why it is not yet tried again, and for how long", async () => {
    vi.spyOn(Math, "random").mockReturnValue(0);
    const { strategy, pauses } = create();
    const first = await strategy.acquireInitialRetryToken("aws");
    const second = await strategy.refreshRetryTokenForRetry(first, BUSY);
    const hint = { errorType: "TRANSIENT", retryAfterHint: new Date(Date.now() + 1500) } as const;
    await strategy.refreshRetryTokenForRetry(second, failure("ServiceUnavailableException", "Down.", hint));
    const throttled = "Bedrock is throttling (ThrottlingException): next try (2 of 3)";
    const down = "Bedrock is not available (ServiceUnavailableException): next try (3 of 3)";
    expect(pauses.map(({ text }) => text)).toEqual([throttled, throttled, down, down]);
    // As long as it may be at most, until it is over.
    expect(pauses.slice(0, 2).map(({ ms }) => ms)).toEqual([1000, 0]);
    expect(pauses[2]?.ms).toBeGreaterThan(1000);
  });

  it.each([
    [true, "The proxy p:3128 (HTTPS_PROXY) lets nothing through to Bedrock (ECONNREFUSED)"],
    [false, "Bedrock gave no answer through the proxy p:3128 (HTTPS_PROXY) (ECONNREFUSED)"],
  ])("names the proxy that a request went through, at fault or not: %s", async (isAtFault, what) => {
    const proxy = { address: "p:3128", variable: "HTTPS_PROXY", scheme: "http:", hasUser: false, isAtFault };
    const error = Object.assign(new Error("connect"), { code: "ECONNREFUSED", proxy });
    const { strategy, notes } = create();
    const token = await strategy.acquireInitialRetryToken("aws");
    await strategy.refreshRetryTokenForRetry(token, { error: error as never, errorType: "TRANSIENT" });
    expect(notes).toEqual([`openclaw: ${what}: next try at once (2 of 3)`]);
  });

  it("backs off exponentially, with jitter", async () => {
    vi.useFakeTimers();
    const random = vi.spyOn(Math, "random");
    const { strategy } = create({ mode: "standard", maxAttempts: 5 });
    const delays: number[] = [];
    for (const jitter of [1, 0.5]) {
      random.mockReturnValue(jitter);
      let token = await strategy.acquireInitialRetryToken("aws");
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const started = Date.now();
        const renewed = strategy.refreshRetryTokenForRetry(token, { ...BUSY, errorType: "TRANSIENT" });
        await vi.runAllTimersAsync();
        token = await renewed;
        delays.push(Date.now() - started);
      }
    }
    expect(delays).toEqual([50, 100, 200, 25, 50, 100]);
  });

  it("waits longer for a throttled service", async () => {
    vi.useFakeTimers();
    vi.spyOn(Math, "random").mockReturnValue(1);
    const { strategy } = create();
    const token = await strategy.acquireInitialRetryToken("aws");
    const started = Date.now();
    const renewed = strategy.refreshRetryTokenForRetry(token, BUSY);
    await vi.runAllTimersAsync();
    await renewed;
    expect(Date.now() - started).toBe(1000);
  });

  it("stops after the last attempt", async () => {
    const { strategy } = create({ mode: "standard", maxAttempts: 1 });
    const token = await strategy.acquireInitialRetryToken("aws");
    await expect(strategy.refreshRetryTokenForRetry(token, BUSY)).rejects.toThrow();
  });

  it.each([
    ["ThrottlingException", "Too many tokens per day, please wait before trying again."],
    ["throttlingException", "Too many tokens per day, please wait before trying again."],
    ["ServiceQuotaExceededException", "Your request exceeds the service quota for your account."],
    ["LimitExceededException", "Limit exceeded."],
  ])("does not ask again when a quota is used up: %s %s", async (name, message) => {
    const { strategy } = create();
    const token = await strategy.acquireInitialRetryToken("aws");
    await expect(strategy.refreshRetryTokenForRetry(token, failure(name, message))).rejects.toThrow(
      "used up",
    );
  });

  it("keeps to Retry-After, and says what it waits for", async () => {
    vi.useFakeTimers();
    vi.spyOn(Math, "random").mockReturnValue(0);
    const { strategy, waits, notes } = create();
    const token = await strategy.acquireInitialRetryToken("aws");
    const retryAfterHint = new Date(Date.now() + 30_000);
    const renewed = strategy.refreshRetryTokenForRetry(token, { ...BUSY, retryAfterHint });
    await vi.runAllTimersAsync();
    await renewed;
    // The SDK's own 5 s, and the rest.
    expect(waits).toEqual([25_000]);
    expect(notes).toEqual([
      "openclaw: Bedrock is throttling (ThrottlingException): next try in 30 s, as it asks to wait (2 of 3)",
    ]);
  });

  it("gives up when the service asks for a wait of minutes", async () => {
    const { strategy, notes } = create();
    const token = await strategy.acquireInitialRetryToken("aws");
    const retryAfterHint = new Date(Date.now() + 300_000);
    await expect(strategy.refreshRetryTokenForRetry(token, { ...BUSY, retryAfterHint })).rejects.toThrow(
      "too long",
    );
    expect(notes).toEqual([]);
  });

  it("says nothing of a wait that leads nowhere", async () => {
    const { strategy, notes } = create({ mode: "standard", maxAttempts: 1 });
    const token = await strategy.acquireInitialRetryToken("aws");
    const retryAfterHint = new Date(Date.now() + 30_000);
    await expect(strategy.refreshRetryTokenForRetry(token, { ...BUSY, retryAfterHint })).rejects.toThrow();
    expect(notes).toEqual([]);
  });
});
