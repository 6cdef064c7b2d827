import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import {
  CallToolRequestSchema,
  InitializeRequestSchema,
  type JSONRPCMessage,
  JSONRPCMessageSchema,
  ListToolsRequestSchema,
  type RequestId,
} from "@modelcontextprotocol/sdk/types.js";
import { toReadFailure } from "../../disk/read-file.ts";
import { refuseFolder } from "../../disk/read-input.ts";
import { errorCode } from "../../errors.ts";
import { isRecord } from "../../json.ts";
import { parseBoundedExactly } from "../../json-bounds.ts";
import { nextTurn } from "../../next-turn.ts";
import type { Runtime } from "../../runtime.ts";
import { jsonLine } from "../../terminal/terminal.ts";

/** The longest message that is taken, in bytes: several times what the longest context of a model holds. */
const MOST_MESSAGE_BYTES = 16 * 1024 * 1024;
/** What the requests that are worked on, or wait for that, may have together, in bytes. */
const MOST_HELD_BYTES = 64 * 1024 * 1024;
/** When so much waits for a client that does not read, in bytes, nothing more is read from it. */
const MOST_UNREAD_BYTES = 8 * 1024 * 1024;
/** So much is written at once, in characters. */
const WRITTEN_AT_ONCE = 256 * 1024;
/** What is kept of each end of a message that is too long, in bytes: its id stands at one of them. */
const KEPT_OF_LONG = 200;

/** JSON-RPC's words for a request that cannot be taken (https://www.jsonrpc.org/specification#error_object). */
const INVALID_REQUEST = -32_600;
export const INVALID_PARAMS = -32_602;
/** Of the range that is left to servers. */
const BUSY = -32_000;

/** Pieces may be of a byte each, and each takes more than that to keep. */
const MOST_PIECES = 256;

const LINE_END = 0x0a;

/** What a socket or a terminal says whose other side has gone, as a pipe ends. */
const GONE: ReadonlySet<string> = new Set(["ECONNRESET", "EIO"]);

/** What requests must look like. The SDK, too, looks, and answers with its findings as they are. */
const SCHEMAS = new Map(
  [InitializeRequestSchema, ListToolsRequestSchema, CallToolRequestSchema].map(
    (schema) => [schema.shape.method.value as string, schema] as const,
  ),
);

/**
 * A client at stdin and stdout: JSON-RPC, one message a line
 * (https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio). What is no message is left out, with a
 * word on stderr; a request that cannot be taken is refused. Nothing else may be written to stdout meanwhile.
 */
export class StdioTransport implements Transport {
  onmessage?: (message: JSONRPCMessage) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;

  /** Resolves when the client has nothing more to say; rejects with a `ReadFailure` where it cannot be heard. */
  readonly ended: Promise<void>;
  #stop: () => void = () => undefined;
  #fail: (error: unknown) => void = () => undefined;

  readonly #runtime: Pick<Runtime, "stdin" | "terminal">;
  /** The line that has not ended, the pieces that came last, and the length of all. */
  #line: Buffer[] = [];
  #pieces: Buffer[] = [];
  #lineBytes = 0;
  /** The bytes of requests that have no answer yet, by their id. */
  readonly #held = new Map<RequestId, number>();
  #heldBytes = 0;
  /** Lines that are not written yet, and their length. */
  #unsent: string[] = [];
  #unsentLength = 0;
  #writing: Promise<void> | undefined;
  #hasTold = false;
  #isClosed = false;

