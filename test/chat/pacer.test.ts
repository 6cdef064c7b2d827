import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  PACE_WINDOW_MS,
  type PaceAnswer,
  type PaceLimits,
  type PacePlace,
  Pacer,
} from "../../src/chat/pacer.ts";
import { AccountGates } from "../../src/emulator/gates.ts";
import { MODELS, PROFILES } from "../../src/emulator/models.ts";
import { QuotaGate } from "../../src/emulator/quota-gate.ts";
import type { MinuteLimit } from "../../src/emulator/service-quotas.ts";
import { Concurrency } from "../../src/batch/run/concurrency.ts";
import type { RecordedCall } from "../../src/emulator/recorded-call.ts";
import { randomOf, SimulatedClock } from "../helpers/simulated-clock.ts";
import { isThorough } from "../helpers/thorough.ts";

interface Load {
  /** Of the quota, offered. */
  offered: number;
  calls: number;
  /** What the pacer is told. */
  limits: PaceLimits;
  /** What the emulator enforces. */
  quota: { tokens: number; requests?: number };
  modelId?: string;
  burndown?: number;
  mostMs?: number;
  seed?: number;
}

interface Outcome {
  throttled: number;
  refused: number;
  answered: number;
  /** Tokens of quota that were used, and the ms in which they were. */
  usedTokens: number;
  lastMs: number;
}

/** The rules of the emulator: lets a call pass, and returns what settles it, or which quota it is throttled for. */
function gateOf(
  { tokens, requests }: PaceLimits,
  { now }: SimulatedClock,
): (
  used: { inputTokens: number; outputTokens: number; maxTokens: number },
  id?: string,
) => (() => void) | keyof PaceLimits {
  const limits = (value: number | undefined): MinuteLimit[] => (value === undefined ? [] : [{ value }]);
  const gate = new QuotaGate({
    account: {
      id: "123456789012",
      models: MODELS,
      profiles: PROFILES,
      gates: new AccountGates([]),
      guardrails: [],
      mantleModels: [],
    },
    bearerRegion: "us-east-1",
    limits: { tokens: limits(tokens), requests: limits(requests) },
    quotas: {},
    now,
  });
  const call = { region: "us-east-1" } as RecordedCall;
  return ({ maxTokens, ...used }, id = "amazon.nova-lite-v1:0") => {
    try {
      const reservation = gate.admit(call, { id, used, maxTokens });
      return () => void reservation.settle({ status: 200, headers: {}, body: "" });
    } catch (error) {
      return /requests/.test(String(error)) ? "requests" : "tokens";
    }
  };
}

/** Calls that come by chance, on their way to the rules of the emulator and back, with a pacer before them. */
async function simulate(load: Load): Promise<Outcome> {
  const { offered, calls, limits, quota, modelId = "amazon.nova-lite-v1:0", burndown = 1 } = load;
  const clock = new SimulatedClock();
  const random = randomOf(load.seed ?? 1);
  const admit = gateOf(quota, clock);
  const pacer = new Pacer(clock, limits);
  const outcome: Outcome = { throttled: 0, refused: 0, answered: 0, usedTokens: 0, lastMs: 0 };
  const one = async (): Promise<void> => {
    const inputTokens = 50 + Math.floor(random() * 500);
    const outputTokens = 20 + Math.floor(random() * 200);
    const maxTokens = outputTokens + Math.floor(random() * 400);
    const wish = { reserved: inputTokens + maxTokens, expected: inputTokens + outputTokens * burndown };
    const answer = await pacer.enter(wish, load.mostMs ?? 30_000);
    if (!("place" in answer)) {
      outcome.refused += 1;
      return;
    }
    const { place } = answer;
    place.sent();
    clock.after(random() * 500, () => {
      const settle = admit({ inputTokens, outputTokens, maxTokens }, modelId);
      if (typeof settle === "string") {
        outcome.throttled += 1;
        place.cut(settle);
        return;
      }
      clock.after(300 + random() * 5000, () => {
        settle();
        clock.after(random() * 200, () => {
          const used = inputTokens + outputTokens * burndown;
          place.settle(used);
          outcome.answered += 1;
          outcome.usedTokens += used;
          outcome.lastMs = clock.now();
        });
      });
    });
  };
  const meanTokens = 300 + 120 * burndown;
  const everyMs = (60_000 * meanTokens) / (quota.tokens * offered);
  const come = (left: number): void => {
    if (left === 0) return;
    void one();
    clock.after(-Math.log(1 - random()) * everyMs, () => come(left - 1));
  };
  come(calls);
  await clock.run();
  expect(outcome.throttled + outcome.refused + outcome.answered).toBe(calls);
  return outcome;
}

