import { describe, expect, it, onTestFinished, vi } from "vitest";
import { emptyTally } from "../../../src/batch/run/line-result.ts";
import { testRuntime } from "../../helpers/test-runtime.ts";
import { progressForms, showProgress } from "../../../src/batch/run/progress.ts";

const state = { running: 3, throttles: 2, askedWhole: 0, isWaiting: false, pause: undefined };
const tally = {
  ...emptyTally(),
  lines: 1250,
  failed: { throttled: 3 },
  inputTokens: 123_456,
  outputTokens: 4321,
  usd: 1.234,
};

describe("the line that shows how far a run is", () => {
  it.each([
    [
      {},
      "━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌  50 %  1,250/2,500  25/s  $1.23  3 failed  2 throttled  123K in, 4321 out  50 s left",
    ],
    [
      { rate: undefined },
      "━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌  50 %  1,250/2,500  $1.23  3 failed  2 throttled  123K in, 4321 out",
    ],
    [{ rate: 0.05 }, /3\/min .* 7 h 0 min left$|3\/min .*6 h 57 min left$/],
    [{ state: { ...state, pause: "the disk is full, waiting" } }, /the disk is full, waiting$/],
    [{ state: { ...state, isWaiting: true } }, /waiting for the quota  50 s left$/],
    [{ state: { ...state, isWaiting: true }, rate: undefined }, /waiting for the quota$/],
    [{ tally: { ...tally, usd: 0, unpriced: 5 } }, /price unknown/],
    [{ tally: { ...tally, unpriced: 5 } }, /\$1\.23 and more/],
  ])("with %j says %s", (more, expected) => {
    const [line] = progressForms({ tally, total: 2500, before: 0, rate: 25, state, ...more });
    if (typeof expected === "string") expect(line).toBe(expected);
    else expect(line).toMatch(expected);
  });

  it("has shorter forms for narrow terminals, down to the share that is done", () => {
    const forms = progressForms({ tally, total: 2500, before: 0, rate: 25, state });
    const lengths = forms.map((form) => form.length);
    expect(lengths).toEqual(lengths.toSorted((one, other) => other - one));
    expect(forms.at(-1)).toBe("50 %");
    expect(forms.some((form) => form.length < 40)).toBe(true);
    expect(forms.some((form) => form.length < 20)).toBe(true);
  });
});

/** What is told now and then of 1000 lines below a quota of 200 a minute. */
function tellPaced(runtime: ReturnType<typeof testRuntime>): string {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const look = () => {
    const ms = performance.now();
    const lines = 200 * Math.floor(ms / 60_000) + Math.min(200, Math.floor((ms % 60_000) / 10));
    return {
      tally: { ...emptyTally(), lines },
      total: 1000,
      before: 0,
      state: { ...state, isWaiting: lines % 200 === 0 },
    };
  };
  const hide = showProgress(look, runtime);
  vi.advanceTimersByTime(4 * 60_000);
  hide();
  return runtime.stderr();
}

describe("progress below a quota", () => {
  it("is told with about the time that it takes, also where a terminal has no size", () => {
    const told = tellPaced(testRuntime({ home: "/", isTTY: true }));
    const notes = told.replaceAll(/\n +/g, " ").split("\n").slice(0, -1);
    expect(notes).toHaveLength(8);
    expect(notes[0]).toContain("waiting for the quota");
    // Five bursts of 200 lines, a minute apart: the last ends at 4 min 20 s.
    const left = notes.map((note) => {
      const [, count, unit] = /(\d+) (s|min) left/.exec(note) ?? [];
      return Number(count ?? 0) * (unit === "min" ? 60 : 1);
    });
    expect(left).toEqual([240, 240, 180, 180, 120, 120, 60, 60]);
  });
});
