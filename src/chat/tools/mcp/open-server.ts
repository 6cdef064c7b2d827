import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import type { Notification } from "@modelcontextprotocol/sdk/types.js";
import path from "node:path";
import { type Configured, expandConfigured } from "../../../config/configured-tools.ts";
import { formatPath } from "../../../config/path.ts";
import type { McpServerSetting } from "../../../config/settings.ts";
import { rememberSecrets } from "../../../credentials/hide-secrets.ts";
import { expandHome } from "../../../disk/state-folder.ts";
import { OpenclawError, shorten } from "../../../errors.ts";
import { isDeeperThan, isRecord, type JsonObject, recordAt, recordsAt, textAt } from "../../../json.ts";
import type { Runtime } from "../../../runtime.ts";
import { quoteForShell } from "../../../terminal/quote-for-shell.ts";
import { whenAborted } from "../../../until-aborted.ts";
import { VERSION } from "../../../version.ts";
import { environmentFor, secretsOf } from "../run-command.ts";
import { textResult, type Tool, type ToolResult } from "../tool.ts";
import { type GivenBlock, resourceBlocks, toBlocks, toToolResult } from "./content.ts";
import type { HttpTransport } from "./http-transport.ts";
import type { StdioTransport } from "./stdio-transport.ts";
import { nameTools } from "./tool-names.ts";
import { NOT_JSON_RPC } from "./unanswered.ts";

export interface McpPrompt {
  name: string;
  description?: string | undefined;
  arguments: readonly { name: string; description?: string | undefined; isRequired: boolean }[];
}

/** A message of a prompt that was filled in. */
export interface PromptMessage {
  role: "user" | "assistant";
  content: readonly GivenBlock[];
}

/** A resource that a server offers, or with `uriTemplate` (RFC 6570) many of one kind. */
export interface McpResource {
  uri?: string | undefined;
  uriTemplate?: string | undefined;
  name: string;
  description?: string | undefined;
  mimeType?: string | undefined;
}

/** An MCP server that answers. What it says of itself, its tools and everything else is a foreign text. */
export interface McpServer {
  readonly name: string;
  /** What it tells a model about its use. */
  readonly instructions: string | undefined;
  /** Its tools, asked anew when it says that they have changed. */
  tools(): Promise<readonly Tool[]>;
  prompts(): Promise<readonly McpPrompt[]>;
  getPrompt(name: string, args?: Readonly<Record<string, string>>): Promise<readonly PromptMessage[]>;
  resources(): Promise<readonly McpResource[]>;
  readResource(uri: string): Promise<readonly GivenBlock[]>;
  /** Ends it, or the session with it. */
  close(): Promise<void>;
}

/** How long a server may take, in ms. */
export interface McpLimits {
  /** To start and to say what it is: `npx` may have to fetch it first. */
  startMs: number;
  /** For an answer of any other kind. */
  answerMs: number;
}

const LIMITS: McpLimits = { startMs: 30_000, answerMs: 60_000 };

/** The most of anything that is listed; a server that lists more is no longer asked. */
const MOST_LISTED = 2000;
const MOST_PAGES = 200;
/** The longest name of a tool at its server, and description, in characters. */
const LONGEST_NAME = 500;
const LONGEST_DESCRIPTION = 10_000;
/** Deeper nesting of an input schema is taken for an attack. */
const MOST_SCHEMA_LEVELS = 64;

/** JSON-RPC's codes of the SDK (ErrorCode): its own time is up; the connection is closed. */
const TIME_IS_UP = -32_001;
/** So much sooner than asked a timer may fire, in ms. */
const TIMER_MS = 10;

/**
 * Starts a server of the settings, or calls it, and agrees with it on a version of the protocol. Throws `config-invalid`
 * for what cannot be started or called and for a login that is missing, `timeout`, `service-unavailable`, `network`,
 * `bad-response`, and the reason of the runtime's signal.
 */
export async function openServer(
  name: string,
  configured: Configured<McpServerSetting>,
  runtime: Runtime,
  limits: McpLimits = LIMITS,
): Promise<McpServer> {
  const server = new ConnectedServer(name, configured, runtime, limits);
  await server.connect();
  return server;
}

class ConnectedServer implements McpServer {
  readonly name: string;
  readonly #configured: Configured<McpServerSetting>;
  readonly #runtime: Runtime;
  readonly #limits: McpLimits;
  #client: Client | undefined;
  #transport: StdioTransport | HttpTransport | undefined;
  /** The tools as they were listed last, until the server says that they have changed. */
  #tools: Promise<readonly Tool[]> | undefined;
  readonly #told = new Set<string>();