/** Takes a place that is there, for a call that is sent at once. */
async function enterNow(pacer: Pacer, reserved: number): Promise<PacePlace> {
  const answer = await pacer.enter({ reserved }, 0);
  if (!("place" in answer)) throw new Error("It is not let in.");
  answer.place.sent();
  return answer.place;
}

describe("a pacer", () => {
  it("uses at least 90 % of the quota where twice as much is wanted", async () => {
    const quota = { tokens: 200_000 };
    const outcome = await simulate({ offered: 2, calls: 10_000, limits: quota, quota });
    expect(outcome.throttled).toBe(0);
    expect(outcome.usedTokens / (outcome.lastMs / 60_000)).toBeGreaterThan(0.9 * quota.tokens);
  });

  it.each([1, 2, 3])("is never throttled at 95 %% of the quota (%i)", async (seed) => {
    const quota = { tokens: 200_000, requests: 600 };
    const limits = { tokens: quota.tokens * 0.95, requests: quota.requests * 0.95 };
    const outcome = await simulate({ offered: 0.95, calls: 10_000, limits, quota, seed });
    expect(outcome.throttled).toBe(0);
    expect(outcome.answered).toBeGreaterThan(9000);
  });

  it("is not throttled by a model whose output counts 15 times", async () => {
    const quota = { tokens: 200_000 };
    const outcome = await simulate({
      offered: 2,
      calls: 10_000,
      limits: quota,
      quota,
      modelId: "us.anthropic.claude-opus-4-8",
      burndown: 15,
    });
    expect(outcome.throttled).toBe(0);
    expect(outcome.usedTokens / (outcome.lastMs / 60_000)).toBeGreaterThan(0.9 * quota.tokens);
  });

  it("learns a quota that it is not told, and is throttled rarely from then on", async () => {
    const quota = { tokens: 200_000 };
    const outcome = await simulate({ offered: 2, calls: 10_000, limits: {}, quota });
    expect(outcome.usedTokens / (outcome.lastMs / 60_000)).toBeGreaterThan(0.85 * quota.tokens);
    expect(outcome.throttled).toBeLessThan(300);
  });

  it("never lets more reach the service than the quota of any minute, whatever comes and whatever becomes of it", async () => {
    const step = fc.record({
      afterMs: fc.integer({ min: 0, max: 20_000 }),
      tokens: fc.integer({ min: 0, max: 120 }),
      mostMs: fc.constantFrom(0, 1000, 90_000, Number.POSITIVE_INFINITY),
      /** Until credentials and connection are there. */
      preparesMs: fc.constantFrom(0, 10, 5000, 70_000),
      wayMs: fc.integer({ min: 0, max: 1900 }),
      lastsMs: fc.integer({ min: 0, max: 100_000 }),
      ending: fc.constantFrom("settles", "is not made", "is cut", "says nothing"),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      leavesAfterMs: fc.option(fc.integer({ min: 0, max: 60_000 }), { nil: undefined }),
      comesBack: fc.boolean(),
    });
    const lateness = fc.constantFrom(0, 1, 250);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), lateness, async (steps, lateMs) => {
        const random = randomOf(steps.length);
        const clock = new SimulatedClock(() => random() * lateMs);
        const limits = { tokens: 100, requests: 5 };
        const pacer = new Pacer(clock, limits);
        const counted: { from: number; tokens: number }[] = [];
        let answers = 0;
        let at = 0;
        for (const step of steps) {
          at += step.afterMs;
          const { tokens, mostMs, ending, comesBack } = step;
          const client = new AbortController();
          const come = async (): Promise<void> => {
            const { leavesAfterMs } = step;
            if (leavesAfterMs !== undefined)
              clock.after(leavesAfterMs, () => client.abort(new Error("gone")));
            const entering = pacer.enter({ reserved: tokens }, mostMs, client.signal, { comesBack });
            const answer = await entering.catch((error: unknown) => {
              expect(error).toBe(client.signal.reason);
              return undefined;
            });
            answers += 1;
            if (!answer) return;
            expect("tooLarge" in answer).toBe(tokens > limits.tokens);
            if (!("place" in answer)) return;
            const { place } = answer;
            if (ending === "is not made") {
              clock.after(step.preparesMs, () => place.giveBack());
              return;
            }
            clock.after(step.preparesMs, () => {
              place.sent();
              clock.after(step.wayMs, () => arrive(place));
            });
          };
          const arrive = (place: PacePlace): void => {
            const mine = { from: clock.now(), tokens };
            counted.push(mine);
            const lately = counted.filter(({ from }) => from > clock.now() - 60_000);
            expect(lately.length).toBeLessThanOrEqual(limits.requests);
            expect(lately.reduce((sum, one) => sum + one.tokens, 0)).toBeLessThanOrEqual(limits.tokens);
            clock.after(step.lastsMs, () => {
              if (ending === "settles") {
                mine.tokens = Math.floor(tokens * step.share);
                place.settle(mine.tokens);
              } else if (ending === "is cut") {
                counted.splice(counted.indexOf(mine), 1);
                place.cut("requests", step.wayMs);
              } else place.settle(tokens);
            });
          };
          clock.after(at, () => {
            void come();
          });
        }
        await clock.run();
        expect(answers).toBe(steps.length);
        expect(pacer.waiting).toBe(0);
        expect(pacer.used.requests).toBeLessThanOrEqual(limits.requests);
      }),
      { numRuns: isThorough ? 3000 : 300 },
    );
  });

  it("takes the same time for each call, however many wait and however many are made in a minute", async () => {
    /** CPU of so many calls a minute, of which one in six waits, ms. */
    const cpuOf = async (perMinute: number): Promise<number> => {
      const clock = new SimulatedClock();
      const pacer = new Pacer(clock, { tokens: perMinute * 30, requests: perMinute });
      const { signal } = new AbortController();
      const begun = process.cpuUsage();
      let most = 0;
      let done = 0;
      const come = async (nth: number): Promise<void> => {
        const wish = { reserved: 10 + (nth % 30) };
        const answer = await pacer.enter(wish, Number.POSITIVE_INFINITY, signal);
        if (!("place" in answer)) throw new Error("It is not let in.");
        answer.place.sent();
        clock.after(500, () => {
          done += 1;
          answer.place.settle(5 + (nth % 40));
        });
      };
      for (let nth = 0; nth < perMinute * 2; nth += 1) {
        clock.after((nth * 60_000) / perMinute / 1.2, () => {
          void come(nth);
          most = Math.max(most, pacer.waiting);
        });
      }
      await clock.run();
      expect(done).toBe(perMinute * 2);
      expect(most).toBeGreaterThanOrEqual(perMinute / 6);
      const { user, system } = process.cpuUsage(begun);
      return (user + system) / 1000;
    };
    await cpuOf(2000);
    const [few, many] = [await cpuOf(2500), await cpuOf(30_000)];
    // Twelve times as many; the square of that would be 144.
    expect(many / few).toBeLessThan(40);
  });

  it("lets in who came first first, also where a later one would fit", async () => {
    const clock = new SimulatedClock();
    const pacer = new Pacer(clock, { tokens: 100 });
    const order: string[] = [];
    const enter = async (name: string, tokens: number): Promise<void> => {
      const answer = await pacer.enter({ reserved: tokens }, 200_000);
      if ("place" in answer) answer.place.sent();
      order.push(name);
    };
    for (const [name, tokens] of [
      ["first", 60],
      ["large", 90],
      ["small", 10],
    ] as const)
      void enter(name, tokens);
    await clock.run(1);
    expect(order).toEqual(["first"]);
    await clock.run(PACE_WINDOW_MS);
    expect(order).toEqual(["first", "large", "small"]);
  });

  it("says how long it took and when there may be room, and keeps no place for who waited long enough", async () => {
    const clock = new SimulatedClock();
    const pacer = new Pacer(clock, { tokens: 100 });
    await enterNow(pacer, 80);
    expect(await pacer.enter({ reserved: 30 }, 0)).toEqual({
      full: { queuedMs: 0, retryMs: PACE_WINDOW_MS },
    });
    let late: PaceAnswer | undefined;
    void pacer.enter({ reserved: 30 }, 10_000).then((answer) => (late = answer));
    let soon: PaceAnswer | undefined;
    void pacer.enter({ reserved: 20 }, 20_000).then((answer) => (soon = answer));
    await clock.run(10_000);
    expect(late).toEqual({ full: { queuedMs: 10_000, retryMs: PACE_WINDOW_MS - 10_000 } });
    // Who stood behind it is let in at once.
    expect(soon).toMatchObject({ place: { queuedMs: 10_000 } });
  });

  it("frees the place of who leaves", async () => {
    const clock = new SimulatedClock();
    const pacer = new Pacer(clock, { tokens: 100 });
    await enterNow(pacer, 80);
    const client = new AbortController();
    const left = pacer.enter({ reserved: 30 }, 60_000, client.signal);
    let soon: PaceAnswer | undefined;
    void pacer.enter({ reserved: 20 }, 60_000).then((answer) => (soon = answer));
    await clock.run(5);
    expect(soon).toBeUndefined();
    const reason = new Error("gone");
    client.abort(reason);
    await expect(left).rejects.toBe(reason);
    expect(soon).toMatchObject({ place: { queuedMs: 5 } });
    expect(pacer.waiting).toBe(0);
  });

  it("tells a call that wants more than the whole quota what there is", async () => {
    const pacer = new Pacer(new SimulatedClock(), { tokens: 100 });
    expect(await pacer.enter({ reserved: 101 }, 60_000)).toEqual({ tooLarge: { most: 100 } });
    pacer.limitTo({ tokens: 1000, requests: 0 });
    expect(await pacer.enter({ reserved: 1 }, 60_000)).toEqual({ tooLarge: { most: 1000 } });
    pacer.limitTo({});
    expect(await pacer.enter({ reserved: 1e9 }, 0)).toMatchObject({ place: { queuedMs: 0 } });
  });

  it("lets nobody in just after a cut, and for longer each time that nothing else comes of it", async () => {
    const clock = new SimulatedClock();
    const pacer = new Pacer(clock);
    for (const seconds of [1, 2, 4, 8, 16, 16]) {
      (await enterNow(pacer, 10)).cut("tokens");
      expect(await pacer.enter({ reserved: 10 }, 0)).toEqual({
        full: { queuedMs: 0, retryMs: seconds * 1000 },
      });
      await clock.run(seconds * 1000);
    }
    (await enterNow(pacer, 10)).settle(5);
    await clock.run(PACE_WINDOW_MS);
    (await enterNow(pacer, 10)).cut("tokens");
    expect(await pacer.enter({ reserved: 10 }, 0)).toEqual({ full: { queuedMs: 0, retryMs: 1000 } });
  });

  it("cuts once for the calls that were on their way together, and lets more in again slowly", async () => {
    const clock = new SimulatedClock();
    const pacer = new Pacer(clock);
    const places = [];
    for (let nth = 0; nth < 10; nth += 1) places.push(await enterNow(pacer, 100));
    await clock.run(10);
    for (const place of places.slice(5)) place.cut("tokens");
    expect(pacer.used).toEqual({ tokens: 500, requests: 5 });
    await clock.run(PACE_WINDOW_MS);
    expect(pacer.used.tokens).toBe(0);
    const letIn = async (): Promise<number> => {
      for (let count = 0; ; count += 1) {
        const answer = await pacer.enter({ reserved: 10 }, 0);
        if (!("place" in answer)) return count * 10;
        answer.place.sent();
      }
    };
    // 500 were let through, of which 475 are left, a hundredth more of that after a minute, and soon much more.
    expect(await letIn()).toBe(470);
    await clock.run(PACE_WINDOW_MS);
    expect(await letIn()).toBe(490);
    await clock.run(5 * PACE_WINDOW_MS);
    expect(await letIn()).toBeGreaterThan(1000);
  });

  it("is back at once where what throttled was not the quota but what others asked", async () => {
    const clock = new SimulatedClock();
    const pacer = new Pacer(clock);
    await clock.run(10);
    (await enterNow(pacer, 100)).cut("tokens");
    let count = 0;
    for (let second = 0; second < 60; second += 1) {
      await clock.run(1000);
      const answer = await pacer.enter({ reserved: 100 }, 0);
      if (!("place" in answer)) continue;
      count += 1;
      answer.place.settle(100);
    }
    expect(count).toBe(60);
  });

  it("lets nobody in before the time that the service asked for, whoever was throttled", async () => {
    const clock = new SimulatedClock();
    const pacer = new Pacer(clock);
    const [one, other] = [await enterNow(pacer, 10), await enterNow(pacer, 10)];
    one.cut("tokens", 5000);
    // It was on its way with the first and says nothing new of the quota, but of the time.
    other.cut("tokens", 30_000);
    let at: number | undefined;
    void pacer.enter({ reserved: 5 }, 60_000).then(() => (at = clock.now()));
    await clock.run(60_000);
    expect(at).toBe(30_000);
  });

  it("lets who was throttled try alone whether there is room again, and others when there was", async () => {
    const clock = new SimulatedClock();
    const pacer = new Pacer(clock);
    const places = [];
    for (let nth = 0; nth < 10; nth += 1) places.push(await enterNow(pacer, 100));
    await clock.run(10);
    for (const place of places.slice(8)) place.cut("tokens");
    const order: string[] = [];
    const comeBack = async (name: string, reserved: number): Promise<PacePlace | undefined> => {
      const answer = await pacer.enter({ reserved }, 50_000, undefined, { comesBack: true });
      order.push(name);
      return "place" in answer ? answer.place : undefined;
    };
    const [second, first] = [comeBack("second", 200), comeBack("first", 100)];
    await clock.run(999);
    expect(order).toEqual([]);
    await clock.run(1);
    expect(order).toEqual(["first"]);
    const tried = await first;
    tried?.sent();
    await clock.run(5000);
    expect(order).toEqual(["first"]);
    // It is still full, and so the next one waits for longer, and nothing more is cut.
    tried?.cut("tokens");
    await clock.run(2000);
    const again = await second;
    again?.sent();
    again?.settle(100);
    expect(order).toEqual(["first", "second"]);
    expect(pacer.used.tokens).toBe(900);
    // There was room for as much as was too much before, and so whoever comes may try, too, one after another.
    const newcomer = await enterNow(pacer, 100);
    expect(await pacer.enter({ reserved: 100 }, 0)).toMatchObject({ full: {} });
    newcomer.settle(100);
    const next = await enterNow(pacer, 100);
    next.cut("tokens");
    await clock.run(1000);
    expect(await pacer.enter({ reserved: 100 }, 0)).toMatchObject({ full: {} });
  });

  it("lets in who comes back before those who wait", async () => {
    const clock = new SimulatedClock();
    const pacer = new Pacer(clock, { requests: 1 });
    await enterNow(pacer, 1);
    const order: string[] = [];
    const enter = async (name: string, comesBack = false): Promise<void> => {
      const answer = await pacer.enter({ reserved: 1 }, 500_000, undefined, { comesBack });
      if ("place" in answer) answer.place.sent();
      order.push(name);
    };
    for (const name of ["first", "second"]) void enter(name);
    void enter("again", true);
    await clock.run(4 * PACE_WINDOW_MS);
    expect(order).toEqual(["again", "first", "second"]);
  });

  it("counts a call from when it was sent", async () => {
    const clock = new SimulatedClock();
    const pacer = new Pacer(clock, { requests: 1 });
    const answer = await pacer.enter({ reserved: 1 }, 0);
    await clock.run(10_000);
    if ("place" in answer) answer.place.sent();
    await clock.run(PACE_WINDOW_MS - 1);
    expect(await pacer.enter({ reserved: 1 }, 0)).toEqual({ full: { queuedMs: 0, retryMs: 1 } });
    await clock.run(1);
    expect(await pacer.enter({ reserved: 1 }, 0)).toMatchObject({ place: {} });
  });
});

