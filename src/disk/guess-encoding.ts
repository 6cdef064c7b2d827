import { once, oncePer } from "../once.ts";

/** An encoding of before Unicode. */
export interface Encoding {
  /** As people call it. */
  name: string;
  /** The label that TextDecoder knows it by (https://encoding.spec.whatwg.org/#names-and-labels). */
  label: string;
  /** The name that iconv knows it by, in glibc and in libiconv. */
  iconv: string;
}

/** How a text in a language, or in several, is told from the same bytes in another encoding. */
interface Writing {
  encodings: readonly Encoding[];
  /** All that it has beyond ASCII. */
  own: RegExp;
  /** What of that is in any text; where it is no other than `own`, all of it. */
  common: RegExp;
  /** The least share of it. */
  least: number;
  /** What it hardly has. */
  odd?: RegExp;
  /** In fewer characters beyond ASCII chance is too strong. */
  fewest: number;
}

const encoding = (name: string, label = name.toLowerCase(), iconv = name.toUpperCase()): Encoding => ({
  name,
  label,
  iconv,
});

const LATIN1 = encoding("Latin-1 (ISO-8859-1)", "windows-1252", "LATIN1");
const WINDOWS_1252 = encoding("Windows-1252");
const WESTERN = [WINDOWS_1252, encoding("ISO-8859-15")];
const CENTRAL = [encoding("Windows-1250"), encoding("ISO-8859-2")];
const TURKISH = [encoding("Windows-1254")];
const BALTIC = [encoding("Windows-1257")];
const CYRILLIC = [
  encoding("Windows-1251"),
  encoding("KOI8-R"),
  encoding("KOI8-U"),
  encoding("CP866", "ibm866"),
  encoding("ISO-8859-5"),
];
const GREEK = [encoding("Windows-1253"), encoding("ISO-8859-7")];
// The supersets that Windows writes: what is in the older ones stays what it is.
const JAPANESE = [encoding("Shift-JIS", "shift_jis", "CP932"), encoding("EUC-JP")];
const KOREAN = [encoding("EUC-KR", "euc-kr", "CP949")];
const SIMPLIFIED = [encoding("GBK", "gb18030", "GB18030")];
const TRADITIONAL = [encoding("Big5")];

/**
 * Where texts in Latin letters have quotes, dashes and signs: not between two letters but for the apostrophe, low quotes
 * before a letter, dashes not behind one. Elsewhere they are letters of another encoding.
 */
const SIGNS = "[“”‘«»‹›…•°§€£©®™·]";
const LATIN_SIGNS =
  `’|(?<!\\p{L})[‚„¿¡](?=\\p{L})|(?<!\\p{L})[–—]|(?<=\\S)\u00A0(?=\\S)|` +
  `(?<!\\p{L})${SIGNS}|${SIGNS}(?!\\p{L})`;
/** Words of nothing but letters beyond ASCII, and four of them in a row. */
const latinOddities = once(() => /(?<!\p{L})[^\P{L}\p{ASCII}]{2,}(?!\p{L})|[^\P{L}\p{ASCII}]{4}/gu);
/** A word that mixes alphabets, or has a capital behind a small letter. */
const alphabetOddities = once(
  () =>
    /[A-Za-z](?!\p{ASCII})[\p{L}\p{M}]|(?!\p{ASCII})[\p{L}\p{M}][A-Za-z]|[^\P{Ll}\p{ASCII}][^\P{Lu}\p{ASCII}]/gu,
);

/**
 * A language in Latin letters: nearly all that is beyond ASCII is one of its few, and a capital begins a word or stands
 * among others.
 */
function latin(letters: string, encodings: readonly Encoding[], fewest = 4): Writing {
  const capitals = Array.from(letters, (letter) => letter.toUpperCase())
    .filter((capital) => /^[^\p{ASCII}]$/u.test(capital))
    .join("");
  const places = `(?<!\\p{Ll})[${capitals}](?=\\p{L})|(?<=\\p{Lu})[${capitals}]|[ÀÈ](?= )`;
  const own = new RegExp(`[${letters}]|${places}|${LATIN_SIGNS}`, "gu");
  return { encodings, own, common: own, least: OWN, odd: latinOddities(), fewest };
}

