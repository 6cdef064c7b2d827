import { once } from "node:events";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";
import {
  chunk,
  counted,
  events,
  type OpenaiScript,
  openaiServer,
  refusal,
  says,
} from "../helpers/openai-server.ts";
import { createHome, openclaw, type RunOptions, start, writeConfig } from "../helpers/openclaw.ts";
import { PIXEL } from "../helpers/pixel.ts";
import { expectSchema } from "../helpers/schema.ts";

const once1 = { AWS_MAX_ATTEMPTS: "1" };
const whole = [chunk({ content: "Hello" }), chunk({}, "stop"), "[DONE]"];

/** A server, a home folder whose configuration has it as the provider `lab`, and the program: no AWS anywhere. */
async function lab(chat: OpenaiScript["chat"], provider: Record<string, unknown> = {}) {
  const server = await openaiServer(chat ? { chat } : {});
  const home = createHome();
  configure(home, { lab: { baseUrl: server.baseUrl, models: [{ id: "llama3" }], ...provider } });
  return {
    server,
    home,
    run: (args: readonly string[], options: RunOptions = {}) =>
      openclaw(["chat", "-m", "lab/llama3", ...args], home, options),
    start: (args: readonly string[]) => start(["chat", "-m", "lab/llama3", ...args], home),
  };
}

function configure(
  home: string,
  providers: Record<string, unknown>,
  more: Record<string, unknown> = {},
): void {
  writeConfig(home, JSON.stringify({ models: { providers }, ...more }));
}

