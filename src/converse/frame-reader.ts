import { crc32 } from "../aws/crc32.ts";
import { ByteBlocks } from "../byte-blocks.ts";
import { OpenclawError } from "../errors.ts";
import { TURN_BYTES, turnOver } from "../next-turn.ts";
import { parseInTurnsIfJson } from "../parse-in-turns.ts";

/**
 * The largest frame that is read, in bytes. AWS's are a few hundred; whoever trusts the length that a broken or hostile
 * frame claims sets gigabytes aside before it looks at a checksum.
 */
export const MAX_FRAME_BYTES = 24 * 1024 * 1024;
/** Prelude (8), its checksum (4) and the message's checksum (4). */
const MIN_FRAME_BYTES = 16;
const PRELUDE_BYTES = 12;

/** The event that has fields of the model's own, whose numbers stay as they were written. */
export const OWN_FIELDS_EVENT = "messageStop";

/** One message of an event stream. */
export interface FrameMessage {
  /** `event`, `exception` or `error`, from the header `:message-type`. */
  type: string;
  /** What it is: the header `:event-type`, `:exception-type` or `:error-code`. */
  name: string;
  /** The header `:error-message` of a message of type `error`. */
  errorMessage: string;
  /** JSON text, for events and exceptions. */
  payload: string;
  /** The value that it is, in place of the text, where that is long. */
  value?: unknown;
  /** How long that is. */
  bytes?: number;
}

/**
 * Reads the frames of application/vnd.amazon.eventstream
 * (https://smithy.io/2.0/aws/amazon-eventstream.html) from chunks cut anywhere. Of the headers it takes the ones above.
 */
export class FrameReader {
  /** The beginning of a frame that is not whole yet. */
  #rest: Buffer = Buffer.alloc(0);
  readonly #parts = new ByteBlocks();
  /** How many bytes the frame in `#rest` and `#parts` has; 0 while its length is not known. */
  #wanted = 0;
  /** A frame that is whole and too long to be read at once. */
  #long: Buffer | undefined;
  /** The headers of the last frame and what they say: a stream repeats a few of them in each of its thousands of frames. */
  #known: { headers: Buffer; message: FrameMessage } | undefined;

  /** Whether the stream may end here without a frame being torn. */
  get isBetweenFrames(): boolean {
    return this.#rest.length === 0;
  }

