/** What a data URL holds. */
export interface DataUrl {
  mediaType: string;
  bytes: Uint8Array;
}

const HEAD = /^data:([^,]*),/i;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;

/** Reads a data URL (RFC 2397), in base64 or percent-encoded; undefined when it is not one, or damaged. */
export function readDataUrl(text: string): DataUrl | undefined {
  // Looked for at the start only: the rest may have millions of characters.
  const head = HEAD.exec(text.slice(0, 1000));
  if (!head) return undefined;
  const [mediaType = "", ...parameters] = (head[1] ?? "").split(";").map((part) => part.trim().toLowerCase());
  const data = text.slice(head[0].length);
  const bytes = parameters.includes("base64") ? readBase64(data) : readPercentEncoded(data);
  return bytes && { mediaType, bytes };
}

/** Reads base64, with or without padding and line ends; undefined for what is none. */
export function readBase64(text: string): Uint8Array | undefined {
  const bytes = decodeQuickly(text);
  if (bytes) return bytes;
  const packed = /\s/.test(text) ? withoutBlanks(text) : text;
  return BASE64.test(packed) ? Buffer.from(packed, "base64") : undefined;
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

/**
 * Node's decoder passes over what is no base64: where it made as many bytes as there are characters for, there was nothing
 * else. A pattern takes three times as long for the megabytes of an image. Undefined where this cannot tell.
 */
function decodeQuickly(text: string): Buffer | undefined {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const characters = text.length - padding;
  // One character beyond a whole four makes no byte, and of one beyond ASCII the decoder sees a half.
  if (characters % 4 === 1 || Buffer.byteLength(text) !== text.length) return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.length === Math.floor((characters * 3) / 4) ? bytes : undefined;
}

function readPercentEncoded(text: string): Uint8Array | undefined {
  try {
    return Buffer.from(decodeURIComponent(text), "utf8");
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

/** A data URL of bytes, in base64. */
export function toDataUrl(mediaType: string, bytes: Uint8Array): string {
  return `data:${mediaType};base64,${toBase64(bytes)}`;
}

/** Bytes in base64, of which no copy is made before. */
export function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
