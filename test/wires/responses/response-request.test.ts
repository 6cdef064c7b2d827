import type { ContentBlock, ConverseStreamCommandInput, Message } from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { toResponseRequest } from "../../../src/wires/responses/response-request.ts";

const hi: Message[] = [{ role: "user", content: [{ text: "hi" }] }];
const bare = { model: "m", input: [{ role: "user", content: "hi" }], stream: true, store: false };

type Input = Omit<ConverseStreamCommandInput, "modelId">;

function convert(input: Input, reasoning = { isKept: false, isShown: false }) {
  return toResponseRequest({ modelId: "x", ...input }, "m", reasoning);
}

/** The input items of a message of this role. */
function items(role: "user" | "assistant", ...content: ContentBlock[]) {
  return convert({ messages: [{ role, content }] }).input;
}

it("sends nothing that was not asked for, and leaves nothing at the server", () => {
  expect(convert({ messages: hi })).toEqual(bare);
});

describe("converts", () => {
  it.each<[string, Input, Record<string, unknown>]>([
    ["a system prompt", { system: [{ text: "Be brief." }] }, { instructions: "Be brief." }],
    [
      "parameters",
      { inferenceConfig: { maxTokens: 500, temperature: 0.5, topP: 0.9 } },
      { max_output_tokens: 500, temperature: 0.5, top_p: 0.9 },
    ],
    ["a limit below the least", { inferenceConfig: { maxTokens: 5 } }, { max_output_tokens: 16 }],
    [
      "fields of the model's own",
      { additionalModelRequestFields: { top_k: 3, truncation: "auto", text: { verbosity: "low" } } },
      { top_k: 3, truncation: "auto", text: { verbosity: "low" } },
    ],
    [
      "an effort",
      { additionalModelRequestFields: { reasoning_effort: "high" } },
      { reasoning: { effort: "high" } },
    ],
    [
      "GPT-5's effort of Converse",
      { additionalModelRequestFields: { reasoning: { effort: "max" } } },
      { reasoning: { effort: "max" } },
    ],
    [
      "Claude's effort",
      { additionalModelRequestFields: { thinking: { type: "adaptive" }, output_config: { effort: "low" } } },
      { reasoning: { effort: "low" } },
    ],
    [
      "tools",
      {
        toolConfig: {
          tools: [
            { toolSpec: { name: "t", description: "d", inputSchema: { json: { type: "object" } } } },
            { toolSpec: { name: "u", strict: true, inputSchema: { json: {} } } },
            { cachePoint: { type: "default" } },
          ],
          toolChoice: { tool: { name: "t" } },
        },
      },
      {
        tools: [
          { type: "function", name: "t", description: "d", parameters: { type: "object" }, strict: false },
          { type: "function", name: "u", parameters: {}, strict: true },
        ],
        tool_choice: { type: "function", name: "t" },
      },
    ],
    [
      "a tool of the server's own, behind those of the caller",
      {
        toolConfig: {
          tools: [
            { systemTool: { name: "web_search" } },
            { toolSpec: { name: "t", inputSchema: { json: {} } } },
          ],
        },
      },
      { tools: [{ type: "function", name: "t", parameters: {}, strict: false }, { type: "web_search" }] },
    ],
    [
      "a tool that must be called",
      {
        toolConfig: {
          tools: [{ toolSpec: { name: "t", inputSchema: { json: {} } } }],
          toolChoice: { any: {} },
        },
      },
      {
        tools: [{ type: "function", name: "t", parameters: {}, strict: false }],
        tool_choice: "required",
      },
    ],
    [
      "a schema, beside what else is said of the text",
      {
        additionalModelRequestFields: { text: { verbosity: "low" } },
        outputConfig: {
          textFormat: {
            type: "json_schema",
            structure: { jsonSchema: { name: "answer", schema: '{"type":"object"}' } },
          },
        },
      },
      {
        text: {
          verbosity: "low",
          format: { type: "json_schema", name: "answer", schema: { type: "object" } },
        },
      },
    ],
    ["the service tier", { serviceTier: { type: "flex" } }, { service_tier: "flex" }],
    ["the caller's metadata", { requestMetadata: { team: "a" } }, { metadata: { team: "a" } }],
  ])("%s", (_, input, expected) => {
    expect(convert({ messages: hi, ...input })).toEqual({ ...bare, ...expected });
  });

  it("asks for reasoning that can go back, and for a summary to read", () => {
    const fields = {
      additionalModelRequestFields: { reasoning_effort: "low", include: ["message.output_text.logprobs"] },
    };
    expect(convert({ messages: hi, ...fields }, { isKept: true, isShown: true })).toEqual({
      ...bare,
      include: ["message.output_text.logprobs", "reasoning.encrypted_content"],
      reasoning: { effort: "low", summary: "auto" },
    });
    const none = { additionalModelRequestFields: { reasoning_effort: "none" } };
    expect(convert({ messages: hi, ...none }, { isKept: false, isShown: true }).reasoning).toEqual({
      effort: "none",
    });
  });
});

