import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  type BatchCheck,
  checkBatchInput,
  refuseProblems,
  tellCheck,
} from "../../../src/batch/lines/check-input.ts";
import type { BatchLine } from "../../../src/batch/lines/batch-line.ts";
import { openBatchInput } from "../../../src/batch/lines/open-input.ts";
import { batchLines } from "../../../src/batch/lines/read-line.ts";
import { OpenclawError } from "../../../src/errors.ts";
import { createHome } from "../../helpers/openclaw.ts";
import { testRuntime } from "../../helpers/test-runtime.ts";

interface Checked {
  check: BatchCheck;
  lines: BatchLine[];
  stderr: string;
  failure?: OpenclawError;
}

/** Checks a file with this content, and hands on each line that can be read. */
async function check(content: string | Buffer, isText = false): Promise<Checked> {
  const home = createHome();
  writeFileSync(path.join(home, "lines.jsonl"), content);
  return checkNamed("lines.jsonl", home, isText);
}

async function checkNamed(name: string, home: string, isText = false, stdin?: Readable): Promise<Checked> {
  const runtime = testRuntime({ home, ...(stdin && { stdin }) });
  const input = await openBatchInput(name, runtime);
  const lines: BatchLine[] = [];
  try {
    const found = await checkBatchInput(input, {
      isText,
      signal: runtime.signal,
      judge: (line) => void lines.push(line),
    });
    tellCheck(found, input, runtime.terminal);
    const refusal = await Promise.resolve()
      .then(() => refuseProblems(found, input, runtime.terminal))
      .catch((error: unknown) => error);
    return {
      check: found,
      lines,
      stderr: runtime.stderr(),
      ...(refusal instanceof OpenclawError && { failure: refusal }),
    };
  } finally {
    await input.close();
  }
}

/** What the check of a file throws. */
async function refusal(content: string | Buffer): Promise<{ message: string; hint: string | undefined }> {
  const error: unknown = await check(content).catch((thrown: unknown) => thrown);
  if (!(error instanceof OpenclawError)) throw new Error(`not refused: ${String(error)}`);
  expect(error.exitCode).toBe(2);
  return { message: error.message, hint: error.hint };
}

const said = [{ role: "user", content: [{ text: "hi" }] }];
const chat = [{ role: "user", content: "hi" }];
const typed = [{ role: "user", content: [{ type: "text", text: "hi" }] }];

const KINDS: readonly [name: string, line: object, expected: Partial<BatchLine>][] = [
  [
    "Bedrock's, as Converse takes it",
    { recordId: "a", modelInput: { messages: said, inferenceConfig: { maxTokens: 9 } } },
    { kind: "bedrock", words: "converse", recordId: "a" },
  ],
  [
    "Bedrock's in Claude's words",
    {
      recordId: "a",
      modelInput: { anthropic_version: "bedrock-2023-05-31", max_tokens: 9, messages: typed },
    },
    { kind: "bedrock", words: "claude", recordId: "a" },
  ],
  [
    "Bedrock's in Claude's words, without a version",
    { recordId: "a", modelInput: { system: "s", max_tokens: 9, messages: chat } },
    { kind: "bedrock", words: "claude", recordId: "a" },
  ],
  [
    "Bedrock's in Nova's words",
    { recordId: "a", modelInput: { schemaVersion: "messages-v1", messages: said } },
    { kind: "bedrock", words: "nova", recordId: "a" },
  ],
  [
    "Bedrock's in words of OpenAI's",
    { recordId: "a", modelInput: { messages: chat, max_tokens: 9 } },
    { kind: "bedrock", words: "chat-completions", recordId: "a" },
  ],
  [
    "Bedrock's in a model's own words",
    { recordId: "a", modelInput: { inputText: "hi" } },
    { kind: "bedrock", words: "own", recordId: "a" },
  ],
  [
    "OpenAI's chat completion",
    { custom_id: "a", method: "POST", url: "/v1/chat/completions", body: { model: "m", messages: chat } },
    { kind: "openai", words: "chat-completions", recordId: "a", model: "m" },
  ],
  [
    "OpenAI's response",
    { custom_id: "a", method: "POST", url: "/v1/responses", body: { model: "m", input: "hi" } },
    { kind: "openai", words: "responses", recordId: "a", model: "m" },
  ],
  [
    "Azure's",
    { custom_id: "a", method: "POST", url: "/chat/completions", body: { model: "m", messages: chat } },
    { kind: "openai", words: "chat-completions", recordId: "a", model: "m" },
  ],
  [
    "OpenAI's without a model, streamed",
    { custom_id: "a", body: { messages: chat, stream: true } },
    { kind: "openai", words: "chat-completions", recordId: "a" },
  ],
  [
    "Anthropic's",
    { custom_id: "a", params: { model: "m", max_tokens: 9, messages: typed } },
    { kind: "messages", words: "messages", recordId: "a", model: "m" },
  ],
  ["a prompt", { prompt: "hi" }, { kind: "plain", words: "plain", recordId: "1" }],
  ["a prompt with a number", { prompt: "hi", id: 7 }, { kind: "plain", words: "plain", recordId: "7" }],
];

