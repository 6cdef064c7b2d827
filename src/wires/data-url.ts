import { isUtf8 } from "node:buffer";
import { bytesInTurns, TURN_BYTES, turnOver } from "../next-turn.ts";

const HEAD = /^data:([^,]*),/i;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** Reads a data URL (RFC 2397), in base64 or percent-encoded; undefined when it is not one, or damaged. */
export async function readDataUrl(
  text: string,
): Promise<{ mediaType: string; bytes: Uint8Array } | undefined> {
  // Looked for at the start only: the rest may have millions of characters.
  const head = HEAD.exec(text.slice(0, 1000));
  if (!head) return undefined;
  const [mediaType = "", ...parameters] = (head[1] ?? "").split(";").map((part) => part.trim().toLowerCase());
  const data = text.slice(head[0].length);
  const bytes = await (parameters.includes("base64") ? readBase64(data) : readPercentEncoded(data));
  return bytes && { mediaType, bytes };
}

/**
 * Reads base64, with or without padding and line ends; undefined for what is none. It is read piece by piece: others have
 * their turn in between, and the first piece that is none ends it.
 */
export async function readBase64(text: string): Promise<Uint8Array | undefined> {
  const bytes = Buffer.allocUnsafe(Math.ceil((text.length * 3) / 4));
  let length = 0;
  /** Of a four whose end is in the next piece: the pieces are of whole fours, but for their blanks. */
  let rest = "";
  let isPadded = false;
  for (let from = 0; from < text.length; from += TURN_BYTES) {
    const over = turnOver();
    if (over) await over;
    const isLast = from + TURN_BYTES >= text.length;
    const fours = (piece: string): number => (isLast ? piece.length : piece.length - (piece.length % 4));
    let piece = rest + text.slice(from, from + TURN_BYTES);
    let written = decodeInto(bytes, length, piece.slice(0, fours(piece)));
    if (written === undefined) {
      piece = withoutBlanks(piece);
      written = decodeInto(bytes, length, piece.slice(0, fours(piece)));
    }
    if (written === undefined || (isPadded && piece !== "")) return undefined;
    isPadded ||= piece.endsWith("=", fours(piece));
    rest = piece.slice(fours(piece));
    length += written;
  }
  return bytes.subarray(0, length);
}

/**
 * Writes what a piece of base64 without blanks holds to a place. Returns how many bytes; undefined for what is none. Node's
 * decoder passes over what is no base64: where it made as many bytes as there are characters for, there was nothing else.
 * A pattern takes many times as long.
 */
function decodeInto(bytes: Buffer, at: number, piece: string): number | undefined {
  // Of a character beyond ASCII the decoder sees a half.
  if (Buffer.byteLength(piece) !== piece.length) return undefined;
  const padding = piece.endsWith("==") ? 2 : piece.endsWith("=") ? 1 : 0;
  const characters = piece.length - padding;
  const written = bytes.write(piece, at, "base64");
  // One character beyond a whole four makes no byte.
  const isWhole = characters % 4 !== 1 && written === Math.floor((characters * 3) / 4);
  return isWhole || BASE64.test(piece) ? written : undefined;
}

/** Byte by byte: a pattern takes seconds for a text of which every second character is blank. */
function withoutBlanks(text: string): string {
  const bytes = Buffer.from(text, "utf8");
  let length = 0;
  for (let place = 0; place < bytes.length; place += 1) {
    const byte = bytes[place] ?? 0;
    // Tab, line ends, form feed, and space.
    if (byte !== 0x20 && (byte < 0x09 || byte > 0x0d)) bytes[length++] = byte;
  }
  return bytes.toString("latin1", 0, length);
}

/** The bytes of a text in which `%` and two digits stand for one; undefined where they are no UTF-8. */
async function readPercentEncoded(text: string): Promise<Uint8Array | undefined> {
  const bytes = await bytesInTurns(text);
  let length = 0;
  for (let place = 0, end = 0; place < bytes.length;) {
    end = Math.min(end + TURN_BYTES, bytes.length);
    for (; place < end; place += 1) {
      let byte = bytes[place] ?? 0;
      if (byte === 0x25) {
        byte = digit(bytes[place + 1]) * 16 + digit(bytes[place + 2]);
        if (Number.isNaN(byte)) return undefined;
        place += 2;
      }
      bytes[length++] = byte;
    }
    const over = turnOver();
    if (over) await over;
  }
  const read = bytes.subarray(0, length);
  return isUtf8(read) ? read : undefined;
}

/** The value of a hexadecimal digit; NaN for any other byte. */
function digit(byte = 0): number {
  const letter = byte | 0x20;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}

/** A data URL of bytes, in base64. */
export function toDataUrl(mediaType: string, bytes: Uint8Array): string {
  return `data:${mediaType};base64,${toBase64(bytes)}`;
}

/** Bytes in base64, of which no copy is made before. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
