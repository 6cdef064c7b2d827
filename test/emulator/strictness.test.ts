import Anthropic from "@anthropic-ai/sdk";
import {
  type ContentBlock,
  ConverseCommand,
  type ConverseCommandInput,
  ConverseStreamCommand,
  InvokeModelCommand,
  type Message,
  type ToolChoice,
  type ToolConfiguration,
} from "@aws-sdk/client-bedrock-runtime";
import { describe, expect, it } from "vitest";
import { patternOf, type Shape } from "../../src/emulator/constraints.ts";
import { CONVERSE_SHAPE } from "../../src/emulator/converse-model.ts";
import { schemaFault } from "../../src/emulator/schema-rules.ts";
import { askPython, needBotocore } from "../helpers/botocore.ts";
import { PIXEL } from "../helpers/pixel.ts";
import { emulate, runtimeClient, user } from "./clients.ts";

const [C3, C37, C45, O45, C46, O48] = [
  "anthropic.claude-3-haiku-20240307-v1:0",
  "us.anthropic.claude-3-7-sonnet-20250219-v1:0",
  "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
  "us.anthropic.claude-opus-4-5-20251101-v1:0",
  "us.anthropic.claude-sonnet-4-6",
  "us.anthropic.claude-opus-4-8",
];
const [NOVA, NOVA2, MISTRAL] = [
  "amazon.nova-lite-v1:0",
  "us.amazon.nova-2-lite-v1:0",
  "mistral.mistral-7b-instruct-v0:2",
];

type Ask = Partial<ConverseCommandInput>;

async function converse(modelId: string, ask: Ask): Promise<object> {
  const client = runtimeClient(await emulate(), "HTTP/1.1");
  return client.send(new ConverseCommand({ modelId, messages: user("hi"), ...ask }));
}

const own = (additionalModelRequestFields: object): Ask => ({ additionalModelRequestFields }) as Ask;
const thinking = (thought: object, more: object = {}): Ask => ({
  ...own({ thinking: thought, ...more }),
  inferenceConfig: { maxTokens: 4000 },
});
const enabled = { type: "enabled", budget_tokens: 2000 };
const tool = (json: object): Ask =>
  ({
    toolConfig: { tools: [{ toolSpec: { name: "a", inputSchema: { json: { type: "object", ...json } } } }] },
  }) as Ask;
const point = (ttl?: "5m" | "1h"): { cachePoint: { type: "default"; ttl?: "5m" | "1h" } } => ({
  cachePoint: { type: "default", ...(ttl && { ttl }) },
});
const content = (...blocks: ContentBlock[]): Ask => ({ messages: [{ role: "user", content: blocks }] });
const image = (size = 8): ContentBlock => ({
  image: { format: "png", source: { bytes: new Uint8Array(size) } },
});
const document = (name: string): ContentBlock => ({
  document: { format: "txt", name, source: { text: "a" } },
});
const format = {
  type: "json_schema",
  schema: {
    type: "object",
    properties: { n: { type: "integer" } },
    required: ["n"],
    additionalProperties: false,
  },
};
const calling = (...ids: readonly string[]): Ask => ({
  messages: [
    ...ids.flatMap((toolUseId): Message[] => [
      { role: "user", content: [{ text: "go on" }] },
      { role: "assistant", content: [{ toolUse: { toolUseId, name: "a", input: {} } }] },
      { role: "user", content: [{ toolResult: { toolUseId, content: [{ text: "x" }] } }] },
      { role: "assistant", content: [{ text: "Done." }] },
    ]),
    ...user("hi"),
  ],
  ...tool({}),
});

