import { rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { ScriptedAnswer, StreamStep } from "../../src/emulator/emulator.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { expectSchema } from "../helpers/schema.ts";

const NOVA = "amazon.nova-lite-v1:0";
const SONNET_4_6 = "us.anthropic.claude-sonnet-4-6";
const OPUS_4_7 = "us.anthropic.claude-opus-4-7";
const VOXTRAL = "mistral.voxtral-small-24b-2507";
const GPT_OSS = "openai.gpt-oss-120b-1:0";
const ACCOUNT = "arn:aws:bedrock:us-east-1:123456789012";
const PERSON = JSON.stringify({
  type: "object",
  required: ["name"],
  properties: { name: { type: "string" } },
});

const start: StreamStep = { event: "messageStart", payload: { role: "assistant" } };
const delta = (delta: object, contentBlockIndex = 0): StreamStep => ({
  event: "contentBlockDelta",
  payload: { contentBlockIndex, delta },
});
const text = (value: string, index = 0): StreamStep => delta({ text: value }, index);
const blockStop = (contentBlockIndex: number): StreamStep => ({
  event: "contentBlockStop",
  payload: { contentBlockIndex },
});
const stop = (stopReason = "end_turn"): StreamStep => ({ event: "messageStop", payload: { stopReason } });
const metadata = (more: object = {}): StreamStep => ({
  event: "metadata",
  payload: {
    usage: { inputTokens: 10, outputTokens: 20, totalTokens: 30 },
    metrics: { latencyMs: 5 },
    ...more,
  },
});

function scripted(answer: (nth: number) => ScriptedAnswer | undefined): Promise<Emulated> {
  return emulate({ script: ({ route, nth }) => (route === "ConverseStream" ? answer(nth) : undefined) });
}

function answering(...stream: StreamStep[]): Promise<Emulated> {
  return scripted(() => ({ stream }));
}

/** What the server received, and what a person was told. */
async function sent(args: string[], options: { emulated?: Emulated; input?: string; config?: string } = {}) {
  const emulated = options.emulated ?? (await answering(start, text("ok"), stop(), metadata()));
  if (options.config !== undefined) emulated.configure(options.config);
  const { code, stderr, stdout } = await emulated.run(
    ["chat", ...args],
    options.input === undefined ? {} : { input: options.input },
  );
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const bodies = emulated.emulator.calls
    .filter(({ route }) => route === "ConverseStream")
    .map(({ body }) => body as Record<string, unknown>);
  return { body: bodies.at(-1), bodies, stderr, stdout };
}

const hi = { messages: [{ role: "user", content: [{ text: "hi" }] }] };

describe("the server receives", () => {
  it.each<[string, string[], object]>([
    [
      "adaptive thinking with effort",
      ["-m", SONNET_4_6, "--reasoning", "high"],
      { additionalModelRequestFields: { thinking: { type: "adaptive" }, output_config: { effort: "high" } } },
    ],
    [
      "adaptive thinking that can be read",
      ["-m", OPUS_4_7, "--reasoning", "low", "--show-reasoning"],
      {
        additionalModelRequestFields: {
          thinking: { type: "adaptive", display: "summarized" },
          output_config: { effort: "low" },
        },
      },
    ],
    [
      "a budget below --max-tokens",
      ["-m", "us.anthropic.claude-opus-4-5-20251101-v1:0", "--reasoning", "high", "--max-tokens", "3000"],
      {
        inferenceConfig: { maxTokens: 3000 },
        additionalModelRequestFields: { thinking: { type: "enabled", budget_tokens: 2250 } },
      },
    ],
    [
      "reasoning_effort",
      ["-m", GPT_OSS, "--reasoning", "low"],
      { additionalModelRequestFields: { reasoning_effort: "low" } },
    ],
    [
      "reasoningConfig",
      ["-m", "us.amazon.nova-2-lite-v1:0", "--reasoning", "medium"],
      {
        additionalModelRequestFields: { reasoningConfig: { type: "enabled", maxReasoningEffort: "medium" } },
      },
    ],
    ["no thinking where it is off anyway", ["-m", SONNET_4_6, "--reasoning", "off"], {}],
    [
      "a cache point at the end of the turn",
      ["-m", SONNET_4_6, "--cache", "5m"],
      { messages: [{ role: "user", content: [{ text: "hi" }, { cachePoint: { type: "default" } }] }] },
    ],
    [
      "cache points for an hour after system prompt and turn",
      ["-m", SONNET_4_6, "--cache", "1h", "-s", "Be brief."],
      {
        system: [{ text: "Be brief." }, { cachePoint: { type: "default", ttl: "1h" } }],
        messages: [
          { role: "user", content: [{ text: "hi" }, { cachePoint: { type: "default", ttl: "1h" } }] },
        ],
      },
    ],
    ["no cache point for --cache off", ["-m", SONNET_4_6, "--cache", "off"], {}],
    [
      "a guardrail",
      ["-m", NOVA, "--guardrail", "abcd1234efgh:1"],
      { guardrailConfig: { guardrailIdentifier: "abcd1234efgh", guardrailVersion: "1" } },
    ],
    [
      "a guardrail with its trace",
      ["-m", NOVA, "--guardrail", "abcd1234efgh:DRAFT", "--guardrail-trace"],
      {
        guardrailConfig: { guardrailIdentifier: "abcd1234efgh", guardrailVersion: "DRAFT", trace: "enabled" },
      },
    ],
    ["a service tier", ["-m", NOVA, "--service-tier", "flex"], { serviceTier: { type: "flex" } }],
    [
      "a latency mode",
      ["-m", NOVA, "--latency", "optimized"],
      { performanceConfig: { latency: "optimized" } },
    ],
    [
      "request metadata",
      ["-m", NOVA, "--metadata", "team=search", "--metadata", "run=7"],
      { requestMetadata: { team: "search", run: "7" } },
    ],
  ])("%s", async (_, args, expected) => {
    const { body, stderr } = await sent([...args, "hi"]);
    expect(body).toEqual({ ...hi, ...expected });
    expect(stderr).toBe("");
  });

  it("what the config says, the model's own before the general, flags before both, off included", async () => {
    const config = `{
      agents: { defaults: {
        params: { reasoning: "low", cache: "5m", serviceTier: "priority", latency: "standard" },
        models: { "amazon-bedrock/${SONNET_4_6}": { params: { reasoning: "medium", serviceTier: "flex" } } },
      } },
      plugins: { entries: { "amazon-bedrock": { config: {
        guardrail: { guardrailIdentifier: "conf", guardrailVersion: "1", streamProcessingMode: "async", trace: "enabled" },
      } } } },
    }`;
    const { body } = await sent(["-m", SONNET_4_6, "--cache", "off", "--guardrail", "flag:2", "hi"], {
      config,
    });
    expect(body).toEqual({
      ...hi,
      additionalModelRequestFields: { thinking: { type: "adaptive" }, output_config: { effort: "medium" } },
      serviceTier: { type: "flex" },
      performanceConfig: { latency: "standard" },
      guardrailConfig: {
        guardrailIdentifier: "flag",
        guardrailVersion: "2",
        streamProcessingMode: "async",
        trace: "enabled",
      },
    });
  });

  it.each<[string[], object, string]>([
    [
      ["-m", SONNET_4_6, "--reasoning", "xhigh"],
      { output_config: { effort: "high" } },
      "'xhigh', so 'high' is sent",
    ],
    [["-m", NOVA, "--reasoning", "high"], {}, "does not reason"],
    [["-m", "meta.llama3-1-8b-instruct-v1:0", "--cache", "5m"], {}, "not known to take cache points"],
    [["-m", OPUS_4_7, "--temperature", "0.2"], {}, "does not take temperature, so 0.2 is left out"],
  ])("the nearest of %j, and the person a notice", async (args, fields, notice) => {
    const { body, stderr } = await sent([...args, "hi"]);
    expect(body?.["additionalModelRequestFields"] ?? {}).toMatchObject(fields);
    expect(body).not.toHaveProperty("inferenceConfig");
    expect(stderr).toMatch(/^openclaw: .*\n$/);
    expect(stderr).toContain(notice);
  });
});

describe("what Claude 4.5 refuses", () => {
  const SONNET_4_5 = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

  it("is mended: an answer no longer than what may be thought", async () => {
    const emulated = await emulate();
    const { body } = await sent(["-m", SONNET_4_5, "--reasoning", "high", "x"], { emulated });
    expect(body).toMatchObject({
      additionalModelRequestFields: { thinking: { budget_tokens: 16_384 } },
      inferenceConfig: { maxTokens: 20_480 },
    });
  });

  it("is mended: the configuration's temperature beside a top-p of the call, with a notice", async () => {
    const config = "{ agents: { defaults: { params: { temperature: 0.2 } } } }";
    const emulated = await emulate();
    const { body, stderr } = await sent(["-m", SONNET_4_5, "--top-p", "0.9", "x"], { emulated, config });
    expect(body?.["inferenceConfig"]).toEqual({ topP: 0.9 });
    expect(stderr).toContain("temperature 0.2 is left out");
  });
});

describe("attachments", () => {
  const PNG = Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "latin1"), Buffer.alloc(8, 1)]);
  PNG.writeUInt32BE(640, 16);
  PNG.writeUInt32BE(480, 20);

  it("are sent byte for byte before the text, kinds decided by content, names legal and distinct", async () => {
    const emulated = await answering(start, text("ok"), stop(), metadata());
    writeFileSync(path.join(emulated.home, "photo.jpg"), PNG);
    writeFileSync(path.join(emulated.home, "John's résumé.pdf"), "%PDF-1.7 …");
    writeFileSync(path.join(emulated.home, "main.rs"), "fn main() {}");
    const files = ["-f", "photo.jpg", "-f", "John's résumé.pdf", "--file", "main.rs", "-f", "main.rs"];
    const { body, stderr } = await sent(["-m", SONNET_4_6, ...files, "Compare."], { emulated });
    const bytes = (value: string | Buffer) => ({ bytes: Buffer.from(value).toString("base64") });
    expect(body).toEqual({
      messages: [
        {
          role: "user",
          content: [
            { image: { format: "png", source: bytes(PNG) } },
            { document: { format: "pdf", name: "John-s resume (pdf)", source: bytes("%PDF-1.7 …") } },
            { document: { format: "txt", name: "main (rs)", source: bytes("fn main() {}") } },
            { document: { format: "txt", name: "main (rs) (2)", source: bytes("fn main() {}") } },
            { text: "Compare." },
          ],
        },
      ],
    });
    expect(stderr).toBe("");
  });

  it("are videos and recordings, by what they hold, whatever they are called", async () => {
    const emulated = await answering(start, text("ok"), stop(), metadata());
    const mp4 = Buffer.from("\0\0\0\x18ftypisom\0\0\x02\0", "latin1");
    const mp3 = Buffer.from("ID3\x04\0\0\0\0\0\0", "latin1");
    writeFileSync(path.join(emulated.home, "clip.txt"), mp4);
    writeFileSync(path.join(emulated.home, "talk.bin"), mp3);
    const source = (bytes: Buffer) => ({ bytes: bytes.toString("base64") });
    const video = await sent(["-m", NOVA, "-f", "clip.txt", "What happens?"], { emulated });
    expect(video).toMatchObject({ stderr: "" });
    expect(video.body).toEqual({
      messages: [
        {
          role: "user",
          content: [{ video: { format: "mp4", source: source(mp4) } }, { text: "What happens?" }],
        },
      ],
    });
    const sound = await sent(["-m", VOXTRAL, "--session", "s", "-f", "talk.bin", "Who speaks?"], {
      emulated,
    });
    expect(sound).toMatchObject({ stderr: "openclaw: session s is new\n" });
    expect(sound.body).toEqual({
      messages: [
        {
          role: "user",
          content: [{ audio: { format: "mp3", source: source(mp3) } }, { text: "Who speaks?" }],
        },
      ],
    });
    // With the next question it goes again, as it was.
    const next = await sent(["--session", "s", "And then?"], { emulated });
    expect(next.body).toMatchObject({
      messages: [{ content: [{ audio: { format: "mp3", source: source(mp3) } }, {}] }, {}, {}],
    });
    expect((await emulated.run(["sessions", "show", "s"])).stdout).toContain(
      "> Who speaks?\n> [audio (mp3)]\n",
    );
  });

  it("may lie in Amazon S3, and then only their address is sent and kept", async () => {
    const emulated = await answering(start, text("ok"), stop(), metadata());
    const files = ["-f", "s3://bucket/clip.mp4?owner=123456789012", "-f", "s3://bucket/a/report.pdf"];
    const { body, stderr } = await sent(["-m", NOVA, "--session", "s", ...files, "Sum up."], { emulated });
    const blocks = [
      {
        video: {
          format: "mp4",
          source: { s3Location: { uri: "s3://bucket/clip.mp4", bucketOwner: "123456789012" } },
        },
      },
      {
        document: {
          format: "pdf",
          name: "report (pdf)",
          source: { s3Location: { uri: "s3://bucket/a/report.pdf" } },
        },
      },
    ];
    expect(stderr).toBe("openclaw: session s is new\n");
    expect(body).toEqual({ messages: [{ role: "user", content: [...blocks, { text: "Sum up." }] }] });
    const kept = JSON.parse((await emulated.run(["sessions", "show", "s", "--json"])).stdout);
    expect(kept.turns[0].user.content).toEqual([...blocks, { text: "Sum up." }]);
    expect((await emulated.run(["sessions", "show", "s"])).stdout).toContain(
      "> [s3://bucket/clip.mp4]\n> [s3://bucket/a/report.pdf]\n",
    );
    const dry = await emulated.run(["chat", "-m", NOVA, "-f", "s3://bucket/clip.mp4", "--dry-run", "hi"]);
    expect(JSON.parse(dry.stdout)).toMatchObject({
      messages: [{ content: [{ video: { source: { s3Location: { uri: "s3://bucket/clip.mp4" } } } }, {}] }],
    });
  });

  it("come from stdin for -f -, which then is no part of the prompt", async () => {
    const { body } = await sent(["-m", SONNET_4_6, "-f", "-", "Summarize."], { input: "<html><p>Hi" });
    expect(body).toMatchObject({
      messages: [
        { content: [{ document: { format: "html", name: "stdin (html)" } }, { text: "Summarize." }] },
      ],
    });
  });

  it.each<[string, string[], string, number, string[]]>([
    [
      "an image for a model without images",
      ["-m", GPT_OSS, "-f", "a.png"],
      "bad-attachment",
      6,
      ["a.png", "no images"],
    ],
    ["a missing file", ["-m", NOVA, "-f", "missing.pdf"], "bad-attachment", 6, ["missing.pdf"]],
    ["a file of another kind", ["-m", NOVA, "-f", "a.zip"], "bad-attachment", 6, ["a.zip", "ZIP"]],
    [
      "a file over the model's limit",
      ["-m", SONNET_4_6, "-f", "big.csv"],
      "bad-attachment",
      6,
      ["big.csv", "5 MB", "4.5 MB"],
    ],
    [
      "a video for a model without videos",
      ["-m", SONNET_4_6, "-f", "clip.mp4"],
      "bad-attachment",
      6,
      ["clip.mp4", "an mp4 video", "no videos, only text, images, documents"],
    ],
    [
      "what lies in Amazon S3 for a model that reads nothing there",
      ["-m", SONNET_4_6, "-f", "s3://bucket/a.pdf"],
      "bad-attachment",
      6,
      ["s3://bucket/a.pdf", "reads nothing from there"],
    ],
    [
      "a bucket alone",
      ["-m", NOVA, "-f", "s3://bucket"],
      "bad-attachment",
      6,
      ["s3://bucket", "no key is named"],
    ],
    ["an empty video", ["-m", NOVA, "-f", "empty.mp4"], "bad-attachment", 6, ["empty.mp4", "is empty"]],
    ["half a signature", ["-m", NOVA, "-f", "half.mp4"], "bad-attachment", 6, ["named .mp4 but does not"]],
    ["a folder", ["-m", NOVA, "-f", "."], "bad-attachment", 6, ["'.' is a folder"]],
    ["stdin twice", ["-m", NOVA, "-f", "-", "-f", "-"], "usage", 2, ["--file -"]],
    ["no name", ["-m", NOVA, "-f", ""], "usage", 2, ["--file", "cannot be empty"]],
    ["an empty text", ["-m", NOVA, "-f", "empty.txt"], "bad-attachment", 6, ["empty.txt", "is empty"]],
  ])("are refused before any call: %s", async (_, args, code, exitCode, words) => {
    const emulated = await emulate();
    writeFileSync(path.join(emulated.home, "a.png"), PNG);
    writeFileSync(path.join(emulated.home, "a.zip"), "PK\x03\x04");
    writeFileSync(path.join(emulated.home, "empty.txt"), "\uFEFF\n");
    writeFileSync(path.join(emulated.home, "empty.mp4"), "");
    writeFileSync(path.join(emulated.home, "half.mp4"), "\0\0\0\x18ft");
    writeFileSync(path.join(emulated.home, "clip.mp4"), "\0\0\0\x18ftypisom");
    writeFileSync(path.join(emulated.home, "big.csv"), Buffer.alloc(5 * 1024 * 1024, "a"));
    const result = await emulated.run(["chat", ...args, "--json", "hi"]);
    expect(result.code).toBe(exitCode);
    const { error } = JSON.parse(result.stdout);
    expect(error).toMatchObject({ code });
    for (const word of words) expect(error.message).toContain(word);
    expect(emulated.emulator.calls).toEqual([]);
  });

  // Wordings are AWS's own.
  it.each([
    "The maximum document size is 4.5 MB. Reduce the size of the document and retry your request.",
    "The model returned the following errors: messages.0.content.0.image.source.bytes: image exceeds 5 MB maximum: 6617504 bytes > 5242880 bytes",
    "The model returned the following errors: too many images and documents: 21 + 0 > 20",
  ])("that AWS refuses are bad-attachment, too: %s", async (message) => {
    const emulated = await scripted(() => ({ error: { name: "ValidationException", message, status: 400 } }));
    const result = await emulated.run(["chat", "-m", SONNET_4_6, "--json", "hi"]);
    expect(result.code).toBe(6);
    expect(JSON.parse(result.stdout).error).toMatchObject({
      code: "bad-attachment",
      message: expect.stringContaining(message),
    });
  });

  it("keep stdin from being prompt and file at once", async () => {
    const emulated = await emulate();
    const both = await emulated.run(["chat", "-m", NOVA, "-f", "-", "-"], { input: "x" });
    expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining("--file -") });
  });

  it("may be all there is, as a person who writes no words means it", async () => {
    const document = (name: string, bytes: string) => ({
      document: { format: "txt", name, source: { bytes: Buffer.from(bytes).toString("base64") } },
    });
    const piped = await sent(["-m", NOVA, "-f", "-"], { input: "A note." });
    expect(piped.body).toEqual({
      messages: [
        { role: "user", content: [document("stdin (txt)", "A note."), { text: "See the document." }] },
      ],
    });
    const emulated = await answering(start, text("ok"), stop(), metadata());
    writeFileSync(path.join(emulated.home, "a.txt"), "A note.");
    const named = await sent(["-m", NOVA, "--session", "s", "-f", "a.txt"], { emulated });
    expect(named.body).toMatchObject({
      messages: [{ content: [document("a (txt)", "A note."), { text: "See the document." }] }],
    });
    expect((await emulated.run(["sessions", "show", "s"])).stdout).toBe("> [a (txt)]\n\nok\n");
    expect((await emulated.run(["sessions", "list"])).stdout).toContain("a (txt)");
    // Words that turn out to be none are a mistake all the same.
    for (const words of [
      ["-f", "a.txt", ""],
      ["-f", "a.txt", "-"],
      ["--schema", "{}"],
    ]) {
      const { code, stderr } = await emulated.run(["chat", "-m", NOVA, ...words], { input: " \n" });
      expect({ words, code, stderr }).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("no prompt"),
      });
    }
  });
});

