import { assert, double, integer, option, property, record, constantFrom } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  chooseTier,
  DeadlineTier,
  type TierChoice,
  type TierSituation,
} from "../../../src/batch/run/choose-tier.ts";

const HOUR = 3_600_000;
const situation = (more: Partial<TierSituation>): TierSituation => ({
  left: 3600,
  leftMs: 2 * HOUR,
  flexRate: undefined,
  defaultRate: undefined,
  tier: "flex",
  hasFlex: true,
  ...more,
});

/** 3,600 lines, of which one a second takes an hour. */
const CASES: readonly [name: string, situation: Partial<TierSituation>, expected: TierChoice][] = [
  ["nothing is known yet", {}, { tier: "flex", reason: "has-time" }],
  ["flex makes it", { flexRate: 1 }, { tier: "flex", reason: "makes-it" }],
  ["flex makes it with nothing to spare", { flexRate: 0.5 }, { tier: "default", reason: "behind" }],
  ["flex falls behind, and on demand is not known", { flexRate: 0.4 }, { tier: "default", reason: "behind" }],
  [
    "flex falls behind, and on demand makes the rest later",
    { flexRate: 0.4, defaultRate: 5 },
    { tier: "flex", reason: "has-time" },
  ],
  [
    "flex falls behind, and it is time to go on demand",
    { flexRate: 0.4, defaultRate: 0.6 },
    { tier: "default", reason: "behind" },
  ],
  ["flex answers nothing", { flexRate: 0, defaultRate: 5 }, { tier: "default", reason: "behind" }],
  ["not even on demand makes it", { flexRate: 0.4, defaultRate: 0.4 }, { tier: "default", reason: "late" }],
  [
    "flex is not known, and there is time to try it",
    { defaultRate: 5 },
    { tier: "flex", reason: "has-time" },
  ],
  [
    "flex is not known, and there is no time to try it",
    { defaultRate: 0.6 },
    { tier: "default", reason: "behind" },
  ],
  ["the deadline is over", { leftMs: 0, flexRate: 9 }, { tier: "default", reason: "late" }],
  ["no model has flex", { hasFlex: false, flexRate: 9 }, { tier: "default", reason: "no-flex" }],
  [
    "no model has flex, and it is late",
    { hasFlex: false, defaultRate: 0.4 },
    { tier: "default", reason: "late" },
  ],
  ["nothing is left", { left: 0, leftMs: 0 }, { tier: "flex", reason: "makes-it" }],
  [
    "it has been left for nothing known",
    { tier: "default", defaultRate: 5 },
    { tier: "default", reason: "behind" },
  ],
  [
    "it has been left, and makes it",
    { tier: "default", flexRate: 0.9 },
    { tier: "default", reason: "behind" },
  ],
  [
    "it has been left, and makes it with ease",
    { tier: "default", flexRate: 1 },
    { tier: "flex", reason: "makes-it" },
  ],
];

describe("the tier of a run", () => {
  it.each(CASES)("where %s", (_, given, expected) => {
    expect(chooseTier(situation(given))).toEqual(expected);
  });

  it("is never flex where on demand alone would not make the rest in time", () => {
    const rate = option(double({ min: 0, max: 100, noNaN: true }), { nil: undefined });
    const any = record({
      left: integer({ min: 1, max: 1_000_000 }),
      leftMs: integer({ min: -HOUR, max: 24 * HOUR }),
      flexRate: rate,
      defaultRate: rate,
      tier: constantFrom("flex" as const, "default" as const),
      hasFlex: constantFrom(true, false),
    });
    assert(
      property(any, (given) => {
        const { tier } = chooseTier(given);
        const { left, leftMs, defaultRate } = given;
        const msAt = (perSecond = Number.POSITIVE_INFINITY): number => (left / perSecond) * 1000;
        if (tier === "flex") expect(msAt(defaultRate)).toBeLessThanOrEqual(Math.max(leftMs, 0));
      }),
    );
  });
});

/** Runs lines by a simulated clock at so many a second in each tier, which may change. Returns what was chosen and when it was done. */
function simulate(
  lines: number,
  deadlineMs: number,
  perSecond: (tier: "flex" | "default", second: number) => number,
  mostPerSecond?: number,
): { choices: string[]; doneMs: number; inFlex: number } {
  let now = 1000;
  const choices: string[] = [];
  const keeper = new DeadlineTier({
    at: now + deadlineMs,
    elapsed: () => now,
    lines,
    hasFlex: true,
    mostPerSecond,
    onChoice: ({ tier, reason }) => choices.push(`${tier} ${reason}`),
  });
  let [left, inFlex, due] = [lines, 0, 0];
  for (let second = 0; left > 0 && second < (10 * deadlineMs) / 1000; second += 1) {
    const tier = keeper.next();
    due += perSecond(tier, second);
    for (; due >= 1 && left > 0; due -= 1) {
      keeper.done(tier);
      left -= 1;
      if (tier === "flex") inFlex += 1;
    }
    now += 1000;
  }
  return { choices, doneMs: now - 1000, inFlex };
}

describe("a run with a deadline", () => {
  it("stays in flex where that makes it", () => {
    const { choices, doneMs, inFlex } = simulate(3600, 2 * HOUR, () => 1);
    expect(choices).toEqual(["flex has-time"]);
    expect([doneMs < 2 * HOUR, inFlex]).toEqual([true, 3600]);
  });

  it("goes on demand where flex falls behind, and makes it", () => {
    const { choices, doneMs, inFlex } = simulate(7200, 2 * HOUR, (tier) => (tier === "flex" ? 0.2 : 4), 4);
    expect(choices[0]).toBe("flex has-time");
    expect(choices).toContain("default behind");
    expect(doneMs).toBeLessThan(2 * HOUR);
    expect(inFlex).toBeGreaterThan(500);
  });

  it("goes on demand soon where flex answers nothing, and where nobody knows how fast that is", () => {
    const { choices, doneMs, inFlex } = simulate(7200, 2 * HOUR, (tier) => (tier === "flex" ? 0 : 2));
    expect(choices.slice(0, 2)).toEqual(["flex has-time", "default behind"]);
    expect([doneMs < 2 * HOUR, inFlex]).toEqual([true, 0]);
  });

  it("goes on demand when flex becomes slow in the middle", () => {
    const { choices, doneMs } = simulate(7200, 2 * HOUR, (tier, second) =>
      tier === "default" ? 4 : second < 1800 ? 2 : 0.01,
    );
    expect(choices[0]).toBe("flex has-time");
    expect(choices).toContain("default behind");
    expect(doneMs).toBeLessThan(2 * HOUR);
  });

  it("says once that not even on demand makes it, and goes on", () => {
    const { choices } = simulate(7200, HOUR, () => 1);
    expect(choices.filter((choice) => choice === "default late")).toHaveLength(1);
  });
});