describe("what a model refuses", () => {
  it.each<[what: string, modelId: string, ask: Ask, message: RegExp]>([
    [
      "an image under another kind than its own",
      C45,
      content({ image: { format: "jpeg", source: { bytes: PIXEL } } }),
      /messages\.0\.content\.0\.image\.source\.base64\.data: Image does not match the provided media type image\/jpeg$/,
    ],
    [
      "an id of two calls",
      C45,
      calling("t1", "t1"),
      /messages\.5\.content\.0: `tool_use` ids must be unique$/,
    ],
    [
      "an id with a dot",
      C45,
      calling("a.b"),
      /tool_use\.id: String should match pattern '\^\[a-zA-Z0-9_-\]\+\$'$/,
    ],
    [
      "a schema of an answer that leaves an object open",
      C45,
      own({ output_config: { format: { type: "json_schema", schema: { type: "object" } } } }),
      /For 'object' type, 'additionalProperties' must be explicitly set to false$/,
    ],
    [
      "a field that Claude does not have",
      C46,
      own({ reasoning: {} }),
      /: reasoning: Extra inputs are not permitted$/,
    ],
    [
      "thinking of a model that does not think",
      C3,
      thinking(enabled),
      /: thinking: Extra inputs are not permitted$/,
    ],
    [
      "a kind of thinking",
      C45,
      thinking({ type: "often" }),
      /: thinking: Input tag 'often' found using 'type'/,
    ],
    ["no budget", C45, thinking({ type: "enabled" }), /: thinking\.enabled\.budget_tokens: Field required$/],
    [
      "a small budget",
      C45,
      thinking({ ...enabled, budget_tokens: 1023 }),
      /should be greater than or equal to 1024$/,
    ],
    [
      "a budget as large as the answer",
      C45,
      thinking({ ...enabled, budget_tokens: 4000 }),
      /`max_tokens` must be greater/,
    ],
    [
      "adaptive thinking before 4.6",
      C45,
      thinking({ type: "adaptive" }),
      /adaptive thinking is not supported/,
    ],
    ["a budget from 4.7 on", O48, thinking(enabled), /"thinking\.type\.enabled" is not supported/],
    [
      "a temperature while it thinks",
      C45,
      { ...thinking(enabled), inferenceConfig: { maxTokens: 4000, temperature: 0.5 } },
      /`temperature` may only be set to 1 when thinking is enabled/,
    ],
    [
      "a low top-p while it thinks",
      C46,
      { ...thinking({ type: "adaptive" }), inferenceConfig: { topP: 0.9 } },
      /`top_p` must be greater than or equal to 0\.95/,
    ],
    [
      "top-k while it thinks",
      C37,
      thinking(enabled, { top_k: 5 }),
      /`top_k` must be unset when thinking is enabled/,
    ],
    ["top-k from 4.7 on", O48, own({ top_k: 5 }), /`top_k` is deprecated for this model/],
    [
      "temperature and top-p at once",
      C45,
      { inferenceConfig: { temperature: 1, topP: 1 } },
      /`temperature` and `top_p` cannot both be specified for this model\. Please use only one\.$/,
    ],
    ["an effort", C45, own({ output_config: { effort: "low" } }), /does not support the effort parameter/],
    [
      "an effort that is none",
      O45,
      own({ output_config: { effort: "max" } }),
      /Input should be 'low', 'medium' or 'high'$/,
    ],
    [
      "a schema",
      C37,
      own({ output_config: { format } }),
      /output_config\.format: Extra inputs are not permitted$/,
    ],
    [
      "a form without a schema",
      C45,
      own({ output_config: { format: { type: "json_schema" } } }),
      /schema: Field required$/,
    ],
    [
      "a blank stop",
      C45,
      { inferenceConfig: { stopSequences: ["\n"] } },
      /each stop sequence must contain non-whitespace$/,
    ],
    [
      "a list of items",
      C45,
      tool({ properties: { a: { items: [{}] } } }),
      /tools\.0\.custom\.input_schema: JSON schema is/,
    ],
    ["a name of a field", C45, tool({ properties: { $top: {} } }), /Property keys should match pattern/],
    [
      "too many cache points",
      C45,
      content(...Array.from({ length: 5 }, () => [{ text: "a" }, point()] as ContentBlock[]).flat()),
      /Found 5\.$/,
    ],
    [
      "a long time behind a short one",
      C45,
      { system: [{ text: "a" }, point("5m")], ...content({ text: "a" }, { text: "b" }, point("1h")) },
      /: messages\.0\.content\.1\.cache_control\.ttl: a ttl='1h' cache_control block must not come after/,
    ],
    [
      "too many images",
      C3,
      content({ text: "a" }, ...Array<ContentBlock>(21).fill(image())),
      /: 21 \+ 0 > 20$/,
    ],
    [
      "an image of 4 MB",
      C45,
      content(image(4_000_000)),
      /: image exceeds 5 MB maximum: 5333336 bytes > 5242880 bytes$/,
    ],
    [
      "six documents",
      C45,
      content({ text: "a" }, ...[..."abcdef"].map(document)),
      /more than 5 documents in a request\.$/,
    ],
    [
      "a field that Nova does not have",
      NOVA,
      own({ top_k: 5 }),
      /#: extraneous key \[top_k\] is not permitted/,
    ],
    [
      "reasoning of Nova 1",
      NOVA,
      own({ reasoningConfig: { type: "enabled" } }),
      /extraneous key \[reasoningConfig\]/,
    ],
    [
      "too much of Nova's top-k",
      NOVA,
      own({ inferenceConfig: { topK: 129 } }),
      /topK: 129 is not less or equal to 128/,
    ],
    ["a beta feature", C46, own({ anthropic_beta: ["web-search-2025-03-05"] }), /: invalid beta flag$/],
    ["one of older models", O48, own({ anthropic_beta: ["claude-code-20250219"] }), /: invalid beta flag$/],
    [
      "the search for tools",
      C46,
      own({ anthropic_beta: ["tool-search-tool-2025-10-19"] }),
      /: The tool-search-tool beta feature is not currently supported on the Converse and ConverseStream APIs$/,
    ],
    [
      "a tool of Anthropic's servers",
      C46,
      own({ tools: [{ type: "web_search_20250305", name: "web_search" }] }),
      /: tools\.0: Input tag 'web_search_20250305' found using 'type' does not match any of the expected tags: 'bash_20250124', 'custom', 'memory_20250818', 'text_editor_20250124', 'text_editor_20250429', 'text_editor_20250728'$/,
    ],
    [
      "a computer without its beta feature",
      C46,
      own({ tools: [{ type: "computer_20250124", name: "computer" }] }),
      /: tools\.0: Input tag 'computer_20250124' found/,
    ],
    [
      "a computer without a screen",
      C46,
      own({
        anthropic_beta: ["computer-use-2025-01-24"],
        tools: [{ type: "computer_20250124", name: "computer" }],
      }),
      /: tools\.0\.computer_20250124\.display_width_px: Field required$/,
    ],
    [
      "a typed tool of another name",
      C46,
      own({ tools: [{ type: "bash_20250124", name: "shell" }] }),
      /: tools\.0\.bash_20250124\.name: Input should be 'bash'$/,
    ],
    [
      "a typed tool that is described",
      C46,
      own({ tools: [{ type: "bash_20250124", name: "bash", input_schema: {} }] }),
      /: tools\.0\.bash_20250124\.input_schema: Extra inputs are not permitted$/,
    ],
    [
      "two tools of a name",
      C46,
      own({ tools: Array.from({ length: 2 }, () => ({ type: "memory_20250818", name: "memory" })) }),
      /: tools: Tool names must be unique\.$/,
    ],
    ["more than Nova says", NOVA, { inferenceConfig: { maxTokens: 32_000 } }, /model limit of 10000/],
  ])("is %s: %s", async (_, modelId, ask, message) => {
    await expect(converse(modelId, ask)).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringMatching(message) as string,
    });
  });

  it.each<[what: string, modelId: string, ask: Ask]>([
    ["cache points of a model without", MISTRAL, content({ text: "a" }, point())],
    ["an hour of Nova", NOVA, content({ text: "a" }, point("1h"))],
    ["an hour before 4.5", C37, content({ text: "a" }, point("1h"))],
  ])("are %s, and that is no access", async (_, modelId, ask) => {
    await expect(converse(modelId, ask)).rejects.toMatchObject({
      name: "AccessDeniedException",
      $metadata: { httpStatusCode: 403 },
    });
  });

  it.each<[what: string, modelId: string, ask: Ask]>([
    [
      "every field that it has",
      C46,
      own({ thinking: { type: "adaptive" }, output_config: { effort: "max" } }),
    ],
    [
      "its sampling while it thinks",
      C45,
      { ...thinking(enabled), inferenceConfig: { maxTokens: 4000, temperature: 1 } },
    ],
    [
      "a high top-p while it thinks",
      C46,
      { ...thinking({ type: "adaptive" }), inferenceConfig: { topP: 0.95 } },
    ],
    ["the effort of Opus 4.5", O45, own({ output_config: { effort: "high" } })],
    [
      "cache points, the long ones first",
      C45,
      { system: [{ text: "a" }, point("1h")], ...content({ text: "a" }, point()) },
    ],
    [
      "Nova's own fields",
      NOVA2,
      own({ inferenceConfig: { topK: 128 }, reasoningConfig: { type: "disabled" } }),
    ],
    [
      "a schema of the newest draft",
      C45,
      tool({ properties: { a: { prefixItems: [{}], exclusiveMinimum: 1 } }, $defs: { b: true } }),
    ],
    ["five documents", C45, content({ text: "a" }, ...[..."abcde"].map(document))],
  ])("is not %s", async (_, modelId, ask) => {
    expect(await converse(modelId, ask)).toMatchObject({ stopReason: "end_turn" });
  });

  it("is the same on Anthropic's path and by InvokeModel, without Converse's words before it", async () => {
    const emulator = await emulate();
    const params = {
      max_tokens: 4000,
      messages: [{ role: "user" as const, content: "hi" }],
      thinking: { type: "enabled" as const, budget_tokens: 100 },
    };
    const client = new Anthropic({
      baseURL: `${emulator.url}/anthropic`,
      apiKey: emulator.bearerToken,
      maxRetries: 0,
    });
    const words = "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024";
    await expect(client.messages.create({ model: C45, ...params })).rejects.toMatchObject({
      error: { error: { type: "invalid_request_error", message: words } },
    });
    const body = JSON.stringify({ anthropic_version: "bedrock-2023-05-31", ...params });
    const invoked = runtimeClient(emulator, "HTTP/1.1").send(new InvokeModelCommand({ modelId: C45, body }));
    await expect(invoked).rejects.toMatchObject({ name: "ValidationException", message: words });
  });
});

