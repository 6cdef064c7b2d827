import { describe, expect, it } from "vitest";
import { OpenclawError } from "../../../../src/errors.ts";
import { fromMessagesRequest } from "../../../../src/serve/dialects/messages/from-messages-request.ts";
import { PIXEL } from "../../../helpers/pixel.ts";

const HI = { role: "user", content: "hi" };
const read = (fields: object, files?: ReadonlyMap<string, Uint8Array>) =>
  fromMessagesRequest({ model: "m", max_tokens: 100, messages: [HI], ...fields }, files);
const says = async (...content: object[]) => {
  const { ask } = await read({ messages: [{ role: "user", content }] });
  return ask.messages[0]?.content;
};
const text = (said: string, more: object = {}) => ({ type: "text", text: said, ...more });
const CACHED = { cache_control: { type: "ephemeral" } };
const POINT = { cachePoint: { type: "default" } };
const HOUR = { cachePoint: { type: "default", ttl: "1h" } };
const TOOL = { name: "add", input_schema: { type: "object" } };
const PNG = { type: "base64", media_type: "image/png", data: PIXEL.toString("base64") };
const PDF = Buffer.from("%PDF-1.4\n");

/** The message of a refusal, and the field that it names. */
async function refusal(fields: object): Promise<{ message: string; param: unknown }> {
  try {
    await read(fields);
  } catch (error) {
    if (error instanceof OpenclawError && error.code === "invalid-request")
      return { message: error.message, param: error.details?.["param"] };
    throw error;
  }
  throw new Error("It is taken.");
}

describe("a Messages request", () => {
  it("asks for nothing that it does not say", async () => {
    const { ask, stops, isStreamed, mayCallInParallel, notices } = await read({ tools: [], system: null });
    expect(JSON.parse(JSON.stringify(ask))).toEqual({
      messages: [{ role: "user", content: [{ text: "hi" }] }],
      system: [],
      parameters: { maxTokens: 100 },
      searchesWeb: false,
      showsReasoning: false,
      namesStop: true,
    });
    expect({ stops, isStreamed, mayCallInParallel, notices }).toEqual({
      stops: [],
      isStreamed: false,
      mayCallInParallel: true,
      notices: [],
    });
  });

  it("takes each parameter", async () => {
    const { ask, stops } = await read({
      temperature: 0.5,
      top_p: 0.9,
      top_k: 5,
      stop_sequences: ["END", "STOP"],
      service_tier: "standard_only",
    });
    expect(ask.parameters).toEqual({
      maxTokens: 100,
      temperature: 0.5,
      topP: 0.9,
      topK: 5,
      stopSequences: ["END", "STOP"],
      serviceTier: "default",
    });
    expect(stops).toEqual(["END", "STOP"]);
    expect(ask.nameOf?.("maxTokens")).toBe("max_tokens");
  });

  it.each<[string, object | undefined]>([
    ["user-1@example.com", { user_id: "user-1@example.com" }],
    ['{"device":"a"}', undefined],
  ])("marks whose it is, where Converse takes that: %s", async (user_id, metadata) => {
    expect((await read({ metadata: { user_id } })).ask.metadata).toEqual(metadata);
  });

  it.each<[string, object, object]>([
    ["nothing", {}, { level: undefined, most: undefined, shown: false }],
    [
      "a budget",
      { thinking: { type: "enabled", budget_tokens: 5000 } },
      { level: "medium", most: 5000, shown: true },
    ],
    ["adaptive", { thinking: { type: "adaptive" } }, { level: "high", most: undefined, shown: true }],
    [
      "adaptive with an effort, and nothing to read",
      { thinking: { type: "adaptive", display: "omitted" }, output_config: { effort: "low" } },
      { level: "low", most: undefined, shown: false },
    ],
    ["disabled", { thinking: { type: "disabled" } }, { level: "off", most: undefined, shown: false }],
    [
      "disabled with an effort",
      { thinking: { type: "disabled" }, output_config: { effort: "max" } },
      { level: "off", most: undefined, shown: false },
    ],
    [
      "between tools",
      { thinking: { type: "between_tools" } },
      { level: "off", most: undefined, shown: false },
    ],
  ])("thinks as it is told to: %s", async (_, fields, expected) => {
    const { ask } = await read(fields);
    expect({
      level: ask.parameters.reasoning,
      most: ask.mostReasoning,
      shown: ask.showsReasoning,
    }).toEqual(expected);
  });

  it.each([["output_config"], ["output_format"]])("holds the answer to the schema of %s", async (name) => {
    const format = { type: "json_schema", schema: { type: "object", properties: { a: { type: "string" } } } };
    const { ask } = await read({ [name]: name === "output_format" ? format : { format } });
    expect(ask.schema?.schema).toEqual(format.schema);
    expect(await ask.schema?.problemsOf('{"a":1}')).not.toEqual([]);
    expect(ask.schema?.mayMisfit?.("end_turn")).toBe(false);
  });
});