describe("a line is read that is", () => {
  it.each(KINDS)("%s", async (_, line, expected) => {
    const { check: found, lines, failure } = await check(JSON.stringify(line));
    expect(found.problems).toEqual([]);
    expect(failure).toBeUndefined();
    expect(lines[0]).toMatchObject({ number: 1, ...expected });
    expect(lines[0]?.model).toBe(expected.model);
    expect(found.kind).toBe(expected.kind);
  });

  it("a prompt with all that it may ask for, by any of the names", async () => {
    const { lines } = await check(
      JSON.stringify({
        prompt: "hi",
        system: "short",
        model: "m",
        max_tokens: 5,
        temperature: 0.5,
        topP: 0.9,
        stop: "END",
        reasoning_effort: "none",
        serviceTier: "flex",
        recordId: "r",
      }),
    );
    expect(lines[0]).toMatchObject({
      recordId: "r",
      model: "m",
      asked: {
        unknown: [],
        ask: {
          messages: said,
          system: [{ text: "short" }],
          parameters: {
            maxTokens: 5,
            temperature: 0.5,
            topP: 0.9,
            stopSequences: ["END"],
            reasoning: "off",
            serviceTier: "flex",
          },
        },
      },
    });
  });

  it("a text, whatever it looks like", async () => {
    const { lines, check: found } = await check('{"prompt": 1}\r\n\n  [two\r\n', true);
    expect(found).toMatchObject({ kind: "text", lines: 2, problems: [] });
    expect(lines.map(({ number, recordId, asked }) => [number, recordId, asked.ask.messages])).toEqual([
      [1, "1", [{ role: "user", content: [{ text: '{"prompt": 1}' }] }]],
      [3, "3", [{ role: "user", content: [{ text: "  [two" }] }]],
    ]);
  });
});

const prompt = (more: object = {}): string => JSON.stringify({ prompt: "hi", ...more });