describe("what Converse does not have for a model", () => {
  const tools = tool({});
  const NO_SYSTEM =
    "This model doesn't support system messages. Try again without a system message or use a model that supports system messages.";
  const NONE = "This model doesn't support tool use.";
  const NOT_STREAMED = "This model doesn't support tool use in streaming mode.";
  const choosing = (toolChoice: ToolChoice): Ask => ({
    toolConfig: { tools: tools.toolConfig?.tools, toolChoice },
  });
  const NO_CHOICE = (kind: string): string =>
    `This model doesn't support the toolConfig.toolChoice.${kind} field. Remove toolConfig.toolChoice.${kind} and try again.`;
  const [LLAMA3, LLAMA33, LARGE] = [
    "meta.llama3-8b-instruct-v1:0",
    "us.meta.llama3-3-70b-instruct-v1:0",
    "mistral.mistral-large-2402-v1:0",
  ];

  it.each<[modelId: string, ask: Ask, whole: string | undefined, streamed: string | undefined]>([
    [MISTRAL, { system: [{ text: "Be brief." }] }, NO_SYSTEM, NO_SYSTEM],
    [NOVA, { system: [{ text: "Be brief." }] }, undefined, undefined],
    [LLAMA3, tools, NONE, NONE],
    [MISTRAL, tools, NONE, NONE],
    ["us.deepseek.r1-v1:0", tools, NONE, NONE],
    [LLAMA33, tools, undefined, NOT_STREAMED],
    [LLAMA33, choosing({ auto: {} }), undefined, NOT_STREAMED],
    [LLAMA33, choosing({ any: {} }), NO_CHOICE("any"), NO_CHOICE("any")],
    [LLAMA33, choosing({ tool: { name: "a" } }), NO_CHOICE("tool"), NO_CHOICE("tool")],
    [NOVA, choosing({ tool: { name: "a" } }), undefined, undefined],
    [LARGE, tools, undefined, NOT_STREAMED],
    [NOVA, tools, undefined, undefined],
    [
      "amazon.nova-micro-v1:0",
      content({ text: "a" }, document("a")),
      "This model doesn't support documents.",
      "This model doesn't support documents.",
    ],
    [
      "openai.gpt-oss-120b-1:0",
      content({ text: "a" }, image()),
      "This model doesn't support the image content block that you provided. Update the content block and try again.",
      "This model doesn't support the image content block that you provided. Update the content block and try again.",
    ],
  ])("is refused in AWS's words: of %s", async (modelId, ask, whole, streamed) => {
    const client = runtimeClient(await emulate(), "HTTP/1.1");
    const input = { modelId, messages: user("hi"), ...ask };
    for (const [asked, message] of [
      [client.send(new ConverseCommand(input)), whole],
      [client.send(new ConverseStreamCommand(input)), streamed],
    ] as const) {
      if (message === undefined) await expect(asked).resolves.toBeDefined();
      else await expect(asked).rejects.toMatchObject({ name: "ValidationException", message });
    }
  });
});