/** A language of the West, whose encodings are far the most frequent. */
function western(letters: string): Writing {
  return latin(letters, WESTERN, 1);
}

/** Languages in other letters, of which the ten or so commonest are most of any text. */
function alphabet(letters: string, common: string, encodings: readonly Encoding[]): Writing {
  return {
    encodings,
    own: new RegExp(`[${letters}]|[^\\P{P}\\p{ASCII}]|[\u00A0€№°©®™]`, "giu"),
    common: new RegExp(`[${common}]`, "giu"),
    least: 0.5,
    odd: alphabetOddities(),
    fewest: 16,
  };
}

/** A language in thousands of characters, of which the hundred commonest are a large part of any text. */
function characters(letters: string, common: string, encodings: readonly Encoding[]): Writing {
  return {
    encodings,
    own: new RegExp(`[${letters}！-～]|[^\\P{P}\\p{ASCII}]|[^\\P{S}\\p{ASCII}]|\u3000`, "gu"),
    common: new RegExp(`[${common}]`, "gu"),
    least: 0.25,
    fewest: 4,
  };
}

const writings = once((): readonly Writing[] => [
  // German, French, Spanish, Catalan, Portuguese, Italian, the Nordic languages, Icelandic, Dutch.
  western("äöüßéè"),
  western("àâæçéèêëîïôœùûüÿ"),
  western("áéíóúüñ"),
  western("àçèéíïòóúü"),
  western("áàâãçéêíóôõúü"),
  western("àèéìíîòóùú"),
  western("åäöæøéü"),
  western("áéíóúýðþæöø"),
  western("éëïöüèêáóí"),
  // Polish, Czech, Slovak, Hungarian, Slovene and its neighbours, Romanian.
  latin("ąćęłńóśźż", CENTRAL),
  latin("áčďéěíňóřšťúůýž", CENTRAL),
  latin("áäčďéíľňóôšťúýž", CENTRAL),
  latin("áéíóöőúüű", CENTRAL),
  latin("čćđšž", CENTRAL),
  latin("ăâîşţ", CENTRAL),
  latin("çğıöşüâîİ", TURKISH),
  // Lithuanian, Latvian, Estonian.
  latin("ąčęėįšųūž", BALTIC),
  latin("āčēģīķļņšūž", BALTIC),
  latin("äõöüšž", BALTIC),
  alphabet("а-яёђ-џґ", "оеаинтсрвл", CYRILLIC),
  alphabet("α-ωά-ώΐΰ", "αοιετσνηυρ", GREEK),
  alphabet("\u05D0-\u05EA\u05B0-\u05C3", "יוהלאתרבמש", [encoding("Windows-1255")]),
  alphabet("\u0600-\u06FF", "الينمتروهب", [encoding("Windows-1256"), encoding("ISO-8859-6")]),
  alphabet("\u0E01-\u0E5B", "านรอกเงยมลวดทสต่้ัี", [encoding("CP874", "windows-874")]),
  characters(
    "\\p{Script=Han}ぁ-ゖァ-ヺー々",
    "ぁ-ゖァ-ヺー日一国人年大十本中長出三時行見月分前生上東今金入学高円子外来気小山話女書名水電語土聞車何毎",
    JAPANESE,
  ),
  characters(
    "\\p{Script=Han}",
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日文件请好世界",
    SIMPLIFIED,
  ),
  characters(
    "\\p{Script=Han}",
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日文件請好世界",
    TRADITIONAL,
  ),
  characters(
    "\\p{Script=Hangul}",
    "이다는의에가을고하은로기도를지한사시서인나자어대리그정해수아니라안요습있었것들게여부일상제보주전세국",
    KOREAN,
  ),
]);

