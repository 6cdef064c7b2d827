import { describe, expect, it } from "vitest";
import {
  addLine,
  type LineTally,
  NO_LINES,
  type TallyTerms,
} from "../../../src/batch/estimate/line-tally.ts";
import { type ModelEstimate, type RoadName, roadsFor, secondsAt } from "../../../src/batch/estimate/roads.ts";
import { lineOf } from "../line-of.ts";

const TERMS: TallyTerms = {
  outputTokens: 100,
  mostTokens: 1000,
  burndown: 5,
  usdOf: ({ inputTokens, outputTokens }) => inputTokens + 10 * outputTokens,
};

async function tallyOf(lines: readonly object[], terms: Partial<TallyTerms> = {}): Promise<LineTally> {
  let tally = NO_LINES;
  for (const [index, line] of lines.entries())
    tally = addLine(tally, await lineOf(line, index + 1), { ...TERMS, ...terms });
  return tally;
}

const TEXT = "four".repeat(10);

describe("the lines of a model", () => {
  it("come to tokens, quota and prices, each answer within what its line allows", async () => {
    const lines = [{ prompt: TEXT }, { prompt: TEXT, system: TEXT, maxTokens: 30 }];
    expect(await tallyOf(lines)).toEqual({
      lines: 2,
      inputTokens: 30,
      outputTokens: 130,
      mostOutputTokens: 1030,
      quotaTokens: 30 + 130 * 5,
      usd: 30 + 1300,
      mostUsd: 30 + 10_300,
    });
  });

  it("have no bound and no price where nobody knows one", async () => {
    expect(
      await tallyOf([{ prompt: TEXT, maxTokens: 5 }, { prompt: TEXT }], { mostTokens: undefined }),
    ).toMatchObject({
      outputTokens: 105,
      mostOutputTokens: null,
      usd: 1070,
      mostUsd: null,
    });
    expect(await tallyOf([{ prompt: TEXT }], { usdOf: () => null })).toMatchObject({
      usd: null,
      mostUsd: null,
    });
  });

  it("count an image as much as one takes, and a body of a model's own by its length", async () => {
    const image = { image: { format: "png", source: { bytes: "iVBORw0KGgo=" } } };
    const { inputTokens } = await tallyOf([
      { recordId: "a", modelInput: { messages: [{ role: "user", content: [{ text: TEXT }, image] }] } },
    ]);
    expect(inputTokens).toBe(1610);
    expect((await tallyOf([{ recordId: "a", modelInput: { inputText: TEXT } }])).inputTokens).toBe(14);
  });
});

const tally: LineTally = {
  lines: 100,
  inputTokens: 1,
  outputTokens: 1,
  mostOutputTokens: 1,
  quotaTokens: 60_000,
  usd: 8,
  mostUsd: 20,
};
const model = (more: Partial<ModelEstimate> = {}): ModelEstimate => ({
  tally,
  rate: {},
  hasFlex: false,
  hasBatch: false,
  ...more,
});

describe("the roads", () => {
  it.each<[name: string, models: ModelEstimate[], roads: RoadName[]]>([
    ["a model that is asked on demand only", [model()], ["run"]],
    ["one with a flex tier", [model({ hasFlex: true })], ["run", "run-flex"]],
    ["one with batch inference", [model({ hasBatch: true })], ["run", "submit"]],
    ["one with both", [model({ hasFlex: true, hasBatch: true })], ["run", "run-flex", "submit"]],
    ["several, one without flex", [model({ hasFlex: true }), model()], ["run"]],
    [
      "several: a job has one model",
      [model({ hasFlex: true, hasBatch: true }), model({ hasFlex: true, hasBatch: true })],
      ["run", "run-flex"],
    ],
  ])("of %s", (_, models, roads) => {
    expect(roadsFor(models).map(({ name }) => name)).toEqual(roads);
  });

  it("cost half in flex and as a job, of all models together, or what nobody knows", () => {
    expect(
      roadsFor([model({ hasFlex: true, hasBatch: true })]).map(({ usd, mostUsd }) => [usd, mostUsd]),
    ).toEqual([
      [8, 20],
      [4, 10],
      [4, 10],
    ]);
    expect(roadsFor([model(), model()])[0]).toMatchObject({ usd: 16, mostUsd: 40 });
    expect(roadsFor([model(), model({ tally: { ...tally, usd: null, mostUsd: null } })])[0]).toMatchObject({
      usd: null,
      mostUsd: null,
    });
  });

  it.each([
    [{}, null],
    [{ requests: 50 }, 120],
    [{ tokens: 30_000 }, 120],
    [{ requests: 10, tokens: 30_000 }, 600],
    [{ requests: 1000, tokens: 6000 }, 600],
  ])("take as long as the narrower quota: %j", (rate, seconds) => {
    expect(secondsAt({ tally, rate })).toBe(seconds);
  });

  it("take as long as the slowest model, and a job a day", () => {
    const quick = model({ rate: { requests: 100 } });
    const slow = model({ rate: { requests: 10 } });
    expect(roadsFor([quick, slow])[0]?.seconds).toBe(600);
    expect(roadsFor([quick, model()])[0]?.seconds).toBeNull();
    expect(roadsFor([model({ hasBatch: true })])[1]?.seconds).toBe(86_400);
  });
});
