import { crc32 } from "./crc32.ts";
import { toJson } from "../json-numbers.ts";

/** The media type of a stream of such frames. */
export const EVENT_STREAM_TYPE = "application/vnd.amazon.eventstream";

/** Header blocks by message type and name: a stream repeats a few of them in each of its thousands of frames. */
const headerBlocks = new Map<string, Buffer>();

/** Encodes one event of a stream as a frame. */
export function encodeEvent(name: string, payload: unknown): Buffer {
  return encodeFrame("event", ":event-type", name, payload);
}

/** Encodes an exception inside a stream, such as `throttlingException`. */
export function encodeException(name: string, payload: unknown): Buffer {
  return encodeFrame("exception", ":exception-type", name, payload);
}

function encodeFrame(messageType: string, nameHeader: string, name: string, payload: unknown): Buffer {
  const key = `${messageType} ${name}`;
  let headers = headerBlocks.get(key);
  if (headers === undefined) {
    headers = Buffer.concat([
      header(nameHeader, name),
      header(":content-type", "application/json"),
      header(":message-type", messageType),
    ]);
    headerBlocks.set(key, headers);
  }
  return assembleFrame(headers, Buffer.from(toJson(payload), "utf8"));
}

/** The type of a header's value that is text (https://smithy.io/2.0/aws/amazon-eventstream.html). */
const STRING = 7;

/** A header: its name behind a byte with the length of it, then type, length and bytes of its value. */
function header(name: string, value: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(Buffer.byteLength(value));
  const named = [Buffer.of(Buffer.byteLength(name)), Buffer.from(name)];
  return Buffer.concat([...named, Buffer.of(STRING), length, Buffer.from(value)]);
}

/**
 * Puts a frame together: prelude, its checksum, headers, payload, checksum of all. The codec of the SDK, with which a test
 * holds this equal, formats headers and runs a CRC in JavaScript for each frame, and takes five times as long.
 */
function assembleFrame(headers: Uint8Array, payload: Uint8Array): Buffer {
  const length = headers.length + payload.length + 16;
  const frame = Buffer.allocUnsafe(length);
  frame.writeUInt32BE(length, 0);
  frame.writeUInt32BE(headers.length, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  frame.set(headers, 12);
  frame.set(payload, 12 + headers.length);
  frame.writeUInt32BE(crc32(frame.subarray(0, length - 4)), length - 4);
  return frame;
}
