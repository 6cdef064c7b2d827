import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RecordedCall, StreamStep } from "../../src/emulator/emulator.ts";
import { textAnswerSteps } from "../helpers/answer-steps.ts";
import { heldAnswer } from "../helpers/held-answer.ts";
import { MODEL, serve, type Served } from "../helpers/served.ts";

const ASK = JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "hi" }] });
const PATH = "/v1/chat/completions";

interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The code of OpenAI's error; undefined for an answer. */
  code: string | undefined;
  message: string;
}

/** A connection that can say anything. */
function open({ origin }: Pick<Served, "origin">): Socket {
  const socket = connect(Number(new URL(origin).port), "127.0.0.1");
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

function parse(received: string): Answer {
  const [head = "", ...rest] = received.split("\r\n\r\n");
  const [line = "", ...fields] = head.split("\r\n");
  const text = rest.join("\r\n\r\n");
  const headers = new Headers(fields.map((field) => field.split(/: (.*)/s).slice(0, 2) as [string, string]));
  const body = headers.get("transfer-encoding") === "chunked" ? text.replace(/^[0-9a-f]+\r\n/gim, "") : text;
  let error: { code?: string; message?: string } | undefined;
  if (body.startsWith("{")) ({ error } = JSON.parse(body.trim()) as { error?: typeof error });
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(line)?.[1]),
    headers,
    text,
    code: error?.code,
    message: error?.message ?? "",
  };
}

/** Sends bytes as they are, and reads the one answer up to the end of the connection. */
async function send(served: Pick<Served, "origin">, ...parts: (string | Uint8Array)[]): Promise<Answer> {
  const socket = open(served);
  let received = "";
  socket.on("data", (bytes) => (received += bytes.toString("latin1")));
  for (const part of parts) socket.write(part);
  await new Promise((resolve) => socket.once("close", resolve));
  return parse(received);
}

const head = (...fields: string[]): string =>
  [
    `POST ${PATH} HTTP/1.1`,
    "host: localhost",
    "content-type: application/json",
    "connection: close",
    ...fields,
    "",
    "",
  ].join("\r\n");

/** A body with its length. */
const whole = (body: string | Uint8Array, ...fields: string[]): (string | Uint8Array)[] => [
  head(`content-length: ${Buffer.byteLength(body)}`, ...fields),
  body,
];

const chunked = (body: string, size = 7): string => {
  const pieces = body.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
  return `${pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join("")}0\r\n\r\n`;
};

const CHUNKED = "transfer-encoding: chunked";
const deep = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
const withField = (name: string, json: string): string => `${ASK.slice(0, -1)},"${name}":${json}}`;
const utf16 = Buffer.from(`\uFEFF${ASK}`, "utf16le");