describe("what the service model of Bedrock Runtime constrains", () => {
  const PATTERN = "[a-zA-Z0-9\\s:_@$#=/+,-.]";

  it.each<[ask: Ask, breach: string]>([
    [
      { requestMetadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, "v"])) },
      "Member must have length less than or equal to 16",
    ],
    [
      { requestMetadata: {} },
      "Value '{}' at 'requestMetadata' failed to satisfy constraint: Member must have length",
    ],
    [
      { requestMetadata: { "a!": "v" } },
      `Map keys must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: ${PATTERN}{1,256}]`,
    ],
    [
      { requestMetadata: { a: "v".repeat(257) } },
      `Map value must satisfy constraint: [Member must have length less than or equal to 256, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: ${PATTERN}{0,256}]`,
    ],
    [
      { additionalModelResponseFieldPaths: Array.from({ length: 11 }, (_, i) => `/${i}`) },
      "at 'additionalModelResponseFieldPaths' failed to satisfy constraint: Member must have length less than or equal to 10",
    ],
    [
      { guardrailConfig: { guardrailIdentifier: "A b", guardrailVersion: "0" } },
      "Value '0' at 'guardrailConfig.guardrailVersion' failed to satisfy constraint: Member must satisfy regular expression pattern",
    ],
    [
      {
        outputConfig: {
          textFormat: { type: "json" as "json_schema", structure: { jsonSchema: { schema: "{}" } } },
        },
      },
      "at 'outputConfig.textFormat.type' failed to satisfy constraint: Member must satisfy enum value set: [json_schema]",
    ],
  ])("is held in its words: %j", async (ask, breach) => {
    await expect(converse(C45, ask)).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining(breach) as string,
    });
  });

  it.each<[modelId: string, ask: Ask, message: RegExp]>([
    [
      C45,
      { inferenceConfig: { maxTokens: 5.5 } },
      /^Malformed input request at 'inferenceConfig.maxTokens',/,
    ],
    [C45, thinking({ ...enabled, budget_tokens: 2000.5 }), /budget_tokens: Input should be a valid integer$/],
    [C45, own({ top_k: 5.5 }), /top_k: Input should be a valid integer$/],
    [NOVA, own({ inferenceConfig: { topK: 5.5 } }), /topK: expected type: Integer, found: Double,/],
  ])("is a whole number where it says so: %s %j", async (modelId, ask, message) => {
    await expect(converse(modelId, ask)).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringMatching(message) as string,
    });
  });

  it("is taken up to its bounds", async () => {
    const requestMetadata = { ["k".repeat(256)]: "", "a b:_@$#=/+,-.": "v".repeat(256) };
    expect(await converse(C45, { requestMetadata })).toMatchObject({ stopReason: "end_turn" });
  });

  it.each([
    ["trace", { trace: "enabled" as "ENABLED" }, "trace"],
    ["a tier", { serviceTier: "fast" as "flex" }, "serviceTier"],
    ["a latency", { performanceConfigLatency: "low" as "standard" }, "performanceConfigLatency"],
  ])("is held of InvokeModel's headers, too: %s", async (_, headers, member) => {
    const body = JSON.stringify({ messages: [{ role: "user", content: [{ text: "hi" }] }] });
    const invoked = runtimeClient(await emulate(), "HTTP/1.1").send(
      new InvokeModelCommand({ modelId: NOVA, body, ...headers }),
    );
    await expect(invoked).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining(
        `at '${member}' failed to satisfy constraint: Member must satisfy enum value set: [`,
      ) as string,
    });
  });

  it("is all that botocore's model of Converse has", async (context) => {
    needBotocore(context);
    const known = linesOf(CONVERSE_SHAPE, "");
    const wanted = (await askPython(CONSTRAINTS, {})) as string[];
    expect(wanted.filter((line) => !known.includes(line))).toEqual([]);
    // What is beside it is of what AWS has added since.
    expect(known.filter((line) => !wanted.includes(line))).toEqual([]);
  });
});

