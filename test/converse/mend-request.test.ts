import type { ContentBlock, ConverseStreamCommandInput, Message } from "@aws-sdk/client-bedrock-runtime";
import { schemaFault } from "../../src/emulator/schema-rules.ts";
import { describe, expect, it } from "vitest";
import type { Turn } from "../../src/converse/conversation.ts";
import { mendRequest } from "../../src/converse/mend-request.ts";
import type { Recipient } from "../../src/converse/mending/recipient.ts";
import { familyOf } from "../../src/models/families.ts";

const SONNET_4_5 = "anthropic.claude-sonnet-4-5-20250929-v1:0";
const SONNET_4_6 = "anthropic.claude-sonnet-4-6";
const NOVA = "amazon.nova-lite-v1:0";
const MISTRAL = "mistral.pixtral-large-2502-v1:0";
const LLAMA = "meta.llama3-3-70b-instruct-v1:0";
const KIMI = "moonshotai.kimi-k2.5";

type Draft = Omit<ConverseStreamCommandInput, "modelId">;

async function mend(draft: Draft, id = SONNET_4_5, more: Partial<Recipient> = {}) {
  const recipient = { modelId: id, family: familyOf(id), isReasoning: false, ...more };
  const mended = await mendRequest({ modelId: id, ...draft }, recipient);
  const again = await mendRequest(mended.input, { ...recipient, earlier: [] });
  expect(again.input).toEqual(mended.input);
  return mended;
}

const user = (...content: (ContentBlock | string)[]): Message => ({ role: "user", content: blocks(content) });
const assistant = (...content: (ContentBlock | string)[]): Message => ({
  role: "assistant",
  content: blocks(content),
});
const blocks = (content: readonly (ContentBlock | string)[]): ContentBlock[] =>
  content.map((block) => (typeof block === "string" ? { text: block } : block));
const call = (toolUseId: string, input: unknown = {}, name = "clock"): ContentBlock =>
  ({ toolUse: { toolUseId, name, input } }) as ContentBlock;
const result = (toolUseId: string, text = "noon", more: object = {}): ContentBlock => ({
  toolResult: { toolUseId, content: [{ text }], ...more },
});
const bytes = new Uint8Array([1]);
const image: ContentBlock.ImageMember = { image: { format: "png", source: { bytes } } };
const document = (name: string, format: "pdf" | "txt" = "pdf"): ContentBlock => ({
  document: { name, format, source: { bytes } },
});
const spec = (name: string, json: unknown = { type: "object" }, more: object = {}) => ({
  toolSpec: { name, inputSchema: { json: json as {} }, ...more },
});
const toolConfig = { tools: [spec("clock")] };
const point = { cachePoint: { type: "default" as const } };
const cachePoint: ContentBlock = point;
const signed = { reasoningContent: { reasoningText: { text: "Hm.", signature: "c2ln" } } };
const unsigned = { reasoningContent: { reasoningText: { text: "Hm." } } };
const redacted = { reasoningContent: { redactedContent: bytes } };
const cited = { citationsContent: { content: [{ text: "So it " }, { text: "is." }], citations: [] } };

const says = async (messages: Message[], id?: string) => (await mend({ messages }, id)).input.messages;
const calls = async (messages: Message[], id?: string) =>
  (await mend({ messages, toolConfig }, id)).input.messages;

describe("a fit request", () => {
  it("stays as it is, and nothing is said of it", async () => {
    const draft = {
      messages: [
        user(document("report (pdf)"), "What is this?"),
        assistant(signed, "Let me look.", call("toolu_1")),
        user(result("toolu_1", "noon", { status: "success" }), "And?"),
      ],
      system: [{ text: "Be brief." }],
      toolConfig,
      inferenceConfig: { temperature: 1, maxTokens: 5, stopSequences: ["END"] },
    };
    const { input, notices, toolNames } = await mend(draft);
    expect(input).toEqual({ modelId: SONNET_4_5, ...draft });
    expect([notices, toolNames.size]).toEqual([[], 0]);
  });
});

describe("characters", () => {
  it("are whole in every text that is sent", async () => {
    const half = "cut \ud83d";
    const { input, notices } = await mend({
      messages: [user(half), assistant(call("t", { [half]: half })), user(result("t", half))],
      system: [{ text: half }],
      toolConfig: { tools: [spec("clock", { type: "object", description: half }, { description: half })] },
      inferenceConfig: { stopSequences: [half] },
    });
    expect(JSON.stringify(input)).not.toMatch(/\\ud[89a-f]/i);
    expect(notices).toEqual(["Halves of characters, which no model reads, are sent as U+FFFD"]);
  });

  it("are whole in a text that is mended piece by piece, wherever a piece ends", async () => {
    const long = `${"a".repeat(1024 * 1024 - 1)}😀\ud83d${"b".repeat(2 * 1024 * 1024)}\ude00`;
    const { input } = await mend({ messages: [user(long)] });
    expect(input.messages?.[0]?.content?.[0]?.text === long.toWellFormed()).toBe(true);
  });
});