  constructor(name: string, configured: Configured<McpServerSetting>, runtime: Runtime, limits: McpLimits) {
    this.name = name;
    this.#configured = configured;
    this.#runtime = runtime;
    this.#limits = limits;
  }

  get instructions(): string | undefined {
    const said = this.#client?.getInstructions();
    return said && shorten(said, LONGEST_DESCRIPTION);
  }

  async connect(): Promise<void> {
    const { terminal, signal } = this.#runtime;
    signal.throwIfAborted();
    const [{ Client }, transport] = await Promise.all([
      import("@modelcontextprotocol/sdk/client/index.js"),
      this.#openTransport(),
    ]);
    // No capabilities: a server's wishes for a model's answer, a person's, or a list of folders are refused by the SDK.
    const client = new Client({ name: "openclaw", version: VERSION }, { capabilities: {} });
    Object.assign(client, {
      onerror: (error: Error) => terminal.verbose(() => `${this.name}: ${shorten(error.message, 500)}`),
      fallbackNotificationHandler: async ({ method, params }: Notification) => this.#hear(method, params),
    } satisfies Partial<Client>);
    this.#transport = transport;
    this.#client = client;
    this.#tools = undefined;
    const startedAt = this.#runtime.elapsed();
    try {
      await withSignal(signal, (own) =>
        // The SDK's types are not written for exactOptionalPropertyTypes.
        client.connect(transport as Transport, { timeout: this.#limits.startMs, signal: own }),
      );
    } catch (failure) {
      const error = this.#explain(failure, "initialize", startedAt);
      await this.close();
      throw error;
    }
  }

  #hear(method: string, params: Notification["params"]): void {
    if (method === "notifications/tools/list_changed") this.#tools = undefined;
    if (method === "notifications/message") {
      const { terminal } = this.#runtime;
      terminal.verbose(() => `${this.name}: ${shorten(JSON.stringify(params?.["data"]) ?? "", 500)}`);
    }
  }

  async #openTransport(): Promise<StdioTransport | HttpTransport> {
    const runtime = this.#runtime;
    const server = expandConfigured(this.#configured, runtime.env);
    rememberSecrets(runtime, secretsOf(this.#configured.setting, server, runtime.env));
    const label = { name: this.name, place: formatPath(this.#configured.path) };
    if (server.url !== undefined) {
      const { HttpTransport } = await import("./http-transport.ts");
      return HttpTransport.to(label, { url: server.url, headers: asTexts(server.headers) }, runtime);
    }
    const { StdioTransport } = await import("./stdio-transport.ts");
    const { command = "", args = [], cwd = "." } = server;
    const own = asTexts(server.env);
    const env = environmentFor(runtime.env, own, runtime.platform);
    const folder = path.resolve(runtime.currentFolder, expandHome(cwd, runtime.homeFolder));
    return new StdioTransport(label, { command, args, env, cwd: folder }, runtime);
  }

  async tools(): Promise<readonly Tool[]> {
    this.#checkIsThere();
    const listed = (this.#tools ??= this.#listTools());
    try {
      return await listed;
    } catch (error) {
      if (this.#tools === listed) this.#tools = undefined;
      throw error;
    }
  }

  async #listTools(): Promise<readonly Tool[]> {
    const known = new Map<string, JsonObject>();
    for (const tool of await this.#list("tools", "tools/list")) {
      const name = textAt(tool, "name") ?? "";
      const why = whyUnusable(tool, name, known);
      if (why === undefined) known.set(name, tool);
      else this.#notice(`the tool '${shorten(name)}' of the MCP server '${this.name}' is left out: ${why}`);
    }
    const names = nameTools(this.name, [...known.keys()]);
    return [...known].map(([own, tool], index) => this.#toTool(names[index] ?? "", own, tool));
  }

  #toTool(name: string, own: string, tool: JsonObject): Tool {
    const said = [
      textAt(tool, "description"),
      textAt(tool, "title"),
      textAt(recordAt(tool, "annotations"), "title"),
    ];
    const description = said.find((text) => text !== undefined && text.trim() !== "");
    return {
      name,
      source: { kind: "server", server: this.name, tool: own },
      description: shorten(
        description ?? `The tool '${own}' of the MCP server '${this.name}'.`,
        LONGEST_DESCRIPTION,
      ),
      inputSchema: { ...recordAt(tool, "inputSchema"), type: "object" },
      run: (input, signal) => this.#call(own, input, signal),
    };
  }

  async #call(tool: string, input: JsonObject, signal: AbortSignal): Promise<ToolResult> {
    try {
      return toToolResult(await this.#request("tools/call", { name: tool, arguments: input }, signal));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      if (error instanceof OpenclawError) return { ...textResult(error.message, true), failure: error };
      throw error;
    }
  }

  async prompts(): Promise<readonly McpPrompt[]> {
    const prompts = await this.#list("prompts", "prompts/list");
    return prompts.map((prompt) => ({
      name: textAt(prompt, "name") ?? "",
      description: textAt(prompt, "description") ?? textAt(prompt, "title"),
      arguments: recordsAt(prompt, "arguments").map((argument) => ({
        name: textAt(argument, "name") ?? "",
        description: textAt(argument, "description"),
        isRequired: argument["required"] === true,
      })),
    }));
  }

  async getPrompt(
    name: string,
    args: Readonly<Record<string, string>> = {},
  ): Promise<readonly PromptMessage[]> {
    const { signal } = this.#runtime;
    const result = await this.#request("prompts/get", { name, arguments: { ...args } }, signal);
    return recordsAt(result, "messages").map((message) => ({
      role: message["role"] === "assistant" ? "assistant" : "user",
      content: toBlocks(recordAt(message, "content")),
    }));
  }

  async resources(): Promise<readonly McpResource[]> {
    const [resources, templates] = await Promise.all([
      this.#list("resources", "resources/list"),
      this.#list("resourceTemplates", "resources/templates/list"),
    ]);
    return [...resources, ...templates].map((resource) => ({
      uri: textAt(resource, "uri"),
      uriTemplate: textAt(resource, "uriTemplate"),
      name: textAt(resource, "title") ?? textAt(resource, "name") ?? "",
      description: textAt(resource, "description"),
      mimeType: textAt(resource, "mimeType"),
    }));
  }

  async readResource(uri: string): Promise<readonly GivenBlock[]> {
    const result = await this.#request("resources/read", { uri }, this.#runtime.signal);
    return recordsAt(result, "contents").flatMap((resource) => resourceBlocks(resource, uri));
  }

  async close(): Promise<void> {
    await this.#transport?.close();
  }

  /** All pages of a list. What the server says that it does not have is empty. */
  async #list(key: string, method: string): Promise<JsonObject[]> {
    const capability = key === "resourceTemplates" ? "resources" : key;
    const capabilities: Readonly<Record<string, unknown>> = this.#client?.getServerCapabilities() ?? {};
    if (capabilities[capability] === undefined) return [];
    const items: JsonObject[] = [];
    const cursors = new Set<string>();
    let cursor: string | undefined;
    do {
      const page = await this.#requestPage(method, cursor);
      items.push(...recordsAt(page, key));
      cursor = textAt(page, "nextCursor");
      if (cursor === undefined || cursor === "") return items;
      if (cursors.has(cursor) || cursors.size >= MOST_PAGES || items.length > MOST_LISTED) {
        this.#notice(`the MCP server '${this.name}' lists more than is read: ${items.length} of ${method}`);
        return items.slice(0, MOST_LISTED);
      }
      cursors.add(cursor);
    } while (cursor !== undefined);
    return items;
  }

  async #requestPage(method: string, cursor: string | undefined): Promise<JsonObject> {
    try {
      return await this.#request(method, cursor === undefined ? {} : { cursor }, this.#runtime.signal);
    } catch (error) {
      // Servers with resources need not have templates of them.
      if (error instanceof OpenclawError && error.details?.["jsonRpcCode"] === METHOD_NOT_FOUND) return {};
      throw error;
    }
  }

  /** Asks, and once more in a new session where the server has forgotten the old one. */
  async #request(method: string, params: Record<string, unknown>, signal: AbortSignal): Promise<JsonObject> {
    this.#checkIsThere();
    const transport = this.#transport;
    try {
      return await this.#ask(method, params, signal);
    } catch (error) {
      if (!isForgotten(error, transport)) throw error;
      if (this.#transport === transport) await this.connect();
      return this.#ask(method, params, signal);
    }
  }

  async #ask(method: string, params: Record<string, unknown>, signal: AbortSignal): Promise<JsonObject> {
    const client = this.#client;
    const startedAt = this.#runtime.elapsed();
    const { ResultSchema } = await import("@modelcontextprotocol/sdk/types.js");
    try {
      return await withSignal(
        signal,
        async (own) =>
          client?.request({ method, params }, ResultSchema, {
            timeout: this.#limits.answerMs,
            signal: own,
          }) ?? {},
      );
    } catch (failure) {
      throw signal.aborted ? this.#stopped(signal, method) : this.#explain(failure, method, startedAt);
    }
  }

  #checkIsThere(): void {
    const failure = this.#transport && "failure" in this.#transport ? this.#transport.failure : undefined;
    if (failure) throw failure;
  }

  /** Why nobody waits any more. Where that is the time for the whole answer, it was the server's to keep. */
  #stopped({ reason }: AbortSignal, method: string): unknown {
    if (!(reason instanceof OpenclawError) || reason.code !== "timeout") return reason;
    const message = `The MCP server '${this.name}' did not answer ${method} in the time that it was given.`;
    return new OpenclawError("timeout", { message, hint: reason.hint, cause: reason });
  }

  #explain(failure: unknown, method: string, startedAt: number): unknown {
    const { signal } = this.#runtime;
    if (signal.aborted) return this.#stopped(signal, method);
    if (failure instanceof OpenclawError) return failure;
    const transport = this.#transport;
    const isLocal = transport !== undefined && "failure" in transport;
    if (isLocal && transport.failure) return transport.failure;
    if (!(failure instanceof Error)) return failure;
    const { code } = failure as { code?: unknown };
    const name = this.name;
    const mostMs = method === "initialize" ? this.#limits.startMs : this.#limits.answerMs;
    // Servers answer with this code, too, and sooner.
    if (code === TIME_IS_UP && this.#runtime.elapsed() - startedAt >= mostMs - TIMER_MS) {
      const seconds = mostMs / 1000;
      const said = isLocal && transport.said !== "" ? ` It says: ${shorten(transport.said, 500)}` : "";
      const why = !isLocal && transport?.useless !== undefined ? `: it ${transport.useless}` : "";
      return new OpenclawError("timeout", {
        message: `The MCP server '${name}' did not answer ${method} within ${seconds} s${why}.${said}`,
        hint: `See what it says: openclaw mcp tools ${quoteForShell(name)} -v`,
        cause: failure,
      });
    }
    const said = wordsOf(failure)
      .replace(/^MCP error -?\d+: /, "")
      .replace(/\.$/, "");
    const how =
      typeof code === "number" ? `answers ${method} with an error` : `has no usable answer to ${method}`;
    return new OpenclawError("bad-response", {
      message: `The MCP server '${name}' ${how}: ${shorten(said, 500)}.`,
      hint: `See what it says: openclaw mcp tools ${quoteForShell(name)} -v`,
      cause: failure,
      ...(typeof code === "number" ? { details: { jsonRpcCode: code } } : {}),
    });
  }

