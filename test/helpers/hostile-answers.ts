import { createServer, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import type { Writable } from "node:stream";
import { crc32 } from "node:zlib";
import { onTestFinished } from "vitest";
import { encodeEvent, encodeException, EVENT_STREAM_TYPE } from "../../src/aws/event-stream.ts";
import { modelSummary } from "./model-summary.ts";

/** An answer that takes as much as it can of whoever reads it. */
export interface HostileAnswer {
  what: string;
  /** Who answers so: Bedrock to a question or to a list, or another server to either. */
  from: "bedrock" | "bedrock's list" | "server" | "server's list";
  status?: number;
  type: string;
  /** The body in pieces, each made when it is sent; `megabytes` is how much there is of it. */
  body: (megabytes: number) => Iterable<Uint8Array | string>;
  /** Every byte in a chunk of its own; of those there are fewer. */
  isByBytes?: boolean;
  /** Whether it is right all the same. */
  isRight?: boolean;
}

const MEGABYTE = 1024 * 1024;
const EVENTS = "text/event-stream";
const JSON_TYPE = "application/json";
const filled = (megabytes: number, piece: string): string =>
  piece.repeat(Math.ceil((megabytes * MEGABYTE) / Buffer.byteLength(piece)));
const repeated = (count: number, piece: string): string =>
  Array.from({ length: count }, () => piece).join(",");

/** A frame with this as its payload, and with more headers in front of its own. */
function frame(payload: string, more: Uint8Array = Buffer.alloc(0)): Buffer {
  const empty = encodeEvent("contentBlockDelta", {});
  const own = empty.subarray(12, 12 + empty.readUInt32BE(4));
  const body = Buffer.from(payload);
  const length = 16 + more.length + own.length + body.length;
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(length, 0);
  prelude.writeUInt32BE(more.length + own.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const all = Buffer.concat([prelude, more, own, body, Buffer.alloc(4)]);
  all.writeUInt32BE(crc32(all.subarray(0, -4)), length - 4);
  return all;
}

const delta = (text: string): string => `{"contentBlockIndex":0,"delta":{"text":"${text}"}}`;
const withheld = (redactedContent: string): Buffer =>
  encodeEvent("contentBlockDelta", {
    contentBlockIndex: 0,
    delta: { reasoningContent: { redactedContent } },
  });
const START = encodeEvent("messageStart", { role: "assistant" });
const END = Buffer.concat([
  encodeEvent("messageStop", { stopReason: "end_turn" }),
  encodeEvent("metadata", { usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 } }),
]);
const stream = (
  what: string,
  parts: (megabytes: number) => Iterable<Uint8Array>,
  more: Partial<HostileAnswer> = {},
): HostileAnswer => ({
  what,
  from: "bedrock",
  type: EVENT_STREAM_TYPE,
  body: function* (megabytes) {
    yield START;
    yield* parts(megabytes);
    yield END;
  },
  ...more,
});
function* many(count: number, piece: Buffer): Generator<Buffer> {
  const block = Buffer.concat(Array.from({ length: 1000 }, () => piece));
  for (let sent = 0; sent < count; sent += 1000) yield block;
}
/** Headers of 60 KB: a text, and as many as there can be. */
const LONG_HEADER = Buffer.concat([
  Buffer.of(1),
  Buffer.from("x"),
  Buffer.of(7, 0xea, 0x60),
  Buffer.alloc(60_000, "y"),
]);
const MANY_HEADERS = Buffer.concat(Array.from({ length: 20_000 }, () => Buffer.of(1, 0x78, 0)));

const said = (content: string): string =>
  `{"id":"a","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":${content}}}]}`;
const FINISH = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`;
const events = (
  what: string,
  body: (megabytes: number) => Iterable<string>,
  more: Partial<HostileAnswer> = {},
): HostileAnswer => ({ what, from: "server", type: EVENTS, body, ...more });
const whole = (
  from: HostileAnswer["from"],
  what: string,
  body: (megabytes: number) => string,
  more: Partial<HostileAnswer> = {},
): HostileAnswer => ({ what, from, type: JSON_TYPE, body: (megabytes) => [body(megabytes)], ...more });
/** Values in lists: as small as they can be, and with a name of its own for each. */
const objects = (megabytes: number): string =>
  Array.from({ length: (megabytes * MEGABYTE) / 12 }, (_, index) => `{"${index}":1}`).join(",");

const LISTS = (["bedrock's list", "server's list"] as const).flatMap((from) => {
  const name = from === "server's list" ? "data" : "modelSummaries";
  return [
    whole(from, "blanks", (megabytes) => `{"${name}":[${filled(megabytes, " ")}]}`, { isRight: true }),
    whole(from, "empty lists", (megabytes) => `{"${name}":[${filled(megabytes, "[],")}[]]}`),
    whole(from, "objects of different names", (megabytes) => `{"${name}":[${objects(megabytes)}]}`),
    whole(
      from,
      "lists in the rows",
      (megabytes) => `{"${name}":[${filled(megabytes, `[${repeated(2000, "[]")}],`)}0]}`,
    ),
    whole(from, "brackets", (megabytes) => `{"${name}":${filled(megabytes, "[")}`),
    whole(from, "an id of escapes", (megabytes) => `{"${name}":[{"id":"${filled(megabytes, "\\u0041")}"}]}`),
    whole(from, "more than is read", () => `{"${name}":[${filled(50, " ")}]}`),
    whole(from, "an error", (megabytes) => `{"message":"${filled(megabytes, "a")}"}`, { status: 500 }),
  ];
});

export const HOSTILE_ANSWERS: readonly HostileAnswer[] = [
  stream("a frame of text", (megabytes) => [frame(delta(filled(megabytes, "a")))], { isRight: true }),
  stream("a frame of three bytes a character", (megabytes) => [frame(delta(filled(megabytes, "日")))], {
    isRight: true,
  }),
  stream(
    "a frame with an escape in every 16 bytes",
    (megabytes) => [frame(delta(filled(megabytes, "abcdefg \\nhijkl")))],
    { isRight: true },
  ),
  stream("a frame of blanks", (megabytes) => [frame(`${filled(megabytes, " ")}${delta("a")}`)], {
    isRight: true,
  }),
  stream("a frame of empty lists", (megabytes) => [frame(`{"a":[${filled(megabytes, "[],")}0]}`)]),
  stream("a frame of objects of different names", (megabytes) => [frame(`{"a":[${objects(megabytes)}]}`)]),
  stream("a frame of brackets", (megabytes) => [frame(filled(megabytes, "["))]),
  stream("a frame in chunks of a byte", (megabytes) => [frame(delta(filled(megabytes, "a")))], {
    isByBytes: true,
    isRight: true,
  }),
  stream("tiny frames", (megabytes) => many(megabytes * 50_000, frame(delta("a"))), { isRight: true }),
  stream(
    "tiny frames that say nothing",
    (megabytes) => [frame(delta("a")), ...many(megabytes * 50_000, frame("{}"))],
    {
      isRight: true,
    },
  ),
  stream(
    "frames with a header of 60 KB",
    (megabytes) => many(megabytes * 50, frame(delta("a"), LONG_HEADER)),
    {
      isRight: true,
    },
  ),
  stream("frames with 20,000 headers", (megabytes) => many(megabytes * 50, frame(delta("a"), MANY_HEADERS)), {
    isRight: true,
  }),
  ...[
    ["escapes", '{"a":"', "\\n", '"}'],
    ["long numbers", '{"a":[', `${"9".repeat(300)},`, "0]}"],
    ["levels", "", '{"a":', ""],
  ].map(([of = "", before = "", piece = "", behind = ""]) =>
    stream(`a call's input of ${of}`, function* (megabytes) {
      const input = (json: string): Buffer =>
        encodeEvent("contentBlockDelta", { contentBlockIndex: 0, delta: { toolUse: { input: json } } });
      const start = { toolUse: { toolUseId: "a", name: "a" } };
      yield encodeEvent("contentBlockStart", { contentBlockIndex: 0, start });
      yield input(before);
      for (let sent = 0; sent < megabytes; sent += 1) yield input(filled(1, piece));
      yield input(behind);
      yield encodeEvent("contentBlockStop", { contentBlockIndex: 0 });
    }),
  ),
  stream("withheld reasoning", (megabytes) => [withheld(filled(megabytes, "QUJD"))]),
  stream("withheld reasoning in pieces", (megabytes) =>
    Array.from({ length: megabytes * 50 }, () => withheld("QUJD".repeat(5000))),
  ),
  stream("withheld reasoning in tiny pieces", (megabytes) => [...many(megabytes * 15_000, withheld("QUJD"))]),
  stream("a source", (megabytes) => [
    frame(`{"contentBlockIndex":0,"delta":{"citation":{"title":"${filled(megabytes, "a")}"}}}`),
  ]),
  stream("an exception", (megabytes) => [
    encodeException("throttlingException", { message: filled(megabytes, "a") }),
  ]),
  whole("bedrock", "an error of text", (megabytes) => `{"message":"${filled(megabytes, "a")}"}`, {
    status: 400,
  }),
  whole("bedrock", "an error of empty lists", (megabytes) => `{"message":[${filled(megabytes, "[],")}0]}`, {
    status: 400,
  }),
  whole("bedrock", "an error of more than is read", () => filled(50, " "), { status: 400 }),
  events(
    "a line",
    (megabytes) => [`data: ${said(`"${filled(Math.min(megabytes, 15), "a")}"`)}\n\n`, FINISH],
    { isRight: true },
  ),
  events("a line that is too long", () => [`data: ${said(`"${filled(20, "a")}"`)}\n\n`, FINISH]),
  events(
    "a line of three bytes a character",
    (megabytes) => [`data: ${said(`"${filled(megabytes, "日")}"`)}\n\n`, FINISH],
    {
      isRight: true,
    },
  ),
  events("a line of empty lists", (megabytes) => [
    `data: ${said(`[${filled(Math.min(megabytes, 15), "[],")}0]`)}\n\n`,
    FINISH,
  ]),
  events(
    "an event of many lines",
    (megabytes) => [
      `data: ${said('"a"').slice(0, -1)}\n`,
      filled(megabytes, "data:\n"),
      "data: }\n\n",
      FINISH,
    ],
    { isRight: true },
  ),
  events(
    "lines in chunks of a byte",
    (megabytes) => [`data: ${said(`"${filled(Math.min(megabytes, 15), "a")}"`)}\n\n`, FINISH],
    {
      isByBytes: true,
      isRight: true,
    },
  ),
  events("tiny events", (megabytes) => [filled(megabytes * 2, `data: ${said('"a"')}\n\n`), FINISH], {
    isRight: true,
  }),
  events("comments", (megabytes) => [filled(megabytes, ":\n"), `data: ${said('"a"')}\n\n`, FINISH], {
    isRight: true,
  }),
  whole(
    "server",
    "an answer of text",
    (megabytes) =>
      `{"choices":[{"index":0,"message":{"role":"assistant","content":"${filled(megabytes, "a")}"},"finish_reason":"stop"}]}`,
    { isRight: true },
  ),
  whole("server", "an answer of empty lists", (megabytes) => `{"choices":[${filled(megabytes, "[],")}0]}`),
  whole(
    "server",
    "an answer of objects of different names",
    (megabytes) => `{"choices":[${objects(megabytes)}]}`,
  ),
  whole("server", "an answer of more than is read", () => filled(50, " ")),
  whole("server", "an error of brackets", (megabytes) => filled(megabytes, "["), { status: 400 }),
  ...LISTS,
];

