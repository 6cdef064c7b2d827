import { array, assert, asyncProperty, constantFrom, oneof, string } from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AnswerContext,
  OUTPUT_FORMS,
  type OutputFormat,
  toLine,
  USUAL_FORMAT,
} from "../../../src/batch/lines/output-forms.ts";
import type { ChatEvent, ChatEvents } from "../../../src/converse/chat-event.ts";
import { OpenclawError } from "../../../src/errors.ts";
import { lineOf } from "../line-of.ts";

const ANSWER: readonly ChatEvent[] = [
  { type: "start", model: "m-1", region: "us-east-1", attempts: 1 },
  { type: "text", text: "Hel", index: 0 },
  { type: "text", text: "lo", index: 0 },
  { type: "stop", stopReason: "end_turn" },
  { type: "usage", inputTokens: 3, outputTokens: 2, totalTokens: 5 },
];

async function* answer(events: readonly ChatEvent[] = ANSWER): ChatEvents {
  yield* events;
}

const CONTEXT: AnswerContext = {
  requestId: "q",
  created: 7,
  since: () => 12,
  costOf: ({ inputTokens }, model) => ({ usd: inputTokens, source: model === "m-1" ? "catalog" : "config" }),
};

const BEDROCK = { recordId: "a", modelInput: { messages: [{ role: "user", content: [{ text: "hi" }] }] } };
const CLAUDE = {
  recordId: "a",
  modelInput: { anthropic_version: "v", max_tokens: 9, messages: [{ role: "user", content: "hi" }] },
};
const CHAT = { custom_id: "a", body: { messages: [{ role: "user", content: "hi" }] } };
const RESPONSES = { custom_id: "a", url: "/v1/responses", body: { input: "hi" } };
const MESSAGES = { custom_id: "a", params: CLAUDE.modelInput };
const PROMPT = { id: "a", prompt: "hi" };
const OWN = { recordId: "a", modelInput: { inputText: "hi" } };

const CONVERSE = {
  recordId: "a",
  modelOutput: {
    output: { message: { role: "assistant", content: [{ text: "Hello" }] } },
    stopReason: "end_turn",
    usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 },
    metrics: { latencyMs: 12 },
  },
};
const COMPLETION = {
  id: "batch_req_q",
  custom_id: "a",
  response: {
    status_code: 200,
    request_id: "q",
    body: {
      id: "chatcmpl-q",
      object: "chat.completion",
      created: 7,
      model: "m-1",
      choices: [{ message: { role: "assistant", content: "Hello" }, finish_reason: "stop" }],
      usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
    },
  },
  error: null,
};
const MESSAGE = {
  type: "message",
  id: "msg_q",
  role: "assistant",
  content: [{ type: "text", text: "Hello" }],
  stop_reason: "end_turn",
};
const PLAIN = {
  recordId: "a",
  text: "Hello",
  stopReason: "end_turn",
  usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5 },
  cost: { usd: 3, source: "catalog" },
  model: "m-1",
};

const FORMS: readonly [name: string, line: object, format: OutputFormat | undefined, expected: object][] = [
  ["Bedrock's line", BEDROCK, undefined, CONVERSE],
  ["Bedrock's line in Claude's words", CLAUDE, undefined, { recordId: "a", modelOutput: MESSAGE }],
  ["OpenAI's chat completion", CHAT, undefined, COMPLETION],
  [
    "OpenAI's response",
    RESPONSES,
    undefined,
    {
      id: "batch_req_q",
      custom_id: "a",
      response: { status_code: 200, body: { id: "resp_q", object: "response", status: "completed" } },
      error: null,
    },
  ],
  [
    "Anthropic's line",
    MESSAGES,
    undefined,
    { custom_id: "a", result: { type: "succeeded", message: MESSAGE } },
  ],
  ["a prompt", PROMPT, undefined, PLAIN],
  ["a prompt, as Bedrock does", PROMPT, "bedrock", CONVERSE],
  ["a prompt, as OpenAI does", PROMPT, "openai", COMPLETION],
  ["Bedrock's line, as OpenAI does", BEDROCK, "openai", COMPLETION],
  ["Claude's words, as OpenAI does", CLAUDE, "openai", COMPLETION],
  ["Bedrock's line, plainly", BEDROCK, "plain", PLAIN],
  ["OpenAI's line, as Bedrock does", CHAT, "bedrock", CONVERSE],
  ["OpenAI's response, plainly", RESPONSES, "plain", PLAIN],
];