describe("content", () => {
  it.each<[string, Message[], Message[]]>([
    ["blank texts are left out", [user("", " \n", "hi")], [user("hi")]],
    ["a message of nothing is none", [user("a"), assistant(" "), user("b")], [user("a", "b")]],
    [
      "a message without content is none",
      [user("a"), { role: "assistant", content: undefined }, user("b")],
      [user("a", "b")],
    ],
    ["empty blocks are left out", [user("hi", {} as ContentBlock)], [user("hi")]],
    [
      "an empty file is said to be one",
      [user({ image: { format: "png", source: { bytes: new Uint8Array() } } }, "hi")],
      [user("(The image is empty.)", "hi")],
    ],
    [
      "a document of blanks is said to be empty",
      [user({ document: { format: "md", name: "a", source: { bytes: Buffer.from("\uFEFF \n") } } }, "hi")],
      [user("(The document 'a' is empty.)", "hi")],
    ],
    [
      "a document of no text is said to be empty",
      [user({ document: { format: "txt", name: "a", source: { text: " " } } }, "hi")],
      [user("(The document 'a' is empty.)", "hi")],
    ],
    [
      "cited text is text",
      [user("a"), assistant(cited), user("b")],
      [user("a"), assistant("So it is."), user("b")],
    ],
    [
      "reasoning goes back signed or not at all",
      [user("a"), assistant(signed, redacted, unsigned, "b"), user("c")],
      [user("a"), assistant(signed, redacted, "b"), user("c")],
    ],
    ["reasoning alone is no message", [user("a"), assistant(signed), user("b")], [user("a", "b")]],
    ["reasoning is no person's", [user("a", signed)], [user("a")]],
    [
      "files of an answer go with the next message",
      [user("a"), assistant("b", image), user("c")],
      [user("a"), assistant("b"), user(image, "c")],
    ],
  ])("%s", async (_, messages, expected) => {
    expect(await says(messages)).toEqual(expected);
  });
});

describe("more documents than a request has room for", () => {
  const many = (names: string): ContentBlock[] => [...names].map((name) => document(name));

  it("are left out, the oldest of them, with words in their place and for the one who asked", async () => {
    const messages = [user(document("a"), document("b"), "x"), assistant("y"), user(document("c"), "z")];
    const { input, notices } = await mend({ messages }, SONNET_4_5, { mostDocuments: 2 });
    expect(input.messages).toEqual([
      user("(The document 'a' stood here, and is not sent again.)", document("b"), "x"),
      assistant("y"),
      user(document("c"), "z"),
    ]);
    expect(notices).toEqual(["A request has room for 2 documents, so of 3 the oldest are left out"]);
    const again = await mend({ messages: input.messages ?? [] }, SONNET_4_5, { mostDocuments: 2 });
    expect(again).toMatchObject({ input: { messages: input.messages }, notices: [] });
  });

  it.each([
    ["are all of the question, which is refused as it is", [user(...many("abc"), "x")], "abc"],
    [
      "are of the question and of one before",
      [user(...many("ab"), "x"), assistant("y"), user(...many("cde"), "z")],
      "cde",
    ],
    [
      "came from tools, of which the newest stays",
      [user(document("a"), "x"), assistant(call("1")), user(result("1"), ...many("bc"))],
      "ac",
    ],
    [
      "came with a question beside results",
      [user(...many("ab"), "x"), assistant(call("1")), user(result("1"), document("c"), "z")],
      "bc",
    ],
  ])("%s", async (_, messages, expected) => {
    const mended = await mend({ messages, toolConfig }, SONNET_4_5, { mostDocuments: 2 });
    const names = mended.input.messages?.flatMap(({ content = [] }) =>
      content.flatMap((block) => block.document?.name?.slice(0, 1) ?? []),
    );
    expect(names?.join("")).toBe(expected);
    const again = await mend(mended.input, SONNET_4_5, { mostDocuments: 2 });
    expect(again).toMatchObject({ input: { messages: mended.input.messages }, notices: [] });
  });

  it("all stay where nothing bounds them", async () => {
    const messages = [user(...[..."abcdefg"].map((name) => document(name)), "x")];
    expect((await mend({ messages })).input.messages).toEqual(messages);
  });
});

describe("the order of messages", () => {
  it("is that roles alternate, beginning and ending with a person's", async () => {
    expect(await says([assistant("a"), user("b"), user("c"), assistant("d"), assistant("e")], KIMI)).toEqual([
      user("(The conversation begins here.)"),
      assistant("a"),
      user("b", "c"),
      assistant("d", "e"),
      user("Continue."),
    ]);
  });

  it.each([
    [SONNET_4_5, {}, [user("a"), assistant("{")]],
    [NOVA, {}, [user("a"), assistant("{")]],
    [SONNET_4_6, {}, [user("a"), assistant("{ "), user("Continue.")]],
    [SONNET_4_5, { isReasoning: true }, [user("a"), assistant("{ "), user("Continue.")]],
  ])(
    "lets %s, %j, go on with the beginning of an answer, without a blank at its end",
    async (id, more, expected) => {
      expect((await mend({ messages: [user("a"), assistant("{ ")] }, id, more)).input.messages).toEqual(
        expected,
      );
    },
  );

  it("makes a question of a system prompt that stands alone", async () => {
    const { input, notices } = await mend({ messages: [], system: [{ text: "Say hi." }, point] });
    expect(input).toEqual({ modelId: SONNET_4_5, messages: [user("Say hi.")] });
    expect(notices).toHaveLength(1);
  });

  it("has a message even of nothing", async () => {
    expect(await says([])).toEqual([user("(The conversation begins here.)")]);
  });

  it("has no blank system prompt", async () => {
    const { input } = await mend({
      messages: [user("hi")],
      system: [{ text: " " }, { text: "a" }, { text: "" }],
    });
    expect(input.system).toEqual([{ text: "a" }]);
    expect((await mend({ messages: [user("hi")], system: [{ text: " " }] })).input).not.toHaveProperty(
      "system",
    );
  });
});

