import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { EscapeCount, JsonBoundsError, JsonScan } from "../json-bounds.ts";
import { markedNumber, markNumbers, parseExactly, replaceTexts } from "../json-numbers.ts";
import { nextTurn, TURN_BYTES, turnOver } from "../next-turn.ts";

/** What a value costs beside its bytes when it is built, in bytes: an empty object of V8 and the place that holds it. */
const VALUE_BYTES = 64;
/** A body of which nothing comes for so long is given up, in ms. */
const STALL_MS = 15_000;

/** What is done with a body that is not taken: an answer in no dialect yet. */
export class BodyRefusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;

  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

/** What all bodies together may take of memory, in bytes, from their first byte until their call is over. */
export class BytesInFlight {
  readonly #most: number;
  #bytes = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(most: number) {
    this.#most = most;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The share of one call. */
  share(): BytesShare {
    const take = (bytes: number): boolean => {
      if (bytes > 0 && this.#bytes + bytes > this.#most) return false;
      this.#bytes += bytes;
      return true;
    };
    return new BytesShare(take, (work) => this.#inTurn(work));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** The bytes that one call holds. */
export class BytesShare {
  readonly #take: (bytes: number) => boolean;
  /** Does what needs memory for a moment, beside what it holds, when nobody else does. Throws what the work throws. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Of the body that was read. */
  bodyBytes = 0;
  #bytes = 0;
  #isReleased = false;

  constructor(take: (bytes: number) => boolean, inTurn: BytesShare["inTurn"]) {
    this.#take = take;
    this.inTurn = inTurn;
  }

  /** Takes so many more. Throws BodyRefusal where there is no room for them. */
  grow(bytes: number): void {
    // What comes for a call that is over is thrown away.
    if (this.#isReleased) return;
    if (!this.#take(bytes)) {
      throw new BodyRefusal(
        503,
        "too_many_bytes",
        "The requests that this server is working on leave no room for this one. Try again.",
        { "retry-after": "1" },
      );
    }
    this.#bytes += bytes;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#take(-this.#bytes);
  }
}

/** A request over either protocol. */
type Incoming = IncomingMessage | Http2ServerRequest;

export interface BodyBounds {
  /** Of the body, in bytes. */
  most: number;
  /** Until it must be whole, in ms. */
  readMs: number;
  share: BytesShare;
  /** Ends the reading; its reason is thrown. */
  signal: AbortSignal;
  /** The types that are JSON, too, where no page of another origin may send them without asking first. */
  types?: readonly string[] | undefined;
}

/**
 * Reads the body of a request, which must be JSON in UTF-8, with or without a Content-Length. What it holds is bounded and
 * counted while it arrives. Throws BodyRefusal, the signal's reason, and what the connection fails with.
 */
export async function readJsonBody(request: Incoming, bounds: BodyBounds): Promise<unknown> {
  refuseForeignForms(request, bounds.types);
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > bounds.most) throw tooLarge(bounds.most);
  const scan = new JsonScan();
  const escapes = new EscapeCount();
  const bytes = new BodyBytes();
  const handOn = (chunk: Buffer): void => {
    scan.take(chunk);
    escapes.take(chunk);
    bytes.take(chunk);
  };
  const length = await readAll(request, bounds, handOn).catch((error: unknown) => {
    // The request itself lives on until the client has sent it all.
    bytes.drop();
    throw error;
  });
  bounds.share.bodyBytes = length;
  bounds.share.grow(scan.values * VALUE_BYTES);
  if (length <= TURN_BYTES) {
    const text = textOf(Array.from(bytes.parts([]), (part) => part.text));
    return parse(text, scan.changesNumbers);
  }
  const body = await bounds.share.inTurn(() => parseInSteps(bytes, length, scan, bounds));
  await nextTurn();
  return body;
}

/** A body that is no JSON is told where up to this length, in bytes. */
const MOST_PLACED_BYTES = 16 * 1024 * 1024;

/** Parses a body that is too long to be parsed at once; others have their turn between the steps. */
async function parseInSteps(
  bytes: BodyBytes,
  length: number,
  scan: JsonScan,
  { share, signal }: BodyBounds,
): Promise<unknown> {
  signal.throwIfAborted();
  try {
    return await parseApart(bytes, scan, share);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // Where it fails is found in the whole alone, which takes too long for what nobody reads.
    if (length > MOST_PLACED_BYTES) throw notJson("is not JSON, and too long to say where it fails");
    const texts: string[] = [];
    for (const { text } of bytes.parts([])) {
      texts.push(text);
      await turnOver();
    }
    const whole = textOf(texts);
    await nextTurn();
    return parse(whole, scan.changesNumbers);
  } finally {
    bytes.drop();
  }
}

/**
 * What `parseExactly` makes of a body, its long texts read by themselves and piece by piece: parsed as one, 31 MB of which one
 * character is no Latin-1 take 50 ms, and as long with an escape in every few letters. Throws BodyRefusal, and SyntaxError
 * exactly where the whole is no JSON.
 */
async function parseApart(
  bytes: BodyBytes,
  { longTexts, changesNumbers }: JsonScan,
  share: BytesShare,
): Promise<unknown> {
  // Nobody who wrote the body could know it.
  const mark = randomUUID();
  const between: string[] = [];
  const long: string[] = [];
  let pieces: string[] = [];
  let size = 0;
  let isWide = false;
  for (const { text, bytes: length, isOfLong, isEnd } of bytes.parts(longTexts)) {
    if (isOfLong) {
      const piece = JSON.parse(`"${text}"`) as string;
      pieces.push(piece);
      isWide ||= /[^\0-\xff]/.test(piece);
    } else between.push(text);
    size += length;
    if (isEnd) {
      if (isOfLong) {
        between.push(`${mark}${long.length}`);
        if (size > TURN_BYTES) await nextTurn();
        long.push(pieces.length === 1 ? (pieces[0] ?? "") : pieces.join(""));
        if (size > TURN_BYTES) await nextTurn();
      }
      // V8 keeps a text with a single character that is no Latin-1 in two bytes for each.
      if (isWide) share.grow(Math.max((long.at(-1) ?? "").length * 2 - size, 0));
      [pieces, size, isWide] = [[], 0, false];
    }
    const over = turnOver();
    if (over) await over;
  }
  const rest = textOf(between);
  const restBytes = Buffer.byteLength(rest);
  if (rest.length < restBytes) share.grow(Math.max(rest.length * 2 - restBytes, 0));
  await nextTurn();
  const marked = changesNumbers ? (markNumbers(rest) ?? rest) : rest;
  if (marked !== rest) await nextTurn();
  const body: unknown = JSON.parse(marked);
  await nextTurn();
  return replaceTexts(body, (text) =>
    text.startsWith(mark) ? long[Number(text.slice(mark.length))] : markedNumber(text),
  );
}

/** With the mark that some editors put in front of UTF-8 it is JSON all the same. */
function textOf(texts: readonly string[]): string {
  const text = texts.join("");
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

function parse(text: string, changesNumbers: boolean): unknown {
  try {
    return changesNumbers ? parseExactly(text) : JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw notJson(`is not JSON: ${error.message}`);
    throw error;
  }
}

/** Whether the client took back a request that is not answered yet, or went away. One that came whole is destroyed, too. */
export function isCutOff(request: Incoming): boolean {
  if ("stream" in request) return request.aborted || request.stream.closed || request.stream.destroyed;
  return request.destroyed && !request.complete;
}

/** Refuses what would have to be read in another way than as it is. */
function refuseForeignForms({ headers }: Pick<Incoming, "headers">, types: readonly string[] = []): void {
  const [type = ""] = (headers["content-type"] ?? "").split(";");
  // A page of another origin can send many a type without asking the server first.
  if (!["application/json", ...types].includes(type.trim().toLowerCase()))
    throw new BodyRefusal(415, "unsupported_media_type", "The Content-Type must be application/json.");
  const coding = headers["content-encoding"]?.trim() ?? "";
  const transfer = (headers["transfer-encoding"] ?? "").replace(/,? *chunked *$/i, "").trim();
  if (/^(identity)?$/i.test(coding) && transfer === "") return;
  throw new BodyRefusal(
    415,
    "unsupported_content_encoding",
    `The body is encoded as '${(coding || transfer).slice(0, 100)}'. This server takes bodies as they are: send it without a Content-Encoding.`,
    { "accept-encoding": "identity" },
  );
}

/** Hands on a body as it comes. Resolves to its length, in bytes. */
async function readAll(
  request: Incoming,
  { most, readMs, share, signal }: BodyBounds,
  handOn: (chunk: Buffer) => void,
): Promise<number> {
  let length = 0;
  let finish = (): void => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const late = (what: string): void =>
        reject(new BodyRefusal(408, "request_timeout", what, { connection: "close" }));
      const stallMs = Math.min(STALL_MS, readMs);
      const stall = setTimeout(() => late(`Nothing of the body came for ${stallMs / 1000} s.`), stallMs);
      const end = setTimeout(() => late(`The body was not whole after ${readMs / 1000} s.`), readMs);
      const take = (chunk: Buffer): void => {
        stall.refresh();
        length += chunk.length;
        try {
          if (length > most) throw tooLarge(most);
          share.grow(chunk.length);
          handOn(chunk);
        } catch (error) {
          reject(
            error instanceof JsonBoundsError
              ? notJson(`cannot be taken: ${error.message}`)
              : (error as Error),
          );
        }
      };
      const fail = (error?: Error): void => reject(error ?? new Error("The body ended before it was whole."));
      const stop = (): void => reject(signal.reason as Error);
      let isWhole = false;
      const close = (): void => {
        // It closes behind its end, too, before anybody who waits for it has heard of that.
        if (!isWhole) fail();
      };
      const whole = (): void => {
        // What is cut off on HTTP/2 ends, too.
        if (isCutOff(request)) return fail();
        isWhole = true;
        return resolve();
      };
      finish = () => {
        clearTimeout(stall);
        clearTimeout(end);
        signal.removeEventListener("abort", stop);
        request.off("data", take).off("end", whole).off("error", fail).off("close", close);
        // Nobody else may be listening when the client leaves later.
        request.on("error", () => undefined);
      };
      signal.addEventListener("abort", stop, { once: true });
      request.on("data", take).on("end", whole).on("error", fail).on("close", close);
      if (signal.aborted) stop();
    });
  } finally {
    finish();
  }
  return length;
}

/** So many bytes are kept and decoded together. */
const BLOCK_BYTES = 256 * 1024;
/** Chunks may be of a byte each, and each takes more than that to keep. */
const BLOCK_CHUNKS = 256;

interface BodyPart {
  text: string;
  /** How many it was. */
  bytes: number;
  isOfLong: boolean;
  /** Whether the long text, or what is between two, ends with it. */
  isEnd: boolean;
}

/**
 * The bytes of a body as they came. They stay bytes until the body is whole: V8 is in no hurry to collect texts, and those
 * of bodies that are refused in the middle would pile up.
 */
class BodyBytes {
  readonly #blocks: Buffer[] = [];
  #chunks: Buffer[] = [];
  #bytes = 0;

  take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= BLOCK_BYTES || this.#chunks.length >= BLOCK_CHUNKS) this.#close();
  }

  drop(): void {
    this.#blocks.length = 0;
    this.#chunks = [];
  }

  /**
   * The text in parts, each of which takes a few ms at most: of the long texts between these borders, and of what is between
   * them. A part ends behind a whole character, in a long text behind a whole escape. Throws BodyRefusal for what is not
   * UTF-8.
   */
  *parts(borders: readonly number[]): Generator<BodyPart, void, undefined> {
    this.#close();
    const [first, second] = this.#blocks[0] ?? [];
    if (first === undefined) throw notJson("is empty");
    const isWide =
      first === 0 ||
      second === 0 ||
      (first === 0xff && second === 0xfe) ||
      (first === 0xfe && second === 0xff);
    if (isWide) throw notJson("is UTF-16 or UTF-32, and must be UTF-8");
    let rest: Buffer = Buffer.alloc(0);
    let passed = 0;
    let next = 0;
    for (const [index, block] of this.#blocks.entries()) {
      for (let from = 0; from < block.length;) {
        const to = Math.min((borders[next] ?? Infinity) - passed, block.length);
        const isOfLong = next % 2 === 1;
        const isLast = index === this.#blocks.length - 1 && to === block.length;
        const isEnd = isLast || borders[next] === passed + to;
        const bytes = block.subarray(from, to);
        const all = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
        let end = isEnd ? all.length : startOfPart(all);
        if (isOfLong && !isEnd) end = startOfEscape(all, end);
        const whole = all.subarray(0, end);
        if (!isUtf8(whole)) throw notJson("is not valid UTF-8");
        yield { text: whole.toString("utf8"), bytes: end, isOfLong, isEnd };
        rest = all.subarray(end);
        from = to;
        if (isEnd) next += 1;
      }
      passed += block.length;
    }
  }

  #close(): void {
    const [first, ...others] = this.#chunks;
    if (first) this.#blocks.push(others.length === 0 ? first : Buffer.concat(this.#chunks, this.#bytes));
    this.#chunks = [];
    this.#bytes = 0;
  }
}

/** Where a character begins whose last bytes are still to come; the length where there is none. */
function startOfPart(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) break;
    // The first byte of a character says how many it has.
    if (byte >= 0xc0)
      return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Where an escape begins whose last bytes are still to come; `end` where there is none. What begins with half of one has none. */
function startOfEscape(bytes: Buffer, end: number): number {
  const last = bytes.subarray(0, end).lastIndexOf(0x5c);
  if (last < 0 || last <= end - 6) return end;
  let first = last;
  while (first > 0 && bytes[first - 1] === 0x5c) first -= 1;
  // Of an even number each second one is escaped itself.
  if ((last - first) % 2 === 1) return end;
  return last === end - 1 || bytes[last + 1] === 0x75 ? last : end;
}

function notJson(what: string): BodyRefusal {
  return new BodyRefusal(400, "invalid_json", `The body ${what}.`);
}

function tooLarge(most: number): BodyRefusal {
  return new BodyRefusal(413, "request_too_large", `The body has more than ${most} bytes.`);
}