describe("answers", () => {
  const notice = `openclaw: 'lab/llama3' seems to reason in its answer; to have that told apart, add "reasoning": true to 'llama3' in the models of its provider\n`;

  it.each<[string, string[], Record<string, unknown>, string, string]>([
    ["nothing", ["Hm.\n</thi", "nk>\n\nFour."], {}, "Hm.\n</think>\n\nFour.\n", notice],
    ["that it does not", ["Hm.</think>Four."], { reasoning: false }, "Hm.</think>Four.\n", ""],
    ["that it does", ["Hm.</think>Four."], { reasoning: true }, "Four.\n", ""],
    ["nothing, of tags in code", ["Write `</think>`."], {}, "Write `</think>`.\n", ""],
    ["nothing, of both tags", ["<think>Hm.</think>Four."], {}, "Four.\n", ""],
    ["nothing, of tags in prose", ["It is <think> and </think>."], {}, "It is <think> and </think>.\n", ""],
  ])(
    "with the end of reasoning alone, whose settings say %s",
    async (_says, pieces, model, stdout, stderr) => {
      const { run } = await lab(() => says(...pieces), { models: [{ id: "llama3", ...model }] });
      expect(await run(["hi"])).toMatchObject({ code: 0, stdout, stderr });
    },
  );

  it("as text", async () => {
    const { run, server } = await lab(() => says("Hel", "lo!"));
    const result = await run(["--usage", "hi"]);
    expect(result).toMatchObject({ code: 0, stdout: "Hello!\n" });
    expect(result.stderr).toContain("9 tokens in, 2 out");
    expect(server.chats[0]?.path).toBe("/v1/chat/completions");
    expect(server.chats[0]?.headers["authorization"]).toBeUndefined();
    expect(server.chats[0]?.body).toEqual({
      model: "llama3",
      messages: [{ role: "user", content: "hi" }],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("within the limits of the configuration, with a notice of each", async () => {
    const models = [{ id: "llama3", maxTokens: 100, contextWindow: 50 }];
    const { run, server } = await lab(() => says("Hello"), { models });
    const result = await run(["--max-tokens", "900", "word ".repeat(60)]);
    expect(result).toMatchObject({ code: 0, stdout: "Hello\n" });
    expect(server.chats[0]?.body).toMatchObject({ max_tokens: 100 });
    expect(result.stderr).toContain(
      "'llama3' puts out at most 100 tokens here, so max-tokens 900 becomes that",
    );
    expect(result.stderr).toContain(
      "'llama3' has a contextWindow of 50 tokens by its settings, and about 75 are",
    );
    expect((await run(["short"])).stderr).toBe("");
  });

  it("as one document, with the price of the configuration", async () => {
    const { run } = await lab(() => says("Hello"), {
      models: [{ id: "llama3", cost: { input: 2, output: 5 } }],
    });
    const document = JSON.parse((await run(["--json", "hi"])).stdout);
    expectSchema("chat", document);
    expect(document).toMatchObject({
      model: "llama3",
      region: null,
      text: "Hello",
      stopReason: "end_turn",
      usage: { inputTokens: 9, outputTokens: 1, totalTokens: 10 },
      cost: { usd: 0.000023, source: "config" },
      attempts: 1,
    });
  });

  it("without a price of Bedrock for a model of the same name", async () => {
    const { home } = await lab(() => says("Hello"));
    const server = await openaiServer({ chat: () => says("Hello") });
    configure(home, { lab: { baseUrl: server.baseUrl } });
    const { stdout } = await openclaw(["chat", "-m", "lab/amazon.nova-lite-v1:0", "--json", "hi"], home);
    expect(JSON.parse(stdout).cost).toBeNull();
  });

  it("line by line, with reasoning", async () => {
    const { run, server } = await lab(() => ({
      pieces: events(
        chunk({ reasoning: "hm" }),
        ...whole.slice(0, 2),
        counted({ prompt_tokens: 1, completion_tokens: 2 }),
        "[DONE]",
      ),
      headers: { "x-request-id": "req_7" },
    }));
    const { stdout } = await run(["--ndjson", "--reasoning", "high", "hi"]);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const line of lines) expectSchema("chat-event", line);
    expect(lines.map(({ type }) => type)).toEqual(["start", "reasoning", "text", "stop", "usage"]);
    expect(lines[0]).toMatchObject({ model: "llama3", region: null, requestId: "req_7" });
    expect(server.chats[0]?.body?.["reasoning_effort"]).toBe("high");
  });

  it("without the reasoning that a server leaves in them", async () => {
    const channels =
      "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>Four.<|return|>";
    const models = [{ id: "m" }, { id: "deepseek-r1:7b" }, { id: "own", reasoning: true }];
    const cases: [model: string, content: string][] = [
      ["m", "<think id=1>Hm.</think>Four."],
      ["m", channels],
      ["deepseek-r1:7b", "Hm.\n</think>\n\nFour."],
      // That it reasons is told by its settings.
      ["own", "Hm.\n</think>\n\nFour."],
    ];
    for (const [model, content] of cases) {
      const { home } = await lab(() => says(...Array.from(content)), { models });
      const { stdout, stderr } = await openclaw(
        ["chat", "-m", `lab/${model}`, "--show-reasoning", "hi"],
        home,
      );
      expect({ model, content, stdout, stderr }).toMatchObject({ stdout: "Four.\n", stderr: "Hm.\n\n" });
    }
  });

  it("to parameters, a system prompt and an image", async () => {
    const { run, server, home } = await lab(() => says("Hello"));
    writeFileSync(path.join(home, "dot.png"), PIXEL);
    const flags = [
      "--max-tokens",
      "9",
      "--temperature",
      "0.5",
      "--top-p",
      "0.9",
      "--top-k",
      "40",
      "--stop",
      "END",
    ];
    const result = await run([...flags, "-s", "Be brief.", "-f", "dot.png", "what is it?"]);
    expect(result.code).toBe(0);
    expect(server.chats[0]?.body).toMatchObject({
      max_tokens: 9,
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      stop: ["END"],
      messages: [
        { role: "system", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "image_url", image_url: { url: `data:image/png;base64,${PIXEL.toString("base64")}` } },
            { type: "text", text: "what is it?" },
          ],
        },
      ],
    });
  });

  it("with a temperature that Converse does not take", async () => {
    const { run, server } = await lab(() => says("Hello"));
    expect(await run(["--temperature", "1.5", "hi"])).toMatchObject({ code: 0, stderr: "" });
    expect(server.chats[0]?.body).toMatchObject({ temperature: 1.5 });
    const emulated = await emulate();
    const { code, stderr } = await emulated.run([
      "chat",
      "--temperature",
      "1.5",
      "-m",
      "amazon.nova-lite-v1:0",
      "hi",
    ]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `openclaw: 'amazon.nova-lite-v1:0' takes temperature from 0 to 1, so 1.5 becomes 1\n`,
    });
    expect(emulated.emulator.calls.at(-1)?.body).toMatchObject({ inferenceConfig: { temperature: 1 } });
  });

  it("in a session, with what was said before", async () => {
    const { run, home, server } = await lab((_, nth) => says(`answer ${nth}`));
    const first = JSON.parse((await run(["--session", "talk", "--json", "one"])).stdout);
    expect(first.session).toBe("talk");
    const second = await openclaw(["chat", "--session", "talk", "two"], home);
    expect(second).toMatchObject({ code: 0, stdout: "answer 2\n" });
    expect(server.chats[1]?.body?.["messages"]).toEqual([
      { role: "user", content: "one" },
      { role: "assistant", content: "answer 1" },
      { role: "user", content: "two" },
    ]);
  });

  it("with a key and headers, which nothing shows", async () => {
    const { run, server } = await lab(
      (call) =>
        refusal(400, { message: `I got ${call.headers["authorization"]} and ${call.headers["x-team"]}` }),
      { apiKey: "${LAB_KEY}", headers: { "X-Team": "team-secret-value" } },
    );
    const env = { LAB_KEY: "sk-very-secret-key" };
    const result = await run(["-v", "--json", "hi"], { env });
    expect(result.code).toBe(6);
    expect(server.chats[0]?.headers).toMatchObject({
      authorization: "Bearer sk-very-secret-key",
      "x-team": "team-secret-value",
    });
    expect(result.stdout + result.stderr).not.toMatch(/very-secret|team-secret/);
  });

  it("that is left out in part: a notice says what has no meaning there", async () => {
    const { run, server } = await lab(() => says("Hello"));
    const flags = ["--cache", "5m", "--service-tier", "flex", "--latency", "optimized"];
    const result = await run([...flags, "--metadata", "a=b", "hi"]);
    expect(result.code).toBe(0);
    for (const word of ["cache", "service tier", "latency", "metadata"])
      expect(result.stderr).toContain(word);
    expect(Object.keys(server.chats[0]?.body ?? {})).toEqual([
      "model",
      "messages",
      "stream",
      "stream_options",
    ]);
  });
});