describe("calls of tools and their results", () => {
  it.each<[string, Message[], Message[]]>([
    [
      "results begin the next message, in the order of the calls",
      [user("a"), assistant(call("1"), call("2")), user("b", result("2")), user(result("1"), "c")],
      [user("a"), assistant(call("1"), call("2")), user(result("1"), result("2"), "b", "c")],
    ],
    [
      "a result that comes later is brought to its call",
      [user("a"), assistant(call("1")), user("b"), assistant("c"), user(result("1"), "d")],
      [user("a"), assistant(call("1")), user(result("1"), "b"), assistant("c"), user("d")],
    ],
    [
      "a call without a result gets one that says so",
      [user("a"), assistant(call("1")), user("b")],
      [user("a"), assistant(call("1")), user(result("1", "(no result)"), "b")],
    ],
    [
      "the last call, too",
      [user("a"), assistant(call("1"))],
      [user("a"), assistant(call("1")), user(result("1", "(no result)"))],
    ],
    [
      "a result without a call is told",
      [user("a", result("1")), assistant("b"), user("c")],
      [user("a", "(a tool returned: noon)"), assistant("b"), user("c")],
    ],
    [
      "a second result of a call is told",
      [user("a"), assistant(call("1")), user(result("1"), result("1", "one"))],
      [user("a"), assistant(call("1")), user(result("1"), "(a tool returned: one)")],
    ],
    [
      "an answer that was held to a schema is text",
      [user("a"), assistant(call("1", { colour: "red" }, "answer")), user("b")],
      [user("a"), assistant('{"colour":"red"}'), user("b")],
    ],
    [
      "a call is no person's, and a result no assistant's",
      [user("a", call("1")), assistant("b", result("1")), user("c")],
      [user("a", "(called clock with {})"), assistant("b", "(clock returned: noon)"), user("c")],
    ],
    [
      "an empty result says so",
      [user("a"), assistant(call("1")), user(result("1", " ", { status: "error" }))],
      [user("a"), assistant(call("1")), user(result("1", "(no output)", { status: "error" }))],
    ],
  ])("%s", async (_, messages, expected) => {
    expect(await calls(messages)).toEqual(expected);
  });

  it("are told as text where no tools are declared", async () => {
    expect(
      await says([user("a"), assistant(call("1", { a: 1 }, "add")), user(result("1", "2"), "And?")]),
    ).toEqual([user("a"), assistant('(called add with {"a":1})'), user("(add returned: 2)", "And?")]);
  });

  it.each<[unknown, object]>([
    ['{"a":1}', { a: 1 }],
    ["", {}],
    [" ", {}],
    ["{", {}],
    ["[1]", {}],
    ["null", {}],
    [[1], {}],
    [null, {}],
    [5, {}],
  ])("have an object for arguments: %j becomes %j", async (input, expected) => {
    const mended = await mend({
      messages: [user("a"), assistant(call("1", input)), user(result("1"))],
      toolConfig,
    });
    expect(mended.input.messages?.[1]?.content).toEqual([call("1", expected)]);
  });

  it("have an object for `json` in results", async () => {
    const json = (value: unknown): ContentBlock =>
      ({ toolResult: { toolUseId: "1", content: [{ json: value }] } }) as ContentBlock;
    const sent = async (value: unknown) =>
      (await calls([user("a"), assistant(call("1")), user(json(value))]))?.[2]?.content?.[0]?.toolResult
        ?.content;
    expect(await sent({ a: 1 })).toEqual([{ json: { a: 1 } }]);
    expect(await sent([1])).toEqual([{ text: "[1]" }]);
  });

  it("have files in results where the model takes them, else behind", async () => {
    const seen: ContentBlock = { toolResult: { toolUseId: "123456789", content: [image], status: "error" } };
    const messages = [user("a"), assistant(call("123456789")), user("b", seen)];
    expect((await calls(messages, NOVA))?.[2]).toEqual(user(seen, "b"));
    const { input, notices } = await mend({ messages, toolConfig }, MISTRAL);
    expect(input.messages?.[2]).toEqual(user(result("123456789", "(see the file below)"), "b", image));
    expect(notices).toEqual([expect.stringContaining("takes no files in the result of a tool")]);
  });

  it("stand apart for models that want them to", async () => {
    const messages = [user("a"), assistant("b", call("1")), user(result("1"), "c")];
    expect(await calls(messages, LLAMA)).toEqual([
      user("a"),
      assistant("b"),
      user("Continue."),
      assistant(call("1")),
      user(result("1")),
      assistant("…"),
      user("c"),
    ]);
  });
});

describe("ids of calls", () => {
  const idsOf = async (ids: readonly string[], id?: string): Promise<[string[], string[]]> => {
    const messages = ids.flatMap((one, at) => [user(`q${at}`), assistant(call(one)), user(result(one))]);
    const content = ((await calls(messages, id)) ?? []).flatMap((message) => message.content ?? []);
    return [
      content.flatMap(({ toolUse }) => toolUse?.toolUseId ?? []),
      content.flatMap(({ toolResult }) => toolResult?.toolUseId ?? []),
    ];
  };

  it.each([
    [SONNET_4_5, ["toolu_1", "a-b"], /^[a-zA-Z0-9_-]{1,64}$/],
    [KIMI, ["functions.clock:0"], /^[a-zA-Z0-9_.:-]{1,64}$/],
    [MISTRAL, ["aB3456789"], /^[a-zA-Z0-9]{9}$/],
  ])("are those that %s takes, in pairs, and each its own", async (id, fit, pattern) => {
    const unfit = ["x".repeat(149), "", "a b", "a.b", "日", "call_0", "call_0", ...fit, ...fit];
    const [uses, results] = await idsOf([...fit, ...unfit], id);
    expect(uses.slice(0, fit.length)).toEqual(fit);
    expect(results).toEqual(uses);
    expect(new Set(uses).size).toBe(uses.length);
    for (const one of uses) expect(one).toMatch(pattern);
    // The next turn has more behind them, and the same of them.
    expect((await idsOf([...fit, ...unfit, "next"], id))[0].slice(0, uses.length)).toEqual(uses);
  });
});

