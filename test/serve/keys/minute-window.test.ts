import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MinuteWindow, type Passed } from "../../../src/serve/keys/minute-window.ts";

const MINUTE = 60_000;
/** What a client waits for calls that run. */
const SOON = 1000;

/** A call: how long after the one before, in ms, what it asks for, what it uses, and how long it takes. */
const call = fc.record({
  after: fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 70_000 })),
  asked: fc.integer({ min: 0, max: 120 }),
  used: fc.integer({ min: 0, max: 120 }),
  takes: fc.integer({ min: 0, max: 90_000 }),
});

describe("a minute of a key", () => {
  it("has no more requests and tokens than its limits, wherever it begins", () => {
    fc.assert(
      fc.property(
        fc.array(call, { maxLength: 80 }),
        fc.integer({ min: 1, max: 6 }),
        fc.integer({ min: 100, max: 300 }),
        (calls, rpm, tpm) => {
          const window = new MinuteWindow();
          const passed: { at: number; tokens: number }[] = [];
          const ends: { at: number; settle: () => void }[] = [];
          let now = 0;
          for (const { after, asked, used, takes } of calls) {
            now += after;
            for (const end of ends.splice(0).toSorted((one, other) => one.at - other.at))
              if (end.at <= now) end.settle();
              else ends.push(end);
            const taken = window.take(now, { rpm, tpm }, asked);
            if ("by" in taken) {
              const { by, retryMs } = taken;
              expect(by === "size").toBe(asked > tpm);
              if (retryMs === undefined) continue;
              expect(retryMs).toBeGreaterThan(0);
              expect(retryMs).toBeLessThanOrEqual(MINUTE);
              continue;
            }
            const entry = { at: now, tokens: asked };
            passed.push(entry);
            const [end, less] = [now + takes, Math.min(used, asked)];
            ends.push({
              at: end,
              settle: () => {
                window.settle(end, taken, less);
                entry.tokens = less;
              },
            });
          }
          for (const { at } of passed) {
            const minute = passed.filter((other) => other.at >= at && other.at < at + MINUTE);
            expect(minute.length).toBeLessThanOrEqual(rpm);
            expect(minute.reduce((sum, { tokens }) => sum + tokens, 0)).toBeLessThanOrEqual(tpm);
          }
        },
      ),
    );
  });

  it("lets pass again exactly when it says", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: 1, max: 50 })), {
          minLength: 1,
          maxLength: 40,
        }),
        (calls) => {
          const rates = { rpm: 5, tpm: 100 };
          const window = new MinuteWindow();
          let now = 0;
          for (const [after, tokens] of calls) {
            now += after;
            for (;;) {
              const taken = window.take(now, rates, tokens);
              if (!("by" in taken)) {
                window.settle(now, taken, tokens);
                break;
              }
              const { retryMs = 0, by } = taken;
              const again = window.take(now + retryMs - 1, rates, tokens);
              expect("by" in again).toBe(true);
              now += retryMs;
              const then = window.take(now, rates, tokens);
              // A limit may stand behind the other.
              if (!("by" in then)) {
                window.settle(now, then, tokens);
                break;
              }
              expect(then.by).not.toBe(by);
            }
          }
        },
      ),
    );
  });

  it("counts what a call used beyond what it asked for from when that is known", () => {
    const window = new MinuteWindow();
    const rates = { tpm: 100 };
    const passed = window.take(0, rates, 10);
    if ("by" in passed) throw new Error(passed.by);
    window.settle(50_000, passed, 95);
    expect(window.take(50_000, rates, 10)).toEqual({ by: "tokens", retryMs: 10_000 });
    expect(window.state(50_000, rates).tokens).toEqual({ limit: 100, remaining: 5, resetMs: MINUTE });
    expect("by" in window.take(110_000, rates, 100)).toBe(false);
  });

  it("is worth to ask again soon where only calls that run are in the way", () => {
    const window = new MinuteWindow();
    const rates = { tpm: 100 };
    const take = (now: number, tokens: number): Passed => {
      const passed = window.take(now, rates, tokens);
      if ("by" in passed) throw new Error(passed.by);
      return passed;
    };
    const over = take(0, 40);
    window.settle(10, over, 40);
    const running = take(20, 60);
    expect(window.take(30, rates, 60)).toEqual({ by: "tokens", retryMs: SOON });
    // More than what calls that are over have left.
    expect(window.take(30, rates, 61)).toEqual({ by: "tokens", retryMs: MINUTE - 10 });
    expect(window.take(MINUTE - 1, rates, 60)).toEqual({ by: "tokens", retryMs: 21 });
    // It runs longer than it counts.
    expect(window.take(MINUTE + 10, rates, 60)).toEqual({ by: "tokens", retryMs: 10 });
    const next = take(MINUTE + 20, 60);
    window.settle(MINUTE + 21, running, 10);
    window.settle(MINUTE + 22, next, 60);
    expect(window.take(MINUTE + 23, rates, 60)).toEqual({ by: "tokens", retryMs: MINUTE - 3 });
  });

  it.each([6196.233, 9408.358, 8566.623])("is over after a minute and no later: %s", (now) => {
    const window = new MinuteWindow();
    window.add(now, 1);
    const { requests, tokens } = window.state(now, { rpm: 1, tpm: 1 });
    expect([requests?.resetMs, tokens?.resetMs]).toEqual([MINUTE, MINUTE]);
    expect(window.take(now, { rpm: 1 }, 1)).toEqual({ by: "requests", retryMs: MINUTE });
  });

  it("counts what a call did not use no longer, and a late settlement not at all", () => {
    const window = new MinuteWindow();
    const rates = { rpm: 2, tpm: 100 };
    const passed = window.take(0, rates, 100);
    if ("by" in passed) throw new Error(passed.by);
    expect(window.take(1, rates, 1)).toEqual({ by: "tokens", retryMs: SOON });
    window.settle(2, passed, 40);
    expect(window.state(2, rates)).toMatchObject({ requests: { remaining: 1 }, tokens: { remaining: 60 } });
    window.settle(MINUTE + 5, passed, 0);
    expect(window.state(MINUTE + 5, rates)).toMatchObject({
      requests: { remaining: 2 },
      tokens: { remaining: 100 },
    });
  });
});