describe("structured output", () => {
  it("goes through outputConfig where the model has it", async () => {
    const emulated = await answering(start, text('{"name":'), text('"Ada"}\n'), stop(), metadata());
    const { body, stdout } = await sent(["-m", SONNET_4_6, "--schema", PERSON, "hi"], { emulated });
    expect(stdout).toBe('{"name":"Ada"}\n');
    expect(body).toMatchObject({ ...hi, outputConfig: { textFormat: { type: "json_schema" } } });
    expect(body).not.toHaveProperty("toolConfig");
  });

  it("goes through a forced tool elsewhere, whose input is the answer", async () => {
    const emulated = await answering(
      start,
      {
        event: "contentBlockStart",
        payload: {
          contentBlockIndex: 0,
          start: { toolUse: { name: "answer", toolUseId: "t", type: "tool_use" } },
        },
      },
      delta({ toolUse: { input: '{"na' } }),
      delta({ toolUse: { input: 'me":"日' } }),
      delta({ toolUse: { input: '本"}' } }),
      blockStop(0),
      stop("tool_use"),
      metadata(),
    );
    writeFileSync(path.join(emulated.home, "person.json"), PERSON);
    const { body, stdout } = await sent(["-m", NOVA, "--schema", "person.json", "hi"], { emulated });
    expect(stdout).toBe('{"name":"日本"}\n');
    expect(body).toMatchObject({
      toolConfig: {
        tools: [{ toolSpec: { name: "answer", inputSchema: { json: JSON.parse(PERSON) } } }],
        toolChoice: { tool: { name: "answer" } },
      },
    });
  });

  it("only offers the tool to a Claude model that thinks", async () => {
    const emulated = await answering(start, text('{"name":"Ada"}'), stop(), metadata());
    const { body } = await sent(["-m", OPUS_4_7, "--reasoning", "low", "--schema", PERSON, "hi"], {
      emulated,
    });
    expect(body).toMatchObject({ toolConfig: { tools: [{}] } });
    expect(body?.["toolConfig"]).not.toHaveProperty("toolChoice");
  });

  it("tries the next form when AWS refuses one, without a word", async () => {
    const refusal = (message: string): ScriptedAnswer => ({
      error: { name: "ValidationException", message, status: 400 },
    });
    const emulated = await scripted((nth) => {
      if (nth === 1)
        return refusal(
          "The model returned the following errors: output_config.format.schema: For 'array' type, property 'maxItems' is not supported",
        );
      if (nth === 2) return refusal('tool_choice: type "tool" and "any" are not supported for this model.');
      return { stream: [start, text('```json\n{"name":"Ada"}\n```'), stop(), metadata()] };
    });
    const { bodies, stdout, stderr } = await sent(["-m", SONNET_4_6, "--schema", PERSON, "hi"], { emulated });
    expect(bodies.map((body) => Object.keys(body).filter((key) => key.endsWith("Config")))).toEqual([
      ["outputConfig"],
      ["toolConfig"],
      ["toolConfig"],
    ]);
    expect(stdout).toBe('{"name":"Ada"}\n');
    expect(stderr).toBe("");
  });

  it("does not try again what AWS refuses for another reason", async () => {
    const emulated = await scripted(() => ({
      error: { name: "ValidationException", message: "Too hot.", status: 400 },
    }));
    const result = await emulated.run(["chat", "-m", NOVA, "--schema", PERSON, "hi"]);
    expect(result.code).toBe(6);
    expect(emulated.routes()).toEqual(["ConverseStream"]);
  });

  it.each<[string, StreamStep[]]>([
    ["does not fit", [start, text('{"name":7}'), stop(), metadata()]],
    ["is no JSON", [start, text("I would rather not."), stop(), metadata()]],
    ["is cut off", [start, text('{"name":"A'), stop("max_tokens"), metadata()]],
  ])("that %s is exit 6 with the raw text in its details, and nothing else on stdout", async (_, stream) => {
    const emulated = await answering(...stream);
    const raw = stream
      .map((step) =>
        "payload" in step ? ((step.payload as { delta?: { text?: string } }).delta?.text ?? "") : "",
      )
      .join("");
    const plain = await emulated.run(["chat", "-m", SONNET_4_6, "--schema", PERSON, "hi"]);
    expect(plain).toMatchObject({ code: 6, stdout: "" });
    const json = await emulated.run(["chat", "-m", SONNET_4_6, "--schema", PERSON, "--json", "hi"]);
    const document = JSON.parse(json.stdout);
    expectSchema("error", document);
    expect(document.error).toMatchObject({ code: "invalid-request", exitCode: 6, details: { rawText: raw } });
    expect(document).not.toHaveProperty("partialText");
  });

  it("is one event a line with --ndjson and one text with --json", async () => {
    const emulated = await answering(start, text('{"name":'), text('"Ada"}'), stop(), metadata());
    const args = ["chat", "-m", SONNET_4_6, "--schema", PERSON, "hi"];
    const ndjson = (await emulated.run([...args, "--ndjson"])).stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const event of ndjson) expectSchema("chat-event", event);
    expect(ndjson.map(({ type }) => type)).toEqual(["start", "text", "stop", "usage"]);
    expect(JSON.parse((await emulated.run([...args, "--json"])).stdout)).toMatchObject({
      text: '{"name":"Ada"}',
    });
  });

  it.each([
    ['{"type":"strin"}', "/type"],
    ["missing.json", "missing.json"],
    ["[1]", "object"],
    ['{"$async":true,"type":"object"}', "--schema is not a valid JSON Schema: /$async is not supported"],
    ['{"$ref":"#"}', "refers to itself"],
    [
      `{"anyOf":[${Array.from({ length: 40_000 }, () => '{"type":"null"}').join(",")}]}`,
      "takes longer than 1 s",
    ],
  ])("refuses the schema %s before any call", async (schema, words) => {
    const emulated = await emulate();
    const result = await emulated.run(["chat", "-m", NOVA, "--schema", schema, "hi"]);
    expect(result).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(words) });
    expect(emulated.emulator.calls).toEqual([]);
  });

  it.each([NOVA, SONNET_4_6])("works against the emulator with %s", async (model) => {
    const emulated = await emulate();
    const { stdout } = await emulated.run(["chat", "-m", model, "--schema", PERSON, "hi"]);
    expect(JSON.parse(stdout)).toEqual({ name: "simulated" });
  });
});