/** Each constraint of a shape on a line of its own: its place, and what it is. */
function linesOf(shape: Shape, place: string): string[] {
  const range = "min" in shape || "max" in shape ? [`${place} ${shape.min ?? ""}..${shape.max ?? ""}`] : [];
  switch (shape.kind) {
    case "any":
    case "flag":
      return [];
    case "number":
    case "integer":
      return [...range, `${place} ${shape.kind === "integer" ? "integer" : "float"}`];
    case "bytes":
      return range;
    case "text":
      return [
        ...range,
        ...(shape.values ? [`${place} [${shape.values.join(", ")}]`] : []),
        ...(shape.pattern ? [`${place} ${patternOf(shape.pattern)}`] : []),
      ];
    case "list":
      return [...range, ...linesOf(shape.of, `${place}[]`)];
    case "map":
      return [...range, ...linesOf(shape.key, `${place}{}`), ...linesOf(shape.value, `${place}{}=`)];
    default:
      return [
        ...((shape.kind === "object" && shape.required) || []).map((name) => `${place}.${name} needed`),
        ...(shape.kind === "union" ? [`${place} union`] : []),
        ...Object.entries(shape.fields).flatMap(([name, field]) => linesOf(field, `${place}.${name}`)),
      ];
  }
}

/** The same of botocore's model. */
const CONSTRAINTS = `
import json
from botocore.loaders import Loader
shapes = Loader().load_service_model("bedrock-runtime", "service-2")["shapes"]
lines = []
def walk(name, place):
    shape = shapes[name]
    kind = shape["type"]
    if "min" in shape or "max" in shape:
        lines.append(f"{place} {shape.get('min', '')}..{shape.get('max', '')}")
    if kind in ("integer", "float"):
        lines.append(f"{place} {kind}")
    if "enum" in shape:
        lines.append(f"{place} [{', '.join(shape['enum'])}]")
    if "pattern" in shape:
        lines.append(f"{place} {shape['pattern']}")
    if kind == "list":
        walk(shape["member"]["shape"], place + "[]")
    if kind == "map":
        walk(shape["key"]["shape"], place + "{}")
        walk(shape["value"]["shape"], place + "{}=")
    if kind == "structure" and not shape.get("document"):
        for member in shape.get("required", []):
            if (name, member) != ("ConverseStreamRequest", "modelId"):
                lines.append(f"{place}.{member} needed")
        if shape.get("union"):
            lines.append(f"{place} union")
        for member, inner in shape.get("members", {}).items():
            if (name, member) != ("ConverseStreamRequest", "modelId"):
                walk(inner["shape"], f"{place}.{member}")
walk("ConverseStreamRequest", "")
print(json.dumps(lines))
`;

