import { writeFileSync } from "node:fs";
import path from "node:path";
import type OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";
import { events, type OpenaiScript, openaiServer, refusal } from "../helpers/openai-server.ts";
import { createHome, openclaw, type RunOptions, writeConfig } from "../helpers/openclaw.ts";
import { PIXEL } from "../helpers/pixel.ts";
import {
  callOf,
  message,
  named,
  response,
  streamed,
  streams,
  thought,
  USAGE,
} from "../helpers/responses-events.ts";
import { expectSchema } from "../helpers/schema.ts";

const once1 = { AWS_MAX_ATTEMPTS: "1" };

/** A server of Responses, and a home folder whose configuration has it as the provider `lab`. */
async function lab(chat: OpenaiScript["chat"], provider: Record<string, unknown> = {}) {
  const server = await openaiServer(chat ? { chat } : {});
  const home = createHome();
  const settings = {
    baseUrl: server.baseUrl,
    api: "openai-responses",
    models: [{ id: "gpt-5" }, { id: "gpt-5-mini" }],
    ...provider,
  };
  writeConfig(home, JSON.stringify({ models: { providers: { lab: settings } } }));
  const run = (args: readonly string[], options: RunOptions = {}, model = "lab/gpt-5") =>
    openclaw(["chat", "-m", model, ...args], home, options);
  return { server, home, run };
}

const said = (...texts: string[]) => streams([message(...texts)]);

describe("answers", () => {
  it("as text, and leaves nothing at the server", async () => {
    const { run, server } = await lab(() => said("Hello, world!"), { apiKey: "sk-one" });
    const result = await run(["--usage", "hi"]);
    expect(result).toMatchObject({ code: 0, stdout: "Hello, world!\n" });
    expect(result.stderr).toContain("5 tokens in");
    const [call] = server.chats;
    expect(call?.path).toBe("/v1/responses");
    expect(call?.headers["authorization"]).toBe("Bearer sk-one");
    expect(call?.body).toEqual({
      model: "gpt-5",
      input: [{ role: "user", content: "hi" }],
      stream: true,
      store: false,
      include: ["reasoning.encrypted_content"],
    });
  });

  it("as one document, with the price of the configuration", async () => {
    const cost = { input: 2, output: 5, cacheRead: 0.2 };
    const { run } = await lab(() => said("Hello"), { models: [{ id: "gpt-5", cost }] });
    const document = JSON.parse((await run(["--json", "hi"])).stdout);
    expectSchema("chat", document);
    expect(document).toMatchObject({
      model: "gpt-5",
      region: null,
      text: "Hello",
      stopReason: "end_turn",
      usage: { inputTokens: 5, outputTokens: 3, totalTokens: 12, cacheReadInputTokens: 4 },
      cost: { usd: 0.0000258, source: "config" },
    });
  });

  it("from the web, with the pages below the answer", async () => {
    const url = "https://weather.test/oslo";
    const annotations = [{ type: "url_citation", url, title: "Oslo", start_index: 0, end_index: 9 }];
    const cited = {
      ...message("It rains."),
      content: [{ type: "output_text", text: "It rains.", annotations }],
    };
    const searched = {
      type: "web_search_call",
      id: "ws_1",
      status: "completed",
      action: { type: "search", query: "Oslo" },
    };
    const { run, server } = await lab(() => streams([searched, cited]));
    expect(await run(["--web", "Rain?"])).toMatchObject({
      code: 0,
      stdout: "It rains.\n",
      stderr: `[1] Oslo, ${url}\n`,
    });
    expect(server.chats[0]?.body).toMatchObject({ tools: [{ type: "web_search" }] });
    const document = JSON.parse((await run(["--web", "--json", "Rain?"])).stdout);
    expectSchema("chat", document);
    expect(document.citations).toEqual([{ title: "Oslo", url, textEnd: 9 }]);
    // It has no place for documents to be cited.
    const home = await run(["--citations", "Rain?"]);
    expect(home).toMatchObject({
      code: 6,
      stderr: expect.stringContaining("'lab/gpt-5' names no sources in documents."),
    });
  });

  it("with a summary of the reasoning, where a person wants to read it", async () => {
    const { run, server } = await lab(() => streams([thought("Let me see.", "gAAA"), message("Four.")]));
    const result = await run(["--reasoning", "high", "--show-reasoning", "2+2?"]);
    expect(result).toMatchObject({ code: 0, stdout: "Four.\n" });
    expect(result.stderr).toContain("Let me see.");
    expect(server.chats[0]?.body).toMatchObject({ reasoning: { effort: "high", summary: "auto" } });
  });

  it("to an image, with what has a place there, and tells what has none", async () => {
    const { run, server, home } = await lab(() => said("A dot."));
    writeFileSync(path.join(home, "dot.png"), PIXEL);
    const flags = ["--max-tokens", "9", "--temperature", "0.5", "--stop", "END", "--service-tier", "flex"];
    const more = ["--metadata", "team=a", "--cache", "5m", "-s", "Be brief.", "-f", "dot.png"];
    const result = await run([...flags, ...more, "what is it?"]);
    expect(result).toMatchObject({ code: 0, stdout: "A dot.\n" });
    expect(result.stderr).toContain("max-tokens 9 becomes that");
    expect(result.stderr).toContain('no place for stop, so "END" is left out');
    expect(result.stderr).toContain("goes without the prompt cache");
    expect(server.chats[0]?.body).toMatchObject({
      instructions: "Be brief.",
      max_output_tokens: 16,
      temperature: 0.5,
      service_tier: "flex",
      metadata: { team: "a" },
      input: [
        {
          role: "user",
          content: [
            { type: "input_image", image_url: `data:image/png;base64,${PIXEL.toString("base64")}` },
            { type: "input_text", text: "what is it?" },
          ],
        },
      ],
    });
  });

  it("held to a schema", async () => {
    const schema = '{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}';
    const { run, server } = await lab((call) =>
      call.body?.["text"]
        ? refusal(400, {
            message:
              "Invalid parameter: 'text.format' of type 'json_schema' is not supported with this model.",
            param: "text.format",
          })
        : streams([callOf("answer", { n: 5 })]),
    );
    expect(await run(["--schema", schema, "pick"])).toMatchObject({ code: 0, stdout: '{"n":5}\n' });
    expect(server.chats[0]?.body?.["text"]).toMatchObject({ format: { type: "json_schema" } });
    expect(server.chats[1]?.body).toMatchObject({ tool_choice: "required", tools: [{ strict: false }] });
  });
});