describe("streams of each family", () => {
  const REDACTED = Buffer.from("sealed").toString("base64");
  const families: [string, StreamStep[], string, string][] = [
    [
      "text in several blocks",
      [start, text("One. "), blockStop(0), text("Two.", 1), blockStop(1), stop(), metadata()],
      "One. Two.\n",
      "",
    ],
    [
      "reasoning with a signature",
      [
        start,
        delta({ reasoningContent: { text: "Hm. " } }),
        delta({ reasoningContent: { text: "Yes." } }),
        delta({ reasoningContent: { signature: "c2ln" } }),
        blockStop(0),
        text("42", 1),
        blockStop(1),
        stop(),
        metadata(),
      ],
      "42\n",
      "Hm. Yes.\n\n",
    ],
    [
      "redacted reasoning",
      [
        start,
        delta({ reasoningContent: { redactedContent: REDACTED } }),
        blockStop(0),
        text("42", 1),
        stop(),
        metadata(),
      ],
      "42\n",
      "",
    ],
    [
      "a tool's use, which nobody asked for",
      [
        start,
        text("Let me look. "),
        {
          event: "contentBlockStart",
          payload: { contentBlockIndex: 1, start: { toolUse: { name: "search", toolUseId: "t" } } },
        },
        delta({ toolUse: { input: '{"q":' } }, 1),
        delta({ toolUse: { input: '"x"}' } }, 1),
        blockStop(1),
        stop("tool_use"),
        metadata(),
      ],
      "Let me look. \n",
      "",
    ],
    [
      "interleaved blocks",
      [
        start,
        delta({ reasoningContent: { text: "A" } }, 0),
        text("1", 1),
        delta({ reasoningContent: { text: "B" } }, 2),
        text("2", 3),
        text("3", 1),
        stop(),
        metadata(),
      ],
      "123\n",
      "A\n\nB\n\n",
    ],
    [
      "citations",
      [
        start,
        delta({
          citation: {
            title: "document",
            location: { documentPage: { documentIndex: 0, start: 1, end: 2 } },
            sourceContent: [{ text: "Source." }],
          },
        }),
        text("Cited."),
        blockStop(0),
        stop(),
        metadata(),
      ],
      "Cited.\n",
      "",
    ],
  ];

  it.each(families)("%s", async (_, stream, stdout, stderr) => {
    const emulated = await answering(...stream);
    const args = ["chat", "-m", NOVA, "--show-reasoning", "hi"];
    expect(await emulated.run(args)).toEqual({ code: 0, signal: null, stdout, stderr });
    const lines = (await emulated.run([...args, "--ndjson"])).stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    for (const event of lines) expectSchema("chat-event", event);
    expectSchema("chat", JSON.parse((await emulated.run([...args, "--json"])).stdout));
  });

  it("text whose characters are split across deltas and frames", async () => {
    const family = "👩‍👩‍👧‍👦";
    // A joined character in pieces, and half a surrogate pair in each of two deltas.
    const pieces = [
      ...family.split(""),
      "é".normalize("NFD").charAt(0),
      "é".normalize("NFD").charAt(1),
      " ",
      "日",
      "本",
    ];
    const emulated = await answering(start, ...pieces.map((piece) => text(piece)), stop(), metadata());
    const { stdout } = await emulated.run(["chat", "-m", NOVA, "hi"]);
    expect(stdout).toBe(`${pieces.join("")}\n`);
    expect(stdout).toContain(family);
  });

  const TRACE = {
    trace: {
      guardrail: {
        inputAssessment: {
          g: { topicPolicy: { topics: [{ name: "Restricted topic", type: "DENY", action: "BLOCKED" }] } },
        },
      },
    },
  };

  it("a guardrail's trace: exit 7 with the policy in message and details", async () => {
    const emulated = await answering(
      start,
      text("Sorry, no."),
      stop("guardrail_intervened"),
      metadata(TRACE),
    );
    const args = ["chat", "-m", NOVA, "--guardrail", "abcd:1", "--guardrail-trace", "hi"];
    const plain = await emulated.run(args);
    expect(plain).toMatchObject({ code: 7, stdout: "Sorry, no.\n" });
    expect(plain.stderr).toContain("A guardrail intervened: topic 'Restricted topic' in the prompt.");
    const document = JSON.parse((await emulated.run([...args, "--json"])).stdout);
    expectSchema("error", document);
    expect(document.error).toMatchObject({
      code: "blocked",
      exitCode: 7,
      details: { stopReason: "guardrail_intervened", policies: ["topic 'Restricted topic' in the prompt"] },
    });
  });

  it("a guardrail's end without a trace: the hint is how to get one", async () => {
    const emulated = await answering(start, text("Sorry, no."), stop("guardrail_intervened"), metadata());
    const { code, stderr } = await emulated.run(["chat", "-m", NOVA, "--guardrail", "abcd:1", "hi"]);
    expect(code).toBe(7);
    expect(stderr).toContain("--guardrail-trace");
  });

  it("tokens read from and written to the cache, an hour's at twice the input price", async () => {
    const usage = {
      inputTokens: 1000,
      outputTokens: 0,
      totalTokens: 4000,
      cacheReadInputTokens: 1000,
      cacheWriteInputTokens: 2000,
      cacheDetails: [
        { ttl: "1h", inputTokens: 1000 },
        { ttl: "5m", inputTokens: 1000 },
      ],
    };
    const emulated = await answering(start, text("ok"), stop(), metadata({ usage }));
    const { stdout, stderr } = await emulated.run([
      "chat",
      "-m",
      SONNET_4_6,
      "--cache",
      "1h",
      "--usage",
      "--json",
      "hi",
    ]);
    const document = JSON.parse(stdout);
    expectSchema("chat", document);
    expect(document.usage).toMatchObject({
      cacheReadInputTokens: 1000,
      cacheWriteInputTokens: 2000,
      cacheWrite1hInputTokens: 1000,
    });
    // 3.3 in, 0.33 read, 4.125 written for 5 minutes, 6.6 for an hour: USD per million tokens.
    expect(document.cost).toEqual({ usd: 0.014355, source: "catalog" });
    expect(stderr).toContain("1000 read from cache · 2000 written to cache");
  });
});

