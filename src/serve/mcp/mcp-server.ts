import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js";
import {
  type CallToolRequest,
  CallToolRequestSchema,
  type CallToolResult,
  ListToolsRequestSchema,
  type ServerNotification,
  type ServerRequest,
} from "@modelcontextprotocol/sdk/types.js";
import { OpenclawError, shorten } from "../../errors.ts";
import { textAt } from "../../json.ts";
import { toJson } from "../../json-numbers.ts";
import type { Runtime } from "../../runtime.ts";
import { withSources } from "../../source-stack.ts";
import { VERSION } from "../../version.ts";
import { toErrorAnswer } from "../error-answer.ts";
import { RequestField } from "../request-field.ts";
import { askModelTool } from "./ask-model-tool.ts";
import { checkAccessTool } from "./check-access-tool.ts";
import { embedTool } from "./embed-tool.ts";
import { listModelsTool } from "./list-models-tool.ts";
import type { ServeLog } from "../serve-log.ts";
import type { ServedBy, ServedTool } from "./served-tool.ts";
import { INVALID_PARAMS, type StdioTransport } from "./stdio-transport.ts";
import { anySignal } from "../../until-aborted.ts";

const TOOLS: readonly ServedTool[] = [askModelTool, listModelsTool, embedTool, checkAccessTool];

/** So many calls run at once; the others wait. */
const MOST_RUNNING = 16;
/** So many wait; more are told to try again. */
const MOST_WAITING = 2000;
/** How often a client that asked is told how far a call is, in ms. */
const TOLD_MS = 250;
/** How often it is told that a call still waits, in ms: clients give up after 60 s of silence. */
const WAITING_MS = 15_000;

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/**
 * Offers this program's calls to a client of the Model Context Protocol, until that ends. `runtime` is that of the server:
 * its signal ends every call.
 */
export async function serveMcp(
  transport: StdioTransport,
  by: ServedBy,
  runtime: Runtime,
  log: ServeLog,
): Promise<void> {
  const slots = new Slots();
  const server = new Server(
    { name: "openclaw", title: "Amazon Bedrock", version: VERSION },
    {
      capabilities: { tools: {} },
      instructions:
        "Asks language models on Amazon Bedrock. list-models names them, check-access tells why one cannot be called.",
    },
  );
  Object.assign(server, { onerror: (error: Error) => runtime.terminal.verbose(() => error.message) });
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: TOOLS.map(declare) }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    try {
      return await callTool(params, extra, { transport, slots, by, runtime, log });
    } finally {
      // A call that was cancelled gets no answer, which would do this.
      transport.release(extra.requestId);
    }
  });
  await server.connect(transport);
  try {
    await transport.ended;
  } finally {
    await server.close();
  }
}

function declare({ run: _run, isFree, ...tool }: ServedTool): object {
  // What spends money is not for clients to call unasked.
  const annotations = { readOnlyHint: isFree, destructiveHint: false, openWorldHint: true };
  return { ...tool, annotations };
}

/** What all calls share. */
interface Shared {
  transport: StdioTransport;
  slots: Slots;
  by: ServedBy;
  runtime: Runtime;
  log: ServeLog;
}

async function callTool(
  { name, arguments: input = {} }: CallToolRequest["params"],
  extra: Extra,
  { transport, slots, by, runtime, log }: Shared,
): Promise<CallToolResult> {
  const tool = TOOLS.find((one) => one.name === name);
  // The SDK's own error puts its name and the code before the words.
  if (!tool) throw Object.assign(new Error(`There is no tool '${shorten(name)}'.`), { code: INVALID_PARAMS });
  const cancelled = new AbortController();
  const cancel = (): void =>
    cancelled.abort(new OpenclawError("interrupted", { message: "The client has cancelled the call." }));
  extra.signal.addEventListener("abort", cancel, { once: true });
  if (extra.signal.aborted) cancel();
  const signal = anySignal(runtime.signal, cancelled.signal);
  const progress = new Progress(extra, transport);
  try {
    const request = new RequestField(input, "");
    const foreign = Object.keys(input).find((field) => !Object.hasOwn(tool.inputSchema.properties, field));
    if (foreign !== undefined)
      throw request.at(foreign).refused(`'${shorten(foreign)}' is nothing that ${name} takes.`);
    const leave = await slots.enter(signal);
    try {
      const answer = await tool.run(
        { input: request, runtime: { ...runtime, signal }, tell: progress.tell },
        by,
      );
      progress.end();
      const { value, text = toJson(value) } = answer;
      return { content: [{ type: "text", text }], structuredContent: value };
    } finally {
      // Whoever does not read gets no more answers than these.
      await transport.flush();
      leave();
    }
  } catch (failure) {
    return { content: [{ type: "text", text: explain(failure, log) }], isError: true };
  } finally {
    progress.end();
    extra.signal.removeEventListener("abort", cancel);
  }
}

