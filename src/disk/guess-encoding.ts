import { once } from "../once.ts";

/** An encoding of before Unicode. */
export interface Encoding {
  /** As people call it. */
  name: string;
  /** The name that iconv knows it by, in glibc and in libiconv. */
  iconv: string;
}

const LATIN1: Encoding = { name: "Latin-1 (ISO-8859-1)", iconv: "LATIN1" };
const WINDOWS_1252: Encoding = { name: "Windows-1252", iconv: "WINDOWS-1252" };

/** The letters beyond ASCII of languages that are written in these two: the Western ones, which are far the most frequent. */
const LETTERS = [
  // German, French, Spanish, Catalan.
  "äöüßéè",
  "àâæçéèêëîïôœùûüÿ",
  "áéíóúüñ",
  "àçèéíïòóúü",
  // Portuguese, Italian, the Nordic languages, Dutch.
  "áàâãçéêíóôõúü",
  "àèéìíîòóùú",
  "åäöæøéü",
  "éëïöüèêáóí",
];

/**
 * Where texts have quotes, dashes and signs: not between two letters but for the apostrophe, low quotes before a letter,
 * dashes not behind one. Elsewhere they are letters of another encoding.
 */
const SIGNS = "[“”‘«»‹›…•°§€£©®™·]";
const SIGNS_IN_PLACE =
  `’|(?<!\\p{L})[‚„¿¡](?=\\p{L})|(?<!\\p{L})[–—]|(?<=\\S)\u00A0(?=\\S)|` +
  `(?<!\\p{L})${SIGNS}|${SIGNS}(?!\\p{L})`;

/** What the texts of a language have beyond ASCII; a capital begins a word or stands among others. */
function patternOf(letters: string): RegExp {
  const capitals = Array.from(letters, (letter) => letter.toUpperCase())
    .filter((capital) => /^[^\p{ASCII}]$/u.test(capital))
    .join("");
  const places = `(?<!\\p{Ll})[${capitals}](?=\\p{L})|(?<=\\p{Lu})[${capitals}]|[ÀÈ](?= )`;
  return new RegExp(`[${letters}]|${places}|${SIGNS_IN_PLACE}`, "gu");
}

const patterns = once(() => ({
  languages: LETTERS.map(patternOf),
  beyond: /[^\u0000-\u007F]/gu,
  /** Words of nothing but letters beyond ASCII, and four of them in a row. */
  odd: /(?<!\p{L})[^\P{L}\p{ASCII}]{2,}(?!\p{L})|[^\P{L}\p{ASCII}]{4}/gu,
}));

/** So many bytes are looked at: what is common shows in a page of text. */
const LOOKED_AT = 8192;
/** Of what is beyond ASCII, so much is a language's own. */
const OWN = 0.95;
/** A text in Latin letters has so many times as many plain ones. */
const PLAIN = 1.5;

/**
 * The encoding of a text that is not Unicode where it is like one in a Western language; undefined for any other: a wrong one
 * would make another text of it. `offset` is that of the first byte that is not UTF-8.
 */
export function guessEncoding(bytes: Uint8Array, offset: number): Encoding | undefined {
  const start = bytes.lastIndexOf(0x0a, offset) + 1;
  const sample = fromWindows1252(bytes.subarray(start, start + LOOKED_AT));
  // What is of no encoding further on would end the conversion half-way.
  if (!isWestern(sample ?? "") || fromWindows1252(bytes) === undefined) return undefined;
  return bytes.some((byte) => byte >= 0x80 && byte < 0xa0) ? WINDOWS_1252 : LATIN1;
}

function isWestern(text: string): boolean {
  const { languages, beyond: all, odd } = patterns();
  const beyond = countOf(all, text);
  if (beyond === 0 || countOf(odd, text) > beyond * (1 - OWN)) return false;
  if (countOf(/[A-Za-z]/g, text) < beyond * PLAIN) return false;
  return languages.some((own) => countOf(own, text) >= beyond * OWN);
}

function countOf(pattern: RegExp, text: string): number {
  return text.match(pattern)?.length ?? 0;
}

/** The characters 0x80 to 0x9F of Windows-1252 (https://encoding.spec.whatwg.org/index-windows-1252.txt); blanks are none. */
const UPPER_1252 = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

/** The text; undefined where the bytes are none. Node takes the encoding for Latin-1: https://github.com/nodejs/node/issues/56542 */
function fromWindows1252(bytes: Uint8Array): string | undefined {
  if (bytes.some((byte) => UPPER_1252[byte - 0x80] === " ")) return undefined;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("latin1")
    .replace(/[\u0080-\u009F]/g, (character) => UPPER_1252[character.charCodeAt(0) - 0x80] ?? " ");
}

/** Text in an encoding that TextDecoder knows, without its byte order mark; undefined where the bytes are none. */
export function decode(bytes: Uint8Array, label: string, isWhole = true): string | undefined {
  return decodeNext(new TextDecoder(label, { fatal: true }), bytes, isWhole);
}

/** The text of the next bytes; undefined where they are none. */
export function decodeNext(
  decoder: InstanceType<typeof TextDecoder>,
  bytes: Uint8Array,
  isLast: boolean,
): string | undefined {
  try {
    return decoder.decode(bytes, { stream: !isLast });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