describe("what a pacer learns that is told no quota", () => {
  /** Minutes that are measured, and those before. */
  const [LEARNING, MEASURED] = [3, 6];
  /** So many calls are on their way at most, as those of `batch run` and of many clients. */
  const MOST_AT_ONCE = 400;

  /** Of what the service allows so much is used in a minute, and so often a minute it throttles. */
  async function learn(
    quota: { tokens?: number; requests?: number; size?: number },
    seed: number,
  ): Promise<{ share: number; early: number; throttles: number }> {
    const { size = 1 } = quota;
    const clock = new SimulatedClock();
    const random = randomOf(seed);
    const admit = gateOf(quota, clock);
    const pacer = new Pacer(clock);
    const concurrency = new Concurrency(MOST_AT_ONCE, clock.now);
    const [begin, end] = [LEARNING * 60_000, (LEARNING + MEASURED) * 60_000];
    const all = { running: 0, tokens: 0, requests: 0, early: 0, throttles: 0 };
    const after = async (ms: number): Promise<void> =>
      new Promise((resolve) => void clock.after(ms, resolve));
    const one = async (): Promise<void> => {
      const inputTokens = Math.floor((50 + random() * 500) * size);
      const outputTokens = Math.floor((20 + random() * 200) * size);
      const maxTokens = outputTokens + Math.floor(random() * 400 * size);
      const used = inputTokens + outputTokens;
      for (let comesBack = false; ; comesBack = true) {
        const wish = { reserved: inputTokens + maxTokens, expected: used };
        const answer = await pacer.enter(wish, Number.POSITIVE_INFINITY, undefined, { comesBack });
        if (!("place" in answer)) throw new Error("It is not let in.");
        answer.place.sent();
        await after(random() * 300);
        const admitted = admit({ inputTokens, outputTokens, maxTokens });
        if (typeof admitted === "string") {
          all[clock.now() < begin ? "early" : "throttles"] += 1;
          concurrency.throttled();
          await after(random() * 50);
          answer.place.cut(admitted);
          continue;
        }
        await after(300 + random() * 5000);
        admitted();
        await after(random() * 100);
        answer.place.settle(used);
        concurrency.answered();
        if (clock.now() < begin) return;
        all.tokens += used;
        all.requests += 1;
        return;
      }
    };
    const come = (): void => {
      for (; all.running < concurrency.limit && clock.now() < end; all.running += 1)
        void one().finally(() => {
          all.running -= 1;
          come();
        });
    };
    clock.after(0, come);
    await clock.run(end);
    const share =
      quota.tokens === undefined ? all.requests / (quota.requests ?? 1) : all.tokens / quota.tokens;
    return { share: share / MEASURED, early: all.early, throttles: all.throttles / MEASURED };
  }

  it.each([
    [{ tokens: 10_000 }, 1],
    [{ tokens: 100_000 }, 1.5],
    [{ tokens: 1_000_000, size: 4 }, 1.5],
    [{ requests: 10 }, 1.5],
    [{ requests: 100 }, 3.5],
    [{ requests: 1000 }, 1.5],
  ])("is nearly all of %o, and it is throttled at most %f times a minute", async (quota, most) => {
    const seeds = [1, 2, 3];
    const all = await Promise.all(seeds.map((seed) => learn(quota, seed)));
    const mean = (name: "share" | "early" | "throttles"): number =>
      all.reduce((sum, one) => sum + one[name], 0) / seeds.length;
    expect(mean("share")).toBeGreaterThan(0.87);
    expect(mean("throttles")).toBeLessThanOrEqual(most);
    expect(mean("early")).toBeLessThan(60);
  });
});
