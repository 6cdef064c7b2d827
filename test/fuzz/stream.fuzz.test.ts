import { EventStreamCodec } from "@smithy/eventstream-codec";
import { expect, it } from "vitest";
import { AnswerWriter } from "../../src/chat/answer-writer.ts";
import { streamChat } from "../helpers/stream-chat.ts";
import { TurnRecorder } from "../../src/converse/message-assembler.ts";
import { EXIT_CODES, OpenclawError } from "../../src/errors.ts";
import { createHome } from "../helpers/openclaw.ts";
import { type TestRuntime, testRuntime } from "../helpers/test-runtime.ts";
import { CASES, FIRST_SEED } from "./case-count.ts";
import { sessionMaker } from "./fake-service.ts";
import { generateStream } from "./generate-stream.ts";
import { createRandom } from "./random.ts";

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes as Uint8Array).toString("utf8"),
  (text) => Buffer.from(text, "utf8"),
);

/** Bytes of a header's value by its type; those of the types 6 and 7 begin with a length of their own. */
const VALUE_BYTES = [0, 0, 1, 2, 4, 8, 0, 0, 8, 16];

/** Whether the headers of a frame end where its prelude says. */
function hasWholeHeaders(frame: Buffer): boolean {
  const end = 12 + frame.readUInt32BE(4);
  let at = 12;
  while (at < end) {
    at += 1 + frame.readUInt8(at);
    const type = frame.readUInt8(at);
    at += 1;
    at += type === 6 || type === 7 ? 2 + frame.readUInt16BE(at) : (VALUE_BYTES[type] ?? 0);
  }
  return at === end;
}

/** What the SDK's own codec finds in a stream: the text before the first damage, and whether the last word is there. */
function readByCodec(frames: Buffer): { text: string; isWhole: boolean; isException: boolean } {
  let text = "";
  let isWhole = false;
  for (let offset = 0; offset + 4 <= frames.length;) {
    const length = frames.readUInt32BE(offset);
    const end = offset + length;
    if (length < 16 || end > frames.length) break;
    try {
      const { headers, body } = codec.decode(frames.subarray(offset, end));
      // The codec reads a header that claims to be longer than its frame out of the next one.
      if (!hasWholeHeaders(frames.subarray(offset, end))) break;
      const header = (name: string): string => String(headers[name]?.value ?? "");
      const type = header(":message-type");
      if (type === "exception" || type === "error") return { text, isWhole, isException: true };
      if (type !== "event") break;
      const name = header(":event-type");
      if (/^(messageStart|contentBlock(Start|Delta|Stop)|messageStop|metadata)$/.test(name)) {
        const payload: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
        if (name === "messageStop") isWhole = true;
        const { delta } = (payload ?? {}) as { delta?: { text?: unknown } | null };
        if (name === "contentBlockDelta" && typeof delta?.text === "string") text += delta.text;
      }
    } catch {
      // Damaged: nothing after it counts.
      break;
    }
    offset = end;
  }
  return { text, isWhole, isException: false };
}

/** Everything that a failure was made of. */
function causesOf(failure: unknown): Error[] {
  return failure instanceof Error ? [failure, ...causesOf(failure.cause)] : [];
}

const FORMATS = ["text", "json", "ndjson"] as const;
const CONTRACT: ReadonlySet<string> = new Set(
  Object.keys(EXIT_CODES).filter((code) => !["internal", "usage", "timeout", "interrupted"].includes(code)),
);

