import {
  type ContentBlock,
  ConverseCommand,
  type ConverseCommandInput,
  CountTokensCommand,
  type Message,
  type ToolUseBlock,
} from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { emulate, runtimeClient, user } from "./clients.ts";
import { send, sign } from "./signed-request.ts";

const NOVA = "amazon.nova-micro-v1:0";
const CLAUDE = "us.anthropic.claude-sonnet-4-6";
const MODEL_SAYS = "The model returned the following errors:";
const toolConfig = { tools: [{ toolSpec: { name: "t", inputSchema: { json: { type: "object" } } } }] };
const named = (name: string): ContentBlock => ({
  document: { name, format: "txt", source: { bytes: new Uint8Array([97]) } },
});
const called = (toolUseId: string, input: ToolUseBlock["input"] = {}): Message => ({
  role: "assistant",
  content: [{ toolUse: { toolUseId, name: "t", input } }],
});
const result = (toolUseId: string): ContentBlock => ({
  toolResult: { toolUseId, content: [{ text: "4" }] },
});
const UNSUPPORTED =
  "This action doesn't support the model that you provided. Try again with a supported text or chat model.";

function onDemand(modelId: string): string {
  return (
    `Invocation of model ID ${modelId} with on-demand throughput isn’t supported. Retry your request with the ID or ` +
    "ARN of an inference profile that contains this model."
  );
}