/** The path by which each is asked. */
const PATHS: Readonly<Record<HostileAnswer["from"], RegExp>> = {
  bedrock: /\/converse(-stream)?$/,
  "bedrock's list": /\/foundation-models/,
  server: /\/chat\/completions$/,
  "server's list": /\/other\/v1\/models$/,
};

/** What is said to all other questions. */
const USUAL_LIST = JSON.stringify({
  modelSummaries: [modelSummary("amazon.nova-lite-v1:0", "Nova Lite", "Amazon")],
  inferenceProfileSummaries: [],
  data: [],
});

/** Resolves when more may be written, or nobody reads any more. */
async function hasRoom(stream: Writable): Promise<void> {
  const gone = new AbortController();
  const options = { signal: gone.signal };
  await Promise.race([once(stream, "drain", options), once(stream, "close", options)]);
  gone.abort();
}

/** A chunk of HTTP for each byte, with its length before it. */
function inChunks(bytes: Buffer): Buffer {
  const chunks = Buffer.alloc(bytes.length * 6, "1\r\n0\r\n");
  for (const [index, byte] of bytes.entries()) chunks[index * 6 + 3] = byte;
  return chunks;
}

/** An answer as it is written, in parts. */
function* partsOf({ body, isByBytes = false }: HostileAnswer, megabytes: number): Generator<Buffer> {
  const size = isByBytes ? 65_536 : MEGABYTE;
  for (const piece of body(isByBytes ? megabytes / 20 : megabytes)) {
    const bytes = Buffer.from(piece);
    for (let start = 0; start < bytes.length; start += size) {
      const part = bytes.subarray(start, start + size);
      yield isByBytes ? inChunks(part) : part;
    }
  }
}

async function send(response: ServerResponse, answer: HostileAnswer, megabytes: number): Promise<void> {
  response.on("error", () => undefined);
  response.writeHead(answer.status ?? 200, { "content-type": answer.type });
  // What has its own chunks is written past Node's.
  if (answer.isByBytes) response.flushHeaders();
  const stream = answer.isByBytes ? response.socket : response;
  for (const part of partsOf(answer, megabytes)) {
    if (!stream || stream.destroyed) return;
    if (!stream.write(part)) await hasRoom(stream);
  }
  response.end();
}

/** A server that answers so, and to all else with nothing, until the test ends; resolves with its address. */
export async function answerHostilely(answer: () => HostileAnswer, megabytes: number): Promise<string> {
  const server = createServer((request, response) => {
    request.resume();
    const hostile = answer();
    const { pathname } = new URL(request.url ?? "/", "http://a");
    if (PATHS[hostile.from].test(pathname)) void send(response, hostile, megabytes);
    else response.writeHead(200, { "content-type": JSON_TYPE }).end(USUAL_LIST);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
