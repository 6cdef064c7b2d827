import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect as connectHttp2, constants, type ClientHttp2Session } from "node:http2";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import {
  BedrockRuntimeClient,
  ConverseCommand,
  ConverseStreamCommand,
} from "@aws-sdk/client-bedrock-runtime";
import { NodeHttp2Handler } from "@smithy/node-http-handler";
import { NodeHttp2Handler as OldHttp2Handler } from "smithy-node-http-handler-4-5";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RecordedCall, StreamStep } from "../../src/emulator/emulator.ts";
import { textStep } from "../helpers/answer-steps.ts";
import { field, FLAG, frame, FRAME, openRawHttp2, requestHeaders, uint32 } from "../helpers/http2-frames.ts";
import { heldAnswer } from "../helpers/held-answer.ts";
import { gate, MODEL, serve } from "../helpers/served.ts";
import { isThorough } from "../helpers/thorough.ts";

/** Of the requests of one connection those whose prompt says so. */
const isToBeHeld = ({ body }: RecordedCall): boolean => JSON.stringify(body).includes("hold");

const ask = { model: MODEL, messages: [{ role: "user" as const, content: "x" }] };

function open(origin: string): ClientHttp2Session {
  const session = connectHttp2(origin);
  session.on("error", () => undefined);
  onTestFinished(() => session.destroy());
  return session;
}

/** Sends a request. `whole` resolves to its answer, however it ended. */
function send(
  session: ClientHttp2Session,
  path: string,
  body?: object,
  headers: Record<string, string> = {},
) {
  const stream = session.request({
    ":path": path,
    ":method": body ? "POST" : "GET",
    ...(body ? { "content-type": "application/json" } : {}),
    ...headers,
  });
  stream.on("error", () => undefined);
  let text = "";
  let head: Record<string, unknown> = {};
  stream.on("response", (fields) => {
    head = fields;
  });
  stream.setEncoding("utf8").on("data", (piece: string) => {
    text += piece;
  });
  stream.end(body && JSON.stringify(body));
  const whole = once(stream, "close").then(() => ({
    status: head[":status"],
    headers: head,
    text,
    code: stream.rstCode,
  }));
  return { stream, whole };
}

const held = { model: MODEL, stream: true, messages: [{ role: "user", content: "hold" }] };

