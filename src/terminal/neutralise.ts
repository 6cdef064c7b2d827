/*
 * A number that nobody outside this process knows, as parameters of a sequence. What carries it was made here; the same
 * sequence in a text from outside does not, so the way out can tell them apart. Four digits each: what measures texts
 * knows parameters of at most so many.
 */
const MARK = Array.from({ length: 4 }, () => 1000 + Math.floor(Math.random() * 9000)).join(";");

/**
 * A sequence of this program's own, marked as such: one with parameters and a last letter (CSI), or what begins or ends a
 * link (OSC 8), whose address is printable ASCII.
 */
const OWN = `\\u001B(?:\\[([\\d;?]*);${MARK}([A-Za-z])|\\]8;${MARK};([!-~]*)\\u001B\\\\)`;
const ANY_OWN = new RegExp(OWN, "g");

/**
 * What a terminal or a log obeys instead of showing: C0 controls but tab and line feed, DEL, C1 controls, and Unicode's
 * two separators of lines.
 */
const CONTROLS = "\\u0000-\\u0008\\u000B-\\u001F\\u007F-\\u009F\\u2028\\u2029";

/**
 * What is not seen and may change what is: marks above and below a character, and Unicode's Default_Ignorable_Code_Point
 * (writing directions, zero widths, tags, fillers, selectors), to which it does not count annotations. The flags of
 * England, Scotland and Wales are spelt with tags: https://www.unicode.org/reports/tr51/#valid-emoji-tag-sequences
 */
const UNSEEN = "[\\p{M}\\p{Default_Ignorable_Code_Point}\\uFFF9-\\uFFFB]+";
const FLAG = "\\u{1F3F4}[\\u{E0030}-\\u{E0039}\\u{E0061}-\\u{E007A}]{3,6}\\u{E007F}";

/**
 * Whether a text needs a look at its unseen characters. These ranges have none: asking Unicode's tables costs a start
 * a millisecond.
 */
const MAY_HIDE =
  /[^\u0000-\u00AC\u00AE-\u02FF\u2010-\u2029\u2030-\u205E\u20A0-\u20CF\u2190-\u2BFF\u3041-\u3096\u30A0-\u30FF\u4E00-\u9FFF\uAC00-\uD7A3\uFFFD]/;

const PLAIN = /^[\t\n\u0020-\u007E]*$/;
const FOREIGN_CONTROLS = new RegExp(`[${CONTROLS}]`, "g");
const OWN_OR_CONTROL = new RegExp(`${OWN}|[${CONTROLS}]`, "g");

/** Made when first needed: most texts have none of these. */
let unseenPieces: RegExp | undefined;

const JOINERS = /[\u200C\u200D]/;

/** More marks than any script puts on one character; Unicode's own bound for streams is 30 (UAX #15, 9.2). */
const MOST_MARKS = 12;

/** What was shown last: how many marks it carries, and what may follow. */
class Place {
  /** The character that the marks belong to. */
  base = "";
  marks = 0;
  /** The last thing kept behind the base. */
  last = "";

  moveTo(base: string): void {
    Object.assign(this, { base, marks: 0, last: "" });
  }
}

/** Makes a text harmless that arrives in pieces: what stands on both sides of a cut is known. */
export class Neutraliser {
  readonly #place = new Place();

