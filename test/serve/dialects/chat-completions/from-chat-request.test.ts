import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OpenclawError } from "../../../../src/errors.ts";
import { fromChatRequest } from "../../../../src/serve/dialects/chat-completions/from-chat-request.ts";
import { MOST_SCHEMA_VALUES } from "../../../../src/serve/content/tool-schema.ts";
import { readTools } from "../../../../src/serve/dialects/chat-completions/read-tools.ts";
import { RequestField } from "../../../../src/serve/request-field.ts";

const read = (fields: object) => fromChatRequest({ model: "m", ...fields }, undefined);
const say = (role: string, content: unknown, more: object = {}) => ({ role, content, ...more });
const tool = (name: string) => ({ type: "function", function: { name } });

describe("a chat completions request", () => {
  it("asks for nothing that it does not say", async () => {
    const { ask, isStreamed, includesUsage, mayCallInParallel } = await read({
      messages: [say("user", "hi")],
      temperature: null,
      tools: [],
      stop: null,
      response_format: { type: "text" },
    });
    expect(JSON.parse(JSON.stringify(ask))).toEqual({
      messages: [{ role: "user", content: [{ text: "hi" }] }],
      parameters: {},
      showsReasoning: false,
    });
    expect({ isStreamed, includesUsage, mayCallInParallel }).toEqual({
      isStreamed: false,
      includesUsage: false,
      mayCallInParallel: true,
    });
  });

  it.each([
    { top_k: 0 },
    { top_k: -1 },
    { top_logprobs: 0 },
    { top_logprobs: 0, logprobs: false },
    { functions: [], function_call: "auto" },
  ])("takes %j, which asks for nothing", async (fields) => {
    const { ask } = await read({ messages: [say("user", "hi")], ...fields });
    expect(JSON.parse(JSON.stringify(ask.parameters))).toEqual({});
  });

  it.each([
    [{ thinking: { type: "enabled", budget_tokens: 2048 } }, { reasoning: "low", most: 2048 }],
    [
      { thinking: { type: "enabled", budget_tokens: 2048 }, reasoning_effort: "high" },
      { reasoning: "high", most: 2048 },
    ],
    [{ thinking: { type: "enabled" } }, { reasoning: "high" }],
    [{ thinking: { type: "adaptive" }, reasoning_effort: "medium" }, { reasoning: "medium" }],
    [{ thinking: { type: "disabled" }, reasoning_effort: "medium" }, { reasoning: "off" }],
    [{ thinking: { type: "auto" } }, {}],
    [{ thinking: null }, {}],
    [{ thinking: "on" }, {}],
  ])("reasons as %j says", async (fields, { reasoning, most }: { reasoning?: string; most?: number }) => {
    const { ask, unknown } = await read({ messages: [say("user", "hi")], ...fields });
    expect(ask).toMatchObject({ showsReasoning: reasoning !== undefined && reasoning !== "off" });
    expect([ask.parameters.reasoning, ask.mostReasoning, unknown]).toEqual([reasoning, most, []]);
  });

  it("is cached whole where it is marked so", async () => {
    const { ask, unknown } = await read({
      messages: [say("system", "s"), say("user", "one"), say("assistant", "two"), say("user", "three")],
      cache_control: { type: "ephemeral", ttl: "1h" },
    });
    expect(ask.messages.map(({ content }) => content?.length)).toEqual([1, 2, 2]);
    expect(ask.messages.at(-1)?.content?.at(-1)).toEqual({ cachePoint: { type: "default", ttl: "1h" } });
    expect(unknown).toEqual([]);
  });

  it("leaves out of the metadata what is no text, as what Converse does not take", async () => {
    const metadata = { team: "a", tags: ["x"], model: { id: 1 }, count: 3, none: null, ключ: "x" };
    const { ask, notices } = await read({ messages: [say("user", "hi")], metadata });
    expect(ask.metadata).toEqual({ team: "a" });
    expect(notices).toEqual(["4 of metadata are left out: Converse does not take them"]);
  });

  it("takes the URL of an image in its place, and a tool that came to nothing", async () => {
    const url =
      "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    const call = { id: "1", type: "function", function: { name: "add", arguments: "{}" } };
    const { ask } = await read({
      messages: [
        say("user", [{ type: "image_url", image_url: url }]),
        say("assistant", null, { tool_calls: [call] }),
        say("tool", null, { tool_call_id: "1" }),
      ],
    });
    expect(ask.messages[0]?.content).toMatchObject([{ image: { format: "png" } }]);
    expect(ask.messages[2]?.content).toEqual([{ toolResult: { toolUseId: "1", content: [] } }]);
  });

  it("says what its messages say, whatever a model takes of it", async () => {
    const call = { id: "1", type: "function", function: { name: "add", arguments: "not JSON" } };
    const file = { type: "file", file: { filename: "日本語.txt", file_data: "aGVsbG8=" } };
    const { ask } = await read({
      messages: [
        say("system", "Be brief."),
        say("assistant", "", { tool_calls: [call] }),
        say("tool", [{ type: "text", text: "2" }, file], { tool_call_id: "1" }),
        say("developer", "Be kind."),
        say("user", " "),
      ],
    });
    expect(ask.system).toBe("Be brief.\n\nBe kind.");
    const document = { format: "txt", name: "日本語.txt", source: { bytes: Buffer.from("hello") } };
    expect(ask.messages).toEqual([
      {
        role: "assistant",
        content: [
          { text: "" },
          { text: "" },
          { toolUse: { toolUseId: "1", name: "add", input: "not JSON" } },
        ],
      },
      { role: "user", content: [{ toolResult: { toolUseId: "1", content: [{ text: "2" }, { document }] } }] },
      { role: "user", content: [{ text: " " }] },
    ]);
  });

  it("has the parts of its system prompt apart, as its messages", async () => {
    const parts = ["One.", "Two."].map((text) => ({ type: "text", text }));
    const { ask } = await read({
      messages: [say("system", parts), say("developer", "Three."), say("user", "hi")],
    });
    expect(JSON.stringify(ask.system)).toContain(String.raw`One.\n\nTwo.\n\nThree.`);
  });

  it.each([
    ["OpenAI's", { prompt_cache_breakpoint: { mode: "explicit" } }, { type: "default" }],
    ["Anthropic's", { cache_control: { type: "ephemeral", ttl: "1h" } }, { type: "default", ttl: "1h" }],
  ])("is cached as far as marks of %s say", async (_, mark, point) => {
    const text = { type: "text", text: "One." };
    const call = { id: "1", type: "function", function: { name: "add", arguments: "{}" } };
    const { ask } = await read({
      messages: [
        say("system", [{ ...text, ...mark }, text]),
        say("developer", "Two.", mark),
        say("user", [text, { ...text, ...mark }, text]),
        say("assistant", [{ ...text, ...mark }], { tool_calls: [call] }),
        say("tool", [{ ...text, ...mark }, text], { tool_call_id: "1" }),
        say("user", "hi", mark),
      ],
    });
    const cachePoint = point;
    const one = { text: "One." };
    expect(ask.system).toEqual([one, { cachePoint }, { text: "One.\n\nTwo." }, { cachePoint }]);
    expect(ask.messages.map(({ content }) => content)).toEqual([
      [one, one, { cachePoint }, one],
      [one, { cachePoint }, { text: "" }, { toolUse: { toolUseId: "1", name: "add", input: {} } }],
      [{ toolResult: { toolUseId: "1", content: [one, one] } }, { cachePoint }],
      [{ text: "hi" }, { cachePoint }],
    ]);
    const tools = [
      { type: "function", function: { name: "a" }, ...mark },
      { type: "function", function: { name: "b", ...mark } },
      { type: "custom", custom: { name: "c" }, ...mark },
      { type: "function", function: { name: "d" } },
    ];
    const declared = await read({ messages: [say("user", "hi")], tools });
    const sent = declared.ask.tools?.tools?.map(({ toolSpec, ...behind }) => toolSpec?.name ?? behind);
    expect(sent).toEqual(["a", { cachePoint }, "b", { cachePoint }, "c", { cachePoint }, "d"]);
    const silent = [say("system", [{ ...text, text: " ", ...mark }]), say("user", " ", mark)];
    await expect(read({ messages: silent })).rejects.toThrow(/holds nothing/);
  });

  it("names the fields of its tools and of its stream that nobody knows", async () => {
    const { unknown } = await read({
      messages: [say("user", "hi")],
      stream_options: { include_usage: true, include_obfuscation: false, every: 2 },
      tools: [
        { type: "function", function: { name: "a", strict: true, colour: "red" } },
        { type: "custom", custom: { name: "b", format: { type: "text" }, size: 1 }, cache: true },
      ],
    });
    expect(unknown).toEqual([
      "stream_options.every",
      "tools[0].function.colour",
      "tools[1].cache",
      "tools[1].custom.size",
    ]);
  });

  it("says that names of those who speak are left out", async () => {
    const notices = async (...messages: object[]): Promise<readonly string[]> =>
      (await read({ messages: [say("user", "hi"), ...messages] })).notices;
    expect(
      await notices(say("user", "hi", { name: "Ann" }), say("assistant", "ho", { name: "Bob" })),
    ).toEqual([expect.stringContaining("'name'")]);
    expect(
      await notices(say("user", "hi", { name: null }), say("tool", "2", { tool_call_id: "1", name: "add" })),
    ).toEqual([]);
  });

  it("may say all in its system prompt, but not nothing at all", async () => {
    expect((await read({ messages: [say("system", "Say hi.")] })).ask).toMatchObject({ system: "Say hi." });
    await expect(read({ messages: [say("system", " "), say("user", "")] })).rejects.toThrow(/holds nothing/);
  });

  it("takes arguments of a call as JSON, as the object itself, and none", async () => {
    const called = (fields: object) => ({ id: "1", type: "function", function: { name: "add", ...fields } });
    const inputOf = async (fields: object): Promise<unknown> => {
      const messages = [say("user", "hi"), say("assistant", null, { tool_calls: [called(fields)] })];
      const { ask } = await read({ messages });
      return ask.messages[1]?.content?.at(-1)?.toolUse?.input;
    };
    const input = { a: 1, b: { c: [2] } };
    expect(await inputOf({ arguments: JSON.stringify(input) })).toEqual(input);
    expect(await inputOf({ arguments: input })).toEqual(input);
    expect(await inputOf({ arguments: {} })).toEqual({});
    expect(await inputOf({ arguments: null })).toEqual({});
    expect(await inputOf({})).toEqual({});
    for (const wrong of [1, true, ["a"]])
      await expect(inputOf({ arguments: wrong })).rejects.toMatchObject({
        details: { param: "messages[1].tool_calls[0].function.arguments" },
      });
  });

  it("holds files as a model is given them: texts by the one decoder", async () => {
    const sent = async (filename: string | undefined, bytes: Buffer) => {
      const file = { type: "file", file: { filename, file_data: bytes.toString("base64") } };
      return (await read({ messages: [say("user", [file])] })).ask.messages[0]?.content?.[0];
    };
    const text = "Größe: fünf Meter\n";
    const document = { format: "txt", name: "a.txt", source: { bytes: Buffer.from(text) } };
    expect(await sent("a.txt", Buffer.from(`\uFEFF${text}`))).toEqual({ document });
    expect(await sent("a.txt", Buffer.from(`\uFEFF${text}`, "utf16le"))).toEqual({ document });
    for (const filename of ["a.txt", "a.csv", "a.py", undefined])
      await expect(sent(filename, Buffer.from(text, "latin1"))).rejects.toMatchObject({
        code: "invalid-request",
        message: expect.stringMatching(/ is not UTF-8 text: it looks like Latin-1 .* Send it in UTF-8\.$/),
        details: { param: "messages[0].content[0].file.file_data" },
      });
    // What is empty may stand in a history: it is mended.
    for (const empty of ["", " \n", "\uFEFF"])
      expect(await sent("a.md", Buffer.from(empty))).toMatchObject({ document: { name: "a.md" } });
  });

  it("holds recordings and videos, by what they are", async () => {
    const sent = async (part: object) =>
      (await read({ messages: [say("user", [part])] })).ask.messages[0]?.content?.[0];
    const wav = Buffer.from("RIFF\x24\0\0\0WAVEfmt ");
    const mp4 = Buffer.from("\0\0\0\x18ftypmp42\0\0\0\0mp42isom");
    const said = (bytes: Buffer, format = "mp3") => ({
      type: "input_audio",
      input_audio: { data: bytes.toString("base64"), format },
    });
    const file = (bytes: Buffer) => ({ type: "file", file: { file_data: bytes.toString("base64") } });
    const audio = { format: "wav", source: { bytes: wav } };
    expect(await sent(said(wav))).toEqual({ audio });
    expect(await sent(file(wav))).toEqual({ audio });
    expect(await sent(file(mp4))).toEqual({ video: { format: "mp4", source: { bytes: mp4 } } });
    await expect(sent(said(mp4))).rejects.toMatchObject({
      code: "invalid-request",
      message: expect.stringContaining("holds no recording that Converse takes: it is an mp4 video."),
      details: { param: "messages[0].content[0].input_audio.data" },
    });
    const image = {
      type: "image_url",
      image_url: { url: `data:image/png;base64,${wav.toString("base64")}` },
    };
    await expect(sent(image)).rejects.toMatchObject({
      message: expect.stringContaining("gif or webp image: it is a wav recording."),
    });
  });

  it("has its own names for what is said of its parameters", async () => {
    const messages = [say("user", "hi")];
    const { nameOf } = (await read({ messages, max_tokens: 5, top_p: 0.5 })).ask;
    expect(nameOf?.("topP")).toBe("top_p");
    expect(nameOf?.("topK")).toBe("top_k");
    expect(nameOf?.("maxTokens")).toBe("max_tokens");
    expect((await read({ messages })).ask.nameOf?.("maxTokens")).toBe("max_completion_tokens");
    expect(nameOf?.("latency")).toBe("latency");
  });

  it("takes fetched images by their URL", async () => {
    const url = "https://example.com/cat.gif";
    const bytes = Buffer.from("GIF89a…");
    const { ask } = await fromChatRequest(
      { model: "m", messages: [say("user", [{ type: "image_url", image_url: { url } }])] },
      new Map([[url, bytes]]),
    );
    expect(ask.messages[0]?.content).toEqual([{ image: { format: "gif", source: { bytes } } }]);
  });

  it("refuses whatever else comes with an error that names the field, and never with another", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record(
          {
            model: fc.jsonValue(),
            messages: fc.oneof(
              fc.jsonValue(),
              fc.array(
                fc.record(
                  {
                    role: fc.constantFrom("user", "assistant", "tool", "system", "x"),
                    content: fc.jsonValue(),
                    tool_calls: fc.jsonValue(),
                  },
                  { requiredKeys: [] },
                ),
              ),
            ),
            tools: fc.jsonValue(),
            tool_choice: fc.jsonValue(),
            response_format: fc.jsonValue(),
            metadata: fc.jsonValue(),
            stop: fc.jsonValue(),
          },
          { requiredKeys: [] },
        ),
        async (body) => {
          try {
            await fromChatRequest(body, undefined);
          } catch (error) {
            expect(error).toBeInstanceOf(OpenclawError);
            expect((error as OpenclawError).details?.["param"]).toEqual(expect.any(String));
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("tools", () => {
  const readChosen = (tools: unknown, choice: unknown) =>
    readTools(new RequestField(tools, "tools"), new RequestField(choice, "tool_choice"));
  const names = (tools: unknown, choice: unknown) => {
    const chosen = readChosen(tools, choice);
    return chosen && [chosen.tools?.map(({ toolSpec }) => toolSpec?.name), chosen.toolChoice];
  };
  it.each([
    [undefined, undefined],
    ["auto", [["a", "b"], undefined]],
    ["required", [["a", "b"], { any: {} }]],
    [tool("b"), [["a", "b"], { tool: { name: "b" } }]],
    [{ type: "allowed_tools", allowed_tools: { mode: "auto", tools: [tool("b")] } }, [["b"], undefined]],
    [
      { type: "allowed_tools", allowed_tools: { mode: "required", tools: [tool("a")] } },
      [["a"], { any: {} }],
    ],
  ])("are chosen by %j", (choice, expected) => {
    expect(names([tool("a"), tool("b")], choice)).toEqual(expected ?? [["a", "b"], undefined]);
  });

  it("are left out where none is to be called", () => {
    expect(readChosen([tool("a")], "none")).toBeUndefined();
    expect(readChosen(undefined, undefined)).toBeUndefined();
  });

  it.each([
    [
      "fields",
      (count: number) => ({
        properties: Object.fromEntries(Array.from({ length: count - 1 }, (_, i) => [`p${i}`, {}])),
      }),
    ],
    ["choices", (count: number) => ({ enum: Array.from({ length: count - 1 }, (_, i) => i) })],
    [
      "values within others",
      (count: number) => ({ items: Array.from({ length: (count - 1) / 3 }, () => ({ a: [1] })) }),
    ],
  ])("may have schemas of so many %s, each of them, and no more", (_, schemaOf) => {
    const withSchema = (count: number) => [
      tool("a"),
      { type: "function", function: { name: "b", parameters: schemaOf(count) } },
      { type: "function", function: { name: "c", parameters: schemaOf(MOST_SCHEMA_VALUES) } },
    ];
    expect(names(withSchema(MOST_SCHEMA_VALUES), "auto")).toEqual([["a", "b", "c"], undefined]);
    expect(() => names(withSchema(MOST_SCHEMA_VALUES + 3), "auto")).toThrow(
      "'tools[1].function.parameters' holds more values than the 10000 that the schema of a tool may have.",
    );
  });

  it.each([[tool("c")], ["sometimes"], [{ type: "custom", custom: { name: "b" } }]])(
    "are not chosen by %j",
    (choice) => {
      expect(() => readChosen([tool("a")], choice)).toThrow(OpenclawError);
    },
  );
});