describe("tools", () => {
  const tools = async (...declared: object[]) =>
    await mend({ messages: [user("hi")], toolConfig: { tools: declared as never } });
  const schema = async (json: unknown, id = "mistral.pixtral-large-2502-v1:0") =>
    (await mend({ messages: [user("hi")], toolConfig: { tools: [spec("t", json)] } }, id)).input.toolConfig
      ?.tools?.[0]?.toolSpec?.inputSchema?.json;

  it.each<[unknown, object]>([
    [{}, { type: "object", properties: {} }],
    [null, { type: "object", properties: {} }],
    [true, { type: "object", properties: {} }],
    [{ properties: { a: {} } }, { type: "object", properties: { a: {} } }],
    [{ oneOf: [{ required: ["a"] }] }, { type: "object", oneOf: [{ required: ["a"] }] }],
    [{ type: ["object", "null"] }, { type: "object" }],
    [{ type: "string" }, { type: "object" }],
    [
      { $ref: "#/$defs/a", $defs: { a: {} } },
      { type: "object", $ref: "#/$defs/a", $defs: { a: {} } },
    ],
  ])("take an object: %j becomes %j", async (json, expected) => {
    expect(await schema(json)).toEqual(expected);
  });

  it.each<[what: string, older: object, newest: object]>([
    ["a list of items", { items: [{}, true] }, { prefixItems: [{}, true] }],
    ["items behind it", { items: [{}], additionalItems: { items: [] } }, { prefixItems: [{}], items: {} }],
    ["an exclusive bound", { minimum: 1, exclusiveMinimum: true }, { exclusiveMinimum: 1 }],
    ["one that is not", { maximum: 1, exclusiveMaximum: false }, { maximum: 1 }],
    ["a field that says itself that it is required", { required: true }, {}],
    ["what is in alternatives", { anyOf: [{ items: [{}] }] }, { anyOf: [{ prefixItems: [{}] }] }],
    [
      "nothing of a value",
      { default: { items: [1] }, enum: [{ required: true }] },
      { default: { items: [1] }, enum: [{ required: true }] },
    ],
    ["the newest", { prefixItems: [{}], exclusiveMinimum: 1 }, { prefixItems: [{}], exclusiveMinimum: 1 }],
  ])("of a tool for Claude is of the newest draft: %s", async (what, older, newest) => {
    const whole = await schema({ type: "object", properties: { items: older } }, SONNET_4_5);
    const required = what.startsWith("a field") ? { required: ["items"] } : {};
    expect(whole).toEqual({ type: "object", properties: { items: newest }, ...required });
    expect(schemaFault(whole)).toBeUndefined();
    const left = { type: "object", properties: { items: older } };
    expect(await schema(left, NOVA)).toMatchObject({ properties: { items: older } });
  });

  it("have no alternatives at the root of a schema for Claude", async () => {
    const a = { properties: { a: { type: "string" } }, required: ["a"] };
    const ab = { properties: { a: {}, b: { type: "number" } }, required: ["a", "b"] };
    const flat = { type: "object", properties: { a: { type: "string" }, b: { type: "number" } } };
    expect(await schema({ oneOf: [a, ab] }, SONNET_4_5)).toEqual({ ...flat, required: ["a"] });
    expect(await schema({ allOf: [a, ab], title: "t" }, SONNET_4_5)).toEqual({
      ...flat,
      title: "t",
      required: ["a", "b"],
    });
    expect(
      await schema({ anyOf: [{ $ref: "#/$defs/a" }, { type: "null" }], $defs: { a } }, SONNET_4_5),
    ).toEqual({
      type: "object",
      properties: a.properties,
      $defs: { a },
    });
  });

  it("have nothing but fields at the root of a schema for Nova, and no definitions", async () => {
    const point = { type: "object", properties: { x: { type: "number" } } };
    expect(
      await schema(
        {
          $schema: "https://json-schema.org/draft/2020-12/schema",
          title: "t",
          type: "object",
          additionalProperties: false,
          properties: { at: { $ref: "#/$defs/point", description: "where" }, $ref: { type: "string" } },
          required: ["at"],
          $defs: { point },
        },
        NOVA,
      ),
    ).toEqual({
      type: "object",
      properties: { at: { ...point, description: "where" }, $ref: { type: "string" } },
      required: ["at"],
    });
    expect(await schema({ $ref: "#/definitions/point", definitions: { point } }, NOVA)).toEqual(point);
    expect(await schema({ anyOf: [{ $ref: "#/$defs/point" }], $defs: { point } }, NOVA)).toEqual(point);
  });

  it("have definitions without an end put in their place as far as that goes", async () => {
    const tree = { type: "object", properties: { next: { $ref: "#/$defs/tree" } } };
    const ofTree = { properties: { tree: { $ref: "#/$defs/tree" } }, $defs: { tree } };
    expect(JSON.stringify(await schema(ofTree, NOVA))).toMatch(/^.{500,5000}\{\}\}+$/);
    const levels = Array.from({ length: 30 }, (_, level): [string, object] => {
      const next = { $ref: `#/$defs/l${level + 1}` };
      return [`l${level}`, { properties: { a: next, b: next } }];
    });
    const unknown = { properties: { a: { $ref: "#/$defs/none", title: "A" } } };
    expect(await schema(unknown, NOVA)).toEqual({ type: "object", properties: { a: { title: "A" } } });
    const bomb = { properties: { a: { $ref: "#/$defs/l0" } }, $defs: Object.fromEntries(levels) };
    const sent = JSON.stringify(await schema(bomb, NOVA));
    expect(sent).not.toContain("$ref");
    expect(sent.length).toBeLessThan(1_000_000);
  });

  it("have names that fit, of which the caller's are known, in declarations, choices and calls", async () => {
    const own = "server.tool/日本 " + "x".repeat(80);
    const { input, toolNames, notices } = await mend({
      messages: [user("a"), assistant(call("1", {}, own)), user(result("1"))],
      toolConfig: { tools: [spec(own), spec("server_tool")], toolChoice: { tool: { name: own } } },
    });
    const [sent = ""] = toolNames.keys();
    expect(sent).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(toolNames).toEqual(new Map([[sent, own]]));
    expect(input.toolConfig?.tools?.[0]?.toolSpec?.name).toBe(sent);
    expect(input.toolConfig?.toolChoice).toEqual({ tool: { name: sent } });
    expect(input.messages?.[1]?.content?.[0]?.toolUse?.name).toBe(sent);
    expect(notices).toEqual([]);
  });

  it("keep names apart that differ only in what is replaced", async () => {
    const names = (await tools(spec("a.b"), spec("a/b"), spec("a_b"))).input.toolConfig?.tools?.map(
      ({ toolSpec }) => toolSpec?.name,
    );
    expect(new Set(names).size).toBe(3);
  });

  it("are each declared once, and described or not", async () => {
    const { input, notices } = await tools(
      spec("a", {}, { description: " " }),
      spec("a", {}, { description: "Other." }),
      {},
    );
    expect(input.toolConfig).toEqual({ tools: [spec("a", { type: "object", properties: {} })] });
    expect(notices).toEqual([expect.stringContaining("'a' is declared more than once")]);
  });

  it("are none where none is declared, and chosen only among those that are", async () => {
    expect((await tools()).input).not.toHaveProperty("toolConfig");
    const { input } = await mend({
      messages: [user("hi")],
      toolConfig: { ...toolConfig, toolChoice: { tool: { name: "other" } } },
    });
    expect(input.toolConfig).toEqual(toolConfig);
  });
});

