import { describe, expect, it } from "vitest";
import {
  type InvocationType,
  invocationTypeOf,
  jobLimitsOf,
  refusedAsJob,
  refusedByBatch,
  USUAL_JOB_LIMITS,
} from "../../../src/batch/jobs/line-rules.ts";
import { lineOf } from "../line-of.ts";

const converse = (more: object = {}, ...blocks: object[]): object => ({
  recordId: "a",
  modelInput: { messages: [{ role: "user", content: [{ text: "hi" }, ...blocks] }], ...more },
});
const claude = (more: object = {}, ...blocks: object[]): object => ({
  recordId: "a",
  modelInput: {
    anthropic_version: "v",
    max_tokens: 9,
    messages: [{ role: "user", content: [{ type: "text", text: "hi" }, ...blocks] }],
    ...more,
  },
});
const chat = (more: object = {}): object => ({
  custom_id: "a",
  body: { messages: [{ role: "user", content: "hi" }], ...more },
});

const SCHEMA = { type: "object" };
const TOOL = { toolSpec: { name: "t", inputSchema: { json: SCHEMA } } };
const FILE = { image: { format: "png", source: { s3Location: { uri: "s3://b/in/a.png" } } } };
const IN_RESULT = { toolResult: { toolUseId: "t", content: [FILE] } };

const LINES: readonly [name: string, line: object, type: InvocationType, refusal: RegExp | undefined][] = [
  ["Converse", converse(), "Converse", undefined],
  ["a prompt", { prompt: "hi" }, "Converse", undefined],
  ["a chat completion", chat(), "Converse", undefined],
  ["Claude's body", claude(), "InvokeModel", undefined],
  ["an own body", { recordId: "a", modelInput: { inputText: "hi" } }, "InvokeModel", undefined],
  ["Converse among own bodies", converse(), "InvokeModel", /asked through Converse/],
  ["an own body among Converse", claude(), "Converse", /model's own words/],
  ["tools for Converse", converse({ toolConfig: { tools: [TOOL] } }), "Converse", /has tools/],
  [
    "tools of a chat completion",
    chat({ tools: [{ type: "function", function: { name: "t", parameters: SCHEMA } }] }),
    "Converse",
    /has tools/,
  ],
  [
    "tools in an own body",
    claude({ tools: [{ name: "t", input_schema: SCHEMA }] }),
    "InvokeModel",
    undefined,
  ],
  ["a cache point", converse({}, { cachePoint: { type: "default" } }), "Converse", /has a cache point/],
  [
    "a cache point in the system prompt",
    converse({ system: [{ text: "s" }, { cachePoint: { type: "default" } }] }),
    "Converse",
    /has a cache point/,
  ],
  ["a cache parameter", { prompt: "hi", cache: "5m" }, "Converse", /has a cache point/],
  ["no cache", { prompt: "hi", cache: "off" }, "Converse", undefined],
  [
    "cache_control",
    claude({}, { type: "text", text: "x", cache_control: { type: "ephemeral" } }),
    "InvokeModel",
    /has a cache point/,
  ],
  ["a file in the folder", converse({}, FILE), "Converse", undefined],
];

describe("of Bedrock's batch inference a line is refused or not that has", () => {
  it.each(LINES)("%s", async (_, line, type, refusal) => {
    const found = refusedByBatch(await lineOf(line), { type, folder: "s3://b/in/" });
    if (refusal) expect(found).toMatch(refusal);
    else expect(found).toBeUndefined();
  });

  it.each([[FILE], [IN_RESULT]])("a file outside of the folder: %j", async (block) => {
    const line = await lineOf(converse({}, block));
    expect(refusedByBatch(line, { type: "Converse", folder: "s3://b/other/" })).toBe(
      "It names 's3://b/in/a.png', and a batch job reads only what lies in s3://b/other/.",
    );
    expect(refusedByBatch(line, { type: "Converse" })).toBeUndefined();
  });

  it("a kind by which the job is asked", async () => {
    expect(invocationTypeOf(await lineOf(claude()))).toBe("InvokeModel");
    expect(
      invocationTypeOf(
        await lineOf({ custom_id: "a", params: { ...(claude() as { modelInput: object }).modelInput } }),
      ),
    ).toBe("Converse");
  });
});

describe("the limits of a model's jobs", () => {
  it.each([
    [{}, USUAL_JOB_LIMITS],
    [{ leastRecords: 10 }, { ...USUAL_JOB_LIMITS, least: 10 }],
    [{ mostRecords: 7 }, { ...USUAL_JOB_LIMITS, most: 7 }],
    [
      { mostRecords: 9, mostRecordsOfFile: 7 },
      { ...USUAL_JOB_LIMITS, most: 7 },
    ],
    [
      { mostRecords: 7, mostRecordsOfFile: 9 },
      { ...USUAL_JOB_LIMITS, most: 7 },
    ],
    [{ fileGigabytes: 2 }, { ...USUAL_JOB_LIMITS, mostBytes: 2 * 1024 ** 3 }],
  ])("by its quotas %j", (quota, expected) => {
    expect(jobLimitsOf(quota)).toEqual(expected);
  });
});

describe("a job takes", () => {
  it.each([
    [99, 1, /at least 100 lines, and there are 99/],
    [100, 1, undefined],
    [50_000, 1024 ** 3, undefined],
    [50_001, 1, /at most 50000 lines, and there are 50001/],
    [100, 1024 ** 3 + 1, /at most 1024 MB, and the lines have 1025 MB/],
  ])("%d lines of %d bytes or not", (lines, bytes, refusal) => {
    const found = refusedAsJob({ lines, bytes }, USUAL_JOB_LIMITS);
    if (refusal) expect(found).toMatch(refusal);
    else expect(found).toBeUndefined();
  });
});
