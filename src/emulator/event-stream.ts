import { EventStreamCodec } from "@smithy/eventstream-codec";
import { crc32 } from "node:zlib";

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8")),
  (text) => Buffer.from(text, "utf8"),
);

/** Header blocks by message type and name: a stream repeats a few of them in each of its thousands of frames. */
const headerBlocks = new Map<string, Uint8Array>();

/** Encodes one event of a stream as a frame of `application/vnd.amazon.eventstream`. */
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
    headers = codec.formatHeaders({
      [nameHeader]: { type: "string", value: name },
      ":content-type": { type: "string", value: "application/json" },
      ":message-type": { type: "string", value: messageType },
    });
    headerBlocks.set(key, headers);
  }
  return assembleFrame(headers, Buffer.from(JSON.stringify(payload), "utf8"));
}

/**
 * Puts a frame together: prelude, its checksum, headers, payload, checksum of all.
 * The codec's own `encode` formats headers and runs a JavaScript CRC for each frame, which takes five times as long;
 * a test holds the two equal.
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