describe("documents", () => {
  it("have distinct legal names, wherever they are, and a text beside them", async () => {
    const inResult: ContentBlock = {
      toolResult: { toolUseId: "1", content: [document("report.pdf") as ContentBlock.DocumentMember] },
    };
    const messages = [
      user(document("日本語.pdf"), document("report.pdf")),
      assistant(call("1")),
      user(inResult, document("report.txt", "txt")),
    ];
    const sent = await calls(messages);
    const named = (sent ?? []).flatMap(({ content = [] }) =>
      content.flatMap((block) => [block, ...(block.toolResult?.content ?? [])]),
    );
    expect(named.flatMap((block) => block.document?.name ?? [])).toEqual([
      "U65E5-U672C-U8A9E (pdf)",
      "report (pdf)",
      "report (pdf) (2)",
      "report (txt)",
    ]);
    expect(sent?.[0]?.content?.at(-1)).toEqual({ text: "See the document." });
    expect(sent?.[2]?.content?.at(-1)).toEqual({ text: "See the document." });
  });
});

describe("an answer with calls", () => {
  it.each<[string, ContentBlock[], ContentBlock[]]>([
    ["what is said behind a call", blocks([call("1"), "b"]), blocks(["b", call("1")])],
    ["what is thought behind words", blocks(["b", signed, call("1")]), blocks([signed, "b", call("1")])],
    ["all of it", blocks([call("1"), "b", signed]), blocks([signed, "b", call("1")])],
  ])("goes in the order that Claude takes: %s", async (_, content, expected) => {
    const messages = [user("a"), { role: "assistant" as const, content }, user(result("1"))];
    expect((await calls(messages))?.[1]?.content).toEqual(expected);
  });
});

describe("cache points", () => {
  const hour: ContentBlock = { cachePoint: { type: "default", ttl: "1h" } };
  it("stand behind something that can be cached, never two in a row", async () => {
    expect(
      await says([user(cachePoint, "a", cachePoint, cachePoint, "b", document("d", "txt"), cachePoint)]),
    ).toEqual([user("a", cachePoint, "b", cachePoint, document("d", "txt"))]);
    expect(await says([user("a"), assistant("b", signed, cachePoint), user("c")])).toEqual([
      user("a"),
      assistant(signed, "b", cachePoint),
      user("c"),
    ]);
    expect(await says([user("a"), assistant(signed, cachePoint, "b"), user("c")])).toEqual([
      user("a"),
      assistant(signed, "b"),
      user("c"),
    ]);
  });

  it("are at most four, of which the oldest messages go without", async () => {
    const { input } = await mend({
      messages: [user("a", cachePoint, "b", cachePoint, "c", cachePoint)],
      system: [{ text: "s" }, point],
      toolConfig: { tools: [spec("clock"), point] },
    });
    expect(input.messages).toEqual([user("a", "b", cachePoint, "c", cachePoint)]);
    expect(input.system).toHaveLength(2);
    expect(input.toolConfig?.tools).toHaveLength(2);
  });

  it("last an hour only where the model knows that, and before shorter ones", async () => {
    const messages = [user("a", hour, "b", cachePoint, "c", hour)];
    expect(await says(messages)).toEqual([user("a", hour, "b", cachePoint, "c", cachePoint)]);
    expect(await says(messages, NOVA)).toEqual([user("a", cachePoint, "b", cachePoint, "c", cachePoint)]);
  });

  it("are left out where the model takes none", async () => {
    const { input, notices } = await mend(
      {
        messages: [user("a", hour, "b")],
        system: [{ text: "s" }, { cachePoint: { type: "default", ttl: "1h" } }],
      },
      KIMI,
    );
    expect(input).toEqual({ modelId: KIMI, messages: [user("a", "b")], system: [{ text: "s" }] });
    expect(notices).toEqual([`'${KIMI}' is not known to take cache points, so they are left out`]);
  });
});

