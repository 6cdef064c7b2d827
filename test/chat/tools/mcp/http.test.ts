import type { ServerResponse } from "node:http";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { openServer } from "../../../../src/chat/tools/mcp/open-server.ts";
import { OpenclawError } from "../../../../src/errors.ts";
import { parseExactly, toJson } from "../../../../src/json-numbers.ts";
import {
  answerWell,
  configured,
  httpServer,
  type McpExchange,
  resultFor,
} from "../../../helpers/mcp-server.ts";
import { createHome } from "../../../helpers/openclaw.ts";
import { testRuntime } from "../../../helpers/test-runtime.ts";

const QUICK = { startMs: 10_000, answerMs: 10_000 };
const signal = new AbortController().signal;
const reply = (id: number | undefined, result: object): string =>
  JSON.stringify({ jsonrpc: "2.0", id, result });

/** Opens the server of one test, which answers well but for what `answer` takes for itself. */
async function open(
  answer: (exchange: McpExchange) => boolean | void,
  { limits = QUICK, headers = {} as Record<string, string>, env = {} as Record<string, string> } = {},
) {
  const { url, asked } = await httpServer((exchange) => {
    if (answer(exchange) !== true) answerWell(exchange);
  });
  const runtime = testRuntime({ home: createHome(), env });
  const server = await openServer("far", configured("far", { url, headers }), runtime, limits);
  onTestFinished(() => server.close());
  return { server, asked, url, runtime };
}

async function failureOf(work: Promise<unknown>): Promise<OpenclawError> {
  const error = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(OpenclawError);
  return error as OpenclawError;
}

/** Answers by a stream of events, which stays open unless `isEnded`. */
function stream(response: ServerResponse, events: string, isEnded = true): true {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(events);
  if (isEnded) response.end();
  return true;
}

const isCall = ({ message }: McpExchange): boolean => message.method === "tools/call";

async function callEcho(answer: (exchange: McpExchange) => boolean | void, limits = QUICK) {
  const opened = await open(answer, { limits });
  const [tool] = await opened.server.tools();
  return { ...opened, tool: tool!, result: await tool!.run({ say: "hi" }, signal) };
}

