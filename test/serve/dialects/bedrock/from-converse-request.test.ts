import type { ConverseStreamRequest } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { planRequest } from "../../../../src/converse/plan-request.ts";
import { OpenclawError } from "../../../../src/errors.ts";
import { namedModel } from "../../../../src/models/resolve-model.ts";
import {
  type ConverseReading,
  fromConverseRequest,
} from "../../../../src/serve/dialects/bedrock/from-converse-request.ts";

const CLAUDE = "us.anthropic.claude-sonnet-4-6";

const reading = (more: Partial<ConverseReading> = {}): ConverseReading => ({
  model: "m",
  isStreamed: true,
  readsS3: false,
  ...more,
});
const read = (body: unknown, more?: Partial<ConverseReading>) => fromConverseRequest(body, reading(more));
const say = (...content: object[]) => ({ role: "user", content });
const hi = say({ text: "hi" });

/** As JSON has it: bytes are base64. */
function toWire(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, item: unknown) => {
      const holder = item as { type?: unknown; data?: number[] } | null;
      return holder?.type === "Buffer" ? Buffer.from(holder.data ?? []).toString("base64") : item;
    }),
  );
}

const PNG = Buffer.from("89504e470d0a1a0a", "hex").toString("base64");
const PDF = Buffer.from("%PDF-1.4").toString("base64");

/** A request in which everything stands that Converse has for a conversation with Claude, and that needs no mending. */
const EVERYTHING: object = {
  messages: [
    {
      role: "user",
      content: [
        { text: "Look." },
        { image: { format: "png", source: { bytes: PNG } } },
        {
          document: {
            format: "pdf",
            name: "Report",
            source: { bytes: PDF },
            context: "Of May.",
            citations: { enabled: true },
          },
        },
        {
          document: { format: "txt", name: "Parts", source: { content: [{ text: "one" }, { text: "two" }] } },
        },
        { guardContent: { text: { text: "guarded", qualifiers: ["query"] } } },
        {
          searchResult: {
            source: "https://example.com",
            title: "T",
            content: [{ text: "found" }],
            citations: { enabled: true },
          },
        },
        { cachePoint: { type: "default", ttl: "1h" } },
      ],
    },
    {
      role: "assistant",
      content: [
        { reasoningContent: { reasoningText: { text: "hm", signature: "c2ln" } } },
        { reasoningContent: { redactedContent: "aGlkZGVu" } },
        { text: "I ask." },
        { toolUse: { toolUseId: "t1", name: "weather", input: { city: "Oslo" } } },
      ],
    },
    {
      role: "user",
      content: [
        {
          toolResult: {
            toolUseId: "t1",
            content: [
              { text: "rain" },
              { json: { mm: 3 } },
              { image: { format: "png", source: { bytes: PNG } } },
            ],
            status: "error",
          },
        },
      ],
    },
  ],
  system: [
    { text: "Be brief." },
    { cachePoint: { type: "default", ttl: "1h" } },
    { guardContent: { text: { text: "guarded" } } },
  ],
  inferenceConfig: { maxTokens: 5000, temperature: 1, stopSequences: ["END"] },
  toolConfig: {
    tools: [
      {
        toolSpec: {
          name: "weather",
          description: "Tells the weather.",
          inputSchema: { json: { type: "object", properties: { city: { type: "string" } } } },
        },
      },
      { cachePoint: { type: "default", ttl: "1h" } },
    ],
  },
  additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 2000 } },
  additionalModelResponseFieldPaths: ["/stop_sequence"],
  requestMetadata: { team: "search" },
  performanceConfig: { latency: "standard" },
  serviceTier: { type: "default" },
};

