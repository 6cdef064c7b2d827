import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { ByteBlocks } from "../byte-blocks.ts";
import { EscapeCount, JsonBoundsError, JsonScan } from "../json-bounds.ts";
import { parseExactly } from "../json-numbers.ts";
import { nextTurn, TURN_BYTES, turnOver, whenTime } from "../next-turn.ts";
import { parseApart, partsOf, textOf } from "../parse-in-turns.ts";

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
  const bytes = new ByteBlocks();
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
  refuseWide(bytes.blocks());
  if (length <= TURN_BYTES) {
    const parts = partsOf(bytes.blocks(), undefined, { refuse: notJson });
    return parse(textOf(Array.from(parts, ({ text }) => text)), scan.changesNumbers);
  }
  const body = await bounds.share.inTurn(() => parseInSteps(bytes, scan, bounds));
  await nextTurn();
  return body;
}

/** A body that is no JSON is told where up to this length, in bytes. */
const MOST_PLACED_BYTES = 4 * 1024 * 1024;

/** Parses a body that is too long to be parsed at once; others have their turn between the steps. */
async function parseInSteps(
  bytes: ByteBlocks,
  scan: JsonScan,
  { share, signal }: BodyBounds,
): Promise<unknown> {
  signal.throwIfAborted();
  try {
    const grow = (more: number): void => share.grow(more);
    return await parseApart(bytes.blocks(), scan, { grow, refuse: notJson, isExact: true });
  } catch (error) {
    if (error instanceof JsonBoundsError) throw outOfBounds(error);
    if (!(error instanceof SyntaxError)) throw error;
    // Where it fails is found in the whole alone, which takes too long for what nobody reads.
    if (bytes.length > MOST_PLACED_BYTES) throw notJson("is not JSON, and too long to say where it fails");
    const texts: string[] = [];
    for (const { text } of partsOf(bytes.blocks(), undefined, { refuse: notJson })) {
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
  let isOver = false;
  const isChunked = request.headers["transfer-encoding"] !== undefined;
  let finish = (): void => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      // What follows takes its time, and thousands may be cut off, or be late, at once.
      const giveUp = (error: Error): void => whenTime(() => reject(error));
      const late = (what: string): void =>
        giveUp(new BodyRefusal(408, "request_timeout", what, { connection: "close" }));
      const stallMs = Math.min(STALL_MS, readMs);
      const stall = setTimeout(() => late(`Nothing of the body came for ${stallMs / 1000} s.`), stallMs);
      const end = setTimeout(() => late(`The body was not whole after ${readMs / 1000} s.`), readMs);
      const refuse = (error: unknown): void =>
        reject(error instanceof JsonBoundsError ? outOfBounds(error) : (error as Error));
      const look = (chunk: Buffer): void => {
        try {
          handOn(chunk);
        } catch (error) {
          refuse(error);
        }
      };
      // However many bodies come at once: each chunk of them takes its time.
      let waiting: Promise<void> | undefined;
      const waitFor = async (over: Promise<void>, chunk: Buffer): Promise<void> => {
        request.pause();
        await over;
        waiting = undefined;
        if (isOver) return;
        stall.refresh();
        look(chunk);
        request.resume();
      };
      const take = (chunk: Buffer): void => {
        stall.refresh();
        length += chunk.length;
        try {
          if (length > most) throw tooLarge(most);
          share.grow(chunk.length);
        } catch (error) {
          return refuse(error);
        }
        const over = isChunked ? undefined : turnOver();
        if (over) waiting = waitFor(over, chunk);
        else look(chunk);
        return undefined;
      };
      const fail = (error?: Error): void => giveUp(error ?? new Error("The body ended before it was whole."));
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
        // It may come before the last chunk has had its turn.
        return waiting ? void waiting.then(resolve) : resolve();
      };
      finish = () => {
        isOver = true;
        clearTimeout(stall);
        clearTimeout(end);
        signal.removeEventListener("abort", stop);
        request.off("data", take).off("end", whole).off("error", fail).off("close", close);
        // Nobody else may be listening when the client leaves later.
        request.on("error", () => undefined);
        // What still comes is thrown away.
        request.resume();
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

/** Refuses an empty body, and text of two or four bytes a character, which is no UTF-8 and often passes for it. */
function refuseWide([block]: readonly Buffer[]): void {
  const [first, second] = block ?? [];
  if (first === undefined) throw notJson("is empty");
  const isWide =
    first === 0 || second === 0 || (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  if (isWide) throw notJson("is UTF-16 or UTF-32, and must be UTF-8");
}

function notJson(what: string): BodyRefusal {
  return new BodyRefusal(400, "invalid_json", `The body ${what}.`);
}

function outOfBounds({ message }: JsonBoundsError): BodyRefusal {
  return notJson(`cannot be taken: ${message}`);
}

function tooLarge(most: number): BodyRefusal {
  return new BodyRefusal(413, "request_too_large", `The body has more than ${most} bytes.`);
}
