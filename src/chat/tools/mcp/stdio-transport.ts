import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { stat } from "node:fs/promises";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { type JSONRPCMessage, JSONRPCMessageSchema } from "@modelcontextprotocol/sdk/types.js";
import { type ChildEnding, endRest, endWith } from "../../../end-child.ts";
import { errorCode, OpenclawError, shorten } from "../../../errors.ts";
import { isRecord } from "../../../json.ts";
import { JsonBoundsError, parseBoundedExactly } from "../../../json-bounds.ts";
import { toJson, withPlainNumbers } from "../../../json-numbers.ts";
import { whenTime } from "../../../next-turn.ts";
import type { Runtime } from "../../../runtime.ts";
import { quoteForShell } from "../../../terminal/quote-for-shell.ts";
import { explainStart } from "../find-program.ts";
import { ENDLESS, NOT_JSON_RPC, Unanswered } from "./unanswered.ts";

export interface StdioServer {
  command: string;
  args?: readonly string[] | undefined;
  /** Its whole environment. */
  env: Readonly<Record<string, string>>;
  /** An absolute path. */
  cwd: string;
}

/** A server as messages tell of it: its name, and where the settings have it. */
export interface ServerLabel {
  name: string;
  place: string;
}

/** The longest message that is taken, in bytes: a result of that length has images, and no model takes more. */
export const MOST_MESSAGE_BYTES = 16 * 1024 * 1024;
/** What may wait for a server that does not read, in bytes. */
const MOST_UNREAD_BYTES = 16 * 1024 * 1024;
/** A server that is told that nothing more comes has this long to end by itself, in ms. */
const END_MS = 500;
/** So much of what a server says besides is kept for the error, in characters. */
const MOST_SAID = 2000;

/** Where documents stand in a message, whose numbers stay as they were written. All others are the protocol's. */
export const EXACT_FIELDS: ReadonlySet<string> = new Set(["structuredContent", "inputSchema"]);

export const LINE_END = 0x0a;

/**
 * A server as a child process: JSON-RPC, one message a line
 * (https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio). It and all that it starts have a
 * process group of their own, which ends with it. Lines that are no messages are left out, since servers print banners.
 */
export class StdioTransport implements Transport {
  onmessage?: (message: JSONRPCMessage) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;

  readonly #label: ServerLabel;
  readonly #server: StdioServer;
  readonly #runtime: Runtime;
  readonly #unanswered = new Unanswered();
  readonly #lines: LineReader;
  #child: ChildProcessWithoutNullStreams | undefined;
  #ending: ChildEnding | undefined;
  #ended: Promise<void> = Promise.resolve();
  #stderr = "";
  #garbage = "";
  #failure: OpenclawError | undefined;