describe("sampling", () => {
  const sampled = async (inferenceConfig: object, id: string, more?: Partial<Recipient>) => {
    const { input, notices } = await mend({ messages: [user("hi")], inferenceConfig }, id, more);
    return [input.inferenceConfig, notices.length];
  };

  it.each<[string, object, Partial<Recipient>["asked"], object | undefined, number]>([
    [NOVA, { temperature: 1.5 }, {}, { temperature: 1 }, 1],
    [NOVA, { temperature: -1, topP: 2 }, {}, { temperature: 0, topP: 1 }, 2],
    [NOVA, { temperature: 0.5, topP: 0.5 }, {}, { temperature: 0.5, topP: 0.5 }, 0],
    [SONNET_4_5, { temperature: 0.5, topP: 1 }, {}, { temperature: 0.5 }, 1],
    [SONNET_4_5, { temperature: 0.5, topP: 0.5 }, {}, { temperature: 0.5 }, 1],
    [SONNET_4_5, { temperature: 1, topP: 0.5 }, {}, { topP: 0.5 }, 1],
    [SONNET_4_5, { temperature: 0.5, topP: 0.9 }, { topP: 0.9 }, { topP: 0.9 }, 1],
    [SONNET_4_5, { temperature: 1, topP: 0.9 }, { temperature: 1 }, { temperature: 1 }, 1],
    [SONNET_4_5, { temperature: 1.5, topP: 0.9 }, { temperature: 1.5, topP: 0.9 }, { topP: 0.9 }, 2],
    [NOVA, { stopSequences: ["", "END"] }, {}, { stopSequences: ["END"] }, 1],
    [NOVA, { stopSequences: [""] }, {}, undefined, 1],
    [NOVA, { stopSequences: ["\n"] }, {}, { stopSequences: ["\n"] }, 0],
    [SONNET_4_5, { stopSequences: ["\n\n", "\nUser:", " "] }, {}, { stopSequences: ["\nUser:"] }, 1],
  ])("of %s: %j, asked for %j, becomes %j", async (id, config, asked, expected, told) => {
    expect(await sampled(config, id, { asked: asked ?? {} })).toEqual([expected, told]);
  });
});

describe("the length of an answer", () => {
  const thinking = (budget: number) => ({
    messages: [user("hi")],
    additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: budget } },
  });
  it("is above the budget to think, within the model's limit", async () => {
    expect((await mend(thinking(16_384))).input.inferenceConfig).toEqual({ maxTokens: 20_480 });
    expect((await mend(thinking(30_000), SONNET_4_5, { mostTokens: 32_000 })).input.inferenceConfig).toEqual({
      maxTokens: 32_000,
    });
    const wanted = { ...thinking(1024), inferenceConfig: { maxTokens: 2000 } };
    expect((await mend(wanted)).input.inferenceConfig).toEqual({ maxTokens: 2000 });
  });
});