describe("converts messages", () => {
  const png = Uint8Array.of(1, 2, 3);

  it("of a person, with files", () => {
    expect(
      items(
        "user",
        { image: { format: "png", source: { bytes: png } } },
        { document: { format: "pdf", name: "paper", source: { bytes: png } } },
        { document: { format: "txt", name: "notes", source: { text: "words" } } },
        { text: "What is this?" },
        { cachePoint: { type: "default" } },
      ),
    ).toEqual([
      {
        role: "user",
        content: [
          { type: "input_image", image_url: "data:image/png;base64,AQID", detail: "auto" },
          { type: "input_file", filename: "paper.pdf", file_data: "data:application/pdf;base64,AQID" },
          { type: "input_text", text: '<document name="notes">\nwords\n</document>' },
          { type: "input_text", text: "What is this?" },
        ],
      },
    ]);
  });

  it("with results of tools, which hold images", () => {
    expect(
      items(
        "user",
        { toolResult: { toolUseId: "a", content: [{ text: "one" }, { json: { two: 2 } }] } },
        {
          toolResult: {
            toolUseId: "b",
            content: [{ text: "seen" }, { image: { format: "png", source: { bytes: png } } }],
          },
        },
        { text: "Go on." },
      ),
    ).toEqual([
      { type: "function_call_output", call_id: "a", output: 'one\n\n{"two":2}' },
      {
        type: "function_call_output",
        call_id: "b",
        output: [
          { type: "input_text", text: "seen" },
          { type: "input_image", image_url: "data:image/png;base64,AQID", detail: "auto" },
        ],
      },
      { role: "user", content: "Go on." },
    ]);
  });

  it("of an assistant, in the order in which it reasoned, spoke and called", () => {
    expect(
      items(
        "assistant",
        { reasoningContent: { reasoningText: { text: "hm", signature: "rs_1:gAAA" } } },
        { text: "I look." },
        { reasoningContent: { reasoningText: { text: "", signature: ":gBBB" } } },
        { toolUse: { toolUseId: "a", name: "look", input: { at: 1 } } },
      ),
    ).toEqual([
      {
        type: "reasoning",
        id: "rs_1",
        summary: [{ type: "summary_text", text: "hm" }],
        encrypted_content: "gAAA",
      },
      { role: "assistant", content: "I look." },
      { type: "reasoning", id: "", summary: [], encrypted_content: "gBBB" },
      { type: "function_call", call_id: "a", name: "look", arguments: '{"at":1}' },
    ]);
  });

  it("without reasoning that another API signed, and without what nothing follows", () => {
    expect(
      items(
        "assistant",
        { reasoningContent: { reasoningText: { text: "hm", signature: "EqoBCkgIARABGAIiQL8=" } } },
        { reasoningContent: { redactedContent: png } },
        { text: "Yes." },
        { reasoningContent: { reasoningText: { text: "hm", signature: "rs_1:gAAA" } } },
      ),
    ).toEqual([{ role: "assistant", content: "Yes." }]);
  });

  it("and refuses what there is no part for", () => {
    const video: ContentBlock = { video: { format: "mp4", source: { bytes: png } } };
    expect(() => items("user", video)).toThrow("A video block has no counterpart in OpenAI's API.");
  });
});