describe("models that hide behind an ARN", () => {
  it("are called by a prompt router's ARN, and the model it chose sets the price", async () => {
    const invoked = `${ACCOUNT}:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0`;
    const emulated = await answering(
      start,
      text("ok"),
      stop(),
      metadata({ trace: { promptRouter: { invokedModelId: invoked } } }),
    );
    const router = `${ACCOUNT}:default-prompt-router/anthropic.claude:1`;
    const { stdout } = await emulated.run(["chat", "-m", router, "--json", "hi"]);
    const document = JSON.parse(stdout);
    expectSchema("chat", document);
    expect(document).toMatchObject({
      model: router,
      invokedModel: invoked,
      cost: { usd: 0.000121, source: "catalog" },
    });
    expect(emulated.emulator.calls[0]?.parameters["modelId"]).toBe(router);
  });

  it("are known by AWS's list when an application profile's request depends on them", async () => {
    const emulated = await emulate();
    const listed = JSON.parse((await emulated.run(["models", "list", "--json"])).stdout) as {
      models: { id: string; kind: string }[];
    };
    const arn = listed.models.find(({ kind }) => kind === "application-profile")?.id ?? "";
    const before = emulated.emulator.calls.length;
    const asked = (args: string[]) => emulated.run(["chat", "-m", arn, ...args, "hi"]);
    expect(await asked(["--cache", "5m"])).toMatchObject({ code: 0, stderr: "" });
    const [call] = emulated.emulator.calls.slice(before);
    expect(call?.parameters["modelId"]).toBe(arn);
    expect(call?.body).toEqual({
      messages: [{ role: "user", content: [{ text: "hi" }, { cachePoint: { type: "default" } }] }],
    });
    // Without a list at hand AWS is asked for one, and only for a request that depends on it.
    rmSync(path.join(emulated.home, ".openclaw"), { recursive: true });
    const start = emulated.emulator.calls.length;
    await asked([]);
    await asked(["--cache", "5m"]);
    const routes = emulated.routes().slice(start);
    expect(routes[0]).toBe("ConverseStream");
    expect(routes.slice(1, -1)).toContain("ListInferenceProfiles");
    expect(emulated.emulator.calls.at(-1)?.body).toEqual(call?.body);
  });
});

