import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../src/converse/chat-event.ts";
import type { OutputSchema } from "../../src/converse/output-schema.ts";
import {
  lessonsOfForm,
  readStructured,
  structuredForm,
  type StructuredForm,
  withStructuredOutput,
} from "../../src/converse/structured-output.ts";
import type { Lesson } from "../../src/session/refusal-table.ts";
import { familyOf } from "../../src/models/families.ts";
import { userMessage } from "../../src/converse/request.ts";
import { OpenclawError } from "../../src/errors.ts";

const person = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
const list = { type: "array", items: { $ref: "#/$defs/item" }, $defs: { item: { type: "string" } } };
const NOVA = "amazon.nova-lite-v1:0";

describe("what a caller calls a schema, and says of it,", () => {
  const sent = (form: StructuredForm, baseId: string): string =>
    JSON.stringify(
      withStructuredOutput(
        { modelId: baseId, messages: [userMessage("hi")] },
        form,
        { schema: person, name: "person_card", description: "Who it is about." },
        familyOf(baseId),
      ),
    );

  it("goes with it where the model is held to it", () => {
    expect(sent("native", "anthropic.claude-sonnet-4-6")).toContain(
      '"name":"person_card","description":"Who it is about."',
    );
  });

  it.each<StructuredForm>(["tool", "offered-tool", "instruction"])("is told in the form of %s", (form) => {
    expect(sent(form, NOVA)).toContain("Who it is about.");
  });
});

describe("the forms to try for a schema", () => {
  it.each<[string | undefined, boolean, object, StructuredForm[]]>([
    ["anthropic.claude-sonnet-4-6", false, person, ["native", "tool", "offered-tool", "instruction"]],
    ["anthropic.claude-sonnet-4-6", true, person, ["native", "offered-tool", "instruction"]],
    ["anthropic.claude-opus-5-5", true, person, ["native", "offered-tool", "instruction"]],
    ["anthropic.claude-opus-4-8", false, person, ["tool", "offered-tool", "instruction"]],
    ["anthropic.claude-opus-4-8", true, person, ["offered-tool", "instruction"]],
    ["openai.gpt-oss-20b-1:0", true, person, ["native", "tool", "offered-tool", "instruction"]],
    [NOVA, false, person, ["tool", "offered-tool", "instruction"]],
    [undefined, false, person, ["tool", "offered-tool", "instruction"]],
    // outputConfig takes neither open nor composed objects.
    [
      "anthropic.claude-sonnet-4-6",
      false,
      { ...person, additionalProperties: true },
      ["tool", "offered-tool", "instruction"],
    ],
    [
      "anthropic.claude-sonnet-4-6",
      false,
      { type: "object", allOf: [person] },
      ["tool", "offered-tool", "instruction"],
    ],
    // A reference to the root cannot be put inside another object.
    [NOVA, false, { type: "array", items: { $ref: "#" } }, ["instruction"]],
  ])("%s, reasoning %s, %j", (baseId, isReasoning, schema, forms) => {
    const refusal = new OpenclawError("invalid-request", {
      message: "",
      details: { awsMessage: "toolConfig" },
    });
    const tried: StructuredForm[] = [];
    const lessons: Lesson[] = [];
    do {
      const family = familyOf(baseId);
      const question = { family, lessons, isReasoning, hasTools: false };
      tried.push(structuredForm(schema as never, question));
      lessons.push(...lessonsOfForm(refusal, tried.at(-1)));
    } while (tried.at(-1) !== "instruction");
    expect(tried).toEqual(forms);
  });
});

describe("a request for structured output", () => {
  const input = { modelId: "m", messages: [userMessage("hi")], system: [{ text: "S" }] };

  it("holds the schema in outputConfig, with closed objects and without its draft", () => {
    const nested = { $schema: "x", $id: "y", ...person, properties: { inner: person } };
    const { outputConfig } = withStructuredOutput(
      input,
      "native",
      { schema: nested },
      familyOf("anthropic.claude-opus-5"),
    );
    const sent = outputConfig?.textFormat?.structure?.jsonSchema?.schema ?? "";
    expect(outputConfig).toMatchObject({ textFormat: { type: "json_schema" } });
    expect(JSON.parse(sent)).toEqual({
      ...person,
      additionalProperties: false,
      properties: { inner: { ...person, additionalProperties: false } },
    });
  });

  it.each([
    [NOVA, { tool: { name: "answer" } }],
    ["anthropic.claude-opus-4-8", { tool: { name: "answer" } }],
    ["mistral.pixtral-large-2502-v1:0", { any: {} }],
  ])("forces %s to call one tool", (baseId, toolChoice) => {
    const { toolConfig } = withStructuredOutput(input, "tool", { schema: person }, familyOf(baseId));
    expect(toolConfig).toMatchObject({
      tools: [{ toolSpec: { inputSchema: { json: person } } }],
      toolChoice,
    });
    expect(
      withStructuredOutput(input, "offered-tool", { schema: person }, familyOf(baseId)).toolConfig,
    ).not.toHaveProperty("toolChoice");
  });

  it("puts any other value than an object into one, with its definitions at the root", () => {
    const { toolConfig } = withStructuredOutput(input, "tool", { schema: list }, familyOf(NOVA));
    expect(toolConfig?.tools?.[0]?.toolSpec?.inputSchema).toEqual({
      json: {
        type: "object",
        properties: { value: { type: "array", items: { $ref: "#/$defs/item" } } },
        required: ["value"],
        $defs: list.$defs,
      },
    });
  });

  it("says it in the system prompt where nothing else is left", () => {
    const { system, ...rest } = withStructuredOutput(input, "instruction", { schema: person }, {});
    expect(system?.[0]).toEqual({ text: "S" });
    expect(system?.[1]?.text).toContain(JSON.stringify(person));
    expect(rest).toEqual({ modelId: "m", messages: input.messages });
  });
});

