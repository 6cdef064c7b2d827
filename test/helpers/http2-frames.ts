import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** The types of frames (RFC 9113, section 6) that tests send. */
export const FRAME = {
  DATA: 0,
  HEADERS: 1,
  RST_STREAM: 3,
  SETTINGS: 4,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

export const FLAG = { END_STREAM: 1, ACK: 1, END_HEADERS: 4 } as const;

/** A frame, to the byte. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Four bytes of a number. */
export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A text as HPACK has it without Huffman's code (RFC 7541, section 5.2). */
function literal(text: string): Buffer {
  const bytes = Buffer.from(text);
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.of(...length, rest), bytes]);
}

/** A header that goes into no table. */
export function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.of(0), literal(name), literal(value)]);
}

/** The headers of a request for `/health`, or of a POST of JSON to a path. */
export function requestHeaders(path?: string): Buffer {
  return Buffer.concat([
    field(":method", path === undefined ? "GET" : "POST"),
    field(":scheme", "http"),
    field(":path", path ?? "/health"),
    field(":authority", "localhost"),
    ...(path === undefined ? [] : [field("content-type", "application/json")]),
  ]);
}

/** A connection on which a test says every frame itself. */
export interface RawHttp2 {
  socket: Socket;
  /** What came: the type, stream and payload of each frame. */
  frames: { type: number; flags: number; stream: number; payload: Buffer }[];
  /** Writes as fast as the server takes it. Resolves to false when the connection has ended. */
  send: (...parts: readonly Uint8Array[]) => Promise<boolean>;
  closed: Promise<unknown>;
}

/** Opens a connection: the preface and settings, 65,535 bytes of window for all of its answers, and none added. */
export async function openRawHttp2(port: number, settings: Uint8Array = Buffer.alloc(0)): Promise<RawHttp2> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  socket.setNoDelay(true);
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  const frames: RawHttp2["frames"] = [];
  let rest = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const end = 9 + rest.readUIntBE(0, 3);
      frames.push({
        type: rest.readUInt8(3),
        flags: rest.readUInt8(4),
        stream: rest.readUInt32BE(5) & 0x7fffffff,
        payload: rest.subarray(9, end),
      });
      rest = rest.subarray(end);
    }
  });
  const send = async (...parts: readonly Uint8Array[]): Promise<boolean> => {
    if (socket.destroyed || socket.writableEnded) return false;
    const isTaken = socket.write(Buffer.concat(parts));
    if (!isTaken) await Promise.race([new Promise((resolve) => socket.once("drain", resolve)), closed]);
    return !socket.destroyed;
  };
  await send(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frame(FRAME.SETTINGS, 0, 0, settings));
  return { socket, frames, send, closed };
}