describe("sends reasoning back", () => {
  const first = [thought("hm", "gAAA"), message("One.")];

  it("to the model that it came from, and to no other", async () => {
    const { run, server } = await lab((_, nth) => (nth === 1 ? streams(first) : said("Two.")));
    await run(["--session", "talk", "one"]);
    expect(await run(["--session", "talk", "two"])).toMatchObject({ code: 0, stdout: "Two.\n" });
    expect(server.chats[1]?.body?.["input"]).toEqual([
      { role: "user", content: "one" },
      {
        type: "reasoning",
        id: "rs_1",
        summary: [{ type: "summary_text", text: "hm" }],
        encrypted_content: "gAAA",
      },
      { role: "assistant", content: "One." },
      { role: "user", content: "two" },
    ]);
    await run(["--session", "talk", "three"], {}, "lab/gpt-5-mini");
    expect(JSON.stringify(server.chats[2]?.body?.["input"])).not.toContain("gAAA");
  });

  it("no more when the server cannot read it any longer", async () => {
    const { run, server } = await lab((call, nth) => {
      if (nth === 1) return streams(first);
      if (!JSON.stringify(call.body).includes("gAAA")) return said("Two.");
      const text = "The encrypted content gAAA could not be verified.";
      return refusal(400, {
        message: text,
        type: "invalid_request_error",
        code: "invalid_encrypted_content",
      });
    });
    await run(["--session", "talk", "one"]);
    const second = await run(["--session", "talk", "two"]);
    expect(second).toMatchObject({ code: 0, stdout: "Two.\n" });
    expect(second.stderr).toContain("refuses the reasoning of earlier answers");
    expect(server.chats).toHaveLength(3);
  });
});