describe("a server behind HTTP", () => {
  test("gets the numbers of a call as the model wrote them", async () => {
    const { server, asked } = await open(() => false);
    const [tool] = await server.tools();
    const input = '{"id":12345678901234567890,"share":1.0}';
    await tool!.run(parseExactly(input) as Record<string, unknown>, signal);
    expect(asked.find(isCall)?.body).toContain(`"arguments":${input}`);
  });

  test.each([200, 202, 204, 205])("may say to what wants no answer that it has come: %i", async (status) => {
    const { server } = await open(({ message, response }) => {
      if (message.id !== undefined || message.method === undefined) return false;
      response.writeHead(status).end();
      return true;
    });
    expect(await server.tools()).toHaveLength(1);
  });

  const ID = 12_345;
  const RESULT = `{"_meta":{"share":1.0},"content":[],"structuredContent":{"id":12345678901234567890,"share":0.10,"at":${ID}}}`;
  const SCHEMA = '{"type":"object","properties":{"id":{"enum":[12345678901234567890]}}}';

  test.each<[string, (response: ServerResponse, json: string) => void]>([
    ["JSON", (response, json) => response.writeHead(200, { "content-type": "application/json" }).end(json)],
    [
      "JSON in lines",
      (response, json) =>
        response.writeHead(200, { "content-type": "application/json" }).end(json.replaceAll(",", ",\r\n")),
    ],
    [
      "events that come byte by byte",
      (response, json) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        for (const byte of Buffer.from(`id: 1.0\nevent: message\ndata: ${json}\n\n`))
          response.write(Buffer.of(byte));
        response.end();
      },
    ],
  ])("tells numbers as it wrote them: in %s", async (_, say) => {
    const { server, asked } = await open(({ message: { id, method }, response }) => {
      const result = method === "tools/call" ? RESULT : `{"tools":[{"name":"find","inputSchema":${SCHEMA}}]}`;
      if (method !== "tools/call" && method !== "tools/list") return false;
      say(response, `{"jsonrpc":"2.0","id":${id},"result":${result}}`);
      return true;
    });
    const [tool] = await server.tools();
    expect(toJson(tool!.inputSchema)).toBe(SCHEMA);
    const { content } = await tool!.run({}, signal);
    expect(toJson(content)).toBe('[{"json":{"id":12345678901234567890,"share":0.10,"at":12345}}]');
    expect(asked.filter(isCall)).toHaveLength(1);
  });

  test("is told apart from what is nested too deep to be read", async () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const { server } = await open(({ message: { id, method }, response }) => {
      if (method !== "tools/call") return false;
      response.writeHead(200, { "content-type": "application/json" });
      response.end(`{"jsonrpc":"2.0","id":${id},"result":{"structuredContent":{"a":${deep}}}}`);
      return true;
    });
    const [tool] = await server.tools();
    const { content, isError } = await tool!.run({}, signal);
    expect([toJson(content), isError]).toEqual([
      expect.stringContaining("nested more than 256 levels deep"),
      true,
    ]);
  });

  test("is asked with the version agreed on, its session, the headers of the settings and this program's name", async () => {
    const { server, asked } = await open(
      (exchange) => {
        if (exchange.message.method !== "initialize") return false;
        answerWell(exchange, { "mcp-session-id": "s1" });
        return true;
      },
      { headers: { Authorization: "Bearer of-the-settings", "X-Team": "blue" } },
    );
    const [tool] = await server.tools();
    expect(await tool!.run({ say: "hi" }, signal)).toEqual({
      content: [{ text: '{"say":"hi"}' }],
      isError: false,
    });
    await server.close();
    const sent = asked.map(({ request: { method, headers }, message }) => ({
      method,
      headers,
      said: message.method,
    }));
    for (const { headers } of sent)
      expect(headers).toMatchObject({
        authorization: "Bearer of-the-settings",
        "x-team": "blue",
        "user-agent": expect.stringMatching(/^openclaw\//) as string,
      });
    const [first, ...others] = sent;
    expect(first!.headers["mcp-session-id"]).toBeUndefined();
    for (const { headers } of others)
      expect(headers).toMatchObject({ "mcp-session-id": "s1", "mcp-protocol-version": "2025-11-25" });
    expect(sent.map(({ method, said }) => said ?? method).toSorted()).toEqual(
      ["DELETE", "GET", "initialize", "notifications/initialized", "tools/call", "tools/list"].toSorted(),
    );
  });

  test("may answer by a stream of events, in pieces cut anywhere", async () => {
    const { result } = await callEcho((exchange) => {
      if (!isCall(exchange)) return false;
      const { response, message } = exchange;
      response.writeHead(200, { "content-type": "text/event-stream" });
      const events = Buffer.from(
        `: hi\n\nevent: message\ndata: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/progress", params: { progressToken: 1, progress: 1 } })}\n\nevent: message\ndata: ${reply(message.id, { content: [{ type: "text", text: "Grüße" }] })}\n\n`,
      );
      for (const byte of events) response.write(Buffer.of(byte));
      response.end();
      return true;
    });
    expect(result.content).toEqual([{ text: "Grüße" }]);
  });

  test("tells that its tools have changed by the stream for what it says unasked", async () => {
    let open: ServerResponse | undefined;
    const { server } = await (async () => {
      let lists = 0;
      return openWith(({ request, response, message }) => {
        if (request.method === "GET") {
          open = response;
          return stream(response, ": open\n\n", false);
        }
        if (message.method !== "tools/list") return false;
        lists += 1;
        response.writeHead(200, { "content-type": "application/json" });
        response.end(reply(message.id, { tools: [{ name: `t${lists}`, inputSchema: { type: "object" } }] }));
        return true;
      });
    })();
    expect((await server.tools()).map(({ name }) => name)).toEqual(["far__t1"]);
    await vi.waitFor(() => expect(open).toBeDefined());
    open!.write(`data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n`);
    await vi.waitFor(async () => expect((await server.tools()).map(({ name }) => name)).toEqual(["far__t2"]));
  });
  const openWith = open;

  test("that has forgotten the session is greeted anew, and asked once more", async () => {
    let sessions = 0;
    const { server, asked } = await open((exchange) => {
      const { request, response, message } = exchange;
      if (message.method === "initialize") {
        sessions += 1;
        answerWell(exchange, { "mcp-session-id": `s${sessions}` });
        return true;
      }
      if (request.method === "POST" && isCall(exchange) && request.headers["mcp-session-id"] === "s1") {
        response
          .writeHead(404, { "content-type": "application/json" })
          .end('{"error":{"message":"Session not found"}}');
        return true;
      }
      return false;
    });
    const [tool] = await server.tools();
    expect(await tool!.run({ say: "hi" }, signal)).toMatchObject({ isError: false });
    expect(sessions).toBe(2);
    expect(asked.filter(isCall).map(({ request }) => request.headers["mcp-session-id"])).toEqual([
      "s1",
      "s2",
    ]);
  });

  test("goes on with an answer over a new stream where the first one broke off", async () => {
    let call: number | undefined;
    const { result, asked } = await callEcho((exchange) => {
      const { request, response, message } = exchange;
      if (request.method === "GET" && request.headers["last-event-id"] === "e1")
        return stream(
          response,
          `id: e2\ndata: ${reply(call, { content: [{ type: "text", text: "whole" }] })}\n\n`,
        );
      if (!isCall(exchange)) return false;
      call = message.id;
      return stream(response, "id: e1\nretry: 10\ndata: \n\n");
    });
    expect(result).toEqual({ content: [{ text: "whole" }], isError: false });
    expect(asked.filter(isCall)).toHaveLength(1);
  });

  test.each<[string, (exchange: McpExchange) => boolean]>([
    ["ends", ({ response }) => stream(response, ": nothing\n\n")],
    [
      "is cut",
      ({ response }) => {
        stream(response, 'data: {"jsonrpc"', false);
        setImmediate(() => response.destroy());
        return true;
      },
    ],
    ["could go on, and does not", ({ response }) => stream(response, "id: e1\nretry: 10\ndata: \n\n")],
  ])("whose stream %s fails the call at once", async (_, answer) => {
    const started = performance.now();
    const { result } = await callEcho((exchange) => {
      if (exchange.request.method === "GET" && exchange.request.headers["last-event-id"] !== undefined) {
        exchange.response.writeHead(400).end();
        return true;
      }
      return isCall(exchange) && answer(exchange);
    });
    expect(result).toMatchObject({
      content: [{ text: expect.stringContaining("the connection broke off before it answered") as string }],
      isError: true,
    });
    expect(performance.now() - started).toBeLessThan(8000);
  });

  test.each<[string, (response: ServerResponse, id: number | undefined) => void, RegExp]>([
    [
      "500",
      (response) => void response.writeHead(500).end("out of disk"),
      /answers HTTP 500: out of disk\.$/,
    ],
    ["429", (response) => void response.writeHead(429).end(), /answers HTTP 429\.$/],
    [
      "cut JSON",
      (response) => {
        response.writeHead(200, { "content-type": "application/json" });
        response.write('{"jsonrpc"');
        setImmediate(() => response.destroy());
      },
      /MCP server 'far'/,
    ],
    [
      "no JSON",
      (response) => void response.writeHead(200, { "content-type": "application/json" }).end("hello"),
      /has no usable answer to tools\/call: /,
    ],
    [
      "JSON of something else",
      (response) => void response.writeHead(200, { "content-type": "application/json" }).end('{"ok":true}'),
      /has no usable answer to tools\/call: /,
    ],
    [
      "JSON-RPC without an id",
      (response) =>
        void response
          .writeHead(200, { "content-type": "application/json" })
          .end('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}'),
      /answer to tools\/call: it sent an answer that is none of JSON-RPC\.$/,
    ],
    [
      "the answer to another request",
      (response, id) =>
        void response
          .writeHead(200, { "content-type": "application/json" })
          .end(reply((id ?? 0) + 100, { content: [] })),
      /: it answered a request that it was not asked\.$/,
    ],
    [
      "an event that is none of JSON-RPC",
      (response) => void stream(response, "data: {nope\n\n"),
      /: it sent an answer that is none of JSON-RPC\.$/,
    ],
    [
      "a refusal that does not end",
      (response) => void response.writeHead(503, { "content-type": "text/plain" }).write("Bus"),
      /answers HTTP 503\.$/,
    ],
    [
      "a refusal in JSON with escapes",
      (response) =>
        void response.writeHead(500).end('{"error":{"message":"no \\u201cdisk\\u201d\\nat \\"all\\""}}'),
      /answers HTTP 500: no \u201Cdisk\u201D\s+at "all"\.$/,
    ],
    [
      "redirects that lead nowhere",
      (response) => void response.writeHead(307, { location: "/mcp" }).end(),
      /redirects again and again, and answers nowhere\.$/,
    ],
    [
      "another type",
      (response) => void response.writeHead(200, { "content-type": "text/plain" }).end("hi"),
      /it answers with text\/plain: hi\.$/,
    ],
    ["no type", (response) => void response.writeHead(200).end(), /it answers with something of no type\.$/],
    ["nothing", (response) => void response.writeHead(202).end(), /it answers with nothing\.$/],
    [
      "too much",
      (response) => {
        response.writeHead(200, { "content-type": "application/json" });
        const more = (): void => void (response.destroyed || response.write(" ".repeat(1_000_000), more));
        more();
      },
      /a message of more than 16 MB/,
    ],
    [
      "an endless event",
      (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write("data: ");
        const more = (): void => void (response.destroyed || response.write("x".repeat(1_000_000), more));
        more();
      },
      /error: it sent a message of more than 16 MB\.$/,
    ],
    ["a reset connection", (response) => void response.destroy(), /closed the connection before it answered/],
  ])("in a call %s: that is its result", async (_, answer, message) => {
    const { result, server } = await callEcho((exchange) => {
      if (!isCall(exchange)) return false;
      answer(exchange.response, exchange.message.id);
      return true;
    });
    expect(result).toMatchObject({
      content: [{ text: expect.stringMatching(message) as string }],
      isError: true,
    });
    expect(await server.tools()).toHaveLength(1);
  });

  test("that never answers a call: the call ends by its time, and its connection with it", async () => {
    let isClosed = false;
    const { result, asked } = await callEcho(
      (exchange) => {
        if (!isCall(exchange)) return false;
        exchange.response.on("close", () => (isClosed = true));
        return stream(exchange.response, ": wait\n\n", false);
      },
      { ...QUICK, answerMs: 400 },
    );
    expect(result.content).toEqual([
      { text: expect.stringContaining("did not answer tools/call within 0.4 s") as string },
    ]);
    await vi.waitFor(() => expect(isClosed).toBe(true));
    await vi.waitFor(() =>
      expect(asked.map(({ message }) => message.method)).toContain("notifications/cancelled"),
    );
  });

  test("whose streams end at once is not asked for one without pause", async () => {
    const { server, asked } = await open(({ request, response }) =>
      request.method === "GET" ? stream(response, "retry: 0\n\n") : false,
    );
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await server.close();
    expect(asked.filter(({ request }) => request.method === "GET").length).toBeLessThanOrEqual(2);
  });

  test("whose answer is a redirect within it is asked there, however long the answer takes", async () => {
    const { server } = await open((exchange) => {
      const { request, response, message } = exchange;
      if (request.method !== "POST") return false;
      if (request.url === "/mcp") response.writeHead(307, { location: "/mcp/" }).end("There.");
      else if (message.method === "tools/list") setTimeout(() => answerWell(exchange), 1000);
      else return false;
      return true;
    });
    expect(await server.tools()).toHaveLength(1);
  });

  test("whose answers are for nobody is told so when its time is up", async () => {
    const { result } = await callEcho(
      (exchange) =>
        isCall(exchange) && stream(exchange.response, `data: ${reply(12_345, { content: [] })}\n\n`, false),
      { ...QUICK, answerMs: 400 },
    );
    expect(result.content).toEqual([
      {
        text: expect.stringContaining("within 0.4 s: it answered a request that it was not asked.") as string,
      },
    ]);
  });
});