  #notice(text: string): void {
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.#runtime.terminal.note(`openclaw: ${text}`);
  }
}

/** What a failure says: of an answer that does not fit the SDK's schemas the first thing that is wrong with it. */
function wordsOf(failure: Error): string {
  const { issues } = failure as { issues?: unknown };
  const [issue] = recordsAt({ issues }, "issues");
  const at = issue?.["path"];
  const place = Array.isArray(at) ? at.join(".") : "";
  if (!issue) return failure.message;
  // What fits no form of a message has no place at which it is wrong.
  return place === "" ? `it ${NOT_JSON_RPC}` : `${place}: ${textAt(issue, "message") ?? ""}`;
}

function asTexts(values: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]));
}

/** JSON-RPC 2.0, 5.1. */
const METHOD_NOT_FOUND = -32_601;

/** Why a tool of a list is of no use; undefined for one that is. */
function whyUnusable(
  tool: JsonObject,
  name: string,
  known: ReadonlyMap<string, unknown>,
): string | undefined {
  const schema = tool["inputSchema"];
  if (name === "") return "it has no name";
  if (name.length > LONGEST_NAME) return `its name has more than ${LONGEST_NAME} characters`;
  if (known.has(name)) return "another has the same name";
  if (!isRecord(schema) || (schema["type"] !== undefined && schema["type"] !== "object"))
    return "its input schema is not that of an object";
  if (isDeeperThan(schema, MOST_SCHEMA_LEVELS))
    return `its input schema is nested more than ${MOST_SCHEMA_LEVELS} levels deep`;
  if (recordAt(tool, "execution")["taskSupport"] === "required") return "it runs as a task only";
  return undefined;
}

/** Whether a server has forgotten the session, and so has done nothing (Streamable HTTP, Session Management). */
function isForgotten(error: unknown, transport: StdioTransport | HttpTransport | undefined): boolean {
  if (transport === undefined || !("sessionId" in transport) || transport.sessionId === undefined)
    return false;
  return error instanceof OpenclawError && error.details?.["status"] === 404;
}

/** Does work with a signal of its own: the SDK keeps listening to the one that it is given, also behind the end. */
async function withSignal<T>(signal: AbortSignal, work: (own: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const forget = whenAborted(signal, () => stop.abort(signal.reason));
  try {
    return await work(stop.signal);
  } finally {
    forget();
  }
}