/** Everything that a body can be. No code is an answer. */
const BODIES: readonly [what: string, parts: (string | Uint8Array)[], status: number, code?: string][] = [
  ["with a length", whole(ASK), 200],
  ["chunked", [head(CHUNKED), chunked(ASK)], 200],
  [
    "chunked byte by byte, with extensions and a trailer",
    [head(CHUNKED), chunked(ASK, 1).replace("1\r\n", "1;a=b\r\n").replace(/\r\n$/, "x-sum: 1\r\n\r\n")],
    200,
  ],
  ["after 100 Continue", whole(ASK, "expect: 100-continue"), 100],
  ["with another expectation", whole(ASK, "expect: kindness"), 200],
  ["with a byte order mark", whole(`\uFEFF${ASK}`), 200],
  [
    "with a type that has parameters",
    whole(ASK, "x-other: 1").map((part) =>
      typeof part === "string" ? part.replace("application/json", "Application/JSON; charset=utf-8") : part,
    ),
    200,
  ],
  ["that says it is encoded as it is", whole(ASK, "content-encoding: identity"), 200],
  ["with keys that come twice", whole(withField("model", JSON.stringify(MODEL))), 200],
  ["with a prototype in metadata", whole(withField("metadata", '{"__proto__":"a","constructor":"b"}')), 200],
  ["with a prototype", whole(withField("__proto__", '{"model":"x"}')), 200],
  ["whose only field is a prototype", whole(`{"__proto__":${ASK}}`), 400, "invalid_request"],
  ["that is empty, with a length", whole(""), 400, "invalid_json"],
  ["that is empty, without a length", [head()], 400, "invalid_json"],
  ["that is empty, chunked", [head(CHUNKED), "0\r\n\r\n"], 400, "invalid_json"],
  ["of blanks", whole("  \n"), 400, "invalid_json"],
  ["that is cut", whole(ASK.slice(0, -1)), 400, "invalid_json"],
  ["with something behind it", whole(`${ASK}x`), 400, "invalid_json"],
  ["with a NUL behind it", whole(`${ASK}\0`), 400, "invalid_json"],
  ["of UTF-16", whole(utf16), 400, "invalid_json"],
  ["of UTF-16 without a mark", whole(utf16.subarray(2)), 400, "invalid_json"],
  ["of Latin-1", whole(Buffer.from(ASK.replace("hi", "caf\u00e9"), "latin1")), 400, "invalid_json"],
  [
    "with half a character of UTF-8",
    whole(Buffer.from(ASK.replace("hi", "\u20ac")).filter((byte) => byte !== 0xac)),
    400,
    "invalid_json",
  ],
  ["in gzip", whole(gzipSync(ASK), "content-encoding: gzip"), 415, "unsupported_content_encoding"],
  ["in two encodings", whole(ASK, "content-encoding: gzip, br"), 415, "unsupported_content_encoding"],
  ["of an unknown encoding", whole(ASK, "content-encoding: zstd"), 415, "unsupported_content_encoding"],
  [
    "in a transfer coding beside chunked",
    [head("transfer-encoding: gzip, chunked"), chunked(ASK)],
    415,
    "unsupported_content_encoding",
  ],
  [
    "of another type",
    whole(ASK).map((part) =>
      typeof part === "string" ? part.replace("application/json", "text/plain") : part,
    ),
    415,
    "unsupported_media_type",
  ],
  [
    "without a type",
    whole(ASK).map((part) =>
      typeof part === "string" ? part.replace("content-type: application/json\r\n", "") : part,
    ),
    415,
    "unsupported_media_type",
  ],
  [
    "with a length and chunked",
    [head(CHUNKED, `content-length: ${ASK.length}`), chunked(ASK)],
    400,
    "invalid_request",
  ],
  [
    "with two lengths",
    [head(`content-length: ${ASK.length}`, "content-length: 5"), ASK],
    400,
    "invalid_request",
  ],
  ["with a length that is no number", [head("content-length: many"), ASK], 400, "invalid_request"],
  ["with a chunk that is none", [head(CHUNKED), "zz\r\n"], 400, "invalid_request"],
  ["nested too deeply", whole(deep(100_000)), 400, "invalid_json"],
  ...["metadata", "messages", "tools", "stop", "response_format", "logit_bias", "nonsense"].map(
    (name): (typeof BODIES)[number] => [
      `with ${name} nested too deeply`,
      whole(withField(name, deep(100_000))),
      400,
      "invalid_json",
    ],
  ),
  [
    "with a number of too many digits",
    whole(withField("max_tokens", "1".repeat(100_000))),
    400,
    "invalid_json",
  ],
  [
    "of too many messages",
    whole(`{"model":"x","messages":[${"{},".repeat(1_000_000)}{}]}`),
    400,
    "invalid_json",
  ],
  [
    "of too many fields",
    whole(`{${Array.from({ length: 300_000 }, (_, index) => `"a${index}":1`).join(",")}}`),
    400,
    "invalid_json",
  ],
];