describe("output_config.format in the model's own fields", () => {
  it.each([C45, C46])("holds %s to the schema", async (modelId) => {
    const answer = (await converse(modelId, own({ output_config: { format } }))) as {
      output: { message: Message };
    };
    expect(JSON.parse(answer.output.message.content?.[0]?.text ?? "")).toEqual({
      n: expect.any(Number) as number,
    });
  });
});

describe("a signature", () => {
  const tools: ToolConfiguration = {
    tools: [{ toolSpec: { name: "a", inputSchema: { json: { type: "object" } } } }],
  };
  const asked: Ask = {
    ...thinking({ type: "adaptive" }),
    system: [{ text: "Be brief." }],
    toolConfig: tools,
  };

  it.each<
    [
      what: string,
      change: (thought: { text: string; signature?: string }, next: Ask) => void,
      fault: RegExp | undefined,
    ]
  >([
    ["as it came", () => undefined, undefined],
    [
      "of another text",
      (thought) => void (thought.text += " "),
      /^.*messages\.1\.content\.0: Invalid `signature` in `thinking` block$/,
    ],
    [
      "that was changed",
      (thought) => void (thought.signature = `A${thought.signature?.slice(1)}`),
      /Invalid `signature`/,
    ],
    ["of somebody else", (thought) => void (thought.signature = "c2ln"), /Invalid `signature`/],
    [
      "that is missing",
      (thought) => void delete thought.signature,
      /content\.0\.thinking\.signature: Field required$/,
    ],
    [
      "under another system prompt",
      (_, next) => void (next.system = [{ text: "Be long." }]),
      /Invalid `signature`/,
    ],
    ["under no tools", (_, next) => void delete next.toolConfig, /Invalid `signature`/],
    [
      "under a cache point more",
      (_, next) => void (next.system = [{ text: "Be brief." }, point()]),
      undefined,
    ],
  ])("%s is taken, or refused in Claude's words", async (_, change, fault) => {
    const { output } = (await converse(O48, asked)) as { output: { message: Message } };
    const thought = output.message.content?.[0]?.reasoningContent?.reasoningText;
    if (!thought?.text) throw new Error("It did not think.");
    const next: Ask = { ...asked };
    change(thought as { text: string; signature?: string }, next);
    const going = converse(O48, { ...next, messages: [...user("hi"), output.message, ...user("go on")] });
    if (fault) await expect(going).rejects.toMatchObject({ message: expect.stringMatching(fault) as string });
    else await expect(going).resolves.toMatchObject({ stopReason: "end_turn" });
  });
});

