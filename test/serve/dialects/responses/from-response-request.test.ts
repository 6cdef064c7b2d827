import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OpenclawError } from "../../../../src/errors.ts";
import { MOST_SCHEMA_VALUES } from "../../../../src/serve/content/tool-schema.ts";
import { sealRedacted, sealSigned } from "../../../../src/serve/dialects/responses/encrypted-reasoning.ts";
import {
  fromResponseRequest,
  refusedField,
} from "../../../../src/serve/dialects/responses/from-response-request.ts";
import { urlsIn } from "../../../../src/serve/content/fetch-allowed.ts";
import { imageUrlOf } from "../../../../src/serve/dialects/responses/read-input.ts";

const read = (fields: object) => fromResponseRequest({ model: "m", input: "hi", ...fields }, undefined);
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const messagesOf = async (input: unknown) => (await read({ input })).ask.messages;
const refusal = (param: string, message?: RegExp) => ({
  code: "invalid-request",
  ...(message ? { message: expect.stringMatching(message) } : {}),
  details: { param },
});
const text = (role: string, said: string) => ({ role, content: [{ text: said }] });

it("lets others have their turn between thousands of tools", async () => {
  const tools = Array.from({ length: 9000 }, (_, nth) => ({
    type: "namespace",
    name: `n${nth}`,
    tools: [{ type: "function", name: "f" }],
  }));
  let turns = 0;
  const timer = setInterval(() => (turns += 1), 1);
  for (let time = 0; time < 5; time += 1) expect((await read({ tools })).ask.tools?.tools).toHaveLength(9000);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
});