describe("the system prompt", () => {
  it.each<[string, unknown, object[]]>([
    ["a text", "Be brief.", [{ text: "Be brief." }]],
    ["blocks", [text("a"), text("b")], [{ text: "a" }, { text: "b" }]],
    ["a cached block", [text("a", CACHED), text("b")], [{ text: "a" }, POINT, { text: "b" }]],
    [
      "one that is cached for an hour, in a scope",
      [text("a", { cache_control: { type: "ephemeral", ttl: "1h", scope: "global" } })],
      [{ text: "a" }, HOUR],
    ],
    [
      "Claude Code's note to the billing",
      [text("x-anthropic-billing-header: cc_version=2.1; cch=1a2b3;"), text("You are an agent.")],
      [{ text: "You are an agent." }],
    ],
    [
      "the same at the head of a text",
      "x-anthropic-billing-header: cch=1a2b3;\nYou are an agent.",
      [{ text: "You are an agent." }],
    ],
  ])("is %s", async (_, system, expected) => {
    expect((await read({ system })).ask.system).toEqual(expected);
  });

  it("holds what system messages say before anybody else, and what they say later stays there", async () => {
    const { ask } = await read({
      system: "a",
      messages: [
        { role: "system", content: "b" },
        HI,
        { role: "system", content: [text("c", CACHED)] },
        { role: "assistant", content: "hello" },
        { role: "user", content: "go on" },
      ],
    });
    expect(ask.system).toEqual([{ text: "a" }, { text: "b" }]);
    expect(ask.messages).toEqual([
      { role: "user", content: [{ text: "hi" }] },
      { role: "user", content: [{ text: "<system>\nc\n</system>" }, POINT] },
      { role: "assistant", content: [{ text: "hello" }] },
      { role: "user", content: [{ text: "go on" }] },
    ]);
  });

  it("says no more what was to be said until the next message of the person's", async () => {
    const passing = { role: "system", content: "now", clear_at: "next_user_message" };
    const { ask: before } = await read({ messages: [HI, passing] });
    expect(before.messages).toHaveLength(2);
    const { ask: after } = await read({ messages: [HI, passing, { role: "assistant", content: "a" }, HI] });
    expect(after.messages).toHaveLength(3);
  });
});

describe("the blocks of a message", () => {
  it.each<[string, object, object[]]>([
    ["a text", text("a"), [{ text: "a" }]],
    ["a cached text", text("a", CACHED), [{ text: "a" }, POINT]],
    ["an image", { type: "image", source: PNG }, [{ image: { format: "png", source: { bytes: PIXEL } } }]],
    [
      "an image that says that it is another one",
      { type: "image", source: { ...PNG, media_type: "image/jpeg" } },
      [{ image: { format: "png", source: { bytes: PIXEL } } }],
    ],
    [
      "a PDF",
      {
        type: "document",
        title: "report",
        context: "of May",
        citations: { enabled: true },
        source: { type: "base64", media_type: "application/pdf", data: PDF.toString("base64") },
      },
      [
        {
          document: {
            name: "report",
            context: "of May",
            citations: { enabled: true },
            format: "pdf",
            source: { bytes: PDF },
          },
        },
      ],
    ],
    [
      "a text document",
      { type: "document", source: { type: "text", media_type: "text/plain", data: "words" } },
      [{ document: { name: "Document", format: "txt", source: { bytes: Buffer.from("words") } } }],
    ],
    [
      "a document in parts, which are cited",
      {
        type: "document",
        citations: { enabled: true },
        source: { type: "content", content: [text("a"), { type: "image", source: PNG }, text("b")] },
      },
      [
        {
          document: {
            name: "Document",
            citations: { enabled: true },
            format: "txt",
            source: { content: [{ text: "a" }, { text: "b" }] },
          },
        },
        { image: { format: "png", source: { bytes: PIXEL } } },
      ],
    ],
    [
      "a result of a search",
      { type: "search_result", source: "https://example.com", title: "t", content: [text("a")] },
      [{ searchResult: { source: "https://example.com", title: "t", content: [{ text: "a" }] } }],
    ],
    [
      "a result of a tool that failed, with a mark inside",
      { type: "tool_result", tool_use_id: "1", is_error: true, content: [text("no", CACHED)] },
      [{ toolResult: { toolUseId: "1", content: [{ text: "no" }], status: "error" } }, POINT],
    ],
    [
      "a result in words",
      { type: "tool_result", tool_use_id: "1", content: "2" },
      [{ toolResult: { toolUseId: "1", content: [{ text: "2" }] } }],
    ],
    [
      "a result of nothing",
      { type: "tool_result", tool_use_id: "1" },
      [{ toolResult: { toolUseId: "1", content: [] } }],
    ],
    [
      "thinking",
      { type: "thinking", thinking: "hm", signature: "sig" },
      [{ reasoningContent: { reasoningText: { text: "hm", signature: "sig" } } }],
    ],
    [
      "thinking that was withheld",
      { type: "redacted_thinking", data: "EmwK" },
      [{ reasoningContent: { redactedContent: Buffer.from("EmwK") } }],
    ],
    [
      "a call",
      { type: "tool_use", id: "1", name: "add", input: { a: 1 } },
      [{ toolUse: { toolUseId: "1", name: "add", input: { a: 1 } } }],
    ],
    ["what was summed up", { type: "compaction", content: "so far" }, [{ text: "so far" }]],
  ])("are read: %s", async (_, block, expected) => {
    expect(await says(block)).toEqual(expected);
  });

  it("are left out, with a notice, where only Anthropic's servers can read them", async () => {
    const { ask, notices } = await read({
      messages: [
        HI,
        {
          role: "assistant",
          content: [{ type: "server_tool_use", id: "1", name: "web_search", input: {} }, text("so")],
        },
        HI,
      ],
    });
    expect(ask.messages[1]?.content).toEqual([{ text: "so" }]);
    expect(notices).toEqual([
      "Blocks of type 'server_tool_use' are left out: only the servers that wrote them can read them",
    ]);
  });

  it("take files by their URL where those were fetched", async () => {
    const url = "https://example.com/a.png";
    const block = { type: "image", source: { type: "url", url } };
    const { ask } = await read({ messages: [{ role: "user", content: [block] }] }, new Map([[url, PIXEL]]));
    expect(ask.messages[0]?.content).toEqual([{ image: { format: "png", source: { bytes: PIXEL } } }]);
  });

  it("are cached up to the last by a mark of the whole request", async () => {
    const { ask } = await read({ cache_control: { type: "ephemeral", ttl: "1h" } });
    expect(ask.messages.at(-1)?.content).toEqual([{ text: "hi" }, HOUR]);
  });
});