/** What went wrong, for a model, which has no command line. The log has what whoever runs the server may do about it. */
function explain(failure: unknown, log: ServeLog): string {
  const error = failure instanceof OpenclawError ? failure : undefined;
  if (!error)
    log.bug(
      failure instanceof Error ? withSources(failure.stack ?? failure.message) : String(failure),
      undefined,
    );
  else if (error.code !== "invalid-request" && error.code !== "interrupted")
    log.note([error.message, error.hint].filter((text) => text !== undefined).join(" "));
  // A limit for one call is no budget that is spent.
  const isLimit = error?.message.includes("--max-cost") === true;
  const message = isLimit ? error.message : toErrorAnswer(failure).message;
  const said = textAt(error?.details ?? {}, "partialText");
  const words = message.replaceAll("--max-cost", "this server's limit for one call");
  return said === undefined ? words : `${words}\n\nIt had said so far:\n\n${said}`;
}

/** Tells a client that asked for it how a call goes: what the model says, as it comes. */
class Progress {
  readonly #extra: Extra;
  readonly #token: string | number | undefined;
  #count = 0;
  #words = "";
  #timer: NodeJS.Timeout | undefined;
  readonly #transport: StdioTransport;

  constructor(extra: Extra, transport: StdioTransport) {
    this.#extra = extra;
    this.#transport = transport;
    const { _meta: meta } = extra;
    this.#token = meta?.progressToken;
    if (this.#token !== undefined) this.#wait(WAITING_MS);
  }

  /** Undefined where nobody asked. */
  get tell(): ((words: string) => void) | undefined {
    if (this.#token === undefined) return undefined;
    return (words) => {
      if (this.#words === "") this.#wait(TOLD_MS);
      this.#words += words;
    };
  }

  /** Nothing may follow the answer. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #wait(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), ms);
  }

  #send(): void {
    const { signal } = this.#extra;
    if (this.#token === undefined || signal.aborted) return;
    // Who is slow to read is told more at once, later.
    if (this.#transport.isBehind) return this.#wait(TOLD_MS);
    this.#count += 1;
    const message = this.#words === "" ? "Waiting for the model." : this.#words;
    this.#words = "";
    const params = { progressToken: this.#token, progress: this.#count, message };
    void this.#extra.sendNotification({ method: "notifications/progress", params });
    this.#wait(WAITING_MS);
  }
}

/** Lets so many calls run, in the order in which they came. */
class Slots {
  #running = 0;
  readonly #waiting = new Set<() => void>();

  /** Resolves to how to leave again. Throws `service-unavailable` when too many wait, and the signal's reason. */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#running < MOST_RUNNING) this.#running += 1;
    else await this.#wait(signal);
    return () => {
      const [next] = this.#waiting;
      if (next) next();
      else this.#running -= 1;
    };
  }

  /** Resolves when somebody leaves a place to this one. */
  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= MOST_WAITING)
      throw new OpenclawError("service-unavailable", {
        message: `${MOST_RUNNING} calls are running and ${MOST_WAITING} wait. Call again when some have been answered.`,
      });
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => (): void => {
        this.#waiting.delete(go);
        signal.removeEventListener("abort", stop);
        settle();
      };
      const go = end(resolve);
      const stop = end(() => reject(signal.reason as Error));
      this.#waiting.add(go);
      signal.addEventListener("abort", stop, { once: true });
    });
  }
}
