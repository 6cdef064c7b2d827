import type { ConverseStreamCommandInput, Message } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { toMessagesRequest } from "../../../src/wires/messages/messages-request.ts";

type Input = Omit<ConverseStreamCommandInput, "modelId">;

const hi: Message[] = [{ role: "user", content: [{ text: "hi" }] }];
const bare = { model: "m", max_tokens: 4096, messages: [{ role: "user", content: "hi" }], stream: true };
const bytes = Buffer.from("%PDF");
const elsewhere = { s3Location: { uri: "s3://b/k" } };
const weather = { toolSpec: { name: "t", inputSchema: { json: {} } } };

function convert(input: Input, takesDocumentBlocks = true) {
  return toMessagesRequest({ modelId: "x", ...input }, { model: "m", maxTokens: 4096, takesDocumentBlocks });
}

function heldTo(schema: string): Pick<Input, "outputConfig"> {
  return { outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema: { schema } } } } };
}

it("sends nothing that was not asked for, but the limit that the API wants", () => {
  expect(convert({ messages: hi })).toEqual({ body: bare, dropped: [] });
});

describe("converts", () => {
  it.each<[string, Input, Record<string, unknown>]>([
    [
      "parameters",
      { inferenceConfig: { maxTokens: 5, temperature: 0.5, topP: 0.9, stopSequences: ["###"] } },
      { max_tokens: 5, temperature: 0.5, top_p: 0.9, stop_sequences: ["###"] },
    ],
    [
      "fields of the model's own",
      { additionalModelRequestFields: { top_k: 3, thinking: { type: "enabled", budget_tokens: 1024 } } },
      { top_k: 3, thinking: { type: "enabled", budget_tokens: 1024 } },
    ],
    [
      "an effort and a schema, into one object",
      {
        additionalModelRequestFields: { thinking: { type: "adaptive" }, output_config: { effort: "low" } },
        ...heldTo('{"type":"object"}'),
      },
      {
        thinking: { type: "adaptive" },
        output_config: { effort: "low", format: { type: "json_schema", schema: { type: "object" } } },
      },
    ],
    ["a system prompt, as a text", { system: [{ text: "Be brief." }] }, { system: "Be brief." }],
    [
      "a cached system prompt, as blocks",
      { system: [{ text: "a" }, { text: "b" }, { cachePoint: { type: "default", ttl: "1h" } }] },
      {
        system: [
          { type: "text", text: "a" },
          { type: "text", text: "b", cache_control: { type: "ephemeral", ttl: "1h" } },
        ],
      },
    ],
    [
      "tools, the last of them cached, and the one to call",
      {
        toolConfig: {
          tools: [
            { toolSpec: { ...weather.toolSpec, description: "d", strict: true } },
            { cachePoint: { type: "default" } },
          ],
          toolChoice: { tool: { name: "t" } },
        },
      },
      {
        tools: [
          {
            name: "t",
            description: "d",
            input_schema: {},
            strict: true,
            cache_control: { type: "ephemeral" },
          },
        ],
        tool_choice: { type: "tool", name: "t" },
      },
    ],
    [
      "a tool that must be called, whichever it is",
      { toolConfig: { tools: [weather], toolChoice: { any: {} } } },
      { tools: [{ name: "t", input_schema: {} }], tool_choice: { type: "any" } },
    ],
    [
      "tools that may be called",
      { toolConfig: { tools: [weather], toolChoice: { auto: {} } } },
      { tools: [{ name: "t", input_schema: {} }], tool_choice: { type: "auto" } },
    ],
    ["the tier with priority", { serviceTier: { type: "priority" } }, { service_tier: "auto" }],
    ["the tier without", { serviceTier: { type: "default" } }, { service_tier: "standard_only" }],
    ["the user", { requestMetadata: { user_id: "u1" } }, { metadata: { user_id: "u1" } }],
  ])("%s", (_, input, expected) => {
    expect(convert({ messages: hi, ...input })).toEqual({ body: { ...bare, ...expected }, dropped: [] });
  });
});

it("names what has no counterpart", () => {
  const { body, dropped } = convert({
    messages: hi,
    guardrailConfig: { guardrailIdentifier: "g", guardrailVersion: "1" },
    serviceTier: { type: "flex" },
    performanceConfig: { latency: "optimized" },
    requestMetadata: { a: "b" },
  });
  expect(body).toEqual(bare);
  expect(dropped).toEqual(["guardrailConfig", "performanceConfig", "serviceTier", "requestMetadata"]);
});