it(
  `${CASES} streams, from seed ${FIRST_SEED}: each ends in a whole answer or an error of the contract, with every word that came before`,
  async () => {
    let chunks: readonly Uint8Array[] = [];
    const home = createHome();
    const openSession = await sessionMaker(runtimeFor(home, "text"), () => ({
      status: 200,
      headers: { "content-type": "application/vnd.amazon.eventstream", "x-amzn-requestid": "r-1" },
      body: chunks,
    }));
    const outcomes = new Map<string, number>();
    for (let seed = FIRST_SEED; seed < FIRST_SEED + CASES; seed += 1) {
      const random = createRandom(seed);
      const generated = generateStream(random);
      chunks = generated.chunks;
      const format = random.pick(FORMATS);
      const runtime = runtimeFor(home, format);
      const session = openSession(runtime);
      const recorder = new TurnRecorder();
      const writer = new AnswerWriter(runtime, {
        priceOf: () => ({ cost: { input: 1, output: 1 }, source: "catalog" }),
        showsReasoning: random.percent(50),
        isStreamed: random.percent(80),
        showsUsage: random.percent(20),
      });
      const bounds = { firstEventMs: 3000, silenceMs: 3000, totalMs: 5000 };
      const input = {
        modelId: "m",
        messages: [],
        ...(random.percent(20) ? { toolConfig: { tools: [] } } : {}),
      };
      let text = "";
      let failure: unknown;
      let isBroken = true;
      let stopReason = "";
      try {
        for await (const event of streamChat(session, input, bounds, recorder)) {
          if (event.type === "text") text += event.text;
          if (event.type === "stop") stopReason = event.stopReason;
          await writer.take(event);
        }
        isBroken = false;
        // How it stopped may be a failure, too: withheld, or malformed.
        await writer.finish();
      } catch (error) {
        failure = await writer.fail(error);
      }
      recorder.turn();

      const expected = readByCodec(generated.frames);
      const say = `seed ${seed} (OPENCLAW_FUZZ_SEED=${seed} OPENCLAW_FUZZ_CASES=1), ${format}`;
      if (failure !== undefined) {
        expect(failure, say).toBeInstanceOf(OpenclawError);
        expect(CONTRACT, say).toContain((failure as OpenclawError).code);
        expect(
          causesOf(failure).filter((cause) => /^(Type|Range|Reference)Error$/.test(cause.name)),
          say,
        ).toEqual([]);
      }
      expect(text.isWellFormed(), say).toBe(true);
      // Halves that other events part are not joined.
      const loose = (said: string): string =>
        text.includes("\ufffd") ? said.replace(/[\ud800-\udfff\ufffd]/g, "") : said;
      expect(loose(text), say).toBe(loose(expected.text));
      expect(isBroken, say).toBe(expected.isException || !expected.isWhole);
      if (generated.isSound) expect(isBroken, say).toBe(false);
      expectOutput(runtime, format, text, failure, say);
      const outcome = failure instanceof OpenclawError ? failure.code : `whole: ${stopReason}`;
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    // A generator that breaks everything, or nothing, tests little.
    const wholes = [...outcomes]
      .filter(([name]) => name.startsWith("whole"))
      .reduce((sum, [, count]) => sum + count, 0);
    if (CASES >= 500) {
      expect(wholes).toBeGreaterThan(CASES / 20);
      expect(outcomes.get("stream-broken") ?? 0).toBeGreaterThan(CASES / 20);
      expect(outcomes.size).toBeGreaterThan(6);
    }
  },
  30 * 60_000,
);

function runtimeFor(home: string, format: (typeof FORMATS)[number]): TestRuntime {
  const runtime = testRuntime({ home, env: { AWS_ACCESS_KEY_ID: "AKIAFUZZ", AWS_SECRET_ACCESS_KEY: "s" } });
  runtime.terminal.setMode({ format });
  return runtime;
}

/** A text as a pipe gets it: half a character that stays alone is none. */
function asBytes(text: string): string {
  return Buffer.from(text).toString();
}

/** What reached stdout is the text that came, once. */
function expectOutput(
  runtime: TestRuntime,
  format: string,
  text: string,
  failure: unknown,
  say: string,
): void {
  const stdout = runtime.stdout();
  if (format === "text") {
    const body = text.replace(/\n+$/, "");
    expect(asBytes(stdout), say).toBe(asBytes(body === "" ? "" : `${body}\n`));
  } else if (format === "json") {
    const document = stdout === "" ? undefined : (JSON.parse(stdout) as { text: string });
    if (failure === undefined) expect(document?.text, say).toBe(text);
    else {
      expect(document, say).toBeUndefined();
      expect((failure as OpenclawError).partialText ?? "", say).toBe(text);
    }
  } else {
    const events = stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { type: string; text: string });
    expect(
      events
        .filter(({ type }) => type === "text")
        .map((event) => event.text)
        .join(""),
      say,
    ).toBe(text);
  }
}