describe("HTTP/2 in clear", () => {
  it("answers as HTTP/1.1 does, many requests on one connection", async () => {
    const { origin, logged } = await serve();
    const session = open(origin);
    const all = await Promise.all([
      send(session, "/health").whole,
      send(session, "/v1/models").whole,
      send(session, "/v1/chat/completions", ask).whole,
      send(session, "/v1/chat/completions", { ...ask, stream: true }).whole,
      send(session, "/v1/nothing", { x: 1 }).whole,
    ]);
    expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200, 404]);
    expect(all[2]?.text).toContain("You asked: x");
    expect(all[3]?.text).toMatch(/You asked: x[^]*data: \[DONE\]\n\n$/);
    for (const { headers, code } of all) {
      expect(headers).not.toHaveProperty("connection");
      expect(headers["x-request-id"]).toMatch(/^[\w-]{20,}$/);
      expect(code).toBe(0);
    }
    await logged(({ isStreamed, status }) => isStreamed === true && status === 200);
  });

  it("is what curl speaks with prior knowledge", async (context) => {
    const { origin } = await serve();
    const run = promisify(execFile);
    const { stdout: version } = await run("curl", ["--version"]).catch(() => ({ stdout: "" }));
    if (!version.includes("HTTP2")) context.skip("This machine has no curl that speaks HTTP/2.");
    const about = ["-sS", "--http2-prior-knowledge", "-w", "\n%{http_version} %{http_code}"];
    const json = ["-H", "content-type: application/json", "-d", JSON.stringify(ask)];
    const { stdout } = await run("curl", [...about, ...json, `${origin}/v1/chat/completions`]);
    expect(stdout).toMatch(/You asked: x[^]*\n2 200$/);
  });

  it.each([
    ["this one", NodeHttp2Handler],
    ["@smithy/node-http-handler 4.5", OldHttp2Handler],
  ])("is what AWS's SDK speaks to an address without TLS: %s", async (_, Handler) => {
    const text = "word ".repeat(800);
    const { origin } = await serve({ emulator: { dialogue: [{ text }], delayMs: 1 } });
    const client = new BedrockRuntimeClient({
      endpoint: origin,
      region: "us-east-1",
      token: { token: "none" },
      authSchemePreference: ["httpBearerAuth"],
      requestHandler: new Handler({ disableConcurrentStreams: true }),
      maxAttempts: 1,
    });
    onTestFinished(() => client.destroy());
    const question = { modelId: MODEL, messages: [{ role: "user" as const, content: [{ text: "x" }] }] };
    const { output } = await client.send(new ConverseCommand(question));
    expect(output?.message?.content).toEqual([{ text }]);
    const { stream } = await client.send(new ConverseStreamCommand(question));
    let streamed = "";
    for await (const { contentBlockDelta } of stream ?? []) streamed += contentBlockDelta?.delta?.text ?? "";
    expect(streamed).toBe(text);
  });

  it("tells what is wrong before a body is whole, and takes no more of it", async () => {
    const { origin } = await serve({ args: ["--max-body", "1"] });
    const session = open(origin);
    const { stream, whole } = send(session, "/v1/chat/completions", undefined, {
      ":method": "POST",
      "content-type": "application/json",
    });
    expect((await whole).status).toBe(400);
    expect(stream.rstCode).toBe(0);
    const endless = session.request(
      { ":path": "/v1/chat/completions", ":method": "POST", "content-type": "application/json" },
      { endStream: false },
    );
    endless.on("error", () => undefined);
    const [head] = (await Promise.all([
      once(endless, "response"),
      (async () => {
        while (!endless.destroyed && !endless.writableEnded) {
          if (endless.write(" ".repeat(60_000))) continue;
          const over = new AbortController();
          const { signal } = over;
          const events = ["drain", "close"].map((name) => once(endless, name, { signal }));
          await Promise.race(events).catch(() => undefined);
          over.abort();
          await Promise.allSettled(events);
        }
      })(),
      once(endless.resume(), "close"),
    ])) as [[Record<string, unknown>], void, unknown];
    expect(head[0][":status"]).toBe(413);
    expect(endless.rstCode).toBe(0);
    expect((await send(session, "/health").whole).status).toBe(200);
  });

  it("asks no model for a request that its client took back", async () => {
    const { origin, logged, routes } = await serve();
    const session = open(origin);
    const stream = session.request({
      ":path": "/v1/chat/completions",
      ":method": "POST",
      "content-type": "application/json",
    });
    stream.on("error", () => undefined);
    // Whole to look at, and not said to be.
    await new Promise((resolve) => stream.write(JSON.stringify(ask), resolve));
    await new Promise((resolve) => session.ping(resolve));
    stream.close(constants.NGHTTP2_CANCEL);
    expect(await logged(({ kind }) => kind === "request")).toMatchObject({ status: 499, isAborted: true });
    expect(routes().filter((route) => route.startsWith("Converse"))).toEqual([]);
  });

  it("stops the call to Bedrock of a stream that is cancelled, and no other's", async () => {
    const { emulator, left } = heldAnswer(isToBeHeld);
    const { origin, logged } = await serve({ emulator });
    const session = open(origin);
    const { stream } = send(session, "/v1/chat/completions", held);
    await once(stream, "data");
    stream.close(constants.NGHTTP2_CANCEL);
    await left;
    expect(await logged(({ isAborted }) => isAborted === true)).toMatchObject({ status: 499 });
    expect((await send(session, "/v1/chat/completions", ask).whole).status).toBe(200);
  });
});

describe("the name by which HTTP/2 asks", () => {
  it.each([
    ["localhost", { ":authority": "localhost:1" }, 200],
    ["no other", { ":authority": "evil.example" }, 403],
    ["the same in both places", { ":authority": "localhost", host: "localhost" }, 200],
    ["two that differ", { ":authority": "localhost", host: "evil.example" }, 400],
  ])("is %s", async (_, headers, status) => {
    const { origin } = await serve();
    expect((await send(open(origin), "/health", undefined, headers).whole).status).toBe(status);
  });
});