it("is not asked with a guardrail, and without that of the configuration", async () => {
  const { run, server, home } = await lab(() => says("Hello"));
  expect(await run(["--guardrail", "abc:1", "hi"])).toMatchObject({
    code: 6,
    stderr: expect.stringContaining("so it is not asked with a guardrail"),
  });
  expect(server.chats).toEqual([]);
  const guardrail = { guardrailIdentifier: "abc", guardrailVersion: "1" };
  configure(
    home,
    { lab: { baseUrl: server.baseUrl, models: [{ id: "llama3" }] } },
    { plugins: { entries: { "amazon-bedrock": { config: { guardrail } } } } },
  );
  expect(await run(["hi"])).toMatchObject({
    code: 0,
    stderr: expect.stringContaining("goes without the guardrail"),
  });
});

describe("holds the model to a schema", () => {
  const schema = '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}';

  it("by response_format, and checks what comes", async () => {
    const { run, server } = await lab(() => says('{"n":', "4}"));
    expect(await run(["--schema", schema, "pick"])).toMatchObject({ code: 0, stdout: '{"n":4}\n' });
    expect(server.chats[0]?.body?.["response_format"]).toMatchObject({ type: "json_schema" });
  });

  it("by a tool where the server does not know response_format", async () => {
    const { run, server } = await lab((call) =>
      call.body?.["response_format"]
        ? refusal(400, { message: "response_format is not supported", type: "invalid_request_error" })
        : {
            pieces: events(
              chunk({
                tool_calls: [{ index: 0, id: "a", function: { name: "answer", arguments: '{"n":5}' } }],
              }),
              chunk({}, "tool_calls"),
              "[DONE]",
            ),
          },
    );
    expect(await run(["--schema", schema, "pick"])).toMatchObject({ code: 0, stdout: '{"n":5}\n' });
    expect(server.chats[1]?.body).toMatchObject({ tool_choice: "required" });
  });

  it("and refuses what does not fit", async () => {
    const { run } = await lab(() => says('{"n":"x"}'));
    expect((await run(["--schema", schema, "pick"])).code).toBe(6);
  });
});