describe("the answer to", () => {
  it.each(FORMS)("%s", async (_, given, format, expected) => {
    const line = await lineOf(given);
    const told = await OUTPUT_FORMS[format ?? USUAL_FORMAT[line.kind]].answer(line, answer(), CONTEXT);
    expect(JSON.parse(toLine(told))).toMatchObject(expected);
  });

  it("a body in a model's own words is what came back, and has no other form", async () => {
    const line = await lineOf(OWN);
    const chunks = ['{"results":[', '{"outputText":"Hello"}]}'].map((text): ChatEvent => {
      return { type: "chunk", bytes: Buffer.from(text) };
    });
    expect(await OUTPUT_FORMS.bedrock.answer(line, answer(chunks), CONTEXT)).toEqual({
      recordId: "a",
      modelOutput: { results: [{ outputText: "Hello" }] },
    });
    for (const format of ["openai", "messages", "plain"] as const)
      await expect(OUTPUT_FORMS[format].answer(line, answer(chunks), CONTEXT)).rejects.toMatchObject({
        code: "invalid-request",
      });
  });

  it("a prompt has calls and reasoning where the model gives some, and fails where it is withheld", async () => {
    const line = await lineOf(PROMPT);
    const [start, ...rest] = ANSWER as [ChatEvent];
    const more: ChatEvent[] = [
      { type: "reasoning", text: "hm" },
      { type: "tool-start", index: 1, id: "t", name: "look" },
      { type: "tool-input", index: 1, text: '{"at":' },
      { type: "tool-input", index: 1, text: "1}" },
      { type: "tool-start", index: 2, id: "u", name: "bare" },
    ];
    expect(await OUTPUT_FORMS.plain.answer(line, answer([start, ...more, ...rest]), CONTEXT)).toMatchObject({
      reasoning: "hm",
      calls: [
        { toolUseId: "t", name: "look", input: { at: 1 } },
        { toolUseId: "u", name: "bare", input: {} },
      ],
    });
    const withheld: ChatEvent[] = [start, { type: "stop", stopReason: "guardrail_intervened" }];
    await expect(OUTPUT_FORMS.plain.answer(line, answer(withheld), CONTEXT)).rejects.toMatchObject({
      code: "blocked",
    });
  });
});

describe("a line that failed", () => {
  const throttled = new OpenclawError("throttled", { message: "Too many.", requestId: "aws-1" });
  const interrupted = new OpenclawError("interrupted", { message: "Interrupted." });

  it.each([
    ["bedrock", throttled, { recordId: "a", error: { code: "throttled", message: "Too many." } }],
    ["plain", throttled, { recordId: "a", error: { code: "throttled", message: "Too many." } }],
    [
      "openai",
      throttled,
      {
        id: "batch_req_q",
        custom_id: "a",
        response: {
          status_code: 429,
          request_id: "aws-1",
          body: {
            error: {
              message: "Too many.",
              type: "rate_limit_error",
              param: null,
              code: "rate_limit_exceeded",
            },
          },
        },
        error: { code: "throttled", message: "Too many." },
      },
    ],
    [
      "openai",
      interrupted,
      {
        id: "batch_req_q",
        custom_id: "a",
        response: null,
        error: { code: "interrupted", message: "Interrupted." },
      },
    ],
    [
      "messages",
      throttled,
      {
        custom_id: "a",
        result: {
          type: "errored",
          error: {
            type: "error",
            error: { type: "rate_limit_error", message: "Too many." },
            request_id: "q",
          },
        },
      },
    ],
  ] as const)("in the form of %s", (format, error, expected) => {
    expect(OUTPUT_FORMS[format].failure({ recordId: "a" }, error, "q")).toEqual(expected);
  });
});

describe("a line of answers", () => {
  it("is one line of JSON and valid UTF-8, whatever the answer has in it", async () => {
    const ends = constantFrom(
      "\n",
      "\r",
      "\u0085",
      "\u2028",
      "\u2029",
      "\v",
      "\f",
      "\u001c",
      "\ud800",
      "\0",
      '"',
      "\\",
    );
    const text = array(oneof(ends, string({ unit: "binary" })), { maxLength: 20 });
    const line = await lineOf(PROMPT);
    await assert(
      asyncProperty(text, text, async (id, said) => {
        const [start, , , ...rest] = ANSWER as [ChatEvent, ChatEvent, ChatEvent, ...ChatEvent[]];
        const events: ChatEvent[] = [start, { type: "text", text: said.join(""), index: 0 }, ...rest];
        for (const form of Object.values(OUTPUT_FORMS)) {
          const one = toLine(await form.answer({ ...line, recordId: id.join("") }, answer(events), CONTEXT));
          // Python's str.splitlines() knows the most of them.
          expect(one.slice(0, -1)).not.toMatch(/[\n\r\v\f\u001c-\u001e\u0085\u2028\u2029]/);
          expect([one.endsWith("\n"), one.isWellFormed()]).toEqual([true, true]);
          expect(() => JSON.parse(one) as unknown).not.toThrow();
        }
      }),
      { numRuns: 50 },
    );
  });
});