describe("an HTTP/2 client that does nothing", () => {
  it("is left after --idle-timeout, however often it pings", async () => {
    const { origin } = await serve({ args: ["--idle-timeout", "1"] });
    const session = open(origin);
    const pings = setInterval(() => session.ping(() => undefined), 100);
    onTestFinished(() => clearInterval(pings));
    const [[code]] = (await Promise.all([once(session, "goaway"), once(session, "close")])) as [
      [number],
      unknown,
    ];
    expect(code).toBe(constants.NGHTTP2_NO_ERROR);
  });

  it("may send a body a byte a frame", async () => {
    const { origin } = await serve();
    const stream = open(origin).request({
      ":method": "POST",
      ":path": "/v1/chat/completions",
      "content-type": "application/json",
    });
    for (const byte of Buffer.from(JSON.stringify(ask).padEnd(5000))) stream.write(Buffer.of(byte));
    stream.end();
    expect((await text(stream)).slice(0, 200)).toContain("chat.completion");
  });

  it("is left where it begins no request within the time for headers", async () => {
    const { origin } = await serve({ args: ["--read-timeout", "1"] });
    const [silent, asking] = [open(origin), open(origin)];
    const { whole } = send(asking, "/v1/chat/completions", {});
    await Promise.all([once(silent, "close"), whole]);
    expect(asking.closed).toBe(false);
  });

  it("is let be while a model thinks", async () => {
    const { emulator, finish } = heldAnswer(isToBeHeld);
    const { origin } = await serve({ emulator, args: ["--idle-timeout", "1", "--heartbeat", "60"] });
    const session = open(origin);
    const { stream, whole } = send(session, "/v1/chat/completions", held);
    await once(stream, "data");
    setTimeout(finish, 2500);
    expect((await whole).text).toMatch(/first [^]*last[^]*\[DONE\]/);
  });

  it.each([
    ["a preface and no more", []],
    ["headers that do not end", [frame(FRAME.HEADERS, 0, 1, requestHeaders())]],
    [
      "a body that does not come",
      [frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, requestHeaders("/v1/chat/completions"))],
    ],
  ])("is left: %s", async (_, frames) => {
    const { origin } = await serve({ args: ["--idle-timeout", "1", "--read-timeout", "1"] });
    const raw = await openRawHttp2(Number(new URL(origin).port));
    await raw.send(...frames);
    await raw.closed;
  });

  it("is given up when it takes nothing of its answer, and others on the connection are not", async () => {
    const { opened: left, open: leave } = gate();
    async function* endless(): AsyncGenerator<StreamStep> {
      try {
        for (;;) yield textStep("x".repeat(10_000));
      } finally {
        leave();
      }
    }
    const script = ({ route }: RecordedCall) =>
      route === "ConverseStream" ? { stream: endless() } : undefined;
    const { origin, logged } = await serve({ args: ["--idle-timeout", "1"], emulator: { script } });
    const session = open(origin);
    const stalled = session.request({
      ":path": "/v1/chat/completions",
      ":method": "POST",
      "content-type": "application/json",
    });
    stalled.on("error", () => undefined);
    stalled.end(JSON.stringify({ ...ask, stream: true }));
    await once(stalled, "response");
    await left;
    expect(await logged(({ isAborted }) => isAborted === true)).toMatchObject({
      notices: ["The client took nothing for too long."],
    });
    expect((await send(session, "/health").whole).status).toBe(200);
    if (!stalled.closed) await once(stalled.resume(), "close");
    expect(stalled.rstCode).toBe(constants.NGHTTP2_CANCEL);
  });
});

describe("the end of a server with HTTP/2 connections", () => {
  it("says goodbye to those without requests, and lets running streams end without a word", async () => {
    const { emulator, finish } = heldAnswer(isToBeHeld);
    const { origin, end, logged } = await serve({ emulator });
    const [busy, still] = [open(origin), open(origin)];
    const said: string[] = [];
    busy.on("goaway", () => said.push("goaway"));
    const { stream, whole } = send(busy, "/v1/chat/completions", held);
    await Promise.all([once(stream, "data"), send(still, "/health").whole]);
    const ended = end();
    await once(still, "close");
    await logged(({ kind }) => kind === "note");
    expect(said).toEqual([]);
    const late = await send(open(origin), "/v1/chat/completions", ask).whole;
    expect([late.status, late.headers["connection"]]).toEqual([503, undefined]);
    finish();
    expect((await whole).text).toMatch(/first [^]*last[^]*\[DONE\]/);
    expect(await ended).toBe(143);
  });

  it("does not wait for clients that read nothing", async () => {
    const { emulator } = heldAnswer(isToBeHeld);
    const { origin, end } = await serve({ emulator, args: ["--drain-timeout", "0.2"] });
    const { stream } = send(open(origin), "/v1/chat/completions", held);
    await once(stream, "data");
    stream.pause();
    const raw = await openRawHttp2(Number(new URL(origin).port));
    raw.socket.pause();
    const since = performance.now();
    expect(await end()).toBe(143);
    expect(performance.now() - since).toBeLessThan(4000);
  });
});

/** Others wait this long at most, in ms: a busy machine takes its part of it. */
const LONGEST_MS = 2000;