describe("Converse", () => {
  it("takes videos and recordings, here and in Amazon S3", async () => {
    const client = runtimeClient(await emulate(), "HTTP/2");
    const s3Location = { uri: "s3://bucket/a", bucketOwner: "123456789012" };
    const asked = async (modelId: string, content: ContentBlock[]): Promise<string | undefined> => {
      const messages: Message[] = [{ role: "user", content: [...content, { text: "What is it?" }] }];
      const { output } = await client.send(new ConverseCommand({ modelId, messages }));
      return output?.message?.content?.[0]?.text;
    };
    expect(
      await asked("amazon.nova-lite-v1:0", [
        { video: { format: "three_gp", source: { s3Location } } },
        { image: { format: "png", source: { s3Location } } },
      ]),
    ).toMatch(/You attached 1 video, 1 image\.$/);
    expect(
      await asked("mistral.voxtral-small-24b-2507", [
        { audio: { format: "mp3", source: { bytes: new Uint8Array([1]) } } },
        { audio: { format: "m4a", source: { s3Location } } },
      ]),
    ).toMatch(/You attached 2 recordings\.$/);
  });

  it("answers whole, the same each time", async () => {
    const client = runtimeClient(await emulate(), "HTTP/2");
    const input = { modelId: NOVA, messages: user("Hello there") };
    const first = await client.send(new ConverseCommand(input));
    expect(first).toMatchObject({
      output: {
        message: {
          role: "assistant",
          content: [
            {
              text: "This is a simulated answer from the openclaw emulator (model Nova Micro). You asked: Hello there",
            },
          ],
        },
      },
      stopReason: "end_turn",
      usage: { inputTokens: 3, outputTokens: 24, totalTokens: 27 },
    });
    const second = await client.send(new ConverseCommand(input));
    expect(second.output).toEqual(first.output);
  });

  it("answers for a LEGACY model", async () => {
    const client = runtimeClient(await emulate(), "HTTP/1.1");
    const answer = await client.send(
      new ConverseCommand({ modelId: "anthropic.claude-3-5-sonnet-20240620-v1:0", messages: user("Hi") }),
    );
    expect(answer.stopReason).toBe("end_turn");
  });

  it.each<[string, Partial<ConverseCommandInput>, string]>([
    [
      "an unknown model",
      { modelId: "us.anthropic.claude-opus-4-6-v1:0" },
      "The provided model identifier is invalid.",
    ],
    [
      "a profile of another geography",
      { modelId: "eu.amazon.nova-pro-v1:0" },
      "The provided model identifier is invalid.",
    ],
    [
      "an ARN of another region",
      { modelId: "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-pro-v1:0" },
      "The provided model identifier is invalid.",
    ],
    [
      "a model that needs a profile",
      { modelId: "anthropic.claude-sonnet-4-6" },
      onDemand("anthropic.claude-sonnet-4-6"),
    ],
    [
      "a provisioned variant",
      { modelId: "anthropic.claude-3-haiku-20240307-v1:0:48k" },
      onDemand("anthropic.claude-3-haiku-20240307-v1:0:48k"),
    ],
    ["an embedding model", { modelId: "amazon.titan-embed-text-v2:0" }, UNSUPPORTED],
    ["an image model", { modelId: "amazon.nova-canvas-v1:0" }, UNSUPPORTED],
    ["a speech model", { modelId: "amazon.nova-sonic-v1:0" }, UNSUPPORTED],
    ["a reranker", { modelId: "cohere.rerank-v3-5:0" }, UNSUPPORTED],
    [
      "no message",
      { messages: [] },
      "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
    ],
    [
      "an assistant who begins",
      { messages: [{ role: "assistant", content: [{ text: "Hi" }] }] },
      "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
    ],
    [
      "two user messages in a row",
      { messages: [...user("a"), ...user("b")] },
      "A conversation must alternate between user and assistant roles. Make sure the conversation alternates between " +
        "user and assistant roles and try again.",
    ],
    [
      "a message without content",
      { messages: [{ role: "user", content: [] }] },
      "The content field in the Message object at messages.0 is empty. Add a ContentBlock object to the content field " +
        "and try again.",
    ],
    [
      "a blank text",
      { messages: [{ role: "user", content: [{ text: "a" }, { text: " \n" }] }] },
      "The text field in the ContentBlock object at messages.0.content.1 is blank. Add text to the text field, and try again.",
    ],
    [
      "a document without a text beside it",
      {
        messages: [
          {
            role: "user",
            content: [{ document: { name: "a", format: "txt", source: { bytes: new Uint8Array([97]) } } }],
          },
        ],
      },
      "A text block must be included when using documents. Add a text block and retry your request.",
    ],
    [
      "a tool result without tools",
      {
        messages: [{ role: "user", content: [{ toolResult: { toolUseId: "t", content: [{ text: "4" }] } }] }],
      },
      "The toolConfig field must be defined when using toolUse and toolResult content blocks.",
    ],
    [
      "no tokens to put out",
      { inferenceConfig: { maxTokens: 0 } },
      "1 validation error detected: Value '0' at 'inferenceConfig.maxTokens' failed to satisfy constraint: Member must " +
        "have value greater than or equal to 1",
    ],
    [
      "several values out of range",
      { inferenceConfig: { temperature: 1.5, topP: -1, stopSequences: [""] } },
      "3 validation errors detected: Value '1.5' at 'inferenceConfig.temperature' failed to satisfy constraint: Member " +
        "must have value less than or equal to 1; Value '-1' at 'inferenceConfig.topP' failed to satisfy constraint: " +
        "Member must have value greater than or equal to 0; Value '' at 'inferenceConfig.stopSequences.1.member' failed " +
        "to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      "an unknown role",
      { messages: [{ role: "system" as "user", content: [{ text: "a" }] }] },
      "1 validation error detected: Value 'system' at 'messages.1.member.role' failed to satisfy constraint: Member must " +
        "satisfy enum value set: [user, assistant]",
    ],
    [
      "more tokens than the model has",
      { inferenceConfig: { maxTokens: 20000 } },
      "The maximum tokens you requested exceeds the model limit of 10000. Try again with a maximum tokens value that is " +
        "lower than 10000.",
    ],
    [
      "a document's name with a dot",
      { messages: [{ role: "user", content: [{ text: "a" }, named("a.txt")] }] },
      "The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and " +
        "square brackets. The name can't contain more than one consecutive whitespace character. Check that the file name " +
        "conforms to these restrictions and retry your request.",
    ],
    [
      "two documents of one name",
      { messages: [{ role: "user", content: [{ text: "a" }, named("a"), named("a")] }] },
      "Messages can't contain duplicate document names. Rename the document and retry your request.",
    ],
    [
      "a video for Claude",
      {
        modelId: CLAUDE,
        messages: [
          {
            role: "user",
            content: [{ text: "a" }, { video: { format: "mp4", source: { bytes: new Uint8Array([1]) } } }],
          },
        ],
      },
      "This model doesn't support the video content block that you provided. Update the content block and try again.",
    ],
    [
      "a recording for Nova, of a format that there is not, in a bucket that there cannot be",
      {
        messages: [
          {
            role: "user",
            content: [
              {
                audio: {
                  format: "midi" as "mp3",
                  source: { s3Location: { uri: "s3://B/a.mp3", bucketOwner: "1" } },
                },
              },
            ],
          },
        ],
      },
      "3 validation errors detected: Value 'midi' at 'messages.1.member.content.1.member.audio.format' failed to satisfy " +
        "constraint: Member must satisfy enum value set: [mp3, opus, wav, aac, flac, mp4, ogg, mkv, mka, x-aac, m4a, mpeg, " +
        "mpga, pcm, webm]; Value 's3://B/a.mp3' at 'messages.1.member.content.1.member.audio.source.s3Location.uri' failed " +
        "to satisfy constraint: Member must satisfy regular expression pattern: " +
        String.raw`s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?; Value '1' at ` +
        "'messages.1.member.content.1.member.audio.source.s3Location.bucketOwner' failed to satisfy constraint: Member must " +
        "satisfy regular expression pattern: [0-9]{12}",
    ],
    [
      "a call without its result",
      { messages: [...user("a"), called("t1"), ...user("b")], toolConfig },
      "Expected toolResult blocks at messages.2.content for the following Ids: t1",
    ],
    [
      "a result without a call",
      { messages: [{ role: "user", content: [result("t1")] }], toolConfig },
      "The number of toolResult blocks at messages.0.content exceeds the number of toolUse blocks of previous turn.",
    ],
    [
      "two results of one call",
      {
        messages: [...user("a"), called("t1"), { role: "user", content: [result("t1"), result("t1")] }],
        toolConfig,
      },
      "The toolResult blocks at messages.2.content contain duplicate Ids: t1",
    ],
    [
      "a tool's input that is no object",
      { messages: [...user("a"), called("t1", "{}"), { role: "user", content: [result("t1")] }], toolConfig },
      "The format of the value at messages.1.content.0.toolUse.input is invalid. Provide a json object for the field and try again.",
    ],
    [
      "a tool's id of another alphabet",
      { messages: [...user("a"), called("t 1")], toolConfig },
      "1 validation error detected: Value 't 1' at 'messages.2.member.content.1.member.toolUse.toolUseId' failed to satisfy " +
        "constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.:-]+",
    ],
    [
      "a tool's schema without an object at its root",
      { toolConfig: { tools: [{ toolSpec: { name: "t", inputSchema: { json: { oneOf: [] } } } }] } },
      "The value at toolConfig.tools.0.toolSpec.inputSchema.json.type must be one of the following: object.",
    ],
    [
      "alternatives at the root of a schema for Claude",
      {
        modelId: CLAUDE,
        toolConfig: {
          tools: [{ toolSpec: { name: "t", inputSchema: { json: { type: "object", oneOf: [] } } } }],
        },
      },
      `${MODEL_SAYS} tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level`,
    ],
    [
      "two tools of one name for Claude",
      { modelId: CLAUDE, toolConfig: { tools: [...toolConfig.tools, ...toolConfig.tools] } },
      `${MODEL_SAYS} tools: Tool names must be unique.`,
    ],
    [
      "words before a result for Claude",
      {
        modelId: CLAUDE,
        messages: [...user("a"), called("t1"), { role: "user", content: [{ text: "b" }, result("t1")] }],
        toolConfig,
      },
      `${MODEL_SAYS} messages.1: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: t1. ` +
        "Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
    ],
    [
      "words behind a call for Claude",
      {
        modelId: CLAUDE,
        messages: [
          ...user("a"),
          { role: "assistant", content: [...(called("t1").content ?? []), { text: "b" }] },
          { role: "user", content: [result("t1")] },
        ],
        toolConfig,
      },
      `${MODEL_SAYS} messages.1: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: t1. ` +
        "Each `tool_use` block must have a corresponding `tool_result` block in the next message.",
    ],
    [
      "reasoning behind words for Claude",
      {
        modelId: CLAUDE,
        messages: [
          ...user("a"),
          {
            role: "assistant",
            content: [{ text: "b" }, { reasoningContent: { reasoningText: { text: "c", signature: "d" } } }],
          },
          ...user("e"),
        ],
      },
      `${MODEL_SAYS} messages.1.content.0: If an assistant message contains any thinking blocks, the first block must be \`thinking\` or \`redacted_thinking\`. Found \`text\`.`,
    ],
    [
      "a round of tools that lost what was thought before it",
      {
        modelId: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        messages: [...user("a"), called("t1"), { role: "user", content: [result("t1")] }],
        toolConfig,
        inferenceConfig: { maxTokens: 4000 },
        additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 2000 } },
      },
      `${MODEL_SAYS} messages.1.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`tool_use\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks). We recommend you include thinking blocks from previous turns. To avoid this requirement, disable \`thinking\`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking`,
    ],
    [
      "a cache point behind the tools for Nova",
      { toolConfig: { tools: [...toolConfig.tools, { cachePoint: { type: "default" } }] } },
      `${MODEL_SAYS} Malformed input request: #/toolConfig/tools/1: extraneous key [cachePoint] is not permitted, please reformat your input and try again.`,
    ],
    [
      "definitions in a tool's schema for Nova",
      {
        toolConfig: {
          tools: [{ toolSpec: { name: "t", inputSchema: { json: { type: "object", $defs: {} } } } }],
        },
      },
      `${MODEL_SAYS} Malformed input request: #/toolConfig/tools/0/toolSpec/inputSchema/json: extraneous key [$defs] is not permitted, please reformat your input and try again.`,
    ],
    [
      "an image in a result for GPT",
      {
        modelId: "openai.gpt-oss-120b-1:0",
        messages: [
          ...user("a"),
          called("t1"),
          {
            role: "user",
            content: [
              {
                toolResult: {
                  toolUseId: "t1",
                  content: [{ image: { format: "png", source: { bytes: new Uint8Array([1]) } } }],
                },
              },
            ],
          },
        ],
        toolConfig,
      },
      "This model doesn't support the image field for user messages.",
    ],
    [
      "temperature with top-p for Claude",
      { modelId: CLAUDE, inferenceConfig: { temperature: 0.5, topP: 0.5 } },
      `${MODEL_SAYS} \`temperature\` and \`top_p\` cannot both be specified for this model. Please use only one.`,
    ],
    [
      "the beginning of an answer for Claude from 4.6",
      { modelId: CLAUDE, messages: [...user("a"), { role: "assistant", content: [{ text: "b" }] }] },
      `${MODEL_SAYS} This model does not support assistant message prefill. The conversation must end with a user message.`,
    ],
    [
      "a budget to think above the length of the answer",
      {
        modelId: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 16384 } },
      },
      `${MODEL_SAYS} \`max_tokens\` must be greater than \`thinking.budget_tokens\`.`,
    ],
  ])("refuses %s in the words of the service", async (_, input, message) => {
    const emulator = await emulate();
    const call = runtimeClient(emulator, "HTTP/2").send(
      new ConverseCommand({ modelId: NOVA, messages: user("Hi"), ...input }),
    );
    const error: unknown = await call.catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      name: "ValidationException",
      message,
      $metadata: { httpStatusCode: 400, requestId: emulator.calls[0]?.requestId },
    });
    expect(emulator.calls[0]?.status).toBe(400);
  });
});