describe("a server that lets nobody in", () => {
  const refuse = (status: number, headers: Record<string, string> = {}, body = "") => {
    return ({ response }: McpExchange): true => {
      response.writeHead(status, headers).end(body);
      return true;
    };
  };

  test.each<[string, ReturnType<typeof refuse>, object]>([
    [
      "asks for a login",
      refuse(
        401,
        { "www-authenticate": 'Bearer resource_metadata="https://a.example/x"' },
        '{"error":"invalid_token","error_description":"No token"}',
      ),
      {
        code: "config-invalid",
        exitCode: 3,
        message: "The MCP server 'far' asks for a login (HTTP 401): No token.",
        hint: "Give it a token: openclaw config set mcpServers.far.headers.Authorization 'Bearer ${NAME}'",
      },
    ],
    [
      "does not let this caller in",
      refuse(403),
      { exitCode: 3, message: "The MCP server 'far' does not let this caller in (HTTP 403)." },
    ],
    [
      "is not there",
      refuse(404, { "content-type": "text/html" }, "<h1>Not found</h1>"),
      {
        exitCode: 3,
        message: /^There is no MCP server at http:\/\/127.0.0.1:\d+\/mcp: it answers HTTP 404\.$/,
      },
    ],
    ["takes no POST", refuse(405), { exitCode: 3, hint: /HTTP\+SSE/ }],
    [
      "is a web site",
      refuse(200, { "content-type": "text/html; charset=utf-8" }, "<html>"),
      { exitCode: 5, message: /it answers with a web page/ },
    ],
    [
      "is elsewhere in itself, for those who read",
      refuse(302, { location: "/login?next=secret" }),
      { exitCode: 3, message: /said to be elsewhere, at http:\/\/127\.0\.0\.1:\d+\/login;/ },
    ],
    [
      "is elsewhere",
      refuse(307, { location: "https://other.example/mcp?token=secret" }),
      { exitCode: 3, message: /said to be elsewhere, at other\.example;/ },
    ],
    [
      "is broken",
      refuse(503, {}, "Down."),
      { code: "service-unavailable", exitCode: 5, message: "The MCP server 'far' answers HTTP 503: Down." },
    ],
  ])("%s", async (_, answer, comes) => {
    const failure = await failureOf(open(answer));
    for (const [key, value] of Object.entries(comes)) {
      if (value instanceof RegExp) expect(failure[key as "message"]).toMatch(value);
      else expect(failure[key as "message"]).toBe(value);
    }
  });

  test("tells no secret that it is sent", async () => {
    const failure = await failureOf(
      open(refuse(401, {}, "The token of-the-settings is unknown"), {
        headers: { Authorization: "Bearer of-the-settings" },
      }),
    );
    expect(failure.message).not.toContain("of-the-settings");
  });

  test("does not exist", async () => {
    const runtime = testRuntime({ home: createHome() });
    expect(
      await failureOf(openServer("far", configured("far", { url: "http://127.0.0.1:9/mcp" }), runtime)),
    ).toMatchObject({
      code: "network",
      message: "Nothing accepts connections at http://127.0.0.1:9/mcp (mcpServers.far.url).",
    });
  });

  test("never answers", async () => {
    const failure = await failureOf(open(() => true, { limits: { ...QUICK, startMs: 400 } }));
    expect(failure).toMatchObject({
      code: "timeout",
      message: "The MCP server 'far' did not answer initialize within 0.4 s.",
    });
  });

  test.each([
    ["no address", { url: "far.example" }, /mcpServers\.far\.url/],
    ["another scheme", { url: "ftp://far.example" }, /mcpServers\.far\.url/],
    [
      "a header with a line end",
      { url: "http://127.0.0.1:9", headers: { "X-A": "a\r\nb" } },
      /header 'X-A' has a character/,
    ],
    [
      "a header with a space in its name",
      { url: "http://127.0.0.1:9", headers: { "X A": "a" } },
      /header 'X A' has a character/,
    ],
  ])("has %s in the settings: exit 3", async (_, setting, message) => {
    const failure = await failureOf(
      openServer("far", configured("far", setting), testRuntime({ home: createHome() })),
    );
    expect(failure).toMatchObject({ exitCode: 3, message: expect.stringMatching(message) as string });
  });
});

test("user and password of an address are sent as Basic authentication", async () => {
  const { url, asked } = await httpServer((exchange) => answerWell(exchange));
  const server = await openServer(
    "far",
    configured("far", { url: url.replace("//", "//me:p%40ss@") }),
    testRuntime({ home: createHome() }),
  );
  await server.close();
  expect(asked[0]!.request.headers.authorization).toBe(`Basic ${Buffer.from("me:p@ss").toString("base64")}`);
  expect(resultFor(asked[0]!.message)).toMatchObject({ serverInfo: { name: "test" } });
});