const PROBLEMS: readonly [name: string, line: string | Buffer, message: RegExp][] = [
  ["no JSON", '{"prompt": "hi"', /^It is not JSON: /],
  ["no UTF-8", Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), /^It is not valid UTF-8\.$/],
  ["a zero byte", '{"prompt":"a\0b"}', /^It has a zero byte\.$/],
  ["an array", `[${prompt()}]`, /^It is an array, and must be an object\.$/],
  ["a text", '"hi"', /^It is a text in quotes, and must be an object\.$/],
  ["a number", "7", /^It is 7, and must be an object\.$/],
  ["null", "null", /^It is null, and must be an object\.$/],
  ["nothing that is known", '{"text":"hi","x":1}', /^It has "text", "x", and must be like \{"prompt"\}\.$/],
  ["an empty object", "{}", /^It is empty, and must be like \{"prompt"\}\.$/],
  ["too deep", `{"prompt":${"[".repeat(300)}${"]".repeat(300)}}`, /nested more than 256 levels deep/],
  ["another kind", '{"custom_id":"a","body":{"messages":[]}}', /^It is a line like .* of its own\.$/],
  ["a prompt that is no text", '{"prompt":["hi"]}', /'prompt' is \["hi"\], and must be a string/],
  ["an empty prompt", '{"prompt":" "}', /^'prompt' is empty\.$/],
  ["an id that is there", prompt({ id: "first" }), /^Its id 'first' is that of line 1, too\.$/],
  ["the number of a line before", prompt({ id: 2 }), /^Its id '2' is that of line 2, too\.$/],
  ["an empty id", prompt({ id: "" }), /^'id' is empty\.$/],
  ["a long id", prompt({ id: "x".repeat(513) }), /^'id' has 513 characters, and may have 512\.$/],
  ["an id that is none", prompt({ id: {} }), /'id' is \{\}, and must be a string/],
  ["a bad parameter", prompt({ maxTokens: 0 }), /'maxTokens' is 0, and must be a whole number/],
  [
    "a parameter by two names",
    prompt({ maxTokens: 1, max_tokens: 1 }),
    /^'max_tokens' is said twice, by two names\.$/,
  ],
  ["a word that is none", prompt({ reasoning: "much" }), /'reasoning' is "much", and must be one of off, /],
];

describe("a line is a problem that is", () => {
  it.each(PROBLEMS)("%s", async (_, line, message) => {
    const content = Buffer.concat([
      Buffer.from(`${prompt({ id: "first" })}\n${prompt()}\n`),
      Buffer.from(line),
      Buffer.from(`\n${prompt({ id: "last" })}`),
    ]);
    const { check: found, failure, stderr } = await check(content);
    expect(found.problems).toEqual([{ line: 3, message: expect.stringMatching(message) as string }]);
    expect([found.lines, found.problemCount]).toEqual([4, 1]);
    expect(failure).toMatchObject({ code: "usage", exitCode: 2 });
    expect(stderr).toContain("line 3: ");
  });

  it.each([
    [{ custom_id: "a", url: "/v1/embeddings", body: {} }, /openclaw embed --lines/],
    [{ custom_id: "a", url: "/v1/moderations", body: {} }, /is not one of \/v1\/chat\/completions/],
    [{ custom_id: "a", method: "GET", body: {} }, /'method' is "GET", and must be "POST"/],
    [{ custom_id: "a", url: "/v1/chat/completions" }, /'body' is missing, and must be an object/],
    [{ custom_id: "a", body: { messages: chat, n: 2 } }, /'n' 2 is not supported/],
    [
      {
        custom_id: "a",
        body: {
          messages: [
            { role: "user", content: [{ type: "image_url", image_url: { url: "https://x.test/a.png" } }] },
          ],
        },
      },
      /^batch fetches no images by their URL/,
    ],
    [{ recordId: "a", modelInput: "hi" }, /'modelInput' is "hi", and must be an object/],
    [{ recordId: "a", modelInput: {} }, /'messages' is missing/],
    [{ recordId: "a", modelInput: { messages: [] } }, /'messages' holds nothing that a person says/],
    [{ custom_id: "a", params: { model: "m" } }, /'messages' is missing/],
  ])("%j", async (line, message) => {
    const { check: found } = await check(JSON.stringify(line));
    expect(found.problems).toEqual([{ line: 1, message: expect.stringMatching(message) as string }]);
  });

  it("in its model's own words, where the answer is wanted in others", async () => {
    const home = createHome();
    writeFileSync(path.join(home, "lines.jsonl"), '{"recordId":"a","modelInput":{"inputText":"hi"}}\n');
    const runtime = testRuntime({ home });
    const input = await openBatchInput("lines.jsonl", runtime);
    const counts = await Promise.all(
      ([undefined, "bedrock", "openai", "messages", "plain"] as const).map(
        async (format) => (await checkBatchInput(input, { format, signal: runtime.signal })).problemCount,
      ),
    );
    expect(counts).toEqual([0, 0, 1, 1, 1]);
    await input.close();
  });

  it("one of many: all are counted, a thousand kept and twenty shown", async () => {
    const { check: found, failure, stderr } = await check(`${prompt()}\n${"{\n".repeat(1500)}`);
    expect([found.lines, found.problemCount, found.problems.length]).toEqual([1501, 1500, 1000]);
    expect(stderr.match(/^line \d+: /gm)).toHaveLength(20);
    expect(stderr).toContain("… and 1480 more problems");
    expect(failure?.details).toMatchObject({ lines: 1501, problemCount: 1500 });
    expect(failure?.message).toBe(
      "There are 1500 problems in the 1501 lines of 'lines.jsonl', so nothing was sent.",
    );
  });

  it("longer than any request, which is not held", async () => {
    const long = Buffer.alloc(100 * 1024 * 1024, "x");
    const { check: found } = await check(Buffer.concat([Buffer.from(`${prompt()}\n`), long]));
    expect(found.problems).toEqual([{ line: 2, message: "It has 100 MB, and a line may have 32 MB." }]);
  });
});