describe("tools", () => {
  const spec = (name: string) => ({ toolSpec: { name, inputSchema: { json: { type: "object" } } } });

  it("are declared with what Converse has a place for", async () => {
    const { ask } = await read({
      tools: [
        { ...TOOL, description: "Adds.", strict: true, eager_input_streaming: true, ...CACHED },
        { ...TOOL, name: "sub", type: "custom" },
      ],
    });
    expect(ask.tools?.tools).toEqual([
      { toolSpec: { ...spec("add").toolSpec, description: "Adds.", strict: true } },
      POINT,
      spec("sub"),
    ]);
  });

  it.each<[object, object | undefined, boolean]>([
    [{ type: "auto" }, undefined, true],
    [{ type: "auto", disable_parallel_tool_use: true }, undefined, false],
    [{ type: "any" }, { any: {} }, true],
    [{ type: "tool", name: "add" }, { tool: { name: "add" } }, true],
  ])("are chosen by %j", async (tool_choice, toolChoice, inParallel) => {
    const { ask, mayCallInParallel } = await read({ tools: [TOOL], tool_choice });
    expect(ask.tools?.toolChoice).toEqual(toolChoice);
    expect(mayCallInParallel).toBe(inParallel);
  });

  it("are none where the model is to call none", async () => {
    expect((await read({ tools: [TOOL], tool_choice: { type: "none" } })).ask.tools).toBeUndefined();
  });

  it("are declared late where their loading is deferred: once something has made them known", async () => {
    const tools = [TOOL, { ...TOOL, name: "late", defer_loading: true }];
    const names = async (messages: object[], more: object[] = []) => {
      const { ask } = await read({ tools: [...tools, ...more], messages });
      return ask.tools?.tools?.flatMap(({ toolSpec }) => toolSpec?.name ?? []);
    };
    const found = {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "1", content: [{ type: "tool_reference", tool_name: "late" }] },
      ],
    };
    const added = (tool: object) => ({ role: "system", content: [{ type: "tool_addition", tool }] });
    const removed = {
      role: "system",
      content: [{ type: "tool_removal", tool: { type: "tool_reference", name: "late" } }],
    };
    expect(await names([HI])).toEqual(["add"]);
    expect(await names([HI, found])).toEqual(["add", "late"]);
    expect(await names([HI, added({ type: "tool_reference", name: "late" })])).toEqual(["add", "late"]);
    expect(await names([HI, found, removed])).toEqual(["add"]);
    expect(
      await names([HI, added({ type: "tool_definition", definition: { ...TOOL, name: "new" } })]),
    ).toEqual(["add", "new"]);
    const search = { type: "tool_search_tool_bm25_20251119", name: "tool_search_tool_bm25" };
    expect(await names([HI], [search])).toEqual(["add", "late"]);
    expect((await read({ tools: [...tools, search], messages: [HI] })).notices).toEqual([
      "Tools are not searched for by this server, so all of them are sent",
    ]);
    expect((await read({ tools, messages: [HI] })).notices).toEqual([]);
  });

  it("search the web where the service's own is named", async () => {
    const web = { type: "web_search_20250305", name: "web_search", max_uses: 3 };
    const { ask } = await read({ tools: [web], tool_choice: { type: "tool", name: "web_search" } });
    expect({ web: ask.searchesWeb, tools: ask.tools }).toEqual({ web: true, tools: undefined });
    const { unknown } = await read({
      tools: [{ ...web, allowed_domains: [], blocked_domains: null, depth: 1 }],
    });
    expect(unknown).toEqual(["tools[0].depth"]);
  });

  it.each(["allowed_domains", "blocked_domains"])("never search the web without its %s", async (field) => {
    const web = { type: "web_search_20250305", name: "web_search", [field]: ["example.com"] };
    await expect(read({ tools: [web] })).rejects.toMatchObject({
      code: "invalid-request",
      details: { param: `tools[0].${field}` },
    });
  });
});