describe("--dry-run", () => {
  it("prints the request, counts its tokens with AWS and says what it would cost, and asks no model", async () => {
    const emulated = await emulate();
    const args = ["chat", "-m", SONNET_4_6, "--reasoning", "low", "--max-tokens", "2000", "--dry-run"];
    const { stdout, stderr, code } = await emulated.run([...args, "Hello there"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      messages: [{ role: "user", content: [{ text: "Hello there" }] }],
      inferenceConfig: { maxTokens: 2000 },
      additionalModelRequestFields: { thinking: { type: "adaptive" }, output_config: { effort: "low" } },
    });
    expect(stderr).toBe(
      `${SONNET_4_6} in us-east-1 · 3 tokens in · $0.0000099 (catalog price, estimate) plus at most $0.03 for the answer\n`,
    );
    expect(emulated.routes()).toEqual(["CountTokens"]);
    // AWS counts for foundation models only.
    expect(emulated.emulator.calls[0]?.parameters["modelId"]).toBe("anthropic.claude-sonnet-4-6");
  });

  it("--json is one document; files are shown by their size, and estimates are called so", async () => {
    const emulated = await emulate();
    writeFileSync(path.join(emulated.home, "a.pdf"), "%PDF-1.7");
    const { stdout } = await emulated.run([
      "chat",
      "-m",
      NOVA,
      "-f",
      "a.pdf",
      "--dry-run",
      "--json",
      "12345678",
    ]);
    const document = JSON.parse(stdout);
    expectSchema("chat-dry-run", document);
    expect(document).toMatchObject({
      model: NOVA,
      region: "us-east-1",
      request: {
        messages: [{ content: [{ document: { source: { bytes: "(8 bytes)" } } }, { text: "12345678" }] }],
      },
      inputTokens: 2,
      tokensSource: "estimate",
      cost: { inputUsd: 1.2e-7, outputUsdAtMost: null, source: "catalog" },
      notices: [
        expect.stringMatching(
          /doesn't support counting tokens\), so the count is estimated, without the attached file$/,
        ),
      ],
    });
    expect(emulated.routes()).toEqual(["CountTokens"]);
  });

  it.each<[string, string[], string]>([
    [
      "a video, which nobody has measured",
      ["-m", NOVA, "-f", "s3://bucket/a.mp4"],
      "the attached file and the answer",
    ],
    [
      "several",
      ["-m", NOVA, "-f", "s3://bucket/a.mp4", "-f", "s3://bucket/a.pdf"],
      "2 attached files and the answer",
    ],
    [
      "no text, which is counted",
      ["-m", NOVA, "-f", "a.txt"],
      "about 252 tokens in · $0.000015 (catalog price, estimate) plus the answer",
    ],
    ["a tier that has no price", ["-m", NOVA, "--service-tier", "flex"], "price unknown (flex tier)"],
    ["a latency that has none", ["-m", NOVA, "--latency", "optimized"], "price unknown (optimized latency)"],
  ])("says what its price leaves out: %s", async (_, args, words) => {
    const emulated = await emulate();
    writeFileSync(path.join(emulated.home, "a.txt"), "a".repeat(1000));
    const { stderr, code } = await emulated.run(["chat", ...args, "--dry-run", "12345678"]);
    expect(code).toBe(0);
    expect(stderr).toContain(words);
  });

  it("has the price of a prompt of its length", async () => {
    const emulated = await emulate();
    const input = "word".repeat(300_000);
    const asked = ["chat", "-m", "global.openai.gpt-5.6-luna", "--max-tokens", "1000", "--dry-run", "--json"];
    const { cost } = JSON.parse((await emulated.run(asked, { input })).stdout);
    expect(cost).toEqual({ inputUsd: 0.12, outputUsdAtMost: 0.0018, source: "catalog" });
  });

  it("refuses what a real call would refuse", async () => {
    const emulated = await emulate();
    expect(await emulated.run(["chat", "-m", GPT_OSS, "-f", "missing.png", "--dry-run", "hi"])).toMatchObject(
      { code: 6 },
    );
  });
});

describe("bad values are usage errors that name them", () => {
  it.each<[string[], string]>([
    [["--reasoning", "warm"], "warm"],
    [["--cache", "2h"], "2h"],
    [["--service-tier", "gold"], "gold"],
    [["--latency", "slow"], "slow"],
    [["--guardrail", "abcd"], "abcd"],
    [["--metadata", "team"], "team"],
  ])("%j", async (args, value) => {
    const emulated = await emulate();
    const result = await emulated.run(["chat", "-m", NOVA, ...args, "hi"]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toContain(`'${value}'`);
    expect(emulated.emulator.calls).toEqual([]);
  });
});
