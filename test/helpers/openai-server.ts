import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** One request that the server got. */
export interface OpenaiCall {
  method: string;
  path: string;
  headers: IncomingMessage["headers"];
  /** The body as it came. */
  text: string;
  /** Parsed JSON; undefined without a body. */
  body: Record<string, unknown> | undefined;
  /** Resolves when the connection of the answer is closed before the answer was whole. */
  left: Promise<void>;
}

/** How a stream ends other than by itself: the connection is dropped, or says nothing more. */
export type ReplyEnd = "drop" | "stall";

/** What the server answers: pieces are written one by one, each when the one before has left. */
export interface OpenaiReply {
  status?: number;
  headers?: Record<string, string>;
  /** A JSON answer, or a text as it stands. */
  body?: unknown;
  pieces?: Iterable<string | Uint8Array>;
  end?: ReplyEnd;
}

export interface OpenaiServer {
  /** What a configuration has as `baseUrl`. */
  baseUrl: string;
  /** Requests for chat completions, in order. */
  chats: OpenaiCall[];
  /** All requests, in order. */
  calls: OpenaiCall[];
}

export interface OpenaiScript {
  models?: OpenaiReply | (() => OpenaiReply);
  chat?: (call: OpenaiCall, nth: number) => OpenaiReply;
}

/** A real HTTP server that speaks chat completions as it is told to, until the test ends. */
export async function openaiServer(script: OpenaiScript): Promise<OpenaiServer> {
  const calls: OpenaiCall[] = [];
  const chats: OpenaiCall[] = [];
  const server = createServer((request, response) => {
    void receive(request, response).then((call) => {
      calls.push(call);
      if (/\/models(\?|$)/.test(call.path)) {
        const { models } = script;
        return answer(response, (typeof models === "function" ? models() : models) ?? listOf("llama3"));
      }
      chats.push(call);
      return answer(response, script.chat?.(call, chats.length) ?? { status: 404, body: "no" });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { baseUrl: `http://127.0.0.1:${port}/v1`, calls, chats };
}

/** The answer to GET /models. */
export function listOf(...ids: string[]): OpenaiReply {
  return { body: { object: "list", data: ids.map((id) => ({ id, object: "model", owned_by: "test" })) } };
}

/** An error as OpenAI writes it. */
export function refusal(
  status: number,
  error: Record<string, unknown>,
  headers: Record<string, string> = {},
): OpenaiReply {
  return { status, headers, body: { error } };
}

/** One chunk of a streamed completion. */
export function chunk(
  delta: Record<string, unknown>,
  finish: string | null = null,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1,
    model: "llama3",
    choices: [{ index: 0, delta, finish_reason: finish }],
    ...more,
  };
}

/** The chunk with the counts, behind the others. */
export function counted(usage: Record<string, unknown>): Record<string, unknown> {
  return { id: "chatcmpl-1", object: "chat.completion.chunk", created: 1, choices: [], usage };
}

/** Events as they stand on the wire. */
export function events(...values: (string | object)[]): string[] {
  return values.map((value) => `data: ${typeof value === "string" ? value : JSON.stringify(value)}\n\n`);
}

/** A streamed answer of these texts. */
export function says(...texts: string[]): OpenaiReply {
  const usage = { prompt_tokens: 9, completion_tokens: texts.length, total_tokens: 9 + texts.length };
  return {
    pieces: events(
      chunk({ role: "assistant", content: "" }),
      ...texts.map((content) => chunk({ content })),
      chunk({}, "stop"),
      counted(usage),
      "[DONE]",
    ),
  };
}

async function receive(request: IncomingMessage, response: ServerResponse): Promise<OpenaiCall> {
  const chunks: Buffer[] = [];
  for await (const piece of request) chunks.push(piece as Buffer);
  const text = Buffer.concat(chunks).toString("utf8");
  return {
    method: request.method ?? "",
    path: request.url ?? "",
    headers: request.headers,
    text,
    body: text === "" ? undefined : (JSON.parse(text) as Record<string, unknown>),
    left: new Promise((resolve) =>
      response.once("close", () => {
        if (!response.writableFinished) resolve();
      }),
    ),
  };
}

async function answer(response: ServerResponse, reply: OpenaiReply): Promise<void> {
  const { status = 200, headers = {}, body, pieces, end } = reply;
  if (!pieces) {
    const isText = typeof body === "string";
    const type = isText ? "text/html" : "application/json";
    response.writeHead(status, { "content-type": type, ...headers });
    response.end(isText ? body : JSON.stringify(body));
    return;
  }
  response.writeHead(status, { "content-type": "text/event-stream", ...headers });
  response.flushHeaders();
  for (const piece of pieces) await new Promise((resolve) => response.write(piece, resolve));
  if (end === "drop") response.destroy();
  else if (end !== "stall") response.end();
}
