import { isUtf8 } from "node:buffer";
import { decode, guessEncoding } from "./guess-encoding.ts";

export { isUtf8 };

/** What bytes that are not UTF-8 text look like. */
export interface Recognised {
  /** Completes "it looks like …". */
  looksLike: string;
  /** The first byte that UTF-8 text does not have there, from 0. */
  offset: number;
  /** The name that iconv knows the encoding by, and whether it has to leave out what is broken. */
  iconv?: { from: string; dropsBroken?: boolean };
  /** Up to the offset it is UTF-8 text. */
  isCutOff?: boolean;
  /** A file that models take as it is. */
  isAttachable?: boolean;
  /** It may well be text, of which nobody knows the encoding. */
  isUnknownText?: boolean;
}

interface Signature {
  name: string;
  offset: number;
  /** One character a byte. */
  bytes: string;
  isAttachable?: boolean;
}

/** Signatures by the formats' own specifications, as `file` knows them. */
const SIGNATURES: readonly Signature[] = [
  { name: "a PDF document", offset: 0, bytes: "%PDF-", isAttachable: true },
  { name: "a PNG image", offset: 0, bytes: "\x89PNG\r\n\x1a\n", isAttachable: true },
  { name: "a JPEG image", offset: 0, bytes: "\xff\xd8\xff", isAttachable: true },
  { name: "a GIF image", offset: 0, bytes: "GIF8", isAttachable: true },
  { name: "a WebP image", offset: 8, bytes: "WEBP", isAttachable: true },
  {
    name: "an Office file of before 2007",
    offset: 0,
    bytes: "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    isAttachable: true,
  },
  { name: "a ZIP archive or an Office file", offset: 0, bytes: "PK\x03\x04", isAttachable: true },
  { name: "a TIFF image", offset: 0, bytes: "II*\0" },
  { name: "a TIFF image", offset: 0, bytes: "MM\0*" },
  { name: "a HEIC image", offset: 4, bytes: "ftyphei" },
  { name: "a HEIC image", offset: 4, bytes: "ftyphev" },
  { name: "a HEIF image", offset: 4, bytes: "ftypmif1" },
  { name: "an AVIF image", offset: 4, bytes: "ftypavi" },
  { name: "an MP4 file", offset: 4, bytes: "ftyp", isAttachable: true },
  { name: "a WAV recording", offset: 8, bytes: "WAVE", isAttachable: true },
  { name: "a RIFF sound or video", offset: 0, bytes: "RIFF" },
  { name: "a Matroska or WebM file", offset: 0, bytes: "\x1a\x45\xdf\xa3", isAttachable: true },
  { name: "an Ogg recording", offset: 0, bytes: "OggS", isAttachable: true },
  { name: "a FLAC recording", offset: 0, bytes: "fLaC", isAttachable: true },
  { name: "an MP3 recording", offset: 0, bytes: "ID3\x03", isAttachable: true },
  { name: "an MP3 recording", offset: 0, bytes: "ID3\x04", isAttachable: true },
  { name: "an AIFF recording", offset: 8, bytes: "AIFF" },
  { name: "an AMR recording", offset: 0, bytes: "#!AMR" },
  { name: "a MIDI file", offset: 0, bytes: "MThd" },
  { name: "a gzip archive", offset: 0, bytes: "\x1f\x8b" },
  { name: "a bzip2 archive", offset: 0, bytes: "BZh" },
  { name: "an xz archive", offset: 0, bytes: "\xfd7zXZ\0" },
  { name: "a Zstandard archive", offset: 0, bytes: "\x28\xb5\x2f\xfd" },
  { name: "a 7z archive", offset: 0, bytes: "7z\xbc\xaf" },
  { name: "a tar archive", offset: 257, bytes: "ustar" },
  { name: "an SQLite database", offset: 0, bytes: "SQLite format 3\0" },
  { name: "a program", offset: 0, bytes: "\x7fELF" },
  { name: "a BMP image", offset: 0, bytes: "BM" },
  { name: "a Windows program", offset: 0, bytes: "MZ" },
];

/** The kind of file that bytes begin as. Short signatures are those of texts, too: ask only of what is no text. */
export function findSignature(bytes: Uint8Array): Signature | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return SIGNATURES.find(({ offset, bytes: signature }) => hasBytesAt(file, signature, offset));
}