describe("a file is refused as a whole that is", () => {
  it.each([
    ["an array", `[\n  ${prompt()}\n]\n`, /is an array/, "jq -c '.[]' < lines.jsonl > lines.jsonl"],
    [
      "an array in a line",
      `[${prompt()},${prompt()}]`,
      /is an array/,
      "jq -c '.[]' < lines.jsonl > lines.jsonl",
    ],
    [
      "JSON as people lay it out",
      JSON.stringify({ prompt: "hi" }, null, 2),
      /over several lines/,
      "jq -c . < lines.jsonl > lines.jsonl",
    ],
    [
      "JSON over lines",
      '{"recordId": "a",\n"prompt": "b"}',
      /over several lines/,
      "jq -c . < lines.jsonl > lines.jsonl",
    ],
    [
      "text",
      "Say hi\nSay ho\n",
      /has no JSON in its first line: it begins with "Say hi"/,
      "For a file of texts, one prompt a line: --lines",
    ],
    ["empty", "", /has no lines/, "Give it one request a line."],
    ["blank", "\n \n\t\r\n", /has no lines/, "Give it one request a line."],
    [
      "UTF-16",
      Buffer.from(`\uFEFF${prompt()}\n`, "utf16le"),
      /not UTF-8 text/,
      "iconv -f UTF-16 -t UTF-8 lines.jsonl > lines.utf8.jsonl",
    ],
    ["compressed", Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff]), /a gzip archive/, undefined],
  ])("%s", async (_, content, message, hint) => {
    const found = await refusal(content);
    expect(found.message).toMatch(message);
    if (hint !== undefined) expect(found.hint).toBe(hint);
  });
});