describe("what cannot be done is refused by name", () => {
  const said = (block: object): object => ({ messages: [{ role: "user", content: [block] }] });

  it.each<[string, object, string]>([
    ["no object for a body's field", { messages: "hi" }, "messages"],
    ["another role", { messages: [{ role: "tool", content: "" }] }, "messages[0].role"],
    ["nothing said", { messages: [] }, "messages"],
    ["a block of a kind nobody knows", said({ type: "smell" }), "messages[0].content[0].type"],
    ["a block without a type", said({}), "messages[0].content[0].type"],
    [
      "an image that is none",
      said({ type: "image", source: { ...PNG, data: "aGVsbG8=" } }),
      "messages[0].content[0].source",
    ],
    [
      "base64 that is none",
      said({ type: "image", source: { ...PNG, data: "!" } }),
      "messages[0].content[0].source.data",
    ],
    [
      "a kept file",
      said({ type: "image", source: { type: "file", file_id: "f" } }),
      "messages[0].content[0].source.type",
    ],
    [
      "a remote file",
      said({ type: "image", source: { type: "url", url: "https://example.com/a.png" } }),
      "messages[0].content[0].source.url",
    ],
    [
      "a mark of a time nobody keeps",
      said(text("a", { cache_control: { type: "ephemeral", ttl: "2h" } })),
      "messages[0].content[0].cache_control.ttl",
    ],
    ["too small a budget", { thinking: { type: "enabled", budget_tokens: 1 } }, "thinking.budget_tokens"],
    ["another form of thinking", { thinking: { type: "deep" } }, "thinking.type"],
    ["another effort", { output_config: { effort: "huge" } }, "output_config.effort"],
    ["MCP servers", { mcp_servers: [{ type: "url", url: "https://example.com", name: "a" }] }, "mcp_servers"],
    ["a container", { container: "c" }, "container"],
    ["to go on with what is not kept", { thread: { type: "continue", previous_message_id: "a" } }, "thread"],
    ["a place", { inference_geo: "us" }, "inference_geo"],
    [
      "a tool of Anthropic's servers",
      { tools: [{ type: "code_execution_20250825", name: "x" }] },
      "tools[0].type",
    ],
    ["a tool without a name", { tools: [{ input_schema: {} }] }, "tools[0].name"],
    [
      "a choice of a tool that is not there",
      { tools: [TOOL], tool_choice: { type: "tool", name: "sub" } },
      "tool_choice.name",
    ],
    ["a choice without tools", { tool_choice: { type: "any" } }, "tool_choice"],
    ["no length", { max_tokens: 0 }, "max_tokens"],
    ["a name without end", { model: "a".repeat(5000) }, "model"],
  ])("%s", async (_, fields, param) => {
    expect((await refusal(fields)).param).toBe(param);
  });

  it("but not what is harmless, and what nobody knows has its place told", async () => {
    const { unknown } = await read({
      betas: ["x"],
      container: null,
      context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
      inference_geo: "global",
      mcp_servers: [],
      metadata: { user_id: '{"a":1}' },
      speed: "fast",
      thread: { type: "create" },
      newest: 1,
      output_config: { effort: "low", task_budget: { total: 5 }, other: 1 },
      tools: [{ ...TOOL, input_examples: [{}], smell: 1 }],
    });
    expect(unknown).toEqual(["newest", "tools[0].smell", "output_config.other"]);
  });
});