describe("understands servers that", () => {
  const cases: [
    string,
    { pieces?: Iterable<string | Uint8Array>; body?: unknown; headers?: Record<string, string> },
  ][] = [
    ["end lines as HTTP does", { pieces: events(...whole).map((event) => event.replaceAll("\n", "\r\n")) }],
    [
      "send comments and no spaces",
      { pieces: [": ping\n\n", ...events(...whole).map((event) => event.replace("data: ", "data:"))] },
    ],
    [
      "send byte by byte",
      { pieces: Array.from(Buffer.from(events(...whole).join("")), (byte) => Uint8Array.of(byte)) },
    ],
    ["send no [DONE]", { pieces: events(...whole.slice(0, 2)) }],
    [
      "end without a blank line",
      {
        pieces: [
          events(...whole)
            .join("")
            .trimEnd(),
        ],
      },
    ],
    ["name another content type", { pieces: events(...whole), headers: { "content-type": "text/plain" } }],
    [
      "do not stream",
      { body: { choices: [{ index: 0, message: { content: "Hello" }, finish_reason: "stop" }] } },
    ],
  ];
  it.each(cases)("%s", async (_, reply) => {
    const { run } = await lab(() => reply);
    expect(await run(["hi"], { env: once1 })).toMatchObject({ code: 0, stdout: "Hello\n", stderr: "" });
  });

  it("leave the connection open behind [DONE]", async () => {
    const { run } = await lab(() => ({ pieces: events(...whole), end: "stall" }));
    expect(await run(["hi"])).toMatchObject({ code: 0, stdout: "Hello\n" });
  });

  it("want max_completion_tokens", async () => {
    const { run, server } = await lab((call) =>
      call.body?.["max_tokens"] === undefined
        ? says("Hello")
        : refusal(400, {
            message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            type: "invalid_request_error",
            code: "unsupported_parameter",
          }),
    );
    expect(await run(["--max-tokens", "5", "hi"])).toMatchObject({ code: 0, stdout: "Hello\n" });
    expect(server.chats[1]?.body).toMatchObject({ max_completion_tokens: 5 });
  });
});

