import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { beginningOf, isOfRegion, RegionRouter } from "../../src/chat/region-router.ts";
import { type ErrorCode, OpenclawError } from "../../src/errors.ts";

const REGIONS = ["us-east-1", "us-east-2", "us-west-2"];

function failure(code: ErrorCode, details?: Record<string, unknown>): OpenclawError {
  return new OpenclawError(code, { message: "no", details });
}

function routed(regions = REGIONS): { router: RegionRouter; pass: (seconds: number) => void } {
  let now = 0;
  const router = new RegionRouter(regions, () => now);
  return { router, pass: (seconds) => (now += seconds * 1000) };
}

/** Lets a call fail in a region. */
function fail(router: RegionRouter, region: string, error: OpenclawError, model = "m"): void {
  const call = router.begin(model, region);
  call.failed(error);
  call.ended();
}

describe("the order of regions", () => {
  it("is the same for prompts that begin alike, and spreads others", () => {
    const { router } = routed();
    const counts = new Map<string, number>();
    for (let nth = 0; nth < 3000; nth += 1) {
      const [first = ""] = router.order("m", String(nth));
      expect(router.order("m", String(nth))[0]).toBe(first);
      counts.set(first, (counts.get(first) ?? 0) + 1);
    }
    for (const region of REGIONS) expect(counts.get(region)).toBeGreaterThan(800);
  });

  it("changes for nobody else when a region goes", () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...REGIONS), (beginning, gone) => {
        const all = routed().router.order("m", beginning);
        const fewer = routed(REGIONS.filter((region) => region !== gone)).router.order("m", beginning);
        expect(fewer).toEqual(all.filter((region) => region !== gone));
      }),
    );
  });

  it("does not depend on the order of the list", () => {
    const turned = routed(REGIONS.toReversed());
    for (const beginning of ["a", "b", "c"])
      expect(turned.router.order("m", beginning)).toEqual(routed().router.order("m", beginning));
  });
});

describe("a region that failed for a model", () => {
  it.each<[ErrorCode, first: number, most: number]>([
    ["throttled", 5, 120],
    ["service-unavailable", 5, 120],
    ["network", 5, 120],
    ["quota-exceeded", 60, 3600],
    ["model-not-found", 300, 3600],
  ])("%s: is asked again after %i s, then later each time, at most %i s", (code, first, most) => {
    const { router, pass } = routed();
    for (const seconds of [first, first * 2, first * 4, first * 8, first * 16, first * 32]) {
      fail(router, "us-east-1", failure(code));
      expect(router.readiness("m", "us-east-1").at).toBe("last");
      pass(Math.min(seconds, most) - 1);
      expect(router.readiness("m", "us-east-1").at).toBe("last");
      pass(1);
      expect(router.readiness("m", "us-east-1").at).toBe("once");
    }
  });

  it("is left alone for that model alone, and others are not", () => {
    const { router } = routed();
    fail(router, "us-east-1", failure("throttled"), "one");
    expect(router.readiness("one", "us-east-1").at).toBe("last");
    expect(router.readiness("other", "us-east-1").at).toBe("once");
    expect(router.readiness("one", "us-west-2").at).toBe("once");
  });

  it("is not asked at all before the time that AWS asks for", () => {
    const { router, pass } = routed();
    fail(router, "us-east-1", failure("throttled", { retryAfter: 30 }));
    pass(20);
    expect(router.readiness("m", "us-east-1")).toEqual({ at: "later", waitMs: 10_000 });
    pass(10);
    expect(router.readiness("m", "us-east-1").at).toBe("once");
  });

  it("counts calls that were on their way together once", () => {
    const { router, pass } = routed();
    const calls = [1, 2, 3, 4].map(() => router.begin("m", "us-east-1"));
    pass(1);
    for (const call of calls) call.failed(failure("throttled"));
    pass(5);
    expect(router.readiness("m", "us-east-1").at).toBe("once");
  });

  it("is tried by one call, and by the others when that one has been answered", () => {
    const { router, pass } = routed();
    fail(router, "us-east-1", failure("network"));
    pass(5);
    const trying = router.begin("m", "us-east-1");
    expect(router.readiness("m", "us-east-1").at).toBe("last");
    trying.answered();
    trying.ended();
    expect(router.readiness("m", "us-east-1").at).toBe("once");
    // What it had failed before is forgotten.
    fail(router, "us-east-1", failure("network"));
    pass(5);
    expect(router.readiness("m", "us-east-1").at).toBe("once");
  });

  it("is tried by another call where the one that tried it was given up", () => {
    const { router, pass } = routed();
    fail(router, "us-east-1", failure("network"));
    pass(5);
    router.begin("m", "us-east-1").ended();
    expect(router.readiness("m", "us-east-1").at).toBe("once");
  });

  it("is not made ready by an answer that had begun before it failed", () => {
    const { router, pass } = routed();
    const older = router.begin("m", "us-east-1");
    pass(1);
    fail(router, "us-east-1", failure("throttled"));
    pass(1);
    older.answered();
    expect(router.readiness("m", "us-east-1").at).toBe("last");
  });
});