describe("converts a person's message", () => {
  it.each<[string, NonNullable<Message["content"]>, unknown]>([
    [
      "with images",
      [{ image: { format: "png", source: { bytes: Buffer.from("abc") } } }, { text: "see" }],
      [
        { type: "image", source: { type: "base64", media_type: "image/png", data: "YWJj" } },
        { type: "text", text: "see" },
      ],
    ],
    [
      "with a cache point behind a block",
      [{ text: "hi" }, { cachePoint: { type: "default" } }],
      [{ type: "text", text: "hi", cache_control: { type: "ephemeral" } }],
    ],
    ["with a cache point behind nothing", [{ cachePoint: { type: "default" } }, { text: "hi" }], "hi"],
    [
      "with a pdf to cite",
      [{ document: { format: "pdf", name: "p", source: { bytes }, citations: { enabled: true } } }],
      [
        {
          type: "document",
          source: { type: "base64", media_type: "application/pdf", data: "JVBERg==" },
          title: "p",
          citations: { enabled: true },
        },
      ],
    ],
    [
      "with a text document and what is said of it",
      [{ document: { format: "md", name: "n", source: { text: "# Hi" }, context: "draft" } }],
      [
        {
          type: "document",
          source: { type: "text", media_type: "text/plain", data: "# Hi" },
          title: "n",
          context: "draft",
        },
      ],
    ],
    [
      "with a document in parts",
      [{ document: { name: "parts", source: { content: [{ text: "a" }] } } }],
      [
        {
          type: "document",
          source: { type: "content", content: [{ type: "text", text: "a" }] },
          title: "parts",
        },
      ],
    ],
    [
      "with what a search found",
      [
        {
          searchResult: {
            source: "https://e.com",
            title: "E",
            content: [{ text: "found" }],
            citations: { enabled: true },
          },
        },
      ],
      [
        {
          type: "search_result",
          source: "https://e.com",
          title: "E",
          content: [{ type: "text", text: "found" }],
          citations: { enabled: true },
        },
      ],
    ],
    [
      "with results of tools, their files and their failures",
      [
        { toolResult: { toolUseId: "a", content: [{ json: { y: 2 } }], status: "success" } },
        {
          toolResult: {
            toolUseId: "b",
            status: "error",
            content: [{ text: "no" }, { image: { format: "gif", source: { bytes: Buffer.from("g") } } }],
          },
        },
      ],
      [
        { type: "tool_result", tool_use_id: "a", content: '{"y":2}' },
        {
          type: "tool_result",
          tool_use_id: "b",
          content: [
            { type: "text", text: "no" },
            { type: "image", source: { type: "base64", media_type: "image/gif", data: "Zw==" } },
          ],
          is_error: true,
        },
      ],
    ],
  ])("%s", (_, content, expected) => {
    expect(convert({ messages: [{ role: "user", content }] }).body.messages).toEqual([
      { role: "user", content: expected },
    ]);
  });

  it("with text documents as text, for models that are not known to take blocks of them", () => {
    const content: Message["content"] = [
      { document: { format: "txt", name: "n", source: { text: "words" } } },
      { text: "sum up" },
    ];
    expect(convert({ messages: [{ role: "user", content }] }, false).body.messages[0]?.content).toEqual([
      { type: "text", text: '<document name="n">\nwords\n</document>' },
      { type: "text", text: "sum up" },
    ]);
  });

  it.each<[string, NonNullable<Message["content"]>]>([
    ["videos", [{ video: { format: "mp4", source: { bytes } } }]],
    ["images elsewhere", [{ image: { format: "png", source: elsewhere } }]],
    ["documents elsewhere", [{ document: { format: "pdf", name: "d", source: elsewhere } }]],
    ["documents of other formats", [{ document: { format: "docx", name: "d", source: { bytes } } }]],
    [
      "videos in results of tools",
      [{ toolResult: { toolUseId: "a", content: [{ video: { format: "mp4", source: { bytes } } }] } }],
    ],
  ])("but not with %s", (_, content) => {
    expect(() => convert({ messages: [{ role: "user", content }] })).toThrow(
      expect.objectContaining({ code: "bad-attachment" }),
    );
  });
});

it("converts an answer: reasoning that is signed or sealed, words and calls", () => {
  const content: Message["content"] = [
    { reasoningContent: { reasoningText: { text: "hm", signature: "sig" } } },
    { reasoningContent: { reasoningText: { text: "nobody's" } } },
    { reasoningContent: { redactedContent: Buffer.from("EmwKAhgB+/=") } },
    { reasoningContent: { redactedContent: Buffer.from([0, 255]) } },
    { text: "I look." },
    { toolUse: { toolUseId: "a", name: "t", input: { x: 1 } } },
  ];
  expect(convert({ messages: [{ role: "assistant", content }] }).body.messages).toEqual([
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "hm", signature: "sig" },
        { type: "redacted_thinking", data: "EmwKAhgB+/=" },
        { type: "redacted_thinking", data: "AP8=" },
        { type: "text", text: "I look." },
        { type: "tool_use", id: "a", name: "t", input: { x: 1 } },
      ],
    },
  ]);
});

it.each<[string, Input]>([
  [
    "a tool of the service's own",
    { messages: hi, toolConfig: { tools: [{ systemTool: { name: "nova_grounding" } }] } },
  ],
  ["a schema that is none", { messages: hi, ...heldTo("{") }],
])("refuses %s", (_, input) => {
  expect(() => convert(input)).toThrow(expect.objectContaining({ code: "invalid-request" }));
});