/** Whether a file has these bytes, one a character, from an offset on. */
export function hasBytesAt(file: Buffer, bytes: string, offset = 0): boolean {
  return file.toString("latin1", offset, offset + bytes.length) === bytes;
}

/** More control characters than this share, and it is no text. Tab, line ends, form feed and escape are characters of texts. */
const MOST_CONTROLS = 0.02;

/** Such as the names that `find -print0` prints. */
export const ZERO_BYTES = "binary data: it has zero bytes";

/** Escape, `$` and the set of 1983 or of 1978. */
const SHIFTS = [Buffer.of(0x1b, 0x24, 0x42), Buffer.of(0x1b, 0x24, 0x40)];

/** It begins near the beginning of a text; to look for it in the megabytes of a hostile one takes its time. */
const SHIFTS_WITHIN = 1024 * 1024;

/** Where Japanese begins in ISO-2022-JP, whose bytes are all ASCII (RFC 1468); -1 where it does not. */
export function findIso2022(bytes: Uint8Array): number {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, SHIFTS_WITHIN));
  return Math.max(...SHIFTS.map((shift) => file.indexOf(shift)));
}

/** So many bytes are looked at, from the first ones on that no text has: what they are shows in them. */
const LOOKED_AT = 32_768;

/** Recognises bytes that are not UTF-8 text, or are it with zero bytes inside. */
export function recogniseBytes(file: Uint8Array): Recognised {
  const start = file.length <= LOOKED_AT ? 0 : firstOddBlock(file);
  const end = wholeCharacters(file, start + LOOKED_AT);
  const recognised = recognisePart(file.subarray(start, end), file, end === file.length);
  return { ...recognised, offset: start + recognised.offset };
}

/** Where the first block begins that has what no UTF-8 text has. Up to there are whole characters. */
function firstOddBlock(file: Uint8Array): number {
  const signs = [file.indexOf(0), findIso2022(file)].filter((at) => at >= 0);
  const odd = Math.min(file.length, ...signs);
  let start = 0;
  for (let end = 0; start < odd; start = end) {
    end = wholeCharacters(file, start + LOOKED_AT);
    if (end > odd || !isUtf8(file.subarray(start, end))) break;
  }
  return start;
}

/** The last place up to this one where no UTF-8 character is cut. */
function wholeCharacters(file: Uint8Array, place: number): number {
  if (place >= file.length) return file.length;
  const back = [0, 1, 2, 3].find((bytes) => ((file[place - bytes] ?? 0) & 0xc0) !== 0x80) ?? 0;
  return place - back;
}

/** `bytes` are those of the file that are looked at, up to its end or not. */
function recognisePart(bytes: Uint8Array, file: Uint8Array, isEnd: boolean): Recognised {
  const shift = findIso2022(bytes);
  if (shift >= 0 && decode(bytes, "iso-2022-jp", isEnd) !== undefined)
    return { offset: shift, looksLike: "ISO-2022-JP text", iconv: { from: "ISO-2022-JP" } };
  const offset = firstOddByte(bytes);
  const marked = recogniseMark(file.subarray(0, LOOKED_AT), file.length <= LOOKED_AT);
  if (marked) return { offset, ...marked };
  const signature = findSignature(file);
  const named = signature && {
    looksLike: signature.name,
    offset,
    isAttachable: signature.isAttachable === true,
  };
  if (named && signature.bytes.length >= 4) return named;
  const wide = recogniseWide(bytes);
  if (wide) return { offset, ...wide };
  const controls = bytes.reduce((count, byte) => count + Number(isControl(byte)), 0);
  const isBinary = bytes.includes(0) || controls > bytes.length * MOST_CONTROLS;
  // A text may begin like a short one.
  if (named && isBinary) return named;
  if (bytes.includes(0)) return { looksLike: ZERO_BYTES, offset };
  return isBinary ? { looksLike: "binary data", offset } : { offset, ...recogniseNarrow(bytes, offset) };
}

function isControl(byte: number): boolean {
  return byte === 0x7f || (byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d) && byte !== 0x1b);
}