/** So many bytes are looked at: what is common shows in a page of text. */
const LOOKED_AT = 8192;
/** Of what is beyond ASCII, so much is a writing's own. */
const OWN = 0.95;
/** A text in Latin letters has so many times as many plain ones. */
const PLAIN = 1.5;
/** Another text that is nearly as likely makes it no more than a guess. */
const RIVAL = 0.9;

/**
 * The encoding of a text that is not Unicode, by the languages that it may be in; undefined where it is like none, or is
 * another text in another encoding and that is as likely: a wrong one would make another text of it. `offset` is that of
 * the first byte that is not UTF-8; the text goes on behind the bytes unless they are its `isEnd`.
 */
export function guessEncoding(bytes: Uint8Array, offset: number, isEnd: boolean): Encoding | undefined {
  // The byte of a line's end is part of no character in any of them.
  const start = bytes.lastIndexOf(0x0a, offset) + 1;
  const sample = bytes.subarray(start, start + LOOKED_AT);
  const isWhole = isEnd && start + LOOKED_AT >= bytes.length;
  const textIn = oncePer((label: string) => decodeOld(sample, label, isWhole) ?? "");
  const guesses = writings().flatMap((writing) =>
    writing.encodings.flatMap((candidate) => {
      const text = textIn(candidate.label);
      const likeness = likenessOf(text, writing);
      return likeness === 0 ? [] : [{ candidate, text, likeness, writing }];
    }),
  );
  const [best] = guesses.toSorted((one, other) => other.likeness - one.likeness);
  if (!best || best.likeness < best.writing.least) return undefined;
  if (countOf(BEYOND, best.text) < best.writing.fewest) return undefined;
  if (guesses.some(({ text, likeness }) => text !== best.text && likeness > best.likeness * RIVAL))
    return undefined;
  // What is of no encoding further on would end the conversion half-way.
  if (decodeOld(bytes, best.candidate.label, isEnd) === undefined) return undefined;
  const isLatin1 = best.candidate === WINDOWS_1252 && !bytes.some((byte) => byte >= 0x80 && byte < 0xa0);
  return isLatin1 ? LATIN1 : best.candidate;
}

const BEYOND = /[^\u0000-\u007F]/gu;

/** How much a text is like those in a writing, from 0 to 1. */
function likenessOf(text: string, { own, common, odd }: Writing): number {
  const beyond = countOf(BEYOND, text);
  const share = countOf(own, text) / beyond;
  if (beyond === 0 || share < OWN || (odd && countOf(odd, text) > beyond * (1 - OWN))) return 0;
  if (common === own) return countOf(/[A-Za-z]/g, text) < beyond * PLAIN ? 0 : share;
  return countOf(common, text) / countOf(/[^\P{L}\p{ASCII}]|\p{M}/gu, text);
}

function countOf(pattern: RegExp, text: string): number {
  return text.match(pattern)?.length ?? 0;
}

/** The characters 0x80 to 0x9F of Windows-1252 (https://encoding.spec.whatwg.org/index-windows-1252.txt); blanks are none. */
const UPPER_1252 = "€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ";

/** The text in an old encoding; undefined where the bytes are none. One that is not whole may end within a character. */
function decodeOld(bytes: Uint8Array, label: string, isWhole: boolean): string | undefined {
  if (label !== WINDOWS_1252.label) return decode(bytes, label, isWhole);
  // Node takes it for Latin-1: https://github.com/nodejs/node/issues/56542
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    .toString("latin1")
    .replace(/[\u0080-\u009F]/g, (character) => UPPER_1252[character.charCodeAt(0) - 0x80] ?? " ");
  return bytes.some((byte) => UPPER_1252[byte - 0x80] === " ") ? undefined : text;
}

/** Text in an encoding that TextDecoder knows, without its byte order mark; undefined where the bytes are none. */
export function decode(bytes: Uint8Array, label: string, isWhole = true): string | undefined {
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes, { stream: !isWhole });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}