describe("fails", () => {
  const cases: [string, OpenaiScript["chat"], number, string][] = [
    ["with a wrong key", () => refusal(401, { message: "no" }), 4, "credentials-rejected"],
    ["when throttled", () => refusal(429, { message: "slow" }), 5, "throttled"],
    [
      "when the quota is used up",
      () => refusal(429, { message: "no", code: "insufficient_quota" }),
      5,
      "quota-exceeded",
    ],
    ["when it is not available", () => refusal(503, { message: "loading" }), 5, "service-unavailable"],
    ["on a page", () => ({ body: "<html>login</html>" }), 5, "bad-response"],
    [
      "on a redirect",
      () => ({ status: 302, headers: { location: "https://login.example/x" }, body: "" }),
      5,
      "bad-response",
    ],
    ["on JSON that is no completion", () => ({ body: { hello: 1 } }), 5, "stream-broken"],
    ["on garbage", () => ({ pieces: ["data: {nonsense\n\n"] }), 5, "bad-response"],
    ["on an empty stream", () => ({ pieces: [] }), 5, "stream-broken"],
    ["on [DONE] alone", () => ({ pieces: events("[DONE]") }), 5, "stream-broken"],
    [
      "on an input that is too long",
      () => refusal(400, { message: "x", code: "context_length_exceeded" }),
      6,
      "input-too-long",
    ],
    ["on a wrong parameter", () => refusal(400, { message: "x" }), 6, "invalid-request"],
    [
      "on an error in the stream",
      () => ({ pieces: events({ error: { message: "died", code: 500 } }) }),
      5,
      "service-unavailable",
    ],
    [
      "on filtered content",
      () => ({ pieces: events(chunk({ content: "x" }), chunk({}, "content_filter"), "[DONE]") }),
      7,
      "blocked",
    ],
    [
      "on a refusal",
      () => ({ pieces: events(chunk({ refusal: "No." }), chunk({}, "stop"), "[DONE]") }),
      7,
      "blocked",
    ],
  ];
  it.each(cases)("%s", async (_, chat, exitCode, code) => {
    const { run } = await lab(chat);
    const result = await run(["--json", "hi"], { env: once1 });
    const document = JSON.parse(result.stdout);
    expect(document.error).toMatchObject({ code, exitCode });
    expectSchema("error", document);
    expect(result.code).toBe(exitCode);
  });

  it.each<[string, OpenaiScript["chat"]]>([
    ["the connection breaks", () => ({ pieces: events(chunk({ content: "Hel" })), end: "drop" })],
    ["the stream ends without a finish reason", () => ({ pieces: events(chunk({ content: "Hel" })) })],
    ["the stream ends so, with [DONE]", () => ({ pieces: events(chunk({ content: "Hel" }), "[DONE]") })],
    [
      "the stream ends inside an event",
      () => ({ pieces: [...events(chunk({ content: "Hel" })), 'data: {"cho'] }),
    ],
    [
      "the server breaks it off",
      () => ({ pieces: events(chunk({ content: "Hel" }), { error: { message: "fell over" } }) }),
    ],
  ])("and never with a short answer when %s", async (_, chat) => {
    const { run } = await lab(chat);
    const result = await run(["--json", "hi"]);
    expect(result.code).toBe(5);
    expect(JSON.parse(result.stdout).error).toMatchObject({ code: "stream-broken", partialText: "Hel" });
  });

  it.each(["Hello </thi", "Hello, said a tag: <", "<think>hm</think>Hello <"])(
    "and with all that had come when the connection breaks: %s",
    async (content) => {
      const { run } = await lab(() => ({ pieces: events(chunk({ content })), end: "drop" }), {
        models: [{ id: "llama3", reasoning: true }],
      });
      const result = await run(["--json", "hi"]);
      expect(JSON.parse(result.stdout).error).toMatchObject({
        code: "stream-broken",
        partialText: content.replace("<think>hm</think>", ""),
      });
    },
  );

  it("with the nearest of the server's models", async () => {
    const { run } = await lab(() => refusal(404, { message: 'model "llama" not found' }), { models: [] });
    const result = await run(["hi"]);
    expect(result).toMatchObject({ code: 6, stdout: "" });
    const other = await lab(() => refusal(404, { message: 'model "lama3" not found' }), { models: [] });
    const near = await openclaw(["chat", "-m", "lab/lama3", "hi"], other.home);
    expect(near.stderr).toContain("Did you mean llama3?");
  });

  it("naming the variable and the setting of a key that is not set", async () => {
    const { run } = await lab(() => says("Hello"), { apiKey: "${LAB_KEY}" });
    const result = await run(["hi"]);
    expect(result.code).toBe(3);
    expect(result.stderr).toContain("LAB_KEY");
    expect(result.stderr).toContain("models.providers.lab.apiKey");
  });

  it("where nothing listens, with the setting to look at", async () => {
    const home = createHome();
    configure(home, { lab: { baseUrl: "http://127.0.0.1:1/v1" } });
    const result = await openclaw(["chat", "-m", "lab/x", "hi"], home, { env: once1 });
    expect(result.code).toBe(5);
    expect(result.stderr).toContain("models.providers.lab.baseUrl");
  });

  it.each<[string, string, string]>([
    [
      "openai-completions",
      "a.mp4",
      "'a.mp4' is an mp4 video, and 'm' takes no videos, only text, images, documents, recordings.",
    ],
    [
      "openai-responses",
      "a.mp4",
      "'a.mp4' is an mp4 video, and 'm' takes no videos, only text, images, documents.",
    ],
    [
      "openai-responses",
      "a.mp3",
      "'a.mp3' is an mp3 recording, and 'm' takes no recordings, only text, images, documents.",
    ],
    [
      "anthropic-messages",
      "a.mp4",
      "'a.mp4' is an mp4 video, and 'm' takes no videos, only text, images, documents.",
    ],
    [
      "anthropic-messages",
      "a.mp3",
      "'a.mp3' is an mp3 recording, and 'm' takes no recordings, only text, images, documents.",
    ],
  ])("of %s on %s, for which it has no place, by name", async (api, file, message) => {
    const home = createHome();
    configure(home, { lab: { baseUrl: "http://127.0.0.1:9/v1", api, auth: "none", models: [{ id: "m" }] } });
    writeFileSync(path.join(home, "a.mp4"), "\0\0\0\x18ftypmp42\0\0\0\0mp42isom");
    writeFileSync(path.join(home, "a.mp3"), "ID3\x04\0\0\0\0\0\0");
    const { code, stderr } = await openclaw(["chat", "-m", "lab/m", "-f", file, "hi"], home);
    expect(code).toBe(6);
    expect(stderr).toContain(message);
  });

  it("on an image for a model without eyes", async () => {
    const { run, home } = await lab(() => says("Hello"), { models: [{ id: "llama3", input: ["text"] }] });
    writeFileSync(path.join(home, "dot.gif"), Buffer.from("R0lGODlhAQABAAAAACwAAAAAAQABAAA=", "base64"));
    expect((await run(["-f", "dot.gif", "hi"])).code).toBe(6);
  });
});

