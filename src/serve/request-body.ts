import { isUtf8 } from "node:buffer";
import type { IncomingMessage } from "node:http";
import { JsonBoundsError, JsonScan } from "../json-bounds.ts";
import { nextTurn, TURN_BYTES } from "../next-turn.ts";

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

  constructor(most: number) {
    this.#most = most;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The share of one call. */
  share(): BytesShare {
    return new BytesShare((bytes) => {
      if (bytes > 0 && this.#bytes + bytes > this.#most) return false;
      this.#bytes += bytes;
      return true;
    });
  }
}

/** The bytes that one call holds. */
export class BytesShare {
  readonly #take: (bytes: number) => boolean;
  #bytes = 0;
  #isReleased = false;

  constructor(take: (bytes: number) => boolean) {
    this.#take = take;
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

export interface BodyBounds {
  /** Of the body, in bytes. */
  most: number;
  /** Until it must be whole, in ms. */
  readMs: number;
  share: BytesShare;
  /** Ends the reading; its reason is thrown. */
  signal: AbortSignal;
}

/**
 * Reads the body of a request, which must be JSON in UTF-8, with or without a Content-Length. What it holds is bounded and
 * counted while it arrives. Throws BodyRefusal, the signal's reason, and what the connection fails with.
 */
export async function readJsonBody(request: IncomingMessage, bounds: BodyBounds): Promise<unknown> {
  refuseForeignForms(request);
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > bounds.most) throw tooLarge(bounds.most);
  const scan = new JsonScan();
  const text = new BodyText();
  const length = await readAll(request, bounds, (chunk) => {
    scan.take(chunk);
    text.take(chunk);
  });
  bounds.share.grow(scan.values * VALUE_BYTES);
  // Each of these steps is as long as the body: others have their turn between them.
  const whole = text.end();
  if (length > TURN_BYTES) await nextTurn();
  const body = parse(whole);
  if (length > TURN_BYTES) await nextTurn();
  return body;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw notJson(`is not JSON: ${error.message}`);
    throw error;
  }
}

/** Refuses what would have to be read in another way than as it is. */
function refuseForeignForms({ headers }: IncomingMessage): void {
  // A page of another origin can send any other type without asking the server first.
  if (!/^application\/json *(;|$)/i.test(headers["content-type"] ?? ""))
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
  request: IncomingMessage,
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
      const close = (): void => fail();
      finish = () => {
        clearTimeout(stall);
        clearTimeout(end);
        signal.removeEventListener("abort", stop);
        request.off("data", take).off("end", resolve).off("error", fail).off("close", close);
        // Nobody else may be listening when the client leaves later.
        request.on("error", () => undefined);
      };
      signal.addEventListener("abort", stop, { once: true });
      request.on("data", take).on("end", resolve).on("error", fail).on("close", close);
      if (signal.aborted) stop();
    });
  } finally {
    finish();
  }
  return length;
}

/** So many bytes, or chunks, are decoded together. */
const DECODED_BYTES = 64 * 1024;
const DECODED_CHUNKS = 256;

/** The text of a body, decoded while it arrives, so that its bytes need not be kept. */
class BodyText {
  readonly #texts: string[] = [];
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** The first two bytes. */
  #head = Buffer.alloc(0);

  /** Takes the next bytes. Throws BodyRefusal for what is not UTF-8. */
  take(chunk: Buffer): void {
    if (this.#head.length < 2) this.#head = Buffer.concat([this.#head, chunk.subarray(0, 2)]).subarray(0, 2);
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= DECODED_BYTES || this.#chunks.length >= DECODED_CHUNKS) this.#decode(startOfPart);
  }

  /** The body is whole. Throws BodyRefusal for one that is empty or not UTF-8. */
  end(): string {
    const [first = 1, second = 1] = this.#head;
    if (this.#head.length === 0) throw notJson("is empty");
    if (first === 0 || second === 0) throw notJson(IS_WIDE);
    this.#decode((bytes) => bytes.length);
    const text = this.#texts.join("");
    // With the mark that some editors put in front of UTF-8 it is JSON all the same.
    return text.startsWith("\uFEFF") ? text.slice(1) : text;
  }

  #decode(endOf: (bytes: Buffer) => number): void {
    const [first, ...others] = this.#chunks;
    const bytes = first && others.length === 0 ? first : Buffer.concat(this.#chunks, this.#bytes);
    const end = endOf(bytes);
    const whole = bytes.subarray(0, end);
    if (!isUtf8(whole))
      throw notJson(
        /^(\xff\xfe|\xfe\xff)/.test(this.#head.toString("latin1")) ? IS_WIDE : "is not valid UTF-8",
      );
    this.#texts.push(whole.toString("utf8"));
    this.#chunks = end < bytes.length ? [bytes.subarray(end)] : [];
    this.#bytes = bytes.length - end;
  }
}

const IS_WIDE = "is UTF-16 or UTF-32, and must be UTF-8";

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

function notJson(what: string): BodyRefusal {
  return new BodyRefusal(400, "invalid_json", `The body ${what}.`);
}

function tooLarge(most: number): BodyRefusal {
  return new BodyRefusal(413, "request_too_large", `The body has more than ${most} bytes.`);
}
