import { KeptLength } from "../../converse/kept-length.ts";
import { OpenclawError } from "../../errors.ts";
import { isRecord, type JsonObject, numberOf, recordAt, textAt } from "../../json.ts";
import { parseIfJson } from "../../json-bounds.ts";
import { toJson } from "../../json-numbers.ts";

/** What a call of a tool is told in: its beginning, a piece of its input, its end. */
export type CallPart = { id: string; name: string } | { input: string } | { isOver: true };

interface StreamedCall {
  id: string | undefined;
  name: string;
  /** As the server numbers them; undefined where it does not. */
  index: number | undefined;
  /** The chunk in which it began. */
  chunk: number;
  input: string;
  /** How much of the input was told, in characters; undefined before its beginning was. */
  told: number | undefined;
  isOver: boolean;
}

/**
 * The calls of a streamed completion, put together from pieces that each server cuts in its own way. OpenAI sends id and
 * name once and numbers the calls; others number none, or all 0, repeat id and name with each piece, cut the name, mix the
 * pieces of several calls, or send each call whole, with its arguments as an object.
 */
export class StreamedCalls {
  readonly #newId: () => string;
  readonly #calls: StreamedCall[] = [];
  readonly #byIndex = new Map<number, StreamedCall>();
  readonly #byId = new Map<string, StreamedCall>();
  readonly #length = new KeptLength();
  /** The place of the first call that is not over. */
  #first = 0;
  #chunk = 0;

  /** `newId` makes the id of a call to which the server gave none. */
  constructor(newId: () => string) {
    this.#newId = newId;
  }

  get count(): number {
    return this.#calls.length;
  }

  /**
   * Takes the pieces of a chunk. Throws `bad-response` for one that belongs to no call, or to one that is over, and for calls
   * without end.
   */
  take(pieces: readonly JsonObject[]): void {
    this.#chunk += 1;
    for (const piece of pieces) this.#takePiece(piece);
  }

  /** What can be told by now: of several calls the first that is not whole is told as it comes, those after it later. */
  ready(): CallPart[] {
    return this.#tell(false);
  }

  /** All that was not told yet: nothing more belongs to these calls. */
  end(): CallPart[] {
    return this.#tell(true);
  }

  #takePiece(piece: JsonObject): void {
    const details = recordAt(piece, "function");
    const name = textAt(details, "name") ?? "";
    const id = textAt(piece, "id") || undefined;
    const index = numberOf(piece["index"]);
    const input = argumentsText(details["arguments"]);
    this.#length.add(id?.length, name.length, input.length);
    const known = this.#find(id, index);
    const begins = known === undefined || (name !== "" && this.#isAnother(known, { id, index, name, input }));
    if (begins && name === "") {
      throw new OpenclawError("bad-response", {
        message: "The server sends a tool call without the name of its tool.",
        hint: "Update the server, or ask without tools.",
      });
    }
    if (begins) return this.#begin({ id, index, name, input });
    // Some repeat it with each piece, and some send it in pieces.
    if (known.told === undefined && name !== known.name) known.name += name;
    if (known.told === undefined && known.id === undefined) this.#give(known, id);
    if (input.trim() === "" && known.isOver) return;
    if (known.isOver) {
      throw new OpenclawError("bad-response", {
        message: "The server sends more of a tool call that was over.",
        hint: "Update the server, or ask without tools.",
      });
    }
    known.input += input;
  }

  #find(id: string | undefined, index: number | undefined): StreamedCall | undefined {
    if (index !== undefined) return this.#byIndex.get(index);
    return (id === undefined ? undefined : this.#byId.get(id)) ?? this.#calls.at(-1);
  }

  /** Whether a piece with a name begins a call of its own, and does not go on with the one in its place. */
  #isAnother(
    known: StreamedCall,
    { id, index, name, input }: Pick<StreamedCall, "id" | "index" | "name" | "input">,
  ): boolean {
    if (known.chunk === this.#chunk) return true;
    if (id !== undefined && known.id !== undefined && id !== known.id) return true;
    const isSame = name === known.name;
    if (isWhole(known.input)) return input !== "" || !isSame || (id ?? index) === undefined;
    // Of a server that numbers nothing and gives no ids, another name is another call.
    return (id ?? index) === undefined && !isSame && !this.#byId.has(known.id ?? "");
  }

  #begin({ id, ...begun }: Pick<StreamedCall, "id" | "index" | "name" | "input">): void {
    const call = { ...begun, id: undefined, chunk: this.#chunk, told: undefined, isOver: false };
    this.#calls.push(call);
    this.#give(call, id);
    if (call.index !== undefined) this.#byIndex.set(call.index, call);
  }

  /** Gives a call its id, unless another has it: results are told apart by them. */
  #give(call: StreamedCall, id: string | undefined): void {
    if (id === undefined || this.#byId.has(id)) return;
    call.id = id;
    this.#byId.set(id, call);
  }

  #tell(isEnd: boolean): CallPart[] {
    const parts: CallPart[] = [];
    for (;;) {
      const call = this.#calls[this.#first];
      if (!call) return parts;
      const ends = isEnd || (this.#first < this.#calls.length - 1 && isWhole(call.input));
      if (call.told === undefined && (ends || call.input !== "")) {
        call.told = 0;
        call.id ??= this.#newId();
        parts.push({ id: call.id, name: call.name });
      }
      if (call.told !== undefined && call.input.length > call.told) {
        parts.push({ input: call.input.slice(call.told) });
        call.told = call.input.length;
      }
      if (!ends) return parts;
      parts.push({ isOver: true });
      call.isOver = true;
      this.#first += 1;
    }
  }
}

/** Whether a text is the JSON of an object from its beginning to its end. */
function isWhole(text: string): boolean {
  return text.trimStart().startsWith("{") && text.trimEnd().endsWith("}") && isRecord(parseIfJson(text));
}

/** The arguments of a call as JSON text, where some servers have the value itself. */
export function argumentsText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : toJson(value);
}