describe("schemaFault", () => {
  it.each([
    { type: "text" },
    { type: [] },
    { required: true },
    { properties: { a: { required: false } } },
    { properties: { a: "string" } },
    { properties: [] },
    { properties: { a: { items: [{ type: "string" }] } } },
    { properties: { a: { exclusiveMinimum: true } } },
    { properties: { a: { anyOf: [] } } },
    { properties: { a: { pattern: "(" } } },
    { properties: { a: { enum: "a" } } },
    { properties: { a: { minLength: -1 } } },
    { $defs: { a: { type: "nothing" } } },
  ])("refuses %j", (schema) => {
    expect(schemaFault({ type: "object", ...schema })).toMatch(/^: JSON schema is invalid\. It must match/);
  });

  it.each([
    {},
    { $schema: "http://json-schema.org/draft-07/schema#", additionalProperties: false },
    { properties: { a: { type: ["string", "null"], nullable: true, default: null, "x-mine": 1 } } },
    { definitions: { a: { $ref: "#/definitions/a" } } },
    { patternProperties: { "^a": {} }, properties: { "a.b-c_1": true } },
  ])("takes %j", (schema) => {
    expect(schemaFault({ type: "object", ...schema })).toBeUndefined();
  });
});

describe("bodies that cannot be read", () => {
  const GUARDRAIL = "/guardrail/abcd1234efgh/version/1/apply";
  const COUNT = "/model/anthropic.claude-sonnet-4-6/count-tokens";
  const PATHS = {
    "/model/us.anthropic.claude-sonnet-4-6/converse": "The request body is not a JSON object.",
    "/model/us.anthropic.claude-sonnet-4-6/converse-stream": "The request body is not a JSON object.",
    "/model/us.anthropic.claude-sonnet-4-6/invoke":
      "Malformed input request, please reformat your input and try again.",
    "/model/amazon.nova-lite-v1%3A0/invoke-with-response-stream":
      "Malformed input request, please reformat your input and try again.",
    [COUNT]: "The request body is not a JSON object.",
    [GUARDRAIL]: "The request body is not a JSON object.",
    "/anthropic/v1/messages": "The request body is not valid JSON.",
    "/openai/v1/responses": "We could not parse the JSON body of your request.",
    "/openai/v1/chat/completions": "We could not parse the JSON body of your request.",
  };

  async function post(path: string, body: string, isKnown = true): Promise<[number, string | undefined]> {
    const emulator = await emulate();
    const response = await fetch(emulator.url + path, {
      method: "POST",
      headers: {
        authorization: `Bearer ${isKnown ? emulator.bearerToken : "another"}`,
        "content-type": "application/json",
        "anthropic-version": "2023-06-01",
      },
      body,
    });
    const { message, error } = (await response.json()) as { message?: string; error?: { message: string } };
    return [response.status, error?.message ?? message];
  }

  it.each(Object.entries(PATHS))("are refused as such by %s", async (path, message) => {
    for (const body of ["{", "[]", "5", "model"]) expect(await post(path, body)).toEqual([400, message]);
  });

  it.each(Object.keys(PATHS))(
    "and are told apart from those that are too large for it by %s",
    async (path) => {
      const many = JSON.stringify({
        model: "us.anthropic.claude-sonnet-4-6",
        messages: Array(50_000).fill(0),
      });
      const refused = "The emulator cannot take the body: it has more than 45000 values.";
      expect(await post(path, many)).toEqual([400, refused]);
      expect((await post(path, many, false))[0]).toBe(403);
      const deep = `{"model":${"[".repeat(300)}${"]".repeat(300)}}`;
      expect((await post(path, deep))[1]).toContain("nested more than 256 levels deep");
    },
  );

  it("are found inside of what CountTokens is given, and of what a guardrail is", async () => {
    const counted = (body: string): string =>
      JSON.stringify({ input: { invokeModel: { body: Buffer.from(body).toString("base64") } } });
    const malformed = "Malformed input request, please reformat your input and try again.";
    for (const body of ["{", "", "[]"]) expect(await post(COUNT, counted(body))).toEqual([400, malformed]);
    expect((await post(COUNT, counted('{"messages":[]}')))[0]).toBe(200);
    const guarded = (content: unknown): string => JSON.stringify({ source: "INPUT", content });
    for (const [content, message] of [
      ["a", "Malformed input request at 'content', please reformat your input and try again."],
      [[5], "Malformed input request at 'content.1.member', please reformat your input and try again."],
      [
        [{ text: { text: "a", qualifiers: ["loud"] } }],
        expect.stringContaining("satisfy enum value set: [grounding_source, query, guard_content]"),
      ],
      [
        [{ text: { text: "a" } }, { text: {} }],
        "1 validation error detected: Value null at 'content.2.member.text.text' failed to satisfy constraint: Member must not be null",
      ],
      [[{ image: { format: "png" } }], expect.stringContaining("'content.1.member.image.source'")],
    ])
      expect(await post(GUARDRAIL, guarded(content))).toEqual([400, message]);
  });
});