describe("waits", () => {
  it("for the first token no longer than told", async () => {
    const { run } = await lab(() => ({ pieces: events(chunk({ role: "assistant" })), end: "stall" }));
    const result = await run(["--first-token-timeout", "0.3", "--json", "hi"], { env: once1 });
    expect(result.code).toBe(5);
    expect(JSON.parse(result.stdout).error.code).toBe("timeout");
  });

  it("for the whole answer no longer than told", async () => {
    const { run, server } = await lab(() => ({ pieces: events(chunk({ content: "Hel" })), end: "stall" }));
    const result = await run(["--timeout", "1", "--json", "hi"]);
    expect(JSON.parse(result.stdout).error).toMatchObject({ code: "timeout", partialText: "Hel" });
    await server.chats[0]?.left;
  });

  it("no more when it is interrupted, and closes the connection", async () => {
    const { start, server } = await lab(() => ({ pieces: events(chunk({ content: "Hel" })), end: "stall" }));
    const child = start(["hi"]);
    await once(child.stdout, "data");
    child.kill("SIGINT");
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(130);
    await server.chats[0]?.left;
  });
});

describe("tries again", () => {
  it("before the first token, as often and as late as told", async () => {
    const { run, server } = await lab((_, nth) =>
      nth < 3 ? refusal(nth === 1 ? 429 : 500, { message: "busy" }, { "retry-after": "0" }) : says("Hello"),
    );
    const result = await run(["--json", "hi"]);
    expect(JSON.parse(result.stdout)).toMatchObject({ text: "Hello", attempts: 3 });
    expect(result.stderr).toMatch(/^openclaw: lab is throttling: next try .* \(2 of 3\)$/m);
    expect(server.chats).toHaveLength(3);
  });

  it("when the connection breaks before it", async () => {
    const { run } = await lab((_, nth) =>
      nth === 1 ? { pieces: events(chunk({ role: "assistant" })), end: "drop" } : says("Hello"),
    );
    expect(await run(["hi"])).toMatchObject({ code: 0, stdout: "Hello\n" });
  });

  it("never behind it", async () => {
    const { run, server } = await lab(() => ({ pieces: events(chunk({ content: "Hel" })), end: "drop" }));
    expect((await run(["hi"])).code).toBe(5);
    expect(server.chats).toHaveLength(1);
  });

  it("with a model of Bedrock, and the other way round", async () => {
    const emulated = await emulate();
    const server = await openaiServer({
      chat: (_, nth) => (nth === 1 ? refusal(429, { message: "busy" }) : says("Hello")),
    });
    emulated.configure(JSON.stringify({ models: { providers: { lab: { baseUrl: server.baseUrl } } } }));
    const bedrock = "amazon.nova-lite-v1:0";
    const there = await emulated.run(["chat", "-m", `lab/llama3,${bedrock}`, "--json", "hi"], { env: once1 });
    expect(JSON.parse(there.stdout)).toMatchObject({ model: bedrock, region: "us-east-1" });
    const back = await emulated.run(["chat", "-m", "nobody.knows-v1:0,lab/llama3", "--json", "hi"]);
    expect(JSON.parse(back.stdout)).toMatchObject({ model: "llama3", region: null });
  });
});