describe("learns of a model that", () => {
  it.each<[string, Record<string, unknown>, (body: Record<string, unknown>) => boolean]>([
    [
      "does not reason",
      { message: "Encrypted content is not supported with this model.", param: "include" },
      (body) => body["include"] !== undefined,
    ],
    [
      "shows no summaries",
      {
        message: "Your organization must be verified to generate reasoning summaries. Please go to: x",
        param: "reasoning.summary",
        code: "unsupported_value",
      },
      (body) => JSON.stringify(body["reasoning"]).includes("summary"),
    ],
    [
      "takes no temperature",
      {
        message: "Unsupported parameter: 'temperature' is not supported with this model.",
        param: "temperature",
        code: "unsupported_parameter",
      },
      (body) => body["temperature"] !== undefined,
    ],
    [
      "takes no top-k",
      { message: "Unknown parameter: 'top_k'.", param: "top_k", code: "unknown_parameter" },
      (body) => body["top_k"] !== undefined,
    ],
  ])("%s, once", async (_, error, isRefused) => {
    const { run, server } = await lab((call) =>
      isRefused(call.body ?? {}) ? refusal(400, { type: "invalid_request_error", ...error }) : said("Hello"),
    );
    const flags = ["--reasoning", "low", "--show-reasoning", "--temperature", "0.5", "--top-k", "3"];
    expect(await run([...flags, "hi"])).toMatchObject({ code: 0, stdout: "Hello\n" });
    expect(server.chats).toHaveLength(2);
    expect(await run([...flags, "hi"])).toMatchObject({ code: 0, stdout: "Hello\n" });
    expect(server.chats).toHaveLength(3);
  });
});

describe("understands servers that", () => {
  const all = streamed([message("Hello")]);
  it.each<[string, ReturnType<NonNullable<OpenaiScript["chat"]>>]>([
    ["name their events", { pieces: named(all) }],
    ["name no events", { pieces: events(...all) }],
    ["send [DONE]", { pieces: events(...all, "[DONE]") }],
    [
      "send byte by byte",
      { pieces: Array.from(Buffer.from(named(all).join("")), (byte) => Uint8Array.of(byte)) },
    ],
    ["do not stream", { body: response([message("Hello")]) }],
    ["leave the connection open behind the end", { pieces: named(all), end: "stall" }],
  ])("%s", async (_, reply) => {
    const { run } = await lab(() => reply);
    expect(await run(["hi"], { env: once1 })).toMatchObject({ code: 0, stdout: "Hello\n", stderr: "" });
  });
});

/** Every code that a response fails with, by the SDK's types, and what it is here. */
const FAILED: readonly [OpenAI.Responses.ResponseError["code"] | "content_filter", number, string][] = [
  ["server_error", 5, "service-unavailable"],
  ["vector_store_timeout", 5, "service-unavailable"],
  ["rate_limit_exceeded", 5, "throttled"],
  ["invalid_prompt", 6, "invalid-request"],
  ["data_residency_mismatch", 6, "invalid-request"],
  ["bio_policy", 7, "blocked"],
  ["image_content_policy_violation", 7, "blocked"],
  ["content_filter", 7, "blocked"],
  ["invalid_image", 6, "invalid-request"],
  ["invalid_image_format", 6, "invalid-request"],
  ["invalid_base64_image", 6, "invalid-request"],
  ["invalid_image_url", 6, "invalid-request"],
  ["invalid_image_mode", 6, "invalid-request"],
  ["image_too_large", 6, "invalid-request"],
  ["image_too_small", 6, "invalid-request"],
  ["image_parse_error", 6, "invalid-request"],
  ["image_file_too_large", 6, "invalid-request"],
  ["unsupported_image_media_type", 6, "invalid-request"],
  ["empty_image_file", 6, "invalid-request"],
  ["failed_to_download_image", 6, "invalid-request"],
  ["image_file_not_found", 6, "invalid-request"],
];