  constructor(label: ServerLabel, server: StdioServer, runtime: Runtime) {
    this.#label = label;
    this.#server = server;
    this.#runtime = runtime;
    this.#lines = new LineReader(
      (line) => this.#take(line),
      () => this.#refuse(`sent a message of more than ${MOST_MESSAGE_BYTES / 1024 / 1024} MB`),
    );
  }

  /** Why the server is gone, once it is. */
  get failure(): OpenclawError | undefined {
    return this.#failure;
  }

  /** What the server printed in place of messages, or on stderr: its last lines; "" for nothing. */
  get said(): string {
    return (this.#garbage || this.#stderr).trim();
  }

  /** Starts it. Throws `config-invalid` where that cannot be. */
  async start(): Promise<void> {
    const { command, args = [], env, cwd } = this.#server;
    const folder = await stat(cwd).catch(() => undefined);
    if (!folder?.isDirectory())
      throw this.#invalid(
        "cwd",
        `its folder '${cwd}' ${folder ? "is none" : "does not exist"}`,
        "Name another folder",
      );
    const { spawn } = await import("node:child_process");
    const hasGroup = this.#runtime.platform !== "win32";
    const child = await new Promise<ChildProcessWithoutNullStreams>((resolve, reject) => {
      const started = spawn(command, args, {
        cwd,
        env,
        detached: hasGroup,
        stdio: "pipe",
        windowsHide: true,
      });
      started.once("spawn", () => resolve(started)).once("error", reject);
    }).catch(async (error: unknown) => {
      throw await this.#notStarted(error);
    });
    this.#child = child;
    this.#ending = endWith(this.#runtime.signal, child, hasGroup, this.#runtime, END_MS);
    child.stdout.on("data", (bytes: Buffer) => {
      this.#lines.push(bytes);
      // It may send without an end.
      child.stdout.pause();
      whenTime(() => child.stdout.resume());
    });
    child.stdout.once("end", () => {
      // Its end, which tells more, may be on its way.
      const timer = setTimeout(
        () => this.#break("has closed its output, and answers nothing any more"),
        END_MS,
      );
      void this.#ended.then(() => clearTimeout(timer));
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => this.#hear(text));
    // That it no longer reads is told by its end.
    child.stdin.on("error", (error) => this.onerror?.(error));
    this.#ended = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        this.#end(signal ? `was ended by ${signal}` : `ended with exit code ${code ?? "unknown"}`);
        resolve(this.#endRest(hasGroup ? child.pid : undefined));
      });
      // What it has started may hold its outputs.
      child.once("exit", () => this.#ending?.stop());
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const child = this.#child;
    if (!child || this.#failure) throw this.#failure ?? new Error("The server is not started.");
    this.#unanswered.sends(message);
    child.stdin.write(`${toJson(message)}\n`);
    if (child.stdin.writableLength > MOST_UNREAD_BYTES) this.#break("does not read what it is sent");
  }

  /** Ends it: first by saying so, then by signals. Resolves when it has ended. */
  async close(): Promise<void> {
    const child = this.#child;
    if (!child) return this.onclose?.();
    child.stdin.end();
    const timer = setTimeout(() => this.#ending?.stop(), this.#runtime.signal.aborted ? 0 : END_MS);
    await this.#ended;
    clearTimeout(timer);
  }

  #take(line: string): void {
    if (this.#failure) return;
    let said: unknown;
    try {
      said = withPlainNumbers(parseBoundedExactly(line), EXACT_FIELDS);
    } catch (error) {
      if (error instanceof JsonBoundsError)
        return this.#refuse(`sent a message that cannot be read: ${error.message}`);
      if (!(error instanceof SyntaxError)) throw error;
      this.#garbage ||= shorten(line, MOST_SAID);
      return this.#tell(`printed: ${line}`);
    }
    const { success, data } = JSONRPCMessageSchema.safeParse(said);
    if (success) {
      if (this.#unanswered.comes(data)) return this.#break(ENDLESS);
      return this.onmessage?.(data);
    }
    if (isRecord(said) && this.#unanswered.has(said["id"]))
      return this.#refuse(NOT_JSON_RPC, [said["id"] as string | number]);
    this.#garbage ||= shorten(line, MOST_SAID);
    this.#tell(`sent what is no message: ${line}`);
  }

  /** Fails the requests that the answer may have been for, and goes on. */
  #refuse(why: string, ids?: Iterable<string | number>): void {
    for (const answer of this.#unanswered.fail(`it ${why}`, ids)) {
      this.#tell(why);
      this.onmessage?.(answer);
    }
  }

  #hear(text: string): void {
    this.#stderr = (this.#stderr + text).slice(-MOST_SAID);
    for (const line of text.split("\n")) if (line.trim() !== "") this.#tell(line);
  }

  #tell(line: string): void {
    this.#runtime.terminal.verbose(() => `${this.#label.name}: ${shorten(line, MOST_SAID)}`);
  }

  async #endRest(groupId: number | undefined): Promise<void> {
    if (groupId !== undefined) await endRest(groupId, this.#runtime);
    this.#ending?.forget();
  }

  /** Ends a server that is of no use any more. */
  #break(how: string): void {
    this.#end(how);
    this.#ending?.stop();
  }

  #end(how: string): void {
    if (this.#failure) return;
    const { said } = this;
    this.#failure = new OpenclawError("service-unavailable", {
      message: `The MCP server '${this.#label.name}' ${how}${said === "" ? "." : `: ${shorten(said.replaceAll(/\s*\n\s*/g, " "), 500)}`}`,
      hint: `Run it by hand to see what it says: openclaw mcp tools ${quoteForShell(this.#label.name)} -v`,
    });
    this.onclose?.();
  }

  async #notStarted(error: unknown): Promise<OpenclawError> {
    if (!(error instanceof Error) || errorCode(error) === undefined) throw error;
    const { command, env, cwd: folder } = this.#server;
    const { platform } = this.#runtime;
    const why = (await explainStart(command, error, { env, folder, platform })).replace(/\.$/, "");
    return this.#invalid("command", why, "Install it, or name it with its path", error);
  }

  #invalid(key: string, why: string, advice: string, cause?: unknown): OpenclawError {
    return new OpenclawError("config-invalid", {
      message: `The MCP server '${this.#label.name}' cannot be started: ${why}.`,
      hint: `${advice}: openclaw config get ${quoteForShell(`${this.#label.place}.${key}`)}`,
      cause,
    });
  }
}

/** Cuts what comes into lines. One that is too long is left out whole, and told while it lasts. */
class LineReader {
  readonly #onLine: (line: string) => void;
  readonly #onTooLong: () => void;
  #pieces: Buffer[] = [];
  #length = 0;
  #isTooLong = false;

  constructor(onLine: (line: string) => void, onTooLong: () => void) {
    this.#onLine = onLine;
    this.#onTooLong = onTooLong;
  }

  push(bytes: Buffer): void {
    let start = 0;
    for (let end = bytes.indexOf(LINE_END); end >= 0; end = bytes.indexOf(LINE_END, start)) {
      this.#add(bytes.subarray(start, end));
      this.#flush();
      start = end + 1;
    }
    this.#add(bytes.subarray(start));
  }

  #add(piece: Buffer): void {
    this.#length += piece.length;
    if (this.#length > MOST_MESSAGE_BYTES) {
      this.#onTooLong();
      this.#isTooLong = true;
      this.#pieces = [];
    } else if (piece.length > 0) this.#pieces.push(piece);
  }

  #flush(): void {
    const line = this.#isTooLong ? "" : Buffer.concat(this.#pieces).toString("utf8").trim();
    this.#pieces = [];
    this.#length = 0;
    this.#isTooLong = false;
    if (line !== "") this.#onLine(line);
  }
}
