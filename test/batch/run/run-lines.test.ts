import * as fc from "fast-check";
import { expect, it } from "vitest";
import type { BatchInput } from "../../../src/batch/lines/open-input.ts";
import { OUTPUT_FORMS } from "../../../src/batch/lines/output-forms.ts";
import { CostBound, CostBoundReached } from "../../../src/batch/run/cost-bound.ts";
import { OrderedStream } from "../../../src/batch/run/ordered-output.ts";
import { LineRunner, type ModelService } from "../../../src/batch/run/run-lines.ts";
import { runModel } from "../../../src/batch/run/run-models.ts";
import type { ChatEvents } from "../../../src/converse/chat-event.ts";
import { namedModel } from "../../../src/models/resolve-model.ts";
import { createHome } from "../../helpers/openclaw.ts";
import { testRuntime } from "../../helpers/test-runtime.ts";
import { isThorough } from "../../helpers/thorough.ts";

const MODEL = "amazon.nova-lite-v1:0";
const INPUT_TOKENS = 3;
/** USD of so many tokens of an answer to such a question, by its list price. */
const usdOf = (outputTokens: number): number => (INPUT_TOKENS * 0.06 + outputTokens * 0.24) / 1_000_000;

/** Prompts from the first to the last, each a line. */
function prompts(count: number): BatchInput {
  return {
    label: "lines",
    file: undefined,
    size: 0,
    lines: async function* () {
      for (let number = 1; number <= count; number += 1) {
        const bytes = Buffer.from(`{"prompt":"${number}"}`);
        yield { number, offset: 0, length: bytes.length, bytes, isTooLong: false };
      }
    },
    close: async () => undefined,
  };
}

interface Spent {
  usd: number;
  lines: number;
  failure: unknown;
}

/** Runs lines whose answers want so many tokens each, in turn, with a bound of the cost. */
async function spend(
  count: number,
  wants: readonly number[],
  most: number,
  concurrency: number,
): Promise<Spent> {
  const runtime = testRuntime({ home: createHome() });
  const model = namedModel(MODEL, {});
  const limits = { maxTokens: undefined, concurrency, maxCost: most };
  const run = runModel(MODEL, { model, known: undefined }, {}, limits);
  const spent: Spent = { usd: 0, lines: 0, failure: undefined };
  const asked = new Map<string, number>();
  const service: ModelService = {
    askByName: async function* (_, { messages, parameters }, __, { onCounted }): ChatEvents {
      const prompt = JSON.stringify(messages);
      const nth = asked.get(prompt) ?? asked.size;
      asked.set(prompt, nth);
      const wanted = wants[nth % wants.length] ?? 0;
      const allowed = parameters.maxTokens ?? 10_000;
      for (let turns = 0; turns < nth % 5; turns += 1) await Promise.resolve();
      const outputTokens = Math.min(wanted, allowed);
      const usage = { inputTokens: INPUT_TOKENS, outputTokens, totalTokens: INPUT_TOKENS + outputTokens };
      spent.usd += usdOf(outputTokens);
      onCounted(usage, run.costOf(usage, MODEL));
      yield { type: "start", model: MODEL, region: "us-east-1", attempts: 1 };
      yield { type: "text", text: "a" };
      yield { type: "stop", stopReason: wanted > allowed ? "max_tokens" : "end_turn" };
      yield { type: "usage", ...usage };
    },
  };
  const output = new OrderedStream(async () => void (spent.lines += 1));
  const runner = new LineRunner(
    {
      input: prompts(count),
      kind: "plain",
      form: OUTPUT_FORMS.plain,
      output,
      service,
      modelFor: () => run,
      maxTokens: undefined,
      cost: new CostBound(most, 0),
      deadline: undefined,
    },
    runtime,
  );
  await runner.run().catch((failure: unknown) => (spent.failure = failure));
  if (spent.failure === undefined) expect(spent.lines).toBe(count);
  else expect(spent.failure).toBeInstanceOf(CostBoundReached);
  return spent;
}

const numRuns = isThorough ? 1000 : 25;
/** Which floating point may make of a sum. */
const NOISE = 1e-12;

it("never costs more than its bound, however long answers are", async () => {
  const want = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 9000 }));
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 150 }),
      fc.array(want, { minLength: 1, maxLength: 20 }),
      fc.double({ min: 0, max: 0.02, noNaN: true }),
      fc.integer({ min: 1, max: 64 }),
      async (count, wants, most, concurrency) => {
        const { usd } = await spend(count, wants, most, concurrency);
        expect(usd).toBeLessThanOrEqual(most + NOISE);
      },
    ),
    { numRuns },
  );
});

it("uses nine tenths of its bound where answers are short and there are lines enough", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 2, max: 40 }),
      fc.array(fc.double({ min: 1, max: 2, noNaN: true }), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 50, max: 120 }),
      fc.integer({ min: 1, max: 64 }),
      async (shortest, factors, worth, concurrency) => {
        const wants = factors.map((factor) => Math.round(shortest * factor));
        // What so many lines cost at most.
        const most = usdOf(shortest * 2) * worth;
        const { usd, failure } = await spend(worth * 3, wants, most, concurrency);
        expect(failure).toBeInstanceOf(CostBoundReached);
        expect(usd).toBeLessThanOrEqual(most + NOISE);
        expect(usd).toBeGreaterThanOrEqual(most * 0.9);
      },
    ),
    { numRuns },
  );
});