  /**
   * Takes a chunk and hands on each message that it completes, in order, up to a long one: `takeLong` has that, and the next
   * chunk, which may be empty, what is behind it. Throws `bad-response` for a length that no frame
   * has, `stream-broken` for a wrong checksum; the messages before it have been handed on by then.
   */
  push(chunk: Uint8Array, take: (message: FrameMessage) => void): void {
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    if (this.#rest.length > 0) {
      this.#parts.take(bytes);
      // A large frame in small chunks: they are put together once, not each time one more comes.
      if (this.#rest.length + this.#parts.length < Math.max(this.#wanted, 4)) return;
      bytes = Buffer.concat([this.#rest, ...this.#parts.blocks()]);
      this.#parts.drop();
    }
    let offset = 0;
    this.#wanted = 0;
    while (bytes.length - offset >= 4) {
      const length = bytes.readUInt32BE(offset);
      if (length < MIN_FRAME_BYTES || length > MAX_FRAME_BYTES) throw impossibleFrame(length);
      if (bytes.length - offset < length) {
        this.#wanted = length;
        break;
      }
      const frame = bytes.subarray(offset, offset + length);
      offset += length;
      if (length > TURN_BYTES) {
        this.#long = frame;
        break;
      }
      checkSums(frame, crc32(frame.subarray(0, length - 4)));
      const headersEnd = endOfHeaders(frame);
      const headers = frame.subarray(PRELUDE_BYTES, headersEnd);
      if (!this.#known?.headers.equals(headers))
        this.#known = { headers: Buffer.from(headers), message: readHeaders(frame, headersEnd) };
      take({ ...this.#known.message, payload: frame.toString("utf8", headersEnd, length - 4) });
    }
    this.#rest = bytes.subarray(offset);
  }

  /** The long message that the last chunk completed, if it did; others have their turn meanwhile. Throws `stream-broken`. */
  takeLong(): Promise<FrameMessage> | undefined {
    const frame = this.#long;
    this.#long = undefined;
    return frame && readLong(frame);
  }
}

async function readLong(frame: Buffer): Promise<FrameMessage> {
  const end = frame.length - 4;
  let sum = 0;
  for (let start = 0; start < end; start += TURN_BYTES) {
    sum = crc32(frame.subarray(start, Math.min(start + TURN_BYTES, end)), sum);
    const over = turnOver();
    if (over) await over;
  }
  checkSums(frame, sum);
  const headersEnd = endOfHeaders(frame);
  const message = readHeaders(frame, headersEnd);
  message.bytes = end - headersEnd;
  // What is no JSON has no value, and is told by whoever reads the message.
  message.value = await parseInTurnsIfJson(
    frame.subarray(headersEnd, end),
    message.name === OWN_FIELDS_EVENT,
  );
  return message;
}

function checkSums(frame: Buffer, sum: number): void {
  if (crc32(frame.subarray(0, 8)) !== frame.readUInt32BE(8)) throw corruptFrame("the checksum of its length");
  if (sum !== frame.readUInt32BE(frame.length - 4)) throw corruptFrame("its checksum");
}

function endOfHeaders(frame: Buffer): number {
  const headersEnd = PRELUDE_BYTES + frame.readUInt32BE(4);
  if (headersEnd > frame.length - 4) throw corruptFrame("the length of its headers");
  return headersEnd;
}

function readHeaders(frame: Buffer, headersEnd: number): FrameMessage {
  const message: FrameMessage = { type: "", name: "", errorMessage: "", payload: "" };
  let offset = PRELUDE_BYTES;
  while (offset < headersEnd) {
    const nameEnd = offset + 1 + (frame[offset] ?? 0);
    const name = frame.toString("latin1", offset + 1, nameEnd);
    const type = frame[nameEnd] ?? 0;
    const start = nameEnd + 1;
    if (type !== STRING) {
      offset = start + sizeOf(type, frame, start, headersEnd);
      continue;
    }
    if (start + 2 > headersEnd) throw corruptFrame("a header");
    offset = start + 2 + frame.readUInt16BE(start);
    if (name === ":message-type") message.type = frame.toString("utf8", start + 2, offset);
    else if (name === ":event-type" || name === ":exception-type" || name === ":error-code") {
      message.name = frame.toString("utf8", start + 2, offset);
    } else if (name === ":error-message") message.errorMessage = frame.toString("utf8", start + 2, offset);
  }
  if (offset !== headersEnd) throw corruptFrame("a header");
  return message;
}

const STRING = 7;
/** Bytes of the header values of fixed size, by type: true, false, byte, short, integer, long, –, –, timestamp, UUID. */
const FIXED_SIZES: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 };
const BYTES = 6;

function sizeOf(type: number, frame: Buffer, start: number, headersEnd: number): number {
  if (type === BYTES && start + 2 <= headersEnd) return 2 + frame.readUInt16BE(start);
  const size = FIXED_SIZES[type];
  if (size === undefined) throw corruptFrame("a header");
  return size;
}

function corruptFrame(what: string): OpenclawError {
  return new OpenclawError("stream-broken", {
    message: `An event of the answer arrived damaged: ${what} is wrong.`,
    hint: "Run the command again; if it stays, a proxy or another server is in between: openclaw doctor",
  });
}

function impossibleFrame(length: number): OpenclawError {
  return new OpenclawError("bad-response", {
    message: `The answer holds an event of ${length} bytes; events have ${MIN_FRAME_BYTES} bytes to 24 MB.`,
    hint: "Run the command again; if it stays, a proxy or another server is in between: openclaw doctor",
    details: { frameBytes: length, limitBytes: MAX_FRAME_BYTES },
  });
}