// Wordings are AWS's own.
it.each([
  ["This model doesn't support the toolConfig.toolChoice.any field. Remove it and try again.", true],
  [
    'The model returned the following errors: tool_choice: type "tool" and "any" are not supported for this model.',
    true,
  ],
  [
    "The model returned the following errors: output_config.format.schema: For 'array' type, property 'maxItems' is not supported",
    true,
  ],
  ["This model doesn't support tool use.", true],
  ["The provided model identifier is invalid.", false],
  ["The maximum tokens you requested exceeds the model limit of 5.", false],
])("takes %j as a refusal of the form: %s", (awsMessage, isRefused) => {
  const error = new OpenclawError("invalid-request", { message: "AWS refuses", details: { awsMessage } });
  expect(lessonsOfForm(error, "tool").length > 0).toBe(isRefused);
});

describe("a structured answer", () => {
  const schema: OutputSchema = {
    schema: person,
    checked: Promise.resolve(),
    problemsOf: async (json) =>
      typeof (JSON.parse(json) as { name?: unknown }).name === "string" ? [] : ["/name must be string"],
  };
  const start: ChatEvent = { type: "start", model: "m", region: "r", attempts: 1 };

  async function read(
    form: StructuredForm,
    output: OutputSchema,
    ...events: ChatEvent[]
  ): Promise<ChatEvent[]> {
    async function* all(): AsyncGenerator<ChatEvent> {
      yield start;
      yield* events;
    }
    const read: ChatEvent[] = [];
    for await (const event of readStructured(all(), form, output)) read.push(event);
    return read;
  }
  const text = (text: string): ChatEvent => ({ type: "text", text });
  const tool = (text: string): ChatEvent => ({ type: "tool-input", index: 0, text });
  const stop = (stopReason = "end_turn"): ChatEvent => ({ type: "stop", stopReason });

  it("comes at once when it is whole, reasoning before it as it arrives", async () => {
    const reasoning: ChatEvent = { type: "reasoning", text: "Hm" };
    expect(await read("native", schema, reasoning, text('{"na'), text('me":"Ada"}\n'), stop())).toEqual([
      start,
      reasoning,
      text('{"name":"Ada"}'),
      stop(),
    ]);
  });

  it("is the tool's input, whatever text stands beside it", async () => {
    const events = await read(
      "tool",
      schema,
      text("Here:"),
      { type: "tool-start", index: 1, id: "t1", name: "answer" },
      tool('{"name":'),
      tool('"Ada"}'),
      stop("tool_use"),
    );
    expect(events).toEqual([start, text('{"name":"Ada"}'), stop("tool_use")]);
  });

  it("may stand in a code fence, and keeps the digits of its numbers", async () => {
    const json = '{"name":"Ada","n":12345678901234567890.10}';
    expect(await read("instruction", schema, text(`\`\`\`json\n${json}\n\`\`\``), stop())).toContainEqual(
      text(json),
    );
  });

  it("is taken out of the object around it", async () => {
    const strings: OutputSchema = {
      schema: list,
      checked: Promise.resolve(),
      problemsOf: async (json) => (Array.isArray(JSON.parse(json)) ? [] : ["/ must be array"]),
    };
    expect(await read("tool", strings, tool('{"value":["a","b"]}'), stop("tool_use"))).toContainEqual(
      text('["a","b"]'),
    );
    expect(await read("instruction", strings, text('["a"]'), stop())).toContainEqual(text('["a"]'));
  });

  it.each<[string, ChatEvent[], RegExp, RegExp]>([
    [
      "does not fit",
      [text('{"name":1}'), stop()],
      /does not fit the schema: \/name must be string/,
      /prompt/,
    ],
    ["is no JSON", [text("I cannot."), stop()], /not JSON/, /again/],
    ["is empty", [stop()], /not JSON/, /again/],
    ["is cut off", [tool('{"name":"A'), stop("max_tokens")], /token limit/, /--max-tokens/],
  ])("that %s is invalid-request with the raw text in its details", async (_, events, message, hint) => {
    const raw = events.map((event) => ("text" in event ? event.text : "")).join("");
    const form = events.some(({ type }) => type === "tool-input") ? "tool" : "native";
    await expect(read(form, schema, ...events)).rejects.toMatchObject({
      code: "invalid-request",
      exitCode: 6,
      message: expect.stringMatching(message),
      hint: expect.stringMatching(hint),
      details: { rawText: raw },
    });
  });

  it.each(["guardrail_intervened", "content_filtered", "refusal", "malformed_tool_use"])(
    "that ends by %s has no text, and is judged by that",
    async (reason) => {
      expect(await read("native", schema, text("Sorry."), stop(reason))).toEqual([start, stop(reason)]);
    },
  );
});
