import { wellFormed } from "../json.ts";
import { lengthOf, toJsonBody } from "../network/json-body.ts";
import { piecesOf, turnOver } from "../next-turn.ts";
import type { Runtime } from "../runtime.ts";
import { escapeInJson } from "../terminal/neutralise.ts";
import { count } from "../terminal/numbers.ts";
import { jsonLine, Terminal } from "../terminal/terminal.ts";

/** One request in the log. What is undefined is left out. Never a key, and no content unless that was asked for. */
export interface RequestEntry {
  method: string;
  path: string;
  /** What the client speaks. */
  dialect?: string;
  /** The id that was answered: AWS's, where AWS was asked. */
  requestId: string;
  status?: number;
  /** The name of the client's key. */
  key?: string | undefined;
  /** As the client named it. */
  model?: string;
  /** The first model that the name stands for, where it is listed or configured. */
  resolvedModel?: string | undefined;
  /** The id or ARN that was called. */
  calledModel?: string;
  /** Where it was called. */
  calledHost?: string;
  /** That answered; none for a model that is not one of Amazon Bedrock. */
  region?: string;
  isStreamed?: boolean;
  finishReason?: string | null;
  promptTokens?: number;
  /** Of those, read from the prompt cache. */
  cachedTokens?: number;
  /** Of those, written to it. */
  cacheWriteTokens?: number;
  completionTokens?: number;
  /** The service tier that served the call, where AWS said one or one was asked for. */
  serviceTier?: string | undefined;
  /** Estimate from list prices, in USD; null where the price is not known. */
  costUsd?: number | null;
  /** Until the question was read and the model was asked, in ms. */
  askedMs?: number;
  /** How long the call waited for its turn, in ms. */
  queuedMs?: number;
  /** Until the first part of the answer arrived, in ms. */
  firstTokenMs?: number;
  /** Until the answer was sent whole, in ms. */
  durationMs?: number;
  /** The client went away before its answer was whole. */
  isAborted?: boolean;
  error?: { code: string; message: string; hint?: string | undefined };
  notices?: string[];
  /** With `--log-content` only. */
  request?: unknown;
  answer?: string;
}

/** So much of a line with content is looked at in one go, in characters: beyond ASCII each takes 20 ns. */
const PIECE = 128 * 1024;
/** Of lines that wait for the log's reader, in characters. */
const MOST_WAITING = 1024 * 1024;

/**
 * Writes the log: a JSON line for each request and each thing worth noting, on stderr. What a reader who takes nothing
 * leaves is lost beyond a bound, in whole lines; how many is the next line that is taken.
 */
export class ServeLog {
  readonly #runtime: Pick<Runtime, "terminal" | "now">;
  /** Characters that may not have been taken yet; undefined while the reader takes all. */
  #waiting: number | undefined;
  #lost = 0;
  /** A line with content is written in pieces, behind which all others wait. */
  #tail: Promise<void> | undefined;

  constructor(runtime: Pick<Runtime, "terminal" | "now">) {
    this.#runtime = runtime;
  }

  /** Logs a request when it is over. */
  request(entry: RequestEntry): void {
    const { error, request } = entry;
    const told = error ? { ...entry, error: this.#runtime.terminal.told(error) } : entry;
    if (request === undefined) this.#write("request", told);
    else this.#follow(() => this.#writeContent(this.#stamped("request", told)));
  }

  /** Resolves when all is written. */
  async settled(): Promise<void> {
    while (this.#tail) await this.#tail;
  }

  /** Logs what happens beside the requests. */
  note(message: string): void {
    this.#write("note", { message: this.#runtime.terminal.completeCommands(message) });
  }

  /** Logs what was thrown where nobody waits for it, and for which request. */
  bug(message: string, requestId: string | undefined): void {
    this.#write("bug", { requestId, message });
  }

  #stamped(kind: string, fields: object): object {
    return { time: new Date(this.#runtime.now()).toISOString(), kind, ...fields };
  }

  #write(kind: string, fields: object): void {
    const line = jsonLine(this.#stamped(kind, fields));
    const write = (): void => {
      if (this.#hasRoomFor(line.length)) this.#put(line);
    };
    if (this.#tail) this.#follow(async () => write());
    else write();
  }

  #follow(write: () => Promise<void>): void {
    const tail = (this.#tail ?? Promise.resolve()).then(write).finally(() => {
      if (this.#tail === tail) this.#tail = undefined;
    });
    this.#tail = tail;
  }

  async #writeContent(document: object): Promise<void> {
    const body = await toJsonBody(wellFormed(document));
    if (!this.#hasRoomFor(lengthOf(body))) return;
    for (const part of typeof body === "string" ? [body] : body)
      for (const piece of piecesOf(part.toString(), PIECE)) {
        this.#put(escapeInJson(piece));
        const over = turnOver();
        if (over) await over;
      }
    this.#put("\n");
  }

  /** Whether the reader may still take so many characters; what it may not is lost. */
  #hasRoomFor(length: number): boolean {
    const hasRoom = this.#waiting === undefined || this.#waiting + length <= MOST_WAITING;
    if (!hasRoom) this.#lost += 1;
    return hasRoom;
  }

  #put(text: string): void {
    const { terminal } = this.#runtime;
    const isTaken = terminal.writeAside(text);
    if (this.#waiting !== undefined) this.#waiting += text.length;
    else if (!isTaken) {
      this.#waiting = text.length;
      terminal.onceAsideIsTaken(() => this.#goOn());
    }
  }

  #goOn(): void {
    this.#waiting = undefined;
    const lost = this.#lost;
    this.#lost = 0;
    if (lost > 0)
      this.note(`${count(lost, "line of this log was", "lines of this log were")} lost: nobody read it.`);
  }
}

/** A terminal for work that nobody looks at: what it would say on stderr goes to `take`, line by line. */
export function listeningTerminal(take: (line: string) => void, isVerbose = false): Terminal {
  const nothing = { once: () => undefined };
  const terminal = new Terminal(
    { ...nothing, write: () => true },
    {
      ...nothing,
      write: (text) => {
        for (const line of text.toString().split("\n"))
          if (line !== "") take(line.replace(/^openclaw: /, ""));
        return true;
      },
    },
    {},
  );
  terminal.setMode({ verbose: isVerbose });
  return terminal;
}