describe("fails", () => {
  const failed = (error: object) => ({
    pieces: named([
      { type: "response.created", response: response([], { status: "in_progress" }) },
      { type: "response.failed", response: response([], { status: "failed", error }) },
    ]),
  });
  it.each<[string, OpenaiScript["chat"], number, string]>([
    ["with a wrong key", () => refusal(401, { message: "no" }), 4, "credentials-rejected"],
    ["when throttled", () => refusal(429, { message: "slow" }), 5, "throttled"],
    ["when it is not available", () => refusal(503, { message: "loading" }), 5, "service-unavailable"],
    ["where the server does not have the API", () => ({ status: 404, body: "no" }), 5, "bad-response"],
    ["on JSON that is no response", () => ({ body: { hello: 1 } }), 5, "stream-broken"],
    ["on an empty stream", () => ({ pieces: [] }), 5, "stream-broken"],
    [
      "on an input that is too long",
      () => refusal(400, { message: "x", code: "context_length_exceeded" }),
      6,
      "input-too-long",
    ],
    ["on a wrong parameter", () => refusal(400, { message: "x" }), 6, "invalid-request"],
    ...FAILED.map(([code, exitCode, ours]): [string, OpenaiScript["chat"], number, string] => [
      `on a response that failed with ${code}`,
      () => failed({ code, message: "no" }),
      exitCode,
      ours,
    ]),
    [
      "on a whole response that failed",
      () => ({ body: response([], { status: "failed", error: { code: "server_error", message: "died" } }) }),
      5,
      "service-unavailable",
    ],
    [
      "on an error in the stream",
      () => ({ pieces: named([{ type: "error", code: "server_error", message: "died", param: null }]) }),
      5,
      "service-unavailable",
    ],
    [
      "on an error in the stream without the name of an event",
      () => ({ pieces: events({ type: "error", code: "server_error", message: "died", param: null }) }),
      5,
      "service-unavailable",
    ],
    [
      "on filtered content",
      () =>
        streams([message("x")], {
          status: "incomplete",
          incomplete_details: { reason: "content_filter" },
        }),
      7,
      "blocked",
    ],
    [
      "on a refusal",
      () => streams([{ type: "message", id: "m", content: [{ type: "refusal", refusal: "No." }] }]),
      7,
      "blocked",
    ],
  ])("%s", async (_, chat, exitCode, code) => {
    const { run } = await lab(chat);
    const result = await run(["--json", "hi"], { env: once1 });
    const document = JSON.parse(result.stdout);
    expect(document.error).toMatchObject({ code, exitCode });
    expectSchema("error", document);
    expect(result.code).toBe(exitCode);
  });

  const begun = named(streamed([message("Hello")], { usage: USAGE }, 3).slice(0, 5));
  it.each<[string, OpenaiScript["chat"]]>([
    ["the connection breaks", () => ({ pieces: begun, end: "drop" })],
    ["the stream ends without its last event", () => ({ pieces: begun })],
    ["the stream ends so, with [DONE]", () => ({ pieces: [...begun, ...events("[DONE]")] })],
    ["the stream ends inside an event", () => ({ pieces: [...begun, 'data: {"type'] })],
    [
      "the server breaks it off",
      () => ({ pieces: [...begun, ...named([{ type: "error", message: "fell over" }])] }),
    ],
  ])("and never with a short answer when %s", async (_, chat) => {
    const { run } = await lab(chat);
    const result = await run(["--json", "hi"]);
    expect(result.code).toBe(5);
    expect(JSON.parse(result.stdout).error).toMatchObject({ code: "stream-broken", partialText: "Hel" });
  });

  it("only after it was asked again, before anything was said", async () => {
    const { run, server } = await lab((_, nth) =>
      nth < 3 ? failed({ code: "server_error", message: "died" }) : said("Hello"),
    );
    expect(await run(["hi"])).toMatchObject({ code: 0, stdout: "Hello\n" });
    expect(server.chats).toHaveLength(3);
  });
});

describe("by the runtime endpoint of AWS", () => {
  const LUNA = "us.openai.gpt-5.6-luna";
  const env = { AWS_REGION: "us-east-1" };
  const BY_RESPONSES = `{ models: { providers: { "amazon-bedrock": { api: "openai-responses" } } } }`;

  it("sends reasoning back that is verified there, under the same prompt", async () => {
    const emulated = await emulate();
    emulated.configure(BY_RESPONSES);
    const ask = (...args: string[]) =>
      emulated.run(["chat", "-m", LUNA, "--session", "talk", "--reasoning", "high", ...args], { env });
    const asked = () => emulated.emulator.calls.filter(({ route }) => route === "Responses");
    for (const question of ["one", "two", "three"]) expect(await ask(question)).toMatchObject({ code: 0 });
    const items = asked().map(({ body }) => (body as { input: { type?: string }[] }).input);
    expect(items.map((all) => all.filter(({ type }) => type === "reasoning").length)).toEqual([0, 1, 2]);
    const other = await ask("-s", "Be brief.", "four");
    expect(other.code).toBe(0);
    expect(other.stderr).toContain("The earlier reasoning");
    expect(JSON.stringify(asked().at(-1)?.body)).not.toContain('encrypted_content":');
  });

  it("is not asked with a guardrail, which may not act", async () => {
    const emulated = await emulate();
    emulated.configure(BY_RESPONSES);
    const result = await emulated.run(["chat", "-m", LUNA, "--guardrail", "abc123:7", "hi"], { env });
    expect(result.code).toBe(6);
    expect(result.stderr).toContain("guardrails do not act");
    expect(emulated.routes()).not.toContain("Responses");
  });
});
