import { describe, expect, it } from "vitest";
import { emptyTally } from "../../../src/batch/run/line-result.ts";
import { progressForms } from "../../../src/batch/run/progress.ts";

const state = { running: 3, throttles: 2, askedWhole: 0, pause: undefined };
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
