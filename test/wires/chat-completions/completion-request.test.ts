import type { ConverseStreamCommandInput, Message } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import {
  inWordsOfServer,
  toCompletionRequest,
} from "../../../src/wires/chat-completions/completion-request.ts";

const hi: Message[] = [{ role: "user", content: [{ text: "hi" }] }];
const bare = {
  model: "m",
  messages: [{ role: "user", content: "hi" }],
  stream: true,
  stream_options: { include_usage: true },
};

function convert(input: Omit<ConverseStreamCommandInput, "modelId">) {
  return toCompletionRequest({ modelId: "x", ...input }, "m");
}

it("sends nothing that was not asked for", () => {
  expect(convert({ messages: hi })).toEqual({ body: bare, dropped: [] });
});

describe("converts", () => {
  it.each<[string, Omit<ConverseStreamCommandInput, "modelId">, Record<string, unknown>]>([
    [
      "parameters",
      { inferenceConfig: { maxTokens: 5, temperature: 0.5, topP: 0.9, stopSequences: ["###"] } },
      { max_tokens: 5, temperature: 0.5, top_p: 0.9, stop: ["###"] },
    ],
    [
      "fields of the model's own",
      { additionalModelRequestFields: { top_k: 3, seed: 1 } },
      { top_k: 3, seed: 1 },
    ],
    [
      "an effort",
      { additionalModelRequestFields: { reasoning_effort: "high" } },
      { reasoning_effort: "high" },
    ],
    [
      "Claude's effort",
      { additionalModelRequestFields: { thinking: { type: "adaptive" }, output_config: { effort: "low" } } },
      { reasoning_effort: "low" },
    ],
    [
      "Claude's reasoning that is off",
      { additionalModelRequestFields: { thinking: { type: "disabled" } } },
      { reasoning_effort: "none" },
    ],
    [
      "Nova's effort",
      {
        additionalModelRequestFields: { reasoningConfig: { type: "enabled", maxReasoningEffort: "medium" } },
      },
      { reasoning_effort: "medium" },
    ],
    [
      "tools",
      {
        toolConfig: {
          tools: [
            { toolSpec: { name: "t", description: "d", inputSchema: { json: { type: "object" } } } },
            { cachePoint: { type: "default" } },
          ],
          toolChoice: { tool: { name: "t" } },
        },
      },
      {
        tools: [
          { type: "function", function: { name: "t", description: "d", parameters: { type: "object" } } },
        ],
        tool_choice: { type: "function", function: { name: "t" } },
      },
    ],
    [
      "a tool that must be called",
      {
        toolConfig: {
          tools: [{ toolSpec: { name: "t", inputSchema: { json: {} } } }],
          toolChoice: { any: {} },
        },
      },
      { tools: [{ type: "function", function: { name: "t", parameters: {} } }], tool_choice: "required" },
    ],
    [
      "a schema",
      {
        outputConfig: {
          textFormat: {
            type: "json_schema",
            structure: { jsonSchema: { name: "answer", schema: '{"type":"object"}' } },
          },
        },
      },
      {
        response_format: { type: "json_schema", json_schema: { name: "answer", schema: { type: "object" } } },
      },
    ],
  ])("%s", (_, input, expected) => {
    expect(convert({ messages: hi, ...input }).body).toEqual({ ...bare, ...expected });
  });
});

it("names what has no counterpart", () => {
  const { body, dropped } = convert({
    messages: [{ role: "user", content: [{ text: "hi" }, { cachePoint: { type: "default" } }] }],
    guardrailConfig: { guardrailIdentifier: "g", guardrailVersion: "1" },
    serviceTier: { type: "flex" },
    performanceConfig: { latency: "optimized" },
    requestMetadata: { a: "b" },
    additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 1024 } },
  });
  expect(body).toEqual(bare);
  expect(dropped).toEqual([
    "guardrailConfig",
    "serviceTier",
    "performanceConfig",
    "requestMetadata",
    "cachePoint",
    "thinking",
  ]);
});