it("needs no AWS: no credentials, no region, and nothing of it is asked", async () => {
  const { run, home, server } = await lab(() => says("Hello"));
  const result = await run(["-v", "hi"]);
  expect(result.stdout).toBe("Hello\n");
  expect(result.stderr).not.toMatch(/region|credential/i);
  expect(server.calls).toHaveLength(1);
  // The ledger says that there was a call, and nothing of it.
  const written = readdirSync(path.join(home, ".openclaw")).filter((name) => name !== "usage");
  expect(written).toEqual(["openclaw.json"]);
});

it("rehearses without a call", async () => {
  const { run, server, home } = await lab(() => says("Hello"));
  writeFileSync(path.join(home, "a.pdf"), "%PDF-1.4\n");
  const document = JSON.parse((await run(["--dry-run", "--json", "-f", "a.pdf", "hi"])).stdout);
  expectSchema("chat-dry-run", document);
  expect(document).toMatchObject({ model: "llama3", region: null, tokensSource: "estimate", cost: null });
  expect(JSON.stringify(document.request)).toContain("data:application/pdf (9 bytes)");
  expect(server.calls).toEqual([]);
});

it("keeps the key out of the files it writes", async () => {
  const { run, home } = await lab(() => says("Hello"), { apiKey: "${LAB_KEY}", models: [] });
  const env = { LAB_KEY: "sk-very-secret-key" };
  await run(["--session", "talk", "hi"], { env });
  await openclaw(["models", "list"], home, { env });
  const files = readdirSync(path.join(home, ".openclaw"), { recursive: true, withFileTypes: true });
  const texts = files
    .filter((file) => file.isFile())
    .map((file) => readFileSync(path.join(file.parentPath, file.name), "utf8"));
  expect(texts.length).toBeGreaterThan(2);
  expect(texts.join("\n")).not.toContain("very-secret");
});

it("names the proxy that lets nothing through in the notices of its tries", async () => {
  const home = createHome();
  configure(home, { corp: { baseUrl: "http://corp.test/v1", auth: "none", models: [{ id: "m" }] } });
  const env = { HTTP_PROXY: "http://127.0.0.1:1" };
  const { code, stderr } = await openclaw(["chat", "-m", "corp/m", "hi"], home, { env });
  expect(code).toBe(5);
  expect(stderr).toContain(
    "openclaw: The proxy 127.0.0.1:1 (HTTP_PROXY) lets nothing through to corp (ECONNREFUSED): next try at once (2 of 3)",
  );
});