describe("a hostile HTTP/2 client", () => {
  const settings = Array.from({ length: 30 }, (_, index) =>
    Buffer.concat([Buffer.of(0, 4), uint32(65_535 + index)]),
  );
  /** What is sent again and again; `n` counts from 0. */
  const floods: [string, (n: number) => Uint8Array[]][] = [
    [
      "resets what it asks (CVE-2023-44487)",
      (n) => [
        frame(FRAME.HEADERS, FLAG.END_HEADERS | FLAG.END_STREAM, 2 * n + 1, requestHeaders()),
        frame(FRAME.RST_STREAM, 0, 2 * n + 1, uint32(8)),
      ],
    ],
    [
      "has its streams reset (CVE-2025-8671)",
      (n) => [
        frame(FRAME.HEADERS, FLAG.END_HEADERS, 2 * n + 1, requestHeaders("/v1/chat/completions")),
        frame(FRAME.WINDOW_UPDATE, 0, 2 * n + 1, uint32(0)),
      ],
    ],
    [
      "goes on with headers (CVE-2024-27316)",
      (n) => [
        n === 0
          ? frame(FRAME.HEADERS, 0, 1, requestHeaders())
          : frame(FRAME.CONTINUATION, 0, 1, field(`x-${n}`, "x".repeat(1000))),
      ],
    ],
    ["sends empty continuations", (n) => [frame(n === 0 ? FRAME.HEADERS : FRAME.CONTINUATION, 0, 1)]],
    ["pings", (n) => [frame(FRAME.PING, 0, 0, Buffer.concat([uint32(0), uint32(n)]))]],
    ["settles", () => [frame(FRAME.SETTINGS, 0, 0, Buffer.concat(settings))]],
    [
      "sends a body of empty frames",
      (n) => [
        n === 0
          ? frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, requestHeaders("/v1/chat/completions"))
          : frame(FRAME.DATA, 0, 1),
      ],
    ],
    [
      "sends a body a byte a frame",
      (n) => [
        n === 0
          ? frame(FRAME.HEADERS, FLAG.END_HEADERS, 1, requestHeaders("/v1/chat/completions"))
          : frame(FRAME.DATA, 0, 1, Buffer.of(0x20)),
      ],
    ],
    [
      "opens streams without an end",
      (n) => [frame(FRAME.HEADERS, FLAG.END_HEADERS, 2 * n + 1, requestHeaders("/v1/chat/completions"))],
    ],
    [
      "sends large headers",
      (n) => [
        frame(
          FRAME.HEADERS,
          FLAG.END_HEADERS | FLAG.END_STREAM,
          2 * n + 1,
          Buffer.concat([requestHeaders(), field("x-large", "x".repeat(15_000))]),
        ),
      ],
    ],
    ["sends what is no frame", () => [Buffer.alloc(5000, 0xff)]],
  ];

  it.each(
    floods.flatMap(([what, make]) => [
      [what, true, make] as const,
      [`${what}, and reads nothing`, false, make] as const,
    ]),
  )("%s: takes no time and no memory from others", async (_, isReading, make) => {
    const { origin, child } = await serve({ isAlone: true });
    const port = Number(new URL(origin).port);
    await fetch(`${origin}/health`);
    const raw = await openRawHttp2(port);
    if (!isReading) raw.socket.pause();
    const over = new AbortController();
    let isCut = false;
    const flood = (async () => {
      for (let n = 0; !over.signal.aborted; n += 100) {
        const parts = Array.from({ length: 100 }, (_, index) => make(n + index)).flat();
        if (!(await raw.send(...parts))) break;
        await new Promise((resolve) => setImmediate(resolve));
      }
      isCut = true;
    })();
    const before = residentBytes(child.pid);
    // Whether others wait shows at once; memory takes its time, and grows most where nothing is read.
    const until = performance.now() + (isReading && !isThorough ? 500 : 1500);
    // A server that has closed the connection has nothing more to bear.
    for (let isLast = false; !isLast;) {
      isLast = isCut || performance.now() > until;
      const since = performance.now();
      expect((await fetch(`${origin}/health`)).status).toBe(200);
      expect(performance.now() - since).toBeLessThan(LONGEST_MS);
    }
    expect(residentBytes(child.pid) - before).toBeLessThan(150 * 1024 * 1024);
    over.abort();
    raw.socket.destroy();
    await flood;
  });
});

/** Of a process, where the system tells it; 0 elsewhere. */
function residentBytes(pid: number | undefined): number {
  if (process.platform !== "linux") return 0;
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}