describe("bodies that no SDK would send", () => {
  const message = { role: "user", content: [{ text: "Hi" }] };

  it.each<[unknown, string, string]>([
    ["not JSON", "SerializationException", "not a JSON object"],
    [[], "SerializationException", "not a JSON object"],
    [{ messages: "Hi" }, "ValidationException", "'messages'"],
    [{ messages: ["Hi"] }, "ValidationException", "'messages.1.member'"],
    [
      { messages: [{}] },
      "ValidationException",
      "2 validation errors detected: Value null at 'messages.1.member.role'",
    ],
    [{ messages: [{ role: 1, content: [] }] }, "ValidationException", "'messages.1.member.role'"],
    [
      { messages: [message], performanceConfig: { latency: "fast" } },
      "ValidationException",
      "Value 'fast' at 'performanceConfig.latency' failed to satisfy constraint: Member must satisfy enum value set: [standard, optimized]",
    ],
    [{ messages: [message], serviceTier: { type: "fast" } }, "ValidationException", "'serviceTier.type'"],
    [{ messages: [message], serviceTier: {} }, "ValidationException", "Value null at 'serviceTier.type'"],
    [
      { messages: [message], guardrailConfig: { trace: "on", streamProcessingMode: "later" } },
      "ValidationException",
      "2 validation errors detected: Value 'on' at 'guardrailConfig.trace'",
    ],
    [
      { messages: [{ role: "user", content: ["Hi"] }] },
      "ValidationException",
      "'messages.1.member.content.1.member'",
    ],
    [
      { messages: [{ role: "user", content: [{ text: 1 }] }] },
      "ValidationException",
      "'messages.1.member.content.1.member.text'",
    ],
    [{ messages: [message], system: ["a"] }, "ValidationException", "'system.1.member'"],
    [{ messages: [message], system: [{ text: 1 }] }, "ValidationException", "'system.1.member.text'"],
    [{ messages: [message], system: [{ text: "" }] }, "ValidationException", "'system.1.member.text'"],
    [
      { messages: [message], system: [{ text: " " }] },
      "ValidationException",
      "SystemContentBlock object at system.0 is blank",
    ],
    [{ messages: [message], inferenceConfig: 1 }, "ValidationException", "'inferenceConfig'"],
    [
      { messages: [message], inferenceConfig: { topP: "1" } },
      "ValidationException",
      "'inferenceConfig.topP'",
    ],
    [
      { messages: [message], inferenceConfig: { stopSequences: [1] } },
      "ValidationException",
      "'inferenceConfig.stopSequences.1.member'",
    ],
    [
      { messages: [message], inferenceConfig: { stopSequences: Array.from({ length: 2501 }, () => "x") } },
      "ValidationException",
      "have length less than or equal to 2500",
    ],
  ])("refuses %j with %s", async (body, name, text) => {
    const emulator = await emulate();
    const answer = await send(
      emulator,
      await sign(emulator, {
        method: "POST",
        path: `/model/${NOVA}/converse`,
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    );
    expect(answer.status).toBe(400);
    expect(answer.headers["x-amzn-errortype"]).toMatch(new RegExp(`^${name}:`));
    expect(answer.body).toContain(text);
  });

  it("looks up a broken escape in the path as it stands", async () => {
    const emulator = await emulate();
    const request = await sign(emulator, { method: "POST", path: "/model/%zz/converse", body: "{}" });
    expect(await send(emulator, request)).toMatchObject({ status: 400 });
    expect(emulator.calls[0]?.parameters).toEqual({ modelId: "%zz" });
  });

  it("asks CountTokens for its input", async () => {
    const emulator = await emulate();
    const path = "/model/anthropic.claude-opus-4-6-v1/count-tokens";
    const answer = await send(emulator, await sign(emulator, { method: "POST", path, body: "{}" }));
    expect(answer.body).toContain("Value null at 'input' failed to satisfy constraint");
  });
});

describe("CountTokens", () => {
  const input = { converse: { messages: user("twelve chars"), system: [{ text: "four" }] } };

  it("estimates a quarter of the characters", async () => {
    const client = runtimeClient(await emulate(), "HTTP/2");
    const answer = await client.send(
      new CountTokensCommand({ modelId: "anthropic.claude-opus-4-6-v1", input }),
    );
    expect(answer.inputTokens).toBe(4);
  });

  it("counts the body of an InvokeModel call", async () => {
    const client = runtimeClient(await emulate(), "HTTP/2");
    const answer = await client.send(
      new CountTokensCommand({
        modelId: "anthropic.claude-opus-4-6-v1",
        input: {
          invokeModel: { body: new TextEncoder().encode(JSON.stringify({ messages: "x".repeat(25) })) },
        },
      }),
    );
    expect(answer.inputTokens).toBe(10);
  });

  it.each(["us.anthropic.claude-opus-4-6-v1", NOVA])("refuses %s, which has no counter", async (modelId) => {
    const call = runtimeClient(await emulate(), "HTTP/2").send(new CountTokensCommand({ modelId, input }));
    await expect(call).rejects.toMatchObject({
      name: "ValidationException",
      message: "The provided model doesn't support counting tokens.",
    });
  });
});