describe("failures", () => {
  it.each<[ErrorCode, Record<string, unknown> | undefined, boolean]>([
    ["throttled", undefined, true],
    ["quota-exceeded", undefined, true],
    ["service-unavailable", undefined, true],
    ["network", undefined, true],
    ["timeout", undefined, true],
    ["stream-broken", undefined, true],
    ["model-not-found", undefined, true],
    ["model-access", undefined, true],
    ["bad-response", { status: 502 }, true],
    ["bad-response", { status: 302 }, false],
    ["bad-response", undefined, false],
    ["access-denied", undefined, false],
    ["invalid-request", undefined, false],
    ["input-too-long", undefined, false],
    ["credentials-expired", undefined, false],
    ["model-error", undefined, false],
    ["blocked", undefined, false],
    ["interrupted", undefined, false],
    ["budget-exceeded", undefined, false],
  ])("%s %j is one of the region: %s", (code, details, is) => {
    expect(isOfRegion(failure(code, details))).toBe(is);
  });
});

describe("how a prompt begins", () => {
  const user = (text: string) => ({ role: "user" as const, content: [{ text }] });
  const asked = { parameters: {}, messages: [user("first")] };
  const same = beginningOf({ ...asked, system: "You are a crab." });

  it("is the same as a conversation goes on", () => {
    const longer = [
      user("first"),
      { role: "assistant" as const, content: [{ text: "yes" }] },
      user("second"),
    ];
    expect(beginningOf({ ...asked, system: "You are a crab.", messages: longer })).toBe(same);
    const earlier = [{ model: "m", messages: longer.slice(0, 2) }];
    expect(beginningOf({ ...asked, system: "You are a crab.", earlier, messages: [user("second")] })).toBe(
      same,
    );
    expect(beginningOf({ ...asked, system: [{ text: "You are a crab." }] })).toBe(same);
  });

  it("is what stands in a body of its vendor's own form, as far as that is looked at", () => {
    const beginningOfBody = (body: object): string =>
      beginningOf({ parameters: {}, messages: [], invocation: { body, headers: {}, isStreamed: false } });
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    const others = [
      {},
      { inputText: "a" },
      { inputText: "b" },
      { inputText: "a", dimensions: 256 },
      { texts },
      { texts: texts.slice(1) },
      { singleEmbeddingParams: { text: { value: "a" } } },
    ].map(beginningOfBody);
    expect(new Set(others).size).toBe(others.length);
    expect(beginningOfBody({ texts: texts.slice(0, 10) })).toBe(beginningOfBody({ texts }));
    const long = "x".repeat(20_000);
    expect(beginningOfBody({ inputText: `${long}y` })).toBe(beginningOfBody({ inputText: long }));
  });

  it("is another with another system prompt, other tools or another first message", () => {
    const tools = { tools: [{ toolSpec: { name: "weather", inputSchema: { json: {} } } }] };
    const others = [
      { ...asked, system: "You are a lobster." },
      { ...asked, system: "You are a crab.", tools },
      { ...asked, system: "You are a crab.", messages: [user("other")] },
    ].map(beginningOf);
    expect(new Set([same, ...others]).size).toBe(4);
  });
});