/** Text that begins with the byte order mark of an encoding, and is not whole in it or not read here. */
function recogniseMark(bytes: Uint8Array, isWhole: boolean): Omit<Recognised, "offset"> | undefined {
  const startsWith = (...start: number[]): boolean => start.every((byte, index) => bytes[index] === byte);
  if (startsWith(0xff, 0xfe, 0, 0) || startsWith(0, 0, 0xfe, 0xff))
    return { looksLike: "UTF-32 text", iconv: { from: "UTF-32" } };
  const isLittle = startsWith(0xff, 0xfe);
  if (!isLittle && !startsWith(0xfe, 0xff)) return undefined;
  return decode(bytes, isLittle ? "utf-16le" : "utf-16be", isWhole) === undefined
    ? { looksLike: "UTF-16 text with broken characters", iconv: { from: "UTF-16", dropsBroken: true } }
    : { looksLike: "UTF-16 text", iconv: { from: "UTF-16" } };
}

/** Text in two or four bytes a character without a mark; undefined when it is none. */
function recogniseWide(bytes: Uint8Array): Omit<Recognised, "offset"> | undefined {
  if (bytes.length % 4 === 0 && bytes.length > 0) {
    // Characters are on planes 0 to 3 (https://www.unicode.org/roadmaps/); the fourth byte is always zero.
    const fits = (high: number, next: number): boolean =>
      bytes.every((byte, index) => (index % 4 === high ? byte === 0 : index % 4 !== next || byte <= 0x03));
    if (fits(3, 2)) return withoutMark("UTF-32LE");
    if (fits(0, 1)) return withoutMark("UTF-32BE");
  }
  const zeros = [0, 0];
  bytes.forEach((byte, index) => {
    if (byte === 0) zeros[index % 2] = (zeros[index % 2] ?? 0) + 1;
  });
  const [even = 0, odd = 0] = zeros;
  const most = Math.max(even, odd);
  const isOneSided = most > 0 && Math.min(even, odd) <= most / 10 && bytes.length % 2 === 0;
  // Latin text has a zero in nearly every character; of other text only its spaces and line ends have one.
  if (!isOneSided || (most < bytes.length / 5 && decode(bytes, "utf-8") !== undefined)) return undefined;
  const encoding = odd > even ? "utf-16le" : "utf-16be";
  return isPlausible(decode(bytes, encoding)) ? withoutMark(encoding.toUpperCase()) : undefined;
}

/** Whether a text has hardly any characters that nobody writes: of bytes taken at random every tenth is one. */
function isPlausible(text: string | undefined): boolean {
  const odd = text?.match(/(?![\t-\r])[\p{Cc}\p{Cn}\p{Co}]/gu) ?? [];
  return text !== undefined && odd.length <= text.length * MOST_CONTROLS;
}

function withoutMark(encoding: string): Omit<Recognised, "offset"> {
  return { looksLike: `${encoding} text without a byte order mark`, iconv: { from: encoding } };
}

/** Text in one byte a character, or in an older encoding of several, or UTF-8 that was damaged. */
function recogniseNarrow(bytes: Uint8Array, offset: number): Omit<Recognised, "offset"> {
  const text = new TextDecoder().decode(bytes);
  const broken = text.split("\uFFFD").length - 1;
  // Of text in another encoding hardly anything is UTF-8 by chance.
  const whole = (text.match(/[\u0080-\uFFFC\u{10000}-\u{10FFFF}]/gu) ?? []).length;
  const isCutOff = broken === 1 && text.endsWith("\uFFFD") && (bytes[offset] ?? 0) >= 0xc2;
  if (isCutOff && whole > 0)
    return { looksLike: "UTF-8 text that is cut off in its last character", isCutOff };
  if (whole > broken)
    return { looksLike: "UTF-8 text with broken characters", iconv: { from: "UTF-8", dropsBroken: true } };
  const encoding = guessEncoding(bytes, offset);
  return encoding
    ? { looksLike: `${encoding.name} text`, iconv: { from: encoding.iconv } }
    : { looksLike: "text in an old encoding, or binary data", isUnknownText: true };
}

/** The first byte that is no part of a UTF-8 character, or else the first zero byte. */
function firstOddByte(bytes: Uint8Array): number {
  const zero = bytes.indexOf(0);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  let offset = 0;
  let from = 0;
  for (;;) {
    const at = text.indexOf("\uFFFD", from);
    if (at < 0) return Math.max(zero, 0);
    offset += Buffer.byteLength(text.slice(from, at));
    const isWritten = bytes[offset] === 0xef && bytes[offset + 1] === 0xbf && bytes[offset + 2] === 0xbd;
    if (!isWritten) return zero >= 0 ? Math.min(zero, offset) : offset;
    offset += 3;
    from = at + 1;
  }
}