  constructor(runtime: Pick<Runtime, "stdin" | "terminal">) {
    this.#runtime = runtime;
    this.ended = new Promise((resolve, reject) => {
      [this.#stop, this.#fail] = [resolve, reject];
    });
  }

  async start(): Promise<void> {
    const { stdin } = this.#runtime;
    refuseFolder(stdin);
    stdin
      .on("data", this.#take)
      .on("end", this.#takeEnd)
      .on("close", this.#takeEnd)
      .on("error", this.#takeError);
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if ("id" in message && message.id !== undefined && !("method" in message)) this.release(message.id);
    this.#push(message);
  }

  #push(message: JSONRPCMessage): void {
    this.#unsent.push(jsonLine(message));
    this.#unsentLength += this.#unsent.at(-1)?.length ?? 0;
    if (this.#unsentLength > MOST_UNREAD_BYTES) this.#runtime.stdin.pause();
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
  }

  /** Whether the client has not yet read what was sent before. */
  get isBehind(): boolean {
    return this.#writing !== undefined;
  }

  /** Resolves when the client has taken all that was sent. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** A request is over, with or without an answer. */
  release(id: RequestId): void {
    this.#heldBytes -= this.#held.get(id) ?? 0;
    this.#held.delete(id);
  }

  async close(): Promise<void> {
    const { stdin } = this.#runtime;
    stdin
      .off("data", this.#take)
      .off("end", this.#takeEnd)
      .off("close", this.#takeEnd)
      .off("error", this.#takeError);
    stdin.pause();
    this.#isClosed = true;
    this.onclose?.();
  }

  /** One writer after the other, so that no more than one waits for the reader. */
  async #write(): Promise<void> {
    while (this.#unsent.length > 0) {
      let length = 0;
      const end = this.#unsent.findIndex((line) => (length += line.length) >= WRITTEN_AT_ONCE);
      const text = this.#unsent.splice(0, end < 0 ? this.#unsent.length : end + 1).join("");
      await this.#runtime.terminal.write(text);
      this.#unsentLength -= text.length;
    }
    if (!this.#isClosed) this.#runtime.stdin.resume();
  }

  readonly #takeError = (error: Error): void =>
    GONE.has(errorCode(error) ?? "") ? this.#takeEnd() : this.#fail(toReadFailure(error));

  /** The last line need not have an end; what it asks for is answered where that takes no time. */
  readonly #takeEnd = (): void => {
    this.#take(Buffer.of(LINE_END));
    void nextTurn().then(this.#stop);
  };

  readonly #take = (chunk: Buffer | string): void => {
    let rest = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    for (let end = rest.indexOf(LINE_END); end >= 0; end = rest.indexOf(LINE_END)) {
      this.#keep(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
      const [bytes, length] = [Buffer.concat([...this.#line, ...this.#pieces]), this.#lineBytes];
      this.#line = [];
      this.#pieces = [];
      this.#lineBytes = 0;
      if (length > MOST_MESSAGE_BYTES) this.#refuseLong(bytes);
      else this.#takeLine(bytes);
    }
    this.#keep(rest);
  };

  /** Of a line that is too long both ends stay. */
  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#lineBytes += bytes.length;
    this.#pieces.push(bytes);
    const isLong = this.#lineBytes > MOST_MESSAGE_BYTES;
    if (this.#pieces.length < MOST_PIECES && !isLong) return;
    this.#line.push(Buffer.concat(this.#pieces));
    this.#pieces = [];
    if (!isLong) return;
    const kept = Buffer.concat(this.#line);
    this.#line = [kept.subarray(0, KEPT_OF_LONG), kept.subarray(-KEPT_OF_LONG)].map((end) =>
      Buffer.from(end),
    );
  }

  #takeLine(bytes: Buffer): void {
    const line = bytes.toString("utf8").trim();
    if (line === "") return;
    let value: unknown;
    try {
      value = parseBoundedExactly(line);
    } catch (error) {
      return this.#leaveOut(`is not JSON, or none within bounds: ${(error as Error).message}`);
    }
    const id = isRecord(value) ? idOf(value["id"]) : undefined;
    const message = JSONRPCMessageSchema.safeParse(value);
    if (!message.success) {
      if (id === undefined || !isRecord(value) || !("method" in value))
        return this.#leaveOut("is no message of JSON-RPC 2.0");
      return this.#refuse(id, INVALID_REQUEST, "This is no request of JSON-RPC 2.0.");
    }
    if (id === undefined || !("method" in message.data)) return this.onmessage?.(message.data);
    if (this.#held.has(id))
      return this.#refuse(id, INVALID_REQUEST, "A request with this id is still being worked on.");
    if (this.#heldBytes + bytes.length > MOST_HELD_BYTES)
      return this.#refuse(id, BUSY, "This server is working on too much. Try again when it has answered.");
    const unfit = SCHEMAS.get(message.data.method)?.safeParse(value).error?.issues[0];
    if (unfit) {
      const place = unfit.path.join(".");
      return this.#refuse(id, INVALID_PARAMS, `'${place}' is not what it must be: ${unfit.message}.`);
    }
    this.#held.set(id, bytes.length);
    this.#heldBytes += bytes.length;
    this.onmessage?.(message.data);
  }

  /** A message that is too long has its id in front or behind, as its client writes it. */
  #refuseLong(ends: Buffer): void {
    const text = ends.toString("latin1");
    const found =
      /^\{"jsonrpc":"2\.0","id":(\d+|"[^"\\]*"),/.exec(text) ??
      /[\]}"\d],"id":(\d+|"[^"\\]*")\}\s*$/.exec(text);
    const what = `has more than ${MOST_MESSAGE_BYTES / 1024 / 1024} MB`;
    if (found?.[1] === undefined) return this.#leaveOut(what);
    const id = JSON.parse(found[1]) as RequestId;
    if (!this.#held.has(id)) this.#refuse(id, INVALID_REQUEST, `The request ${what}.`);
  }

  /** Another request with this id may be worked on: it stays. */
  #refuse(id: RequestId, code: number, message: string): void {
    this.#push({ jsonrpc: "2.0", id, error: { code, message } });
  }

  /** Told once: there may be very many. */
  #leaveOut(why: string): void {
    if (this.#hasTold) return;
    this.#hasTold = true;
    this.#runtime.terminal.note(
      `openclaw: a line on stdin is left out, and others like it: it ${why}. A client of the Model Context Protocol is expected there.`,
    );
  }
}

function idOf(value: unknown): RequestId | undefined {
  return typeof value === "string" || typeof value === "number" ? value : undefined;
}