  /** Takes a piece of a foreign text, in which nothing acts. */
  pushForeign(text: string): string {
    if (this.#isPlain(text)) return text;
    return settleUnseen(text, this.#place).replace(FOREIGN_CONTROLS, pictureOf);
  }

  /** Takes a piece that this program has styled; its own sequences act, and all else is shown. */
  push(text: string): string {
    if (this.#isPlain(text)) return text;
    const shown = settleUnseen(text, this.#place);
    return shown.replace(
      OWN_OR_CONTROL,
      (found, ...own: [string?, string?, string?]) => acting(...own) ?? pictureOf(found),
    );
  }

  #isPlain(text: string): boolean {
    if (!PLAIN.test(text)) return false;
    if (text !== "") this.#place.moveTo(text.slice(-1));
    return true;
  }
}

/**
 * Makes foreign text harmless on a terminal and in a log: control characters become pictures of themselves (`␛`); carriage
 * returns, marks of writing direction, and what takes no width go, but for what emoji and scripts need. Marks on one
 * character end after the twelfth.
 */
export function neutralise(text: string): string {
  if (PLAIN.test(text)) return text;
  return settleUnseen(text).replace(FOREIGN_CONTROLS, pictureOf);
}

/** Does the same to a text that this program has styled, whose own sequences stay: for what is measured before it is written. */
export function neutraliseStyled(text: string): string {
  if (PLAIN.test(text)) return text;
  return settleUnseen(text).replace(OWN_OR_CONTROL, (found, ...own: [string?, string?, string?]) =>
    acting(...own) === undefined ? pictureOf(found) : found,
  );
}

/** Whether a text is shown as it is: nothing in it acts, hides or breaks the line. */
export function isShownWhole(text: string): boolean {
  return !/[\t\n]/.test(text) && neutralise(text) === text && !/\p{Surrogate}/u.test(text);
}

/** Foreign text as a part of one line: line ends become spaces. */
export function onOneLine(text: string): string {
  return text.replaceAll(/[ \t]*[\n\r\u0085\u2028\u2029][\s\u0085]*/g, " ");
}

/** Writes what would act or hide as JSON escapes, so that the document stays the same document. */
export function escapeInJson(json: string): string {
  if (PLAIN.test(json)) return json;
  return settleUnseen(json, new Place(), escaped).replace(FOREIGN_CONTROLS, escaped);
}

/** A sequence of this program's own for a terminal (CSI, with its parameters and its last letter), as the way out lets it through. */
export function ownSequence(parameters: string, final: string): string {
  return `\u001B[${parameters};${MARK}${final}`;
}

/**
 * Makes what follows a link to an address, of printable ASCII, on a terminal that has them; "" ends it. OSC 8:
 * https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda
 */
export function ownLink(address: string): string {
  return `\u001B]8;${MARK};${address}\u001B\\`;
}

/** Whether a sequence of our own begins a link. */
export function isLinkStart(sequence: string): boolean {
  return sequence.startsWith("\u001B]") && sequence !== ownLink("");
}

/** Lets our own sequences act in a text of which nothing else is looked at, such as an answer in a pipe. */
export function actOwn(text: string): string {
  if (!text.includes(MARK)) return text;
  return text.replace(ANY_OWN, (found, ...own: [string?, string?, string?]) => acting(...own) ?? found);
}

/** A sequence of our own without its mark, by the groups of OWN; undefined for what is none. */
function acting(parameters?: string, final?: string, address?: string): string | undefined {
  if (final !== undefined) return `\u001B[${parameters}${final}`;
  return address === undefined ? undefined : `\u001B]8;;${address}\u001B\\`;
}

/** Drops or replaces what is unseen and not needed. Notes in `place` what the text ends with. */
function settleUnseen(text: string, place = new Place(), drop = (_character: string) => ""): string {
  let settled = text;
  if (MAY_HIDE.test(text)) {
    unseenPieces ??= new RegExp(`${OWN}|${FLAG}|${UNSEEN}`, "gu");
    let end = 0;
    settled = text.replace(unseenPieces, (found, _parameters, final, address, offset: number) => {
      if (offset > end) place.moveTo(lastCharacter(text.slice(0, offset)));
      end = offset + found.length;
      // A style between a character and its marks is none of them.
      if (final !== undefined || address !== undefined) return found;
      if (found.startsWith("\u{1F3F4}")) {
        place.moveTo("\u{1F3F4}");
        return found;
      }
      return settleRun(found, place, drop);
    });
    if (end < text.length) place.moveTo(lastCharacter(text));
  } else {
    const plain = text.replace(ANY_OWN, "");
    if (plain !== "") place.moveTo(lastCharacter(plain));
  }
  return settled;
}

function settleRun(run: string, place: Place, drop: (character: string) => string): string {
  let kept = "";
  for (const character of run) {
    if (isNeeded(character, place)) {
      kept += character;
      place.last = character;
      place.marks += 1;
    } else kept += drop(character);
  }
  return kept;
}

/** Joiners hold emoji and letters of many scripts together, none of them ASCII. */
function isNeeded(character: string, { base, marks, last }: Place): boolean {
  if (marks >= MOST_MARKS) return false;
  if (JOINERS.test(character)) return base > "\u007F" && !JOINERS.test(last);
  const chosen = SELECTORS.find(([selectors]) => selectors.test(character));
  if (chosen) return chosen[1].test(base) && !isSelector(last);
  return !/\p{Default_Ignorable_Code_Point}|[\uFFF9-\uFFFB]/u.test(character);
}

/**
 * Variation selectors with the characters whose look they choose. There are enough of them to write any text unseen, one
 * behind each letter. https://www.unicode.org/reports/tr51/#Emoji_Variation_Sequences, which has keycaps, too;
 * https://www.unicode.org/ivd/; https://www.unicode.org/Public/UCD/latest/ucd/StandardizedVariants.txt
 */
const SELECTORS: readonly (readonly [RegExp, RegExp])[] = [
  [/[\uFE0E\uFE0F]/, /[\d#*]|[^\0-\u007F]/u],
  [/[\uFE00-\uFE0D]/, /[\p{Script=Han}\p{Script=Myanmar}\p{Script=Phags_Pa}]|(?=[^\0-\u007F])[\p{S}\p{P}]/u],
  [/[\u{E0100}-\u{E01EF}]/u, /\p{Script=Han}/u],
  [/[\u180B-\u180D\u180F]/, /\p{Script=Mongolian}/u],
];

function isSelector(character: string): boolean {
  return SELECTORS.some(([selectors]) => selectors.test(character));
}

function lastCharacter(text: string): string {
  return /.$/su.exec(text.slice(-2))?.[0] ?? "";
}

function pictureOf(character: string): string {
  const code = character.charCodeAt(0);
  // A carriage return before a line feed is a line end; alone it would write over what stands there.
  if (code === 0x0d) return "";
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "\u2421" : "\uFFFD";
}

function escaped(character: string): string {
  return character
    .split("")
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