describe("earlier turns", () => {
  const CLAUDE = `us.${SONNET_4_6}`;
  const turn = (content: ContentBlock[], more: Partial<Turn> = {}): Turn => ({
    model: CLAUDE,
    messages: [user("Hi"), assistant(...content)],
    ...more,
  });
  const text = { text: "Hello." };
  const after = async (turns: Turn[], draft: Partial<Draft> = {}, id = CLAUDE) => {
    const { input, notices } = await mend({ messages: [user("next")], ...draft }, id, {
      earlier: turns,
      family: familyOf(SONNET_4_6),
    });
    return { sent: input.messages?.slice(0, -1), notices };
  };
  it.each<[string, ContentBlock, Recipient["reads"], string | undefined]>([
    [
      "a video",
      { video: { format: "mp4", source: { bytes } } },
      { kinds: ["text"], inS3: undefined },
      "videos",
    ],
    [
      "a recording",
      { audio: { format: "mp3", source: { bytes } } },
      { kinds: ["text"], inS3: true },
      "recordings",
    ],
    ["an image", image, { kinds: ["text"], inS3: true }, "images"],
    ["a PDF", document("report (pdf)"), { kinds: ["text"], inS3: true }, "documents"],
    [
      "what lies in Amazon S3",
      { image: { format: "png", source: { s3Location: { uri: "s3://b/a.png" } } } },
      { kinds: ["text", "image"], inS3: false },
      "files from Amazon S3",
    ],
    ["nothing that it takes", image, { kinds: ["text", "image"], inS3: false }, undefined],
    ["nothing of a model that nobody knows", image, { kinds: undefined, inS3: undefined }, undefined],
  ])("leave out what the model cannot read, and say so: %s", async (_, file, reads, what) => {
    const asked = { ...turn([text]), messages: [user(file, "Hi"), assistant(text)] };
    const { input, notices } = await mend({ messages: [user("next")] }, NOVA, { earlier: [asked], reads });
    const [question] = input.messages ?? [];
    expect(notices).toEqual(
      what === undefined ? [] : [`'${NOVA}' takes no ${what}, so those of earlier questions are left out`],
    );
    expect(question?.content?.[0]).toEqual(
      what === undefined ? file : { text: expect.stringContaining(`it takes no ${what}.`) },
    );
    // Of a program's conversation it is the same; what is asked about now is another question without it.
    const whole = await mend({ messages: [...asked.messages, user("next")] }, NOVA, { reads });
    if (what !== undefined) expect(whole).toMatchObject({ input: { messages: input.messages }, notices });
    const asking = mend({ messages: [user(file, "Hi")] }, NOVA, { reads });
    if (what === undefined) await expect(asking).resolves.toBeDefined();
    else
      await expect(asking).rejects.toMatchObject({
        code: "bad-attachment",
        message: expect.stringMatching(`^'${NOVA}' takes no ${what}, only text`) as string,
      });
  });

  it("are said where they are text, and the model takes no documents", async () => {
    const file = { document: { format: "txt" as const, name: "a", source: { text: "One." } } };
    const { input, notices } = await mend({ messages: [user(file, "next")] }, NOVA, {
      earlier: [{ ...turn([text]), messages: [user(file, "Hi"), assistant(text)] }],
      reads: { kinds: ["text"], inS3: false },
    });
    for (const message of [input.messages?.[0], input.messages?.at(-1)])
      expect(message?.content?.[0]).toEqual({ text: expect.stringContaining("One.") as string });
    expect(notices).toEqual([`'${NOVA}' takes no documents, so the text of 'a' is sent as text`]);
  });

  it("leave out what is in the result of a tool as well, also where the model has refused it before", async () => {
    const drawn: ContentBlock = { toolResult: { toolUseId: "1", content: [{ text: "a" }, image] } };
    const messages = [user("go"), assistant(call("1")), user(drawn)];
    const sent = async (more: Partial<Recipient>) => {
      const { input, notices } = await mend({ messages, toolConfig }, SONNET_4_5, more);
      return { content: input.messages?.at(-1)?.content, notices };
    };
    const of = (text: string) => [{ toolResult: { toolUseId: "1", content: [{ text: "a" }, { text }] } }];
    expect(await sent({ reads: { kinds: ["text", "image"], inS3: false } })).toMatchObject({ notices: [] });
    expect(await sent({ reads: { kinds: ["text"], inS3: false } })).toEqual({
      content: of("(A file stood here, which this model cannot read: it takes no images.)"),
      notices: [`'${SONNET_4_5}' takes no images, so those in results of tools are left out`],
    });
    expect(await sent({ lessons: [{ name: "no-images" }] })).toEqual({
      content: of("(An image stood here, which this model cannot see.)"),
      notices: [`'${SONNET_4_5}' takes no images, so those in results of tools are left out`],
    });
  });

  /** What a turn keeps of the prompt that it was asked under. */
  const digest = async (draft: Partial<Draft>) =>
    (await mend({ messages: [user("q")], ...draft })).promptDigest();

  it.each<[string, string, ContentBlock[], ContentBlock[]]>([
    ["text", CLAUDE, [text], [text]],
    ["signed reasoning, to its own model", CLAUDE, [signed, text], [signed, text]],
    ["redacted reasoning", CLAUDE, [redacted, signed, text], [redacted, signed, text]],
    ["the same model's in another region", `eu.${SONNET_4_6}`, [signed, text], [signed, text]],
    ["no reasoning of another model", "us.anthropic.claude-opus-4-6-v1", [redacted, signed, text], [text]],
    ["no reasoning without a signature", CLAUDE, [unsigned, text], [text]],
    ["cited text, as text", CLAUDE, [cited], [{ text: "So it is." }]],
    ["no blank text", CLAUDE, [{ text: "\n " }, text], [text]],
  ])("give a model %s", async (_, id, content, sent) => {
    expect(await after([turn(content)], {}, id)).toEqual({
      sent: [user("Hi"), assistant(...sent)],
      notices: [],
    });
  });

  const asked = (question: string, ...content: ContentBlock[]): Turn =>
    turn(content, { messages: [user(question), assistant(...content)] });
  const failed = (question: string, code: string): Turn => ({
    ...asked(question),
    failure: { code, message: "No." },
  });

  it.each([[[]], [[{ text: " " }]], [[signed]], [[unsigned]]])(
    "give it the question of one whose answer comes to nothing with the next: %j",
    async (content) => {
      const { sent } = await after([asked("a", text), asked("b", ...content), asked("c", text)]);
      expect(sent).toEqual([user("a"), assistant(text), user("b", "c"), assistant(text)]);
    },
  );

  /** A turn whose next round never came: its results are told as text, since no tools are declared. */
  const inRounds = (question: string, code?: string): Turn => ({
    model: CLAUDE,
    messages: [
      user(question),
      assistant(text),
      { role: "user", content: [{ text: "12:00" }] },
      { role: "assistant", content: [] },
    ],
    ...(code === undefined ? {} : { failure: { code, message: "" } }),
  });
  const whole = async (turns: Turn[]) =>
    (await mend({ messages: [user("next")] }, CLAUDE, { earlier: turns })).input.messages;
  it.each<[string, Turn[], Message[]]>([
    ["stopped before a word came", [asked("a")], [user("a", "next")]],
    ["two of them", [asked("a"), asked("b")], [user("a", "b", "next")]],
    ["throttled", [failed("a", "throttled")], [user("a", "next")]],
    ["empty", [failed("a", "model-error")], [user("a", "next")]],
    [
      "broken off",
      [{ ...asked("a", text), failure: { code: "stream-broken", message: "" } }],
      [user("a"), assistant(text), user("next")],
    ],
    ["refused", [failed("a", "invalid-request")], [user("next")]],
    ["too long", [failed("a", "input-too-long")], [user("next")]],
    ["withheld", [failed("a", "blocked")], [user("next")]],
    ["refused with one before it", [asked("a"), failed("b", "invalid-request")], [user("next")]],
    ["refused with the results of its tools", [inRounds("a", "input-too-long")], [user("next")]],
    [
      "stopped while its tools ran",
      [inRounds("a")],
      [user("a"), assistant(text), { role: "user", content: [{ text: "12:00" }, { text: "next" }] }],
    ],
    [
      "refused behind an answered one",
      [asked("a"), asked("b", text), failed("c", "blocked"), asked("d")],
      [user("a", "b"), assistant(text), user("d", "next")],
    ],
  ])("a question that was %s", async (_, turns, sent) => {
    expect(await whole(turns)).toEqual(sent);
  });

  it("keep the newest question by itself, its documents as they are sent", async () => {
    const report = { document: { format: "txt" as const, name: "a.b", source: { text: "x" } } };
    const question: Message = { role: "user", content: [report, { text: "next" }] };
    const mended = await mend({ messages: [question] }, CLAUDE, { earlier: [asked("a")] });
    const [name] = (mended.input.messages?.[0]?.content ?? []).flatMap(
      ({ document }) => document?.name ?? [],
    );
    expect(name).not.toBe("a.b");
    expect(mended.question).toEqual({
      role: "user",
      content: [{ document: { ...report.document, name } }, { text: "next" }],
    });
  });

  it("give it results for calls that an earlier turn ended with", async () => {
    const { sent } = await after(
      [turn([call("1")]), { model: CLAUDE, messages: [user(result("1")), assistant("It is noon.")] }],
      {
        toolConfig,
      },
    );
    expect(sent).toEqual([user("Hi"), assistant(call("1")), user(result("1")), assistant("It is noon.")]);
  });

  const system = [{ text: "Be brief." }];
  it.each<[string, Partial<Turn> & { prompt?: Partial<Draft> }, Partial<Draft>, boolean]>([
    ["the same system prompt", { prompt: { system } }, { system }, true],
    ["the same with a cache point", { prompt: { system } }, { system: [...system, point] }, true],
    ["another system prompt", { prompt: { system } }, { system: [{ text: "Sing." }] }, false],
    ["no system prompt any more", { prompt: { system } }, {}, false],
    ["other tools", { prompt: { toolConfig } }, { toolConfig: { tools: [spec("other")] } }, false],
    ["the same tools", { prompt: { toolConfig } }, { toolConfig }, true],
    ["the system prompt of an older session", { system: "Be brief." }, { system }, true],
    ["another than an older session's", { system: "Be brief." }, { system: [{ text: "Sing." }] }, false],
  ])("give it signed reasoning under %s: %j", async (_, { prompt, ...kept }, draft, isKept) => {
    const more = prompt ? { ...kept, promptDigest: await digest(prompt) } : kept;
    const { sent, notices } = await after([turn([signed, text], more)], draft);
    expect(sent).toEqual([user("Hi"), isKept ? assistant(signed, text) : assistant(text)]);
    expect(notices).toHaveLength(isKept ? 0 : 1);
  });

  it("are told of only while the loss is news", async () => {
    const old = turn([signed, text], { promptDigest: "old" });
    expect((await after([old, turn([signed, text])])).notices).toEqual([]);
  });
});