describe("a body", () => {
  it("is taken or refused by what it is, in JSON and with a request id", async () => {
    const served = await serve();
    for (const [what, parts, status, code] of BODIES) {
      const answer = await send(served, ...parts);
      expect({ what, status: answer.status, code: answer.code }).toEqual({ what, status, code });
      if (status === 100) expect(answer.text).toMatch(/^HTTP\/1\.1 200 OK/);
      else
        expect({ what, id: answer.headers.get("x-request-id") }).toEqual({
          what,
          id: expect.stringMatching(/^[\w-]{20,}$/) as string,
        });
      if (code !== undefined)
        expect({ what, type: answer.headers.get("content-type") }).toEqual({
          what,
          type: "application/json",
        });
    }
  });

  it("says what is wrong with it", async () => {
    const served = await serve();
    const messageOf = async (body: string | Uint8Array, ...fields: string[]): Promise<string> =>
      (await send(served, ...whole(body, ...fields))).message;
    expect(await messageOf("")).toBe("The body is empty.");
    expect(await messageOf(utf16)).toBe("The body is UTF-16 or UTF-32, and must be UTF-8.");
    expect(await messageOf(deep(300))).toBe(
      "The body cannot be taken: it is nested more than 256 levels deep.",
    );
    expect(await messageOf("{")).toMatch(/^The body is not JSON: /);
    const long = "日".repeat(6_000_000);
    expect(await messageOf(`{"messages":"${long}"`)).toBe(
      "The body is not JSON, and too long to say where it fails.",
    );
    expect(await messageOf(ASK, "content-encoding: gzip")).toContain("'gzip'");
  });

  it("is bounded while it comes, whatever length it says it has", async () => {
    const served = await serve({ args: ["--max-body", "0.1"] });
    const large = JSON.stringify({ model: MODEL, messages: "x".repeat(200_000) });
    expect(await send(served, head(`content-length: ${large.length}`))).toMatchObject({
      status: 413,
      code: "request_too_large",
    });
    expect(await send(served, head(CHUNKED), chunked(large, 50_000))).toMatchObject({
      status: 413,
      code: "request_too_large",
    });
    expect(await send(served, ...whole(`${" ".repeat(100_000)}${ASK}`))).toMatchObject({ status: 200 });
  });

  it("may be sent to its end after it was refused, as slowly as it comes, by a client that reads its answer then", async () => {
    const served = await serve({ args: ["--max-body", "0.1"] });
    const socket = open(served);
    const closed = once(socket, "close").then(() => "closed");
    socket.setEncoding("latin1");
    const fields = ["host: localhost", "content-type: application/json", "content-length: 300000", "", ""];
    socket.write([`POST ${PATH} HTTP/1.1`, ...fields].join("\r\n"));
    // Longer than the half second for which @hono/node-server waits by itself.
    for (let part = 0; part < 6; part++) {
      socket.write(" ".repeat(50_000));
      expect(await Promise.race([wait(250, "open"), closed])).toBe("open");
    }
    socket.write("GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    let received = "";
    for await (const text of socket) received += text;
    expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 413", "HTTP/1.1 200"]);
  });

  it("is not asked for when it would be refused unread", async () => {
    const served = await serve({ args: ["--max-body", "0.1"] });
    const refused: [what: string, head: string, status: number][] = [
      ["too large", head("expect: 100-continue", "content-length: 300000"), 413],
      ["of another type", head("expect: 100-continue", "content-length: 9").replace("/json", "/xml"), 415],
      ["for nobody", head("expect: 100-continue", "content-length: 9").replace(PATH, "/nobody"), 404],
    ];
    for (const [what, fields, status] of refused) {
      // Nothing of the body is sent, nor is anything known of when it will be.
      const answer = await send(served, fields.replace("connection: close\r\n", ""));
      const connection = answer.headers.get("connection");
      expect({ what, status: answer.status, connection }).toEqual({ what, status, connection: "close" });
    }
    const socket = open(served);
    socket.write(
      head("expect: 100-continue", "transfer-encoding: chunked").replace("connection: close\r\n", ""),
    );
    const [first] = (await once(socket, "data")) as [Buffer];
    expect(String(first)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    socket.write(chunked(ASK));
    const [second] = (await once(socket, "data")) as [Buffer];
    expect(String(second)).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\nConnection: keep-alive\r\n/);
  });

  it("may be sent to its end after it was refused on a connection that is to be closed", async () => {
    const served = await serve({ args: ["--max-body", "0.1"] });
    for (const fields of [head("content-length: 30000000"), head(CHUNKED)]) {
      const socket = open(served);
      const received: Buffer[] = [];
      // Many times what the buffers of the system hold: who reads only afterwards has been read from all the time.
      socket.pause().on("data", (bytes: Buffer) => received.push(bytes));
      socket.pause();
      socket.write(fields);
      const blank = " ".repeat(1_000_000);
      const piece = fields.includes(CHUNKED) ? `f4240\r\n${blank}\r\n` : blank;
      for (let part = 0; part < 30; part++)
        await new Promise<void>((resolve, reject) =>
          socket.write(piece, (error) => (error ? reject(error) : resolve())),
        );
      if (fields.includes(CHUNKED)) socket.write("0\r\n\r\n");
      const closed = once(socket, "close");
      socket.resume();
      await closed;
      expect(parse(Buffer.concat(received).toString())).toMatchObject({
        status: 413,
        code: "request_too_large",
      });
    }
  });

  it("has one answer, also when it is never sent to its end or is no HTTP", async () => {
    const served = await serve({ args: ["--max-body", "0.1"] });
    const fields = ["host: localhost", "content-type: application/json"];
    const ask = async (length: string, finish: (socket: Socket) => void): Promise<string[] | null> => {
      const socket = open(served);
      let received = "";
      socket.on("data", (bytes) => {
        if (received === "") finish(socket);
        received += String(bytes);
      });
      socket.write([`POST ${PATH} HTTP/1.1`, ...fields, length, "", ""].join("\r\n"));
      if (length === CHUNKED) socket.write(`${(200_000).toString(16)}\r\n${" ".repeat(200_000)}\r\n`);
      await once(socket, "close");
      return received.match(/HTTP\/1\.1 \d+/g);
    };
    const only = ["HTTP/1.1 413"];
    const length = "content-length: 300000";
    const isCut = ask(length, (socket) => socket.end("half of it"));
    const isNoHttp = ask(CHUNKED, (socket) => socket.write("no length of a chunk\r\n"));
    expect(await Promise.all([isCut, isNoHttp])).toEqual([only, only]);
  });

  it("may hold arguments of tool calls, which are bounded as it is", async () => {
    const served = await serve();
    const call = (json: string): object => ({
      id: "a",
      type: "function",
      function: { name: "f", arguments: json },
    });
    const ask = (...calls: string[]): Promise<Answer> =>
      send(
        served,
        ...whole(
          JSON.stringify({ model: MODEL, messages: [{ role: "assistant", tool_calls: calls.map(call) }] }),
        ),
      );
    for (const calls of [
      [`{"a":${deep(100_000)}}`],
      [`[${"{},".repeat(300_000)}1]`],
      Array.from({ length: 4 }, () => `{"a":[${"1,".repeat(100_000)}1]}`),
      Array.from({ length: 4 }, () => JSON.stringify({ a: "b".repeat(5_000_000) })),
    ]) {
      const { status, code, message } = await ask(...calls);
      expect({ status, code }).toEqual({ status: 400, code: "invalid_request" });
      expect(message).toMatch(/^'messages\[0\]\.tool_calls\[\d\]\.function\.arguments' cannot be taken: it /);
    }
  });

  it("may say much of one side in a row", async () => {
    const { origin } = await serve();
    const part = { type: "text", text: "a" };
    const user = { role: "user", content: Array.from({ length: 7000 }, () => part) };
    const messages = [{ role: "user", content: "b" }, ...Array.from({ length: 2 }, () => user)];
    const response = await fetch(`${origin}${PATH}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: MODEL, messages }),
    });
    expect(response.status).toBe(200);
  });

  it("may not hold names of any length, and none of them is told whole", async () => {
    const { origin, log } = await serve();
    const name = "A".repeat(1_000_000);
    const ask = (body: object): Promise<Response> =>
      fetch(`${origin}${PATH}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: MODEL, messages: [{ role: "user", content: "hi" }], ...body }),
      });
    const tool = { type: "function", function: { name: "f" } };
    const file = { type: "file", file: { filename: "- ".repeat(500_000), file_data: "AAAA" } };
    for (const body of [
      { model: name },
      { model: "A".repeat(2049) },
      { messages: [{ role: name }] },
      { tools: [tool], tool_choice: { type: "function", function: { name } } },
      { reasoning_effort: name },
      { messages: [{ role: "user", content: [file] }] },
    ]) {
      const started = performance.now();
      const response = await ask(body);
      const text = await response.text();
      expect({ body: Object.keys(body)[0]?.slice(0, 20), status: response.status }).toMatchObject({
        status: 400,
      });
      expect(text.length).toBeLessThan(1500);
      expect(performance.now() - started).toBeLessThan(3000);
    }
    // A field that nobody knows is named in the log; what Converse does not take as metadata is left out.
    for (const body of [{ [name]: 1 }, { metadata: { [name]: 1, [`b${name}`]: "x" } }])
      expect((await ask(body)).status).toBe(200);
    expect((await ask({ model: "A".repeat(2048) })).status).toBe(404);
    expect((await fetch(`${origin}/v1/models/${"A".repeat(8000)}`)).status).toBe(404);
    expect(Math.max(...log.map((line) => JSON.stringify(line).length))).toBeLessThan(2500);
  });
});