describe("a Converse request", () => {
  it("goes to Bedrock as it came, with everything that Converse has", async () => {
    const { ask } = await read(EVERYTHING);
    const plan = await planRequest({ ...ask, model: namedModel(CLAUDE, {}) }, CLAUDE, {}, undefined);
    expect(plan.notices).toEqual([]);
    expect(toWire(plan.body)).toEqual(EVERYTHING);
    expect(plan.isReasoning).toBe(true);
  });

  it("asks for nothing that it does not say", async () => {
    const { ask, isStreamed, guardrail } = await read({ messages: [hi], system: null, toolConfig: null });
    expect(JSON.parse(JSON.stringify(ask))).toEqual({
      messages: [hi],
      parameters: {},
    });
    expect({ isStreamed, guardrail }).toEqual({ isStreamed: true, guardrail: undefined });
  });

  it("has its guardrail beside what is asked", async () => {
    const guardrailConfig = { guardrailIdentifier: "abc", guardrailVersion: "1", trace: "enabled" };
    const { guardrail, ask } = await read({ messages: [hi], guardrailConfig });
    expect(guardrail).toEqual(guardrailConfig);
    expect(ask.guardrail).toBeUndefined();
  });

  it("has in its system prompt what system messages say", async () => {
    const { ask } = await read({
      messages: [hi, { role: "system", content: [{ text: "Later." }] }],
      system: [{ text: "First." }],
    });
    expect(ask).toMatchObject({ messages: [hi], system: [{ text: "First." }, { text: "Later." }] });
  });

  it("leaves it to the model to choose a tool, and lets one be chosen", async () => {
    const tools = [{ toolSpec: { name: "a", inputSchema: { json: { type: "object" } } } }];
    const choices = [{ auto: {} }, { any: {} }, { tool: { name: "a" } }];
    const asked = await Promise.all(
      choices.map((toolChoice) => read({ messages: [hi], toolConfig: { tools, toolChoice } })),
    );
    expect(asked.map(({ ask }) => ask.tools?.toolChoice)).toEqual([
      undefined,
      { any: {} },
      { tool: { name: "a" } },
    ]);
  });

  it("holds the answer to the schema of its outputConfig, and says how hard to try in Claude's field", async () => {
    const schema = { type: "object", properties: { a: { type: "number" } } };
    const jsonSchema = { schema: JSON.stringify(schema), name: "n" };
    const { ask } = await read({
      messages: [hi],
      outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema } }, effort: "low" },
      additionalModelRequestFields: { output_config: { a: 1 } },
    });
    expect(ask.schema?.schema).toEqual(schema);
    expect(ask.ownFields).toEqual({ output_config: { a: 1, effort: "low" } });
  });

  it("keeps what its schema is called, and what is said of it, where every API takes that", async () => {
    const schemaCalled = async (name: string) => {
      const jsonSchema = { name, description: "A card.", schema: '{"type":"object"}' };
      const outputConfig = { textFormat: { type: "json_schema", structure: { jsonSchema } } };
      return (await read({ messages: [hi], outputConfig })).ask.schema;
    };
    expect(await schemaCalled("card")).toMatchObject({ name: "card", description: "A card." });
    expect((await schemaCalled("a card"))?.name).toBeUndefined();
  });

  it.each([
    ["png", "jpeg", PNG],
    ["jpeg", "png", Buffer.from("ffd8ffe000104a464946", "hex").toString("base64")],
  ])("sends an image as the %s that it is, where it is called a %s", async (is, format, bytes) => {
    const { ask } = await read({ messages: [say({ image: { format, source: { bytes } } })] });
    expect(ask.messages[0]?.content?.[0]?.image?.format).toBe(is);
  });

  it("names members that nobody knows, and reads on without them", async () => {
    const { ask, unknown } = await read({
      messages: [{ ...hi, later: 1 }],
      more: {},
      inferenceConfig: { topQ: 1, topP: 0.5 },
    });
    expect(unknown.toSorted()).toEqual(["inferenceConfig.topQ", "messages[0].later", "more"]);
    expect(ask.parameters).toEqual({ topP: 0.5 });
  });

  it("names no more of them than are remembered", async () => {
    const many = Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`k${i}`, 1]));
    expect((await read({ messages: [{ ...hi, ...many }], ...many })).unknown).toHaveLength(200);
  });

  const block = (content: object): object => ({ messages: [say(content)] });
  it.each<[what: string, body: unknown, param: string]>([
    ["no object", [], "body"],
    ["very many fields", Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [`k${i}`, 1])), "body"],
    ["no messages", {}, "messages"],
    ["nothing that is said", { messages: [] }, "messages"],
    ["nothing but blanks", { messages: [say({ text: " " }), say({ text: "\n" })] }, "messages"],
    ["a message of nobody", { messages: [{ content: [] }] }, "messages[0].role"],
    ["a role that there is not", { messages: [{ role: "tool", content: [] }] }, "messages[0].role"],
    ["content that is a text", { messages: [{ role: "user", content: "hi" }] }, "messages[0].content"],
    ["a block of nothing", block({}), "messages[0].content[0]"],
    ["a block of a kind that there is not", block({ smell: {} }), "messages[0].content[0]"],
    ["a block of two kinds", block({ text: "a", cachePoint: { type: "default" } }), "messages[0].content[0]"],
    ["a text that is none", block({ text: 1 }), "messages[0].content[0].text"],
    [
      "an image that is no base64",
      block({ image: { format: "png", source: { bytes: "é!" } } }),
      "messages[0].content[0].image.source.bytes",
    ],
    ["an image without a source", block({ image: { format: "png" } }), "messages[0].content[0].image.source"],
    [
      "a file in Amazon S3",
      block({ video: { format: "mp4", source: { s3Location: { uri: "s3://a/b" } } } }),
      "messages[0].content[0].video.source.s3Location",
    ],
    [
      "a call without a name",
      block({ toolUse: { toolUseId: "1", input: {} } }),
      "messages[0].content[0].toolUse.name",
    ],
    ["a tool that comes later", block({ toolAddition: { tool: {} } }), "messages[0].content[0].toolAddition"],
    [
      "a limit of no tokens",
      { messages: [hi], inferenceConfig: { maxTokens: 0 } },
      "inferenceConfig.maxTokens",
    ],
    ["a prompt's variables", { messages: [hi], promptVariables: { a: { text: "b" } } }, "promptVariables"],
    ["a tier that there is not", { messages: [hi], serviceTier: { type: "fast" } }, "serviceTier.type"],
    ["marks that AWS refuses", { messages: [hi], requestMetadata: { "a*": "b" } }, "requestMetadata"],
    [
      "too many marks",
      {
        messages: [hi],
        requestMetadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, "a"])),
      },
      "requestMetadata",
    ],
    [
      "a tool without a schema",
      { messages: [hi], toolConfig: { tools: [{ toolSpec: { name: "a" } }] } },
      "toolConfig.tools[0].toolSpec.inputSchema",
    ],
    [
      "a schema that is no JSON",
      {
        messages: [hi],
        outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema: { schema: "{" } } } },
      },
      "outputConfig.textFormat.structure.jsonSchema.schema",
    ],
    [
      "more fields of a model's than any has",
      {
        messages: [hi],
        additionalModelRequestFields: Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`k${i}`, 1])),
      },
      "additionalModelRequestFields",
    ],
    [
      "a field of a model's with a name without end",
      { messages: [hi], additionalModelRequestFields: { ["k".repeat(201)]: 1 } },
      "additionalModelRequestFields",
    ],
    [
      "too many paths",
      { messages: [hi], additionalModelResponseFieldPaths: Array.from({ length: 11 }, () => "/a") },
      "additionalModelResponseFieldPaths",
    ],
  ])("is refused for %s", async (_, body, param) => {
    const refusal = await read(body).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(OpenclawError);
    expect(refusal).toMatchObject({ code: "invalid-request", details: { param } });
  });

  it("may name files in Amazon S3 where the server lets it", async () => {
    const s3Location = { uri: "s3://bucket/key", bucketOwner: "123456789012" };
    const content = [{ video: { format: "mp4", source: { s3Location } } }, { text: "hi" }];
    const { ask } = await read({ messages: [say(...content)] }, { readsS3: true });
    expect(ask.messages).toEqual([say(...content)] as ConverseStreamRequest["messages"]);
  });
});