describe("converts messages", () => {
  it.each<[string, Message[], unknown[]]>([
    [
      "with images, as parts",
      [
        {
          role: "user",
          content: [{ text: "see" }, { image: { format: "png", source: { bytes: Buffer.from("abc") } } }],
        },
      ],
      [
        {
          role: "user",
          content: [
            { type: "text", text: "see" },
            { type: "image_url", image_url: { url: "data:image/png;base64,YWJj" } },
          ],
        },
      ],
    ],
    [
      "with recordings, as parts",
      [
        {
          role: "user",
          content: [
            { audio: { format: "mp3", source: { bytes: Buffer.from("abc") } } },
            { audio: { format: "wav", source: { bytes: Buffer.from("de") } } },
          ],
        },
      ],
      [
        {
          role: "user",
          content: [
            { type: "input_audio", input_audio: { data: "YWJj", format: "mp3" } },
            { type: "input_audio", input_audio: { data: "ZGU=", format: "wav" } },
          ],
        },
      ],
    ],
    [
      "with text documents, as text",
      [
        {
          role: "user",
          content: [
            { document: { format: "md", name: "notes", source: { text: "# Hi" } } },
            { text: "sum up" },
          ],
        },
      ],
      [{ role: "user", content: '<document name="notes">\n# Hi\n</document>\n\nsum up' }],
    ],
    [
      "with other documents, as files",
      [
        {
          role: "user",
          content: [{ document: { format: "pdf", name: "p", source: { bytes: Buffer.from("%PDF") } } }],
        },
      ],
      [
        {
          role: "user",
          content: [
            {
              type: "file",
              file: { filename: "p.pdf", file_data: "data:application/pdf;base64,JVBERg==" },
            },
          ],
        },
      ],
    ],
    [
      "with calls and their results, which come before the next text",
      [
        {
          role: "assistant",
          content: [
            { reasoningContent: { reasoningText: { text: "hm" } } },
            { toolUse: { toolUseId: "a", name: "t", input: { x: 1 } } },
          ],
        },
        {
          role: "user",
          content: [
            { text: "and?" },
            {
              toolResult: {
                toolUseId: "a",
                content: [{ json: { y: 2 } }, { text: "done" }],
              },
            },
            { image: { format: "jpeg", source: { bytes: Buffer.from("j") } } },
          ],
        },
      ],
      [
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "a", type: "function", function: { name: "t", arguments: '{"x":1}' } }],
        },
        { role: "tool", tool_call_id: "a", content: '{"y":2}\n\ndone' },
        {
          role: "user",
          content: [
            { type: "text", text: "and?" },
            { type: "image_url", image_url: { url: "data:image/jpeg;base64,ag==" } },
          ],
        },
      ],
    ],
  ])("%s", (_, messages, expected) => {
    expect(convert({ messages }).body.messages).toEqual(expected);
  });

  it("behind the system prompt", () => {
    expect(convert({ messages: hi, system: [{ text: "a" }, { text: "b" }] }).body.messages[0]).toEqual({
      role: "system",
      content: "a\n\nb",
    });
  });

  it.each<[string, Message["content"]]>([
    ["videos", [{ video: { format: "mp4", source: { bytes: Buffer.from("v") } } }]],
    ["files elsewhere", [{ image: { format: "png", source: { s3Location: { uri: "s3://b/k" } } } }]],
  ])("but not %s", (_, content) => {
    expect(() => convert({ messages: [{ role: "user", content }] })).toThrow(
      expect.objectContaining({ code: "bad-attachment" }),
    );
  });
});

describe("asks in other words where the server wants them", () => {
  const body = { ...convert({ messages: hi, inferenceConfig: { maxTokens: 7 } }).body };

  it("for the limit of OpenAI's reasoning models, and back for a server that knows the older name only", () => {
    const named = inWordsOfServer(body, [{ name: "length-field", value: "max_completion_tokens" }]);
    expect(named).toEqual({ ...bare, max_completion_tokens: 7 });
    expect(inWordsOfServer(named, [{ name: "length-field", value: "max_tokens" }])).toEqual(body);
  });

  it("for servers that do not count streams", () => {
    expect(inWordsOfServer(body, [{ name: "no-stream-options" }])).toEqual({
      model: "m",
      messages: bare.messages,
      stream: true,
      max_tokens: 7,
    });
  });

  it("and not for other lessons, nor where there is no limit", () => {
    expect(inWordsOfServer(body, [{ name: "temperature" }])).toEqual(body);
    const { body: unbounded } = convert({ messages: hi });
    expect(inWordsOfServer(unbounded, [{ name: "length-field", value: "max_completion_tokens" }])).toEqual(
      unbounded,
    );
  });
});