describe("a request of Responses", () => {
  it("asks for nothing that it does not say", async () => {
    const { ask, isStreamed, mayCallInParallel, notices, unknown } = await read({
      temperature: null,
      tools: [],
      tool_choice: null,
      text: { format: { type: "text" } },
      store: false,
      background: false,
      include: ["reasoning.encrypted_content"],
      prompt_cache_key: "k",
      client_metadata: { a: "b" },
      truncation: "disabled",
    });
    expect(plain(ask)).toEqual({
      messages: [text("user", "hi")],
      parameters: {},
      showsReasoning: false,
    });
    expect({ isStreamed, mayCallInParallel, notices, unknown }).toEqual({
      isStreamed: false,
      mayCallInParallel: true,
      notices: [],
      unknown: [],
    });
  });

  it("says what its items say, as one message for each answer", async () => {
    const { ask } = await read({
      instructions: "Be brief.",
      input: [
        { role: "developer", content: "Be kind." },
        { type: "message", role: "system", content: [{ type: "input_text", text: "Be right." }] },
        { role: "user", content: "One." },
        { type: "message", role: "user", content: [{ type: "input_text", text: "Two." }] },
        {
          type: "reasoning",
          id: "rs_1",
          summary: [{ type: "summary_text", text: "cut" }],
          content: null,
          encrypted_content: sealSigned("Hm.", "s1"),
        },
        { type: "reasoning", id: "rs_2", summary: [], encrypted_content: sealRedacted(Buffer.from("r")) },
        {
          type: "message",
          id: "msg_1",
          role: "assistant",
          content: [
            { type: "output_text", text: "I look.", annotations: [] },
            { type: "refusal", refusal: "Not all." },
          ],
        },
        { type: "function_call", call_id: "c1", name: "ls", arguments: `{"path":"."}` },
        { type: "custom_tool_call", call_id: "c2", name: "patch", namespace: "fs", input: "*** Begin" },
        { type: "function_call_output", call_id: "c1", output: "a.txt" },
        {
          type: "custom_tool_call_output",
          call_id: "c2",
          output: [{ type: "input_text", text: "done" }],
        },
        { role: "assistant", content: "So." },
      ],
    });
    expect(ask.system).toBe("Be brief.\n\nBe kind.\n\nBe right.");
    expect(ask.messages).toEqual([
      text("user", "One."),
      text("user", "Two."),
      {
        role: "assistant",
        content: [
          { reasoningContent: { reasoningText: { text: "Hm.", signature: "s1" } } },
          { reasoningContent: { redactedContent: Buffer.from("r") } },
          { text: "I look." },
          { text: "Not all." },
          { toolUse: { toolUseId: "c1", name: "ls", input: { path: "." } } },
          { toolUse: { toolUseId: "c2", name: "fs__patch", input: { input: "*** Begin" } } },
        ],
      },
      { role: "user", content: [{ toolResult: { toolUseId: "c1", content: [{ text: "a.txt" }] } }] },
      { role: "user", content: [{ toolResult: { toolUseId: "c2", content: [{ text: "done" }] } }] },
      text("assistant", "So."),
    ]);
  });

  it("is cached as far as its parts are marked", async () => {
    const mark = { prompt_cache_breakpoint: { mode: "explicit" } };
    const marked = { type: "input_text", text: "One.", ...mark };
    const { ask } = await read({
      instructions: "Be brief.",
      input: [
        { role: "developer", content: [marked] },
        { role: "system", content: "Two." },
        { role: "user", content: [marked] },
        { type: "function_call", call_id: "c1", name: "ls", arguments: "{}" },
        { type: "function_call_output", call_id: "c1", output: [marked] },
      ],
    });
    const [one, cachePoint] = [{ text: "One." }, { type: "default" }];
    expect(ask.system).toEqual([{ text: "Be brief.\n\nOne." }, { cachePoint }, { text: "Two." }]);
    expect(ask.messages.filter(({ role }) => role === "user").map(({ content }) => content)).toEqual([
      [one, { cachePoint }],
      [{ toolResult: { toolUseId: "c1", content: [one] } }, { cachePoint }],
    ]);
    const other = { ...marked, prompt_cache_breakpoint: { mode: "implicit" } };
    await expect(read({ input: [{ role: "user", content: [other] }] })).rejects.toMatchObject(
      refusal("input[0].content[0].prompt_cache_breakpoint.mode"),
    );
  });

  it("says what it says in its instructions, but not nothing at all", async () => {
    expect((await read({ input: "", instructions: "Say hi." })).ask.system).toBe("Say hi.");
    await expect(read({ input: " " })).rejects.toMatchObject(refusal("input", /holds nothing/));
    await expect(read({ input: [] })).rejects.toMatchObject(refusal("input", /holds nothing/));
    await expect(read({ input: undefined })).rejects.toMatchObject(refusal("input"));
  });

  it("holds images and files, and results that have them", async () => {
    const gif = `data:image/gif;base64,${Buffer.from("GIF89a").toString("base64")}`;
    const parts = [
      { type: "input_image", image_url: gif, detail: "auto" },
      { type: "input_file", filename: "a.txt", file_data: "aGVsbG8=" },
    ];
    const image = { format: "gif", source: { bytes: Buffer.from("GIF89a") } };
    const document = { format: "txt", name: "a.txt", source: { bytes: Buffer.from("hello") } };
    const wav = Buffer.from("RIFF\x24\0\0\0WAVEfmt ");
    const recording = { type: "input_audio", input_audio: { data: wav.toString("base64"), format: "wav" } };
    const [heard] = await messagesOf([{ role: "user", content: [recording] }]);
    expect(heard?.content).toEqual([{ audio: { format: "wav", source: { bytes: wav } } }]);
    const [said, , result] = await messagesOf([
      { role: "user", content: parts },
      { type: "function_call", call_id: "c", name: "f", arguments: "{}" },
      { type: "function_call_output", call_id: "c", output: parts },
    ]);
    expect(said?.content).toEqual([{ image }, { document }]);
    expect(result?.content?.[0]?.toolResult?.content).toEqual([{ image }, { document }]);
  });

  it.each<[what: string, part: object, param: string]>([
    ["a kept image", { type: "input_image", file_id: "file-1" }, "file_id"],
    ["a kept file", { type: "input_file", file_id: "file-1" }, "file_id"],
    ["a file of another server", { type: "input_file", file_url: "https://example.com/a" }, "file_url"],
    ["a remote image", { type: "input_image", image_url: "https://example.com/a.png" }, "image_url"],
    ["a recording that is none", { type: "input_audio", input_audio: {} }, "input_audio.data"],
    ["a part that nobody knows", { type: "input_video" }, ""],
  ])("refuses %s by its name", async (_, part, param) => {
    const place = `input[0].content[0]${param === "" ? "" : `.${param}`}`;
    await expect(messagesOf([{ role: "user", content: [part] }])).rejects.toMatchObject(refusal(place));
  });

  it("finds remote images in what is said and in what tools gave", () => {
    const image = (url: string) => ({ type: "input_image", image_url: url });
    const input = [
      { role: "user", content: [image("https://a/1"), image("data:image/png;base64,AA=="), null] },
      { type: "function_call_output", output: [image("http://a/2"), image("https://a/1")] },
      "no item",
    ];
    expect(urlsIn(input, imageUrlOf)).toEqual(["https://a/1", "http://a/2"]);
    for (const nothing of [null, undefined, [], "hi", { content: [] }])
      expect(urlsIn(nothing, imageUrlOf)).toEqual([]);
  });

  it("takes references to items of its own, and refuses others by name", async () => {
    const message = { type: "message", id: "msg_1", role: "assistant", content: "So." };
    const question = { role: "user", content: "And?" };
    const reference = { type: "item_reference", id: "msg_1" };
    expect(await messagesOf([message, reference, question])).toEqual([
      text("assistant", "So."),
      text("user", "And?"),
    ]);
    // Clients may leave out what kind of item it is.
    expect(await messagesOf([{ id: "msg_1" }, message, question])).toHaveLength(2);
    for (const items of [
      [reference, question],
      [reference, reference, question],
    ])
      await expect(messagesOf(items)).rejects.toMatchObject(
        refusal("input[0].id", /Item 'msg_1' is not in this request, and this server keeps no items/),
      );
  });

  it("leaves out what other servers did, and reasoning of theirs, with a notice", async () => {
    const { ask, notices } = await read({
      input: [
        { role: "user", content: "hi" },
        { type: "web_search_call", id: "ws_1", status: "completed" },
        { type: "mcp_call", id: "mcp_1" },
        { type: "web_search_call", id: "ws_2", status: "completed" },
        { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "gAAAAA" },
        { type: "reasoning", id: "rs_2", summary: [{ type: "summary_text", text: "Hm." }] },
        { role: "assistant", content: "ho" },
      ],
    });
    expect(ask.messages).toEqual([text("user", "hi"), text("assistant", "ho")]);
    expect(notices).toEqual([
      expect.stringContaining("'web_search_call'"),
      expect.stringContaining("'mcp_call'"),
      expect.stringContaining("Reasoning without encrypted content"),
    ]);
  });

  it.each<[name: string, value: unknown]>([
    ["previous_response_id", "resp_1"],
    ["store", true],
    ["background", true],
    ["conversation", "conv_1"],
    ["prompt", { id: "pmpt_1" }],
    ["moderation", { model: "omni-moderation-latest" }],
    ["top_logprobs", 3],
  ])("is refused by name with %s", async (name, value) => {
    await expect(read({ [name]: value })).rejects.toMatchObject({
      ...refusal(name, new RegExp(`^'${name}' .* is not supported: `)),
      details: { param: name, openaiCode: "unsupported_parameter" },
    });
    await expect(read({ [name]: null })).resolves.toBeDefined();
  });

  it("is refused where it includes what nobody can give", async () => {
    const include = ["web_search_call.action.sources", "message.output_text.logprobs"];
    await expect(read({ include })).rejects.toMatchObject(refusal("include[1]", /log probabilities/));
    await expect(read({ include: ["message.input_image.image_url"] })).resolves.toBeDefined();
    await expect(read({ include: "all" })).rejects.toMatchObject(refusal("include"));
  });

  it("names the fields that nobody knows by their places", async () => {
    const { unknown } = await read({ min_p: 1, reasoning: { effort: "low", depth: 3 }, text: { tone: "x" } });
    expect(unknown).toEqual(["min_p", "reasoning.depth", "text.tone"]);
  });

  it("has its parameters, under its own names", async () => {
    const { ask } = await read({
      max_output_tokens: 50,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 5,
      stop: ["END", "."],
      reasoning: { effort: "high" },
      service_tier: "flex",
      metadata: { team: "search" },
    });
    expect(ask.parameters).toEqual({
      maxTokens: 50,
      temperature: 0.5,
      topP: 0.9,
      topK: 5,
      stopSequences: ["END", "."],
      reasoning: "high",
      serviceTier: "flex",
    });
    expect(ask.metadata).toEqual({ team: "search" });
    expect(ask.nameOf?.("maxTokens")).toBe("max_output_tokens");
    expect(ask.nameOf?.("reasoning")).toBe("reasoning.effort");
    expect(ask.nameOf?.("latency")).toBe("latency");
    expect((await read({ service_tier: "auto" })).ask.parameters).toEqual({});
    expect((await read({ stop: "END" })).ask.parameters).toEqual({ stopSequences: ["END"] });
    await expect(read({ stop: 1 })).rejects.toMatchObject(refusal("stop"));
    await expect(read({ service_tier: "scale" })).rejects.toMatchObject(refusal("service_tier"));
    await expect(read({ max_output_tokens: 0 })).rejects.toMatchObject(refusal("max_output_tokens"));
    await expect(read({ reasoning: { effort: "huge" } })).rejects.toMatchObject(refusal("reasoning.effort"));
  });

  it.each<[reasoning: object | undefined, shows: boolean]>([
    [undefined, false],
    [{ effort: "none" }, false],
    [{ effort: "low" }, true],
    [{ summary: "auto" }, true],
    [{ generate_summary: "concise" }, true],
    [{ summary: "none" }, false],
    [{ effort: "none", summary: "auto" }, false],
    [{ effort: null, summary: null }, false],
  ])("shows reasoning where it is asked for: %j", async (reasoning, shows) => {
    expect((await read({ reasoning })).ask.showsReasoning).toBe(shows);
  });

  it("holds the answer to a schema, strictly or not", async () => {
    const schema = { type: "object", properties: { a: { type: "string" } }, required: ["a"] };
    const format = async (fields: object) => (await read({ text: { format: fields } })).ask.schema;
    expect(await format({ type: "text" })).toBeUndefined();
    expect((await format({ type: "json_object" }))?.schema).toMatchObject({ type: "object" });
    const strict = await format({ type: "json_schema", name: "a", schema, strict: true });
    expect(strict?.schema).toEqual(schema);
    expect([strict?.mayMisfit?.("end_turn"), strict?.mayMisfit?.("max_tokens")]).toEqual([false, true]);
    const loose = await format({ type: "json_schema", name: "a", schema });
    expect(loose?.mayMisfit?.("end_turn")).toBe(true);
    await expect(format({ type: "xml" })).rejects.toMatchObject(refusal("text.format.type"));
    await expect(format({ type: "json_schema" })).rejects.toMatchObject(refusal("text.format.schema"));
    await expect(format({ type: "json_schema", schema: { type: "nothing" } })).rejects.toMatchObject(
      refusal("text.format.schema"),
    );
  });

  it("takes what Codex keeps in its history beside messages and calls", async () => {
    const agent = (...content: object[]): object => ({
      type: "agent_message",
      id: "amsg_1",
      author: "/root",
      recipient: "/root/child",
      content,
    });
    const { ask, notices, unknown } = await read({
      input: [
        { type: "compaction", encrypted_content: "gAAAAAB" },
        { role: "user", content: "Go on." },
        {
          type: "local_shell_call",
          call_id: "c1",
          action: { type: "exec", command: ["ls"] },
          status: "completed",
        },
        { type: "function_call_output", call_id: "c1", output: "a.txt" },
        agent(
          { type: "input_text", text: "Task:" },
          { type: "encrypted_content", encrypted_content: "Count." },
        ),
        agent({ type: "encrypted_content", encrypted_content: "gAAAAABo…" }),
      ],
    });
    const text = JSON.stringify(ask.messages);
    expect(text).not.toContain("gAAAA");
    expect(ask.messages).toMatchObject([
      { role: "user", content: [{ text: expect.stringContaining("by another server") }] },
      { role: "user", content: [{ text: "Go on." }] },
      {
        role: "assistant",
        content: [{ toolUse: { toolUseId: "c1", name: "local_shell", input: { command: ["ls"] } } }],
      },
      { role: "user", content: [{ toolResult: { toolUseId: "c1", content: [{ text: "a.txt" }] } }] },
      {
        role: "user",
        content: [{ text: "Message from /root to /root/child:" }, { text: "Task:" }, { text: "Count." }],
      },
      {
        role: "user",
        content: [{ text: "Message from /root to /root/child:" }, { text: "(It cannot be read here.)" }],
      },
    ]);
    expect(notices).toHaveLength(2);
    expect(unknown).toEqual([]);
    await expect(read({ input: [{ type: "compaction_trigger" }] })).rejects.toMatchObject({
      details: { param: "input[0].type" },
    });
  });

  it("says that a mode of reasoning is left out, but for the usual one", async () => {
    expect((await read({ reasoning: { effort: "low", mode: "standard" } })).notices).toEqual([]);
    expect((await read({ reasoning: { effort: "low", mode: "pro" } })).notices).toEqual([
      expect.stringContaining("reasoning.mode 'pro' is left out"),
    ]);
  });

  it("says that verbosity is left out, and takes it", async () => {
    expect((await read({ text: { verbosity: "medium" } })).notices).toEqual([]);
    expect((await read({ text: { verbosity: "low" } })).notices).toEqual([
      expect.stringContaining("text.verbosity 'low' is left out"),
    ]);
    await expect(read({ text: { verbosity: "none" } })).rejects.toMatchObject(refusal("text.verbosity"));
  });

  it("names the field that a refusal of the service is about", () => {
    const body = { input: [], max_output_tokens: 5, temperature: 2, tools: [], reasoning: null };
    expect(refusedField("inferenceConfig.maxTokens must be …", body)).toBe("max_output_tokens");
    expect(refusedField("`temperature` may only be set to 1", body)).toBe("temperature");
    expect(refusedField("toolConfig.tools.0 …", body)).toBe("tools");
    expect(refusedField("messages.3.content …", body)).toBe("input");
    expect(refusedField("thinking.budget_tokens …", body)).toBeUndefined();
    expect(refusedField("Something else.", body)).toBeUndefined();
  });

  it("refuses whatever else comes with an error that names the field, and never with another", async () => {
    const type = fc.constantFrom(
      "message",
      "function_call",
      "function_call_output",
      "custom_tool_call",
      "custom_tool_call_output",
      "tool_search_call",
      "tool_search_output",
      "additional_tools",
      "reasoning",
      "item_reference",
      "compaction",
      "web_search",
      "namespace",
      "function",
      "custom",
      "tool_search",
    );
    const odd = fc.oneof(fc.anything({ maxDepth: 2 }), fc.constant([{}]), fc.constant(""), type);
    const item = fc.record(
      {
        type: fc.oneof(type, odd),
        role: fc.oneof(fc.constantFrom("user", "assistant", "developer"), odd),
        content: fc.oneof(fc.array(fc.record({ type, text: odd }, { requiredKeys: [] })), odd),
        name: odd,
        namespace: odd,
        call_id: odd,
        id: odd,
        arguments: odd,
        input: odd,
        output: odd,
        tools: fc.oneof(fc.array(fc.record({ type, name: odd }, { requiredKeys: [] })), odd),
        encrypted_content: odd,
        format: odd,
        parameters: odd,
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.record(
          {
            model: fc.oneof(fc.constant("m"), odd),
            input: fc.oneof(fc.array(fc.oneof(item, odd)), odd),
            instructions: odd,
            tools: fc.oneof(fc.array(fc.oneof(item, odd)), odd),
            tool_choice: fc.oneof(item, odd),
            reasoning: odd,
            text: fc.oneof(fc.record({ format: odd }), odd),
            metadata: odd,
            stream: odd,
            parallel_tool_calls: odd,
          },
          { requiredKeys: [] },
        ),
        async (body) => {
          try {
            await fromResponseRequest(body, undefined);
          } catch (error) {
            expect(error).toBeInstanceOf(OpenclawError);
            expect(error).toMatchObject({ code: "invalid-request", details: { param: expect.any(String) } });
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("the tools of a request of Responses", () => {
  const fn = (name: string, more: object = {}) => ({ type: "function", name, parameters: null, ...more });
  const json = { type: "object", properties: { a: { type: "string" } } };

  it("are functions, texts with a grammar, and members of namespaces under their qualified names", async () => {
    const { ask, clientTools } = await read({
      tools: [
        fn("ls", { description: "Lists.", parameters: json, strict: true }),
        fn("pwd", { strict: false }),
        {
          type: "custom",
          name: "apply_patch",
          description: "Patches.",
          format: { type: "grammar", syntax: "lark", definition: "start: x" },
        },
        { type: "custom", name: "note", format: { type: "text" } },
        {
          type: "namespace",
          name: "agents",
          description: "",
          tools: [fn("spawn"), { type: "custom", name: "tell" }],
        },
        { type: "namespace", name: "functions", description: "", tools: [fn("wait")] },
      ],
    });
    const freeform = expect.objectContaining({ required: ["input"] });
    expect(plain(ask.tools?.tools?.map(({ toolSpec }) => toolSpec))).toEqual([
      { name: "ls", description: "Lists.", inputSchema: { json }, strict: true },
      { name: "pwd", inputSchema: { json: {} } },
      {
        name: "apply_patch",
        description: "Patches.\n\nThe input must match this lark grammar:\n\nstart: x",
        inputSchema: { json: freeform },
      },
      { name: "note", inputSchema: { json: freeform } },
      { name: "agents__spawn", inputSchema: { json: {} } },
      { name: "agents__tell", inputSchema: { json: freeform } },
      { name: "wait", inputSchema: { json: {} } },
    ]);
    expect(plain([...clientTools])).toEqual([
      ["ls", { kind: "function", name: "ls" }],
      ["pwd", { kind: "function", name: "pwd" }],
      ["apply_patch", { kind: "custom", name: "apply_patch" }],
      ["note", { kind: "custom", name: "note" }],
      ["agents__spawn", { kind: "function", name: "spawn", namespace: "agents" }],
      ["agents__tell", { kind: "custom", name: "tell", namespace: "agents" }],
      ["wait", { kind: "function", name: "wait", namespace: "functions" }],
    ]);
  });

  it("may stand among the items, where a search found them", async () => {
    const search = { type: "tool_search", execution: "client", description: "Finds.", parameters: json };
    const { ask, clientTools, notices } = await read({
      tools: [search],
      input: [
        { type: "additional_tools", role: "developer", tools: [fn("exec")] },
        { role: "user", content: "hi" },
        { type: "tool_search_call", call_id: "c1", execution: "client", arguments: { query: "mail" } },
        {
          type: "tool_search_output",
          call_id: "c1",
          execution: "client",
          tools: [{ type: "namespace", name: "mcp__mail", description: "", tools: [fn("send")] }],
        },
        { type: "tool_search_call", call_id: "c2", execution: "client", arguments: `{"query":"x"}` },
        { type: "tool_search_output", call_id: "c2", execution: "client", tools: [] },
        { type: "function_call", call_id: "c3", namespace: "mcp__mail", name: "send", arguments: "{}" },
      ],
    });
    expect([...clientTools.keys()]).toEqual(["tool_search", "exec", "mcp__mail__send"]);
    expect(notices).toEqual([]);
    const blocks = ask.messages.flatMap(({ content = [] }) => content);
    expect(blocks.flatMap(({ toolUse }) => (toolUse ? [[toolUse.name, toolUse.input]] : []))).toEqual([
      ["tool_search", { query: "mail" }],
      ["tool_search", { query: "x" }],
      ["mcp__mail__send", {}],
    ]);
    expect(blocks.flatMap(({ toolResult }) => toolResult?.content ?? [])).toEqual([
      { text: "These tools were found, and can be called from now on: mcp__mail__send." },
      { text: "No tool was found." },
    ]);
  });

  it("name those of their fields that nobody knows", async () => {
    const { unknown } = await read({
      tools: [
        { ...fn("a"), strict: false, defer_loading: false, colour: "red" },
        { type: "namespace", name: "n", description: "", tools: [{ type: "custom", name: "b", size: 1 }] },
        { type: "tool_search", execution: "client", depth: 1 },
      ],
    });
    expect(unknown).toEqual(["tools[0].colour", "tools[1].tools[0].size", "tools[2].depth"]);
  });

  it("let the model search the web where it can", async () => {
    for (const type of ["web_search", "web_search_preview", "web_search_2025_08_26"])
      expect((await read({ tools: [{ type }] })).ask.searchesWeb).toBe("where-possible");
    expect(
      (await read({ tools: [{ type: "web_search" }], tool_choice: "none" })).ask.searchesWeb,
    ).toBeUndefined();
  });

  it("never search the web beyond the domains that it is to keep to", async () => {
    const within = (filters: object | null): object => ({ tools: [{ type: "web_search", filters }] });
    const { ask, notices } = await read(within({ allowed_domains: ["example.com"] }));
    expect([ask.searchesWeb, notices]).toEqual([undefined, [expect.stringContaining("domains")]]);
    for (const filters of [null, {}, { allowed_domains: null }, { allowed_domains: [] }])
      expect((await read(within(filters))).ask.searchesWeb).toBe("where-possible");
  });

  it("never search the web where they are to see only what was kept of it", async () => {
    const live = (access: unknown): object => ({
      tools: [{ type: "web_search", external_web_access: access }],
    });
    const { ask, notices } = await read(live(false));
    expect([ask.searchesWeb, notices]).toEqual([
      undefined,
      [expect.stringContaining("'external_web_access' is false")],
    ]);
    for (const access of [true, null, undefined])
      expect((await read(live(access))).ask.searchesWeb).toBe("where-possible");
  });

  it("are cached as far as marks of Anthropic's say", async () => {
    const cache_control = { type: "ephemeral" };
    const { ask } = await read({
      tools: [
        { ...fn("a"), cache_control },
        { type: "custom", name: "b", cache_control },
        { type: "namespace", name: "n", description: "", tools: [{ ...fn("c"), cache_control }] },
      ],
      tool_choice: {
        type: "allowed_tools",
        mode: "auto",
        tools: [
          { type: "function", name: "a" },
          { type: "function", name: "c" },
        ],
      },
    });
    const point = { cachePoint: { type: "default" } };
    const sent = ask.tools?.tools?.map(({ toolSpec, ...behind }) => toolSpec?.name ?? behind);
    expect(sent).toEqual(["a", point, "n__c", point]);
  });

  it.each(["file_search", "code_interpreter", "image_generation", "mcp", "computer", "local_shell", "shell"])(
    "are refused by name where they are of OpenAI's own: %s",
    async (type) => {
      await expect(read({ tools: [fn("a"), { type }] })).rejects.toMatchObject({
        ...refusal("tools[1].type", new RegExp(`is '${type}', which this server does not have`)),
        details: { param: "tools[1].type", openaiCode: "unsupported_parameter" },
      });
    },
  );

  it.each<[choice: unknown, toolChoice: object | undefined, names: string[]]>([
    ["auto", undefined, ["a", "n__b"]],
    [null, undefined, ["a", "n__b"]],
    ["required", { any: {} }, ["a", "n__b"]],
    [{ type: "function", name: "a" }, { tool: { name: "a" } }, ["a", "n__b"]],
    [{ type: "custom", name: "b" }, { tool: { name: "n__b" } }, ["a", "n__b"]],
    [{ type: "custom", name: "b", namespace: "n" }, { tool: { name: "n__b" } }, ["a", "n__b"]],
    [{ type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "a" }] }, undefined, ["a"]],
    [
      {
        type: "allowed_tools",
        mode: "required",
        tools: [{ type: "custom", name: "b" }, { type: "web_search" }],
      },
      { any: {} },
      ["n__b"],
    ],
  ])("are chosen by %j", async (choice, toolChoice, names) => {
    const tools = [fn("a"), { type: "namespace", name: "n", tools: [{ type: "custom", name: "b" }] }];
    const { ask } = await read({ tools, tool_choice: choice });
    expect(ask.tools?.toolChoice).toEqual(toolChoice);
    expect(ask.tools?.tools?.map(({ toolSpec }) => toolSpec?.name)).toEqual(names);
  });

  it.each<[tools: object[], choice: unknown, param: string]>([
    [[], "required", "tool_choice"],
    [[fn("a")], "sometimes", "tool_choice"],
    [[fn("a")], { type: "function", name: "b" }, "tool_choice.name"],
    [[fn("a")], { type: "mcp" }, "tool_choice.type"],
    [[fn("a")], { type: "allowed_tools", mode: "auto", tools: [] }, "tool_choice.tools"],
    [[{ type: "function" }], "auto", "tools[0].name"],
    [[{ type: "namespace", name: "n", tools: [{ type: "web_search" }] }], "auto", "tools[0].tools[0].type"],
    [[{ type: "custom", name: "c", format: { type: "grammar" } }], "auto", "tools[0].format.syntax"],
    [
      [fn("a", { parameters: { enum: Array.from({ length: MOST_SCHEMA_VALUES + 1 }, () => 1) } })],
      "auto",
      "tools[0].parameters",
    ],
  ])("are refused at the place that is wrong: %#", async (tools, tool_choice, param) => {
    await expect(read({ tools, tool_choice })).rejects.toMatchObject(refusal(param));
  });

  it("are none where the choice is none", async () => {
    expect((await read({ tools: [fn("a")], tool_choice: "none" })).ask.tools).toBeUndefined();
  });
});