describe("the paths", () => {
  it.each([
    ["POST", "/chat/completions", 404, "Did you mean /v1/chat/completions?"],
    ["POST", "/v1/v1/chat/completions", 404, "Did you mean /v1/chat/completions?"],
    ["POST", "/openai/v1/chat/completions", 404, "Did you mean /v1/chat/completions?"],
    ["GET", "/models", 404, "Did you mean /v1/models?"],
    ["POST", "/v1/completions", 404, "This server has /v1/chat/completions."],
    ["GET", "/health/liveliness", 404, "This server has /health."],
    ["GET", "/health/readiness", 404, "This server has /ready."],
    ["GET", "/v1/nothing", 404, "Unknown request URL: GET /v1/nothing."],
    ["GET", "/v1/chat/completions/", 405, "is not possible"],
    ["PUT", "/v1/chat/completions", 405, "is not possible"],
    ["GET", `/${"x".repeat(8000)}`, 404, "(8001 characters)"],
  ])("answers %s %s with a word of what to do", async (method, path, status, words) => {
    const served = await serve();
    const answer = await send(
      served,
      `${method} ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`,
    );
    expect(answer.status).toBe(status);
    expect(answer.message).toContain(words);
    if (status === 405) expect(answer.headers.get("allow")).toBe("POST");
  });

  // RFC 9110, section 9.3.7
  it("tells who asks for it the methods of the server itself", async () => {
    const served = await serve();
    const answer = await send(served, "OPTIONS * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    expect(answer).toMatchObject({ status: 204, text: "" });
    expect(answer.headers.get("allow")).toBe("GET, HEAD, POST, OPTIONS");
  });

  it("is no proxy's, and says so behind the answers that are due", async () => {
    const served = await serve();
    const asked = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    const socket = open(served);
    let received = "";
    socket.on("data", (bytes) => (received += String(bytes)));
    socket.write(asked);
    await once(socket, "data");
    socket.write("CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n\x16\x03\x01");
    await once(socket, "close");
    const [, told = ""] = received.split(/(?=HTTP\/1\.1 405)/);
    expect(parse(told)).toMatchObject({
      status: 405,
      code: "method_not_allowed",
      message: "This server is no proxy: CONNECT example.com:443 is not possible.",
    });
  });

  it("may end with a slash", async () => {
    const served = await serve();
    const slash = (part: string | Uint8Array): string => String(part).replace(PATH, `${PATH}/`);
    expect((await send(served, ...whole(ASK).map(slash))).status).toBe(200);
    for (const path of ["/health/", "/ready/", "/v1/models/", `/v1/models/${MODEL}/`])
      expect([path, (await fetch(`${served.origin}${path}`)).status]).toEqual([path, 200]);
  });

  it.each([
    ["no HTTP", "hello\r\n\r\n", 400],
    ["no path", "GET HTTP/1.1\r\n\r\n", 400],
    ["an asterisk", "GET * HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", 400],
    ["a proxy in mind", "CONNECT example.com:443 HTTP/1.1\r\nhost: example.com:443\r\n\r\n", 405],
    ["too many headers", `GET /health HTTP/1.1\r\nhost: localhost\r\nx: ${"x".repeat(20_000)}\r\n\r\n`, 431],
    ["no host", "GET /health HTTP/1.1\r\nconnection: close\r\n\r\n", 400],
    ["no host in HTTP/1.0", "GET /health HTTP/1.0\r\n\r\n", 400],
    [
      "two hosts",
      "GET /health HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
      400,
    ],
    [
      "another host in the target",
      "GET http://evil.example/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
      403,
    ],
    [
      "its own host in the target",
      "GET http://localhost/health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
      200,
    ],
    ["a blank host", "GET /health HTTP/1.1\r\nhost: \r\nconnection: close\r\n\r\n", 400],
    ["a host that is none", "GET /health HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n", 400],
  ])("answers a request with %s", async (what, request, status) => {
    const answer = await send(await serve(), request);
    expect(answer.status).toBe(status);
    if (/^no host|blank/.test(what)) expect(answer.message).toContain("send 'Host: localhost'");
    if (what === "another host in the target") expect(answer.message).toContain("not to 'evil.example'");
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(answer.headers.get("x-request-id")).toMatch(/^req_\w{32}$/);
  });
});

describe("what is not whole", () => {
  it("takes no stream from those that are", async () => {
    const served = await serve({ args: ["--max-streams", "2"] });
    const unfinished = Array.from({ length: 10 }, () => open(served));
    for (const socket of unfinished) socket.write(`${head("content-length: 1000")}{`);
    await Promise.all(unfinished.map((socket) => once(socket, "connect")));
    for (let count = 0; count < 3; count++) expect((await send(served, ...whole(ASK))).status).toBe(200);
    for (const socket of unfinished) socket.destroy();
    await served.logged(({ isAborted, status }) => isAborted === true && status === 499);
  });

  it("is given up after --read-timeout, with an answer", async () => {
    const served = await serve({ args: ["--read-timeout", "0.5"] });
    const silent = await send(served, head("content-length: 1000"), "{");
    expect(silent).toMatchObject({ status: 408, code: "request_timeout" });
    const socket = open(served);
    let received = "";
    socket.on("data", (bytes) => (received += String(bytes)));
    socket.write(head("content-length: 100000"));
    const drip = setInterval(() => socket.write(" "), 50);
    await once(socket, "close");
    clearInterval(drip);
    expect(parse(received)).toMatchObject({ status: 408, code: "request_timeout" });
    // Node looks at headers once a second.
    const headers = await send(served, "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n");
    expect(headers).toMatchObject({ status: 408, code: "invalid_request" });
    const nothing = open(served);
    await once(nothing.resume(), "close");
  });

  it("does not hold up the end of the server", async () => {
    const served = await serve();
    const socket = open(served);
    socket.write(`${head("content-length: 1000")}{`);
    let received = "";
    socket.on("data", (bytes) => (received += String(bytes)));
    await once(socket, "connect");
    expect((await fetch(`${served.origin}/health`)).status).toBe(200);
    const started = performance.now();
    expect(await served.end()).toBe(143);
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(parse(received)).toMatchObject({ status: 503, code: "shutting_down" });
  });
});

describe("bytes in flight", () => {
  const large = JSON.stringify({
    model: MODEL,
    messages: [{ role: "user", content: "x".repeat(600_000) }],
    stream: true,
  });
  const headers = { "content-type": "application/json" };

  it("are bounded for all requests together, and free again when an answer ends, fails or loses its reader", async () => {
    const { emulator, finish } = heldAnswer();
    const { origin, logged } = await serve({ emulator, args: ["--max-in-flight", "1"] });
    const ask = (body: string, signal?: AbortSignal): Promise<Response> =>
      fetch(`${origin}${PATH}`, { method: "POST", headers, body, ...(signal ? { signal } : {}) });
    const leave = new AbortController();
    expect((await ask(large, leave.signal)).status).toBe(200);
    const refused = await ask(large);
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    expect(await refused.json()).toMatchObject({ error: { code: "too_many_bytes", type: "server_error" } });
    leave.abort();
    await logged(({ isAborted }) => isAborted === true);
    for (const body of ["{".repeat(600_000), `${large.slice(0, -1)},"n":2}`])
      expect((await ask(body)).status).toBe(400);
    const next = await ask(large);
    expect(next.status).toBe(200);
    finish();
    expect(await next.text()).toContain("[DONE]");
    expect((await ask(large)).status).toBe(200);
  });

  it("are counted as they come, not as they are announced", async () => {
    const served = await serve({ args: ["--max-in-flight", "1"] });
    const unfinished = open(served);
    unfinished.write(`${head("content-length: 1000000")}{`);
    await once(unfinished, "connect");
    const ask = (): Promise<Response> =>
      fetch(`${served.origin}${PATH}`, { method: "POST", headers, body: large });
    const first = await ask();
    expect(first.status).toBe(200);
    await first.text();
    unfinished.destroy();
    await served.logged(({ isAborted }) => isAborted === true);
    const second = await ask();
    expect(second.status).toBe(200);
  });
});

describe("a connection", () => {
  it("that carries requests one behind the other has them answered in turn", async () => {
    const served = await serve();
    const socket = open(served);
    let received = "";
    socket.on("data", (bytes) => (received += String(bytes)));
    const get = "GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n";
    socket.write(get.repeat(500) + get.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n"));
    await once(socket, "close");
    expect(received.split('{"status":"ok"}')).toHaveLength(502);
  });

  it("has one answer begun after the other, however many it asks for at once", async () => {
    let running = 0;
    let most = 0;
    async function* steps(): AsyncGenerator<StreamStep> {
      running += 1;
      most = Math.max(most, running);
      yield* textAnswerSteps(["one", " two"]);
      running -= 1;
    }
    const script = ({ route }: RecordedCall) =>
      route === "ConverseStream" ? { stream: steps() } : undefined;
    const served = await serve({ emulator: { script } });
    const keep = whole(ASK)
      .map((part) => String(part).replace("connection: close\r\n", ""))
      .join("");
    const socket = open(served);
    let received = "";
    socket.on("data", (bytes) => (received += String(bytes)));
    socket.write(keep.repeat(20) + whole(ASK).join(""));
    await new Promise((resolve) => socket.once("close", resolve));
    expect(received.split("HTTP/1.1 200 OK")).toHaveLength(22);
    expect(most).toBe(1);
  });

  it("on which nothing is read is closed, though its answer is whole", async () => {
    const served = await serve({ args: ["--idle-timeout", "1"] });
    const socket = open(served);
    socket.pause();
    const get = "GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n";
    await once(socket, "connect");
    // The answers are more than the buffers of two sockets take, which Linux lets grow to 32 MB and more.
    socket.write(get.repeat(20_000));
    const closed = new Promise((resolve) => socket.once("close", resolve));
    const watch = setInterval(() => socket.write(get), 100);
    onTestFinished(() => clearInterval(watch));
    await closed;
    expect((await fetch(`${served.origin}/health`)).status).toBe(200);
  });

  it("may be one of very many", async () => {
    const served = await serve();
    const idle = Array.from({ length: 1000 }, () => open(served));
    await Promise.all(idle.map((socket) => once(socket, "connect")));
    expect((await send(served, ...whole(ASK))).status).toBe(200);
  });
});