describe("a file", () => {
  it("may have a mark, CRLF, empty lines and no end of its last line", async () => {
    const { check: found, lines } = await check(`\uFEFF${prompt()}\r\n\r\n   \r\n${prompt()}`);
    expect(found).toMatchObject({ lines: 2, numbered: 2, problems: [], bytes: 42 });
    expect(lines.map(({ recordId }) => recordId)).toEqual(["1", "4"]);
  });

  it("is told of once: ids that are numbers, fields that nobody knows, what is left out", async () => {
    const body = { messages: chat, metadata: { note: "x".repeat(300) }, some_new: 1 };
    const line = (id: number): string => JSON.stringify({ custom_id: `r${id}`, body, category: "a" });
    const { stderr, check: found } = await check(`${line(1)}\n${line(2)}\n`);
    expect(found).toMatchObject({ unknown: ["category", "some_new"], unnamed: 2, unbounded: 2, numbered: 0 });
    expect(stderr).toBe(
      "openclaw: Fields that nobody knows are ignored in 'lines.jsonl': 'category', 'some_new'.\n" +
        "openclaw: 1 of metadata are left out: Converse does not take them.\n",
    );
    expect((await check(prompt())).stderr).toBe(
      "openclaw: 1 line of 'lines.jsonl' without an id: the number of a line is its recordId.\n",
    );
    // An id may be the number of its line.
    const own = await check('{"id":1,"prompt":"Hi"}\n{"id":"2","prompt":"Hi"}\n');
    expect([own.check.numbered, own.stderr]).toEqual([0, ""]);
  });

  it("that is changed between two readings is noticed", async () => {
    const home = createHome();
    const file = path.join(home, "lines.jsonl");
    writeFileSync(file, `${prompt()}\n`);
    const runtime = testRuntime({ home });
    const input = await openBatchInput("lines.jsonl", runtime);
    await checkBatchInput(input, { signal: runtime.signal });
    appendFileSync(file, `${prompt()}\n`);
    await expect(input.lines(runtime.signal).next()).rejects.toMatchObject({
      code: "usage",
      message: "'lines.jsonl' was changed while it was read.",
    });
    await input.close();
  });

  it("may be far larger than memory: of a line without end no more than its beginning is held", async () => {
    const home = createHome();
    const file = path.join(home, "lines.jsonl");
    const size = 300 * 1024 * 1024;
    writeFileSync(file, `${prompt()}\n`);
    truncateSync(file, size);
    appendFileSync(file, `\n${prompt()}\n`);
    const before = process.memoryUsage().rss;
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, process.memoryUsage().rss - before);
    }, 10);
    const { check: found } = await checkNamed("lines.jsonl", home);
    clearInterval(watch);
    expect(found).toMatchObject({
      lines: 3,
      problems: [{ line: 2, message: "It has 300 MB, and a line may have 32 MB." }],
    });
    expect(found.bytes).toBeGreaterThan(size);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThan(150 * 1024 * 1024);
  });

  it("may come through a FIFO, whose writer is waited for no longer than until Ctrl-C", async () => {
    const home = createHome();
    const pipe = path.join(home, "pipe");
    execFileSync("mkfifo", [pipe]);
    const writer = spawn("sh", ["-c", `printf '%s\\n' '${prompt()}' > pipe`], { cwd: home });
    const written = once(writer, "exit");
    const { check: found } = await checkNamed("pipe", home);
    await written;
    expect(found).toMatchObject({ lines: 1, problems: [] });
    const stop = new AbortController();
    const opening = openBatchInput("pipe", testRuntime({ home, signal: stop.signal }));
    // Somebody who opens it and writes nothing.
    const silent = spawn("sh", ["-c", "exec sleep 60 > pipe"], { cwd: home });
    onTestFinished(() => void silent.kill());
    stop.abort(new OpenclawError("interrupted", { message: "Interrupted." }));
    await expect(opening).rejects.toMatchObject({ code: "interrupted" });
  });

  it.each([
    ["missing", "'missing' cannot be read: it does not exist."],
    [".", "'.' cannot be read: it is a folder."],
    ["/dev/zero", "'/dev/zero' cannot be read: it is a device."],
    [
      "s3://b/lines.jsonl",
      "'s3://b/lines.jsonl' is an object of Amazon S3, and lines are read from this machine.",
    ],
  ])("is refused that is none: %s", async (name, message) => {
    await expect(checkNamed(name, createHome())).rejects.toMatchObject({ code: "usage", message });
  });

  it("may come through a pipe, and is read twice all the same", async () => {
    const home = createHome();
    const runtime = testRuntime({ home, stdin: Readable.from([`${prompt()}\n`, prompt({ id: "b" })]) });
    const input = await openBatchInput("-", runtime);
    const first = await checkBatchInput(input, { signal: runtime.signal });
    const again = await checkBatchInput(input, { signal: runtime.signal });
    expect(first).toMatchObject({ lines: 2, problems: [] });
    expect(again).toEqual(first);
    const ids: string[] = [];
    for await (const { recordId } of batchLines(input, first.kind, runtime.signal)) ids.push(recordId);
    expect(ids).toEqual(["1", "b"]);
    await input.close();
  });
});