describe("what a search has found", () => {
  const searchResult = {
    title: "Sky",
    source: "https://example.com/sky",
    content: [{ text: "It is" }, { text: "blue." }],
  };
  const found: ContentBlock = { searchResult };
  const told = {
    text: '<search_result title="Sky" source="https://example.com/sky">\nIt is\nblue.\n</search_result>',
  };

  it("goes as it is to a model that can cite it, and to any other as text", async () => {
    expect(await says([user(found, "Why?")])).toEqual([user(found, "Why?")]);
    expect(await says([user(found, "Why?")], NOVA)).toEqual([user(told, "Why?")]);
  });

  it("goes so in results of tools, too", async () => {
    const messages = [
      user("a"),
      assistant(call("1")),
      user({ toolResult: { toolUseId: "1", content: [{ searchResult }] } }),
    ];
    const { input } = await mend({ messages, toolConfig }, NOVA);
    expect(input.messages?.at(-1)).toEqual(user({ toolResult: { toolUseId: "1", content: [told] } }));
  });
});

describe("documents that are to be cited", () => {
  const asked = { name: "a", format: "txt" as const, citations: { enabled: true } };
  const text: ContentBlock = { document: { ...asked, source: { text: "It is blue." } } };
  const parts: ContentBlock = {
    document: { ...asked, source: { content: [{ text: "It is" }, { text: "blue." }] } },
  };

  it("are as they are for a model that cites, and for one of which nobody knows", async () => {
    for (const canCite of [true, undefined]) {
      const { input, notices } = await mend({ messages: [user("Why?", text)] }, NOVA, { canCite });
      expect([input.messages, notices]).toEqual([[user("Why?", text)], []]);
    }
  });

  it("are plain ones for a model that does not, with a notice", async () => {
    const { input, notices } = await mend({ messages: [user("Why?", text, parts)] }, NOVA, {
      canCite: false,
    });
    const plain = (name: string, said: string): ContentBlock => ({
      document: { name, format: "txt", source: { bytes: Buffer.from(said) } },
    });
    expect(input.messages).toEqual([user("Why?", plain("a", "It is blue."), plain("a (2)", "It is\nblue."))]);
    expect(notices).toEqual([
      `'${NOVA}' does not say where in a document its words are from, so no sources are named`,
    ]);
  });
});
