import { writeFileSync } from "node:fs";
import path from "node:path";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import type { Configured } from "../../src/config/configured-tools.ts";
import type { McpServerSetting } from "../../src/config/settings.ts";

/**
 * What a server of tests does by default: one tool that repeats its input. Each function gets the params of a request and
 * returns its result, throws its error, or returns undefined and answers by itself.
 */
const PRELUDE = `
const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n");
const text = (text) => ({ content: [{ type: "text", text }] });
const tool = (name, more = {}) => ({ name, description: "Repeats.", inputSchema: { type: "object" }, ...more });
const notes = [];
const answers = {
  initialize: ({ protocolVersion }) => ({
    protocolVersion, capabilities: { tools: {}, prompts: {}, resources: {} }, serverInfo: { name: "test", version: "1" },
  }),
  "tools/list": () => ({ tools: [tool("echo")] }),
  "tools/call": ({ name, arguments: input }) => text(JSON.stringify(input)),
};
const take = (line) => {
  const { id, method, params, error, result } = JSON.parse(line);
  if (method === undefined) return answers.answer?.({ id, error, result });
  if (id === undefined) return void notes.push({ method, params });
  const answer = answers[method];
  if (!answer) return send({ id, error: { code: -32601, message: "Method not found" } });
  try {
    const result = answer(params, id);
    if (result !== undefined) send({ id, result });
  } catch (error) {
    send({ id, error: { code: error.code ?? -32000, message: error.message } });
  }
};
let rest = "";
process.stdin.setEncoding("utf8").on("data", (piece) => {
  const lines = (rest + piece).split("\\n");
  rest = lines.pop();
  for (const line of lines) take(line);
}).on("end", () => process.exit());
`;

/** Writes a server that speaks over its stdin and stdout, with changes to what it does, and tells how it is started. */
export function stdioServer(home: string, changes = "", env: Readonly<Record<string, string>> = {}) {
  const file = path.join(home, `server-${Math.random().toString(36).slice(2)}.cjs`);
  writeStdioServer(file, changes);
  return {
    command: process.execPath,
    args: [file],
    env: { PATH: process.env["PATH"] ?? "", ...env },
    cwd: home,
  };
}

/** Writes such a server to a file. */
export function writeStdioServer(file: string, changes = ""): void {
  writeFileSync(file, `${PRELUDE}\n${changes}`);
}

/** A server as the settings have it. */
export function configured(name: string, setting: McpServerSetting): Configured<McpServerSetting> {
  return { setting, path: ["mcpServers", name] };
}

/** A request to a server behind HTTP, with its body read. */
export interface McpExchange {
  request: IncomingMessage;
  response: ServerResponse;
  body: string;
  /** The message in it, as JSON. */
  message: { id?: number; method?: string; params?: Record<string, unknown> };
}

/** Starts an HTTP server for one test, and tells its address and what it was asked. */
export async function httpServer(
  answer: (exchange: McpExchange) => void,
): Promise<{ url: string; asked: McpExchange[] }> {
  const asked: McpExchange[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (piece: string) => (body += piece));
    request.on("end", () => {
      const message = body === "" ? {} : (JSON.parse(body) as McpExchange["message"]);
      const exchange = { request, response, body, message };
      asked.push(exchange);
      answer(exchange);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, asked };
}

/** The result of a good server for a request of the client. */
export function resultFor({ method, params }: McpExchange["message"]): object {
  switch (method) {
    case "initialize":
      return {
        protocolVersion: params?.["protocolVersion"],
        capabilities: { tools: {} },
        serverInfo: { name: "test", version: "1" },
      };
    case "tools/list":
      return { tools: [{ name: "echo", description: "Repeats.", inputSchema: { type: "object" } }] };
    default:
      return { content: [{ type: "text", text: JSON.stringify(params?.["arguments"]) }] };
  }
}

/** Answers as a good server does: notifications by 202, requests by JSON, anything else by 405. */
export function answerWell(
  { request, response, message }: McpExchange,
  headers: Record<string, string> = {},
): void {
  if (request.method !== "POST") return void response.writeHead(405).end();
  if (message.id === undefined) return void response.writeHead(202).end();
  response.writeHead(200, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify({ jsonrpc: "2.0", id: message.id, result: resultFor(message) }));
}
