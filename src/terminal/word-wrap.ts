import stringWidth from "string-width";
import { once } from "../once.ts";
import { OpenLooks } from "./color.ts";
import { neutraliseStyled } from "./neutralise.ts";

/** Turns text that arrives in pieces into what is shown of it. */
export interface TextRenderer {
  /** Takes a piece; returns what can be shown by now. */
  push(text: string): string;
  /** Returns what was still held back, and begins anew. */
  end(): string;
}

/** What a line may be broken at: not at a space that keeps two words together. */
const SPACE = "[^\\S\\u00A0\\u2007\\u202F]";
/** Characters of scripts that are written without spaces. */
const LETTERS = "\\p{Script=Han}\\p{Script=Hiragana}\\p{Script=Katakana}";
/** A look, or what begins or ends a link. */
const SEQUENCE = "\\u001B(?:\\[[\\d;]*m|\\]8;[^\\u001B]*\\u001B\\\\)";
/** What else words are made of. */
const OTHER = `(?:[^\\s\\u001B${LETTERS}]|[\\u00A0\\u2007\\u202F])`;

const STYLE = new RegExp(SEQUENCE, "g");

/** Made when first needed: asking Unicode's tables costs a start a millisecond. */
const patterns = once(() => ({
  pieces: new RegExp(`${SPACE}+|${SEQUENCE}|[${LETTERS}]|${OTHER}+`, "gu"),
  words: new RegExp(`[${LETTERS}]${OTHER}*|${OTHER}+`, "gu"),
  space: new RegExp(`^${SPACE}`),
  letter: new RegExp(`^[${LETTERS}]`, "u"),
}));

/**
 * A word longer than this, in characters, is shown as it comes: it fits no line, and nobody should wait for its end. The
 * same for spaces.
 */
const LONGEST = 4096;

/**
 * Breaks lines between words while they arrive. A word waits until it is whole; one that is longer than a line is left to
 * the terminal. Styles may be among the words and have no width.
 */
export class WordWrap {
  readonly #columns: number;
  #column = 0;
  /** Spaces before the word that is being put together. */
  #space = "";
  #word = "";
  /** Whether the beginning of a very long word is shown, and its end still comes. */
  #isInLongWord = false;
  /** What the further rows of this line begin with. */
  #indent = "";
  #indentWidth = 0;
  /** The looks that the line stands in where it was broken last, or would be. */
  #looks = new OpenLooks();

  /** `columns` may be Infinity, which breaks nothing. */
  constructor(columns: number) {
    this.#columns = columns;
  }

  /** Begins a line with a text of its own, such as a bullet. */
  begin(start: string, indent: string): string {
    this.#indent = indent;
    this.#indentWidth = widthOf(indent);
    this.#column = widthOf(start);
    return start;
  }

  /** Takes a part of the line; returns the words that are whole. */
  push(text: string): string {
    if (!Number.isFinite(this.#columns)) return text;
    let shown = "";
    const { pieces, space, letter } = patterns();
    for (const [piece] of text.matchAll(pieces)) {
      if (space.test(piece)) {
        shown += this.#endWord();
        this.#space = (this.#space + piece).slice(0, LONGEST);
      } else if (letter.test(piece)) {
        shown += this.#endWord();
        this.#word += piece;
      } else if (this.#isInLongWord) shown += this.#passed(piece);
      else {
        this.#word += piece;
        if (this.#word.length <= LONGEST) continue;
        shown += this.#endWord();
        this.#isInLongWord = true;
      }
    }
    return shown;
  }

  /** Returns the last word of the line. Spaces at the end of a line show nothing. */
  end(): string {
    const shown = this.#endWord() + this.#word;
    this.#column = 0;
    this.#space = "";
    this.#word = "";
    this.#indent = "";
    this.#indentWidth = 0;
    this.#looks = new OpenLooks();
    return shown;
  }

  /** Takes note of the looks that begin and end in a word, which is returned. */
  #passed(word: string): string {
    if (word.includes("\u001B")) for (const [sequence] of word.matchAll(STYLE)) this.#looks.pass(sequence);
    return word;
  }

  #endWord(): string {
    this.#isInLongWord = false;
    const [space, word] = [this.#space, this.#word];
    if (word === "") return "";
    // Of a word without an end the beginning says enough: it fits no line.
    const width = widthOf(word.slice(0, LONGEST));
    // Looks alone are no word, and leave open whether the line is broken at the spaces before them.
    const isLook = width === 0 && word.length <= LONGEST && word.replaceAll(STYLE, "") === "";
    if (isLook && space !== "") return "";
    this.#space = "";
    this.#word = "";
    if (width === 0 && space === "") return this.#passed(word);
    const [spaceWidth, indentWidth] = [widthOf(space), this.#indentWidth];
    if (this.#column > indentWidth && this.#column + spaceWidth + width > this.#columns) {
      this.#column = indentWidth + width;
      // What stands before the further rows has no part in the looks of the words.
      const { end, begin } = this.#looks;
      return `${end}\n${this.#indent}${begin}${this.#passed(word)}`;
    }
    this.#column += spaceWidth + width;
    return space + this.#passed(word);
  }
}

/** Columns of the widest word of a text: no line that is narrower has it whole. */
export function widestWord(text: string): number {
  let most = 0;
  for (const [word] of text.replaceAll(STYLE, "").matchAll(patterns().words))
    most = Math.max(most, widthOf(word));
  return most;
}

/** Breaks a text of several lines between words while it arrives. */
export class WrappedText implements TextRenderer {
  readonly #wrap: WordWrap;

  constructor(columns: number) {
    this.#wrap = new WordWrap(columns);
  }

  push(text: string): string {
    const [first = "", ...others] = text.split("\n");
    return (
      this.#wrap.push(first) + others.map((line) => `${this.#wrap.end()}\n${this.#wrap.push(line)}`).join("")
    );
  }

  end(): string {
    return this.#wrap.end();
  }
}

/**
 * Breaks a text between words into lines of at most `columns`; a longer word stands alone and is never cut. Infinity, as
 * in a pipe, breaks nothing.
 */
export function wrapText(text: string, columns: number): string[] {
  const wrap = new WrappedText(columns);
  const shown = Number.isFinite(columns) ? neutraliseStyled(text) : text;
  return (wrap.push(shown) + wrap.end()).split("\n");
}

/** Beside a title a longer text has at least this many columns; where there are fewer, it stands below. */
export const LEAST_BESIDE = 24;

/** How far further lines go in where they cannot stand below the first: a little, and nothing where that is much. */
export function stepOf(columns: number): string {
  return " ".repeat(Math.min(4, Math.floor(columns / 8)));
}

/**
 * Lays a text out behind a title, such as `error: ` or one that is padded to its place. Further lines begin below the
 * first, where there is room for that. A command is never broken: one that has no room stands alone on its line, which the
 * terminal goes on with as one line, so that it can be pasted. Infinity breaks nothing.
 */
export function hang(asTitle: string, asText: string, columns: number): string[] {
  if (!Number.isFinite(columns)) return [asTitle + asText];
  // What is measured is what will be shown.
  const [title, text] = [neutraliseStyled(asTitle), neutraliseStyled(asText)];
  if (text === "") return aloneTitle(title, columns);
  const width = widthOf(title);
  const lead = /^ */.exec(title)?.[0] ?? "";
  const step = lead + stepOf(columns);
  const longest = text.split(/\s+/).reduce((most, word) => Math.max(most, widthOf(word)), 0);
  const room = columns - width;
  // A word that fits only below is not broken for the sake of the layout.
  const isBeside =
    room >= Math.min(LEAST_BESIDE, widthOf(text)) && (longest <= room || longest > columns - step.length);
  const indent = isBeside ? " ".repeat(width) : step;
  // A short title has the first words beside it in any case.
  const isBelow = !isBeside && width * 2 > columns;
  const wrap = new WordWrap(columns);
  const lines = linesOf(text, columns - indent.length).flatMap(({ words, isCommand }, index) => {
    if (isCommand) return " ".repeat(Math.max(0, Math.min(indent.length, columns - widthOf(words)))) + words;
    if (index === 0 && words === "") return isBelow || title.trim() === "" ? [] : title.trimEnd();
    const start = index === 0 && !isBelow ? title : indent;
    return wrap.begin(start, indent) + wrap.push(keepTogether(words, columns - indent.length)) + wrap.end();
  });
  const shown = lines.join("\n").replaceAll(KEPT_SPACE, " ").split("\n");
  return isBelow ? [...aloneTitle(title, columns), ...shown] : shown;
}

/** A title with nothing beside it: one that is too long itself goes on below, and a command to paste stays whole. */
function aloneTitle(title: string, columns: number): string[] {
  const shown = title.trimEnd();
  const isCommand = shown.replaceAll(STYLE, "").trimStart().search(COMMAND) === 0;
  if (isCommand || widthOf(shown) <= columns) return [shown];
  const [lead = "", first = ""] = /^( *)(\S*)/.exec(shown)?.slice(1) ?? [];
  // What is no wider than the step would not be broken behind.
  const step = stepOf(columns).slice(0, Math.max(0, widthOf(first) - 1));
  const wrap = new WordWrap(columns);
  return (wrap.begin(lead, lead + step) + wrap.push(shown.slice(lead.length)) + wrap.end()).split("\n");
}

/** A line of a text, which is broken where it has to be, or a command that stands alone and is not. */
interface TextLine {
  words: string;
  isCommand: boolean;
}

/** The lines of a text. A command that is wider than `room` gets one of its own, without what stands around it. */
function linesOf(text: string, room: number): TextLine[] {
  return text.split("\n").flatMap((line) => {
    const lines: TextLine[] = [];
    let rest = line;
    for (const [command] of line.matchAll(COMMAND)) {
      if (widthOf(command) <= room) continue;
      const start = rest.indexOf(command);
      const before = rest.slice(0, start).replace(/ *\(?$/, "");
      const isEmpty = widthOf(before) === 0;
      if (!isEmpty || lines.length === 0) lines.push({ words: isEmpty ? "" : before, isCommand: false });
      lines.push({ words: (isEmpty ? before : "") + bare(command), isCommand: true });
      rest = rest.slice(start + command.length).replace(/^[).,;]* */, "");
    }
    const last = lines.at(-1);
    // What has no width is the end of a look.
    if (last && widthOf(rest) === 0) last.words += rest;
    else lines.push({ words: rest, isCommand: false });
    return lines;
  });
}

/** A command as it is typed. */
function bare(command: string): string {
  return command.replaceAll("`", "").trimEnd();
}

/** Stands for a space that no line may end at: it looks like one, and is one column wide. */
export const KEPT_SPACE = "\u2800";
/** Stands between the parts of a line that sums up. */
const DOT = " · ";
/** What people copy: a command in backticks, or from the name of a program to the end, or to what is said of it. */
const COMMAND =
  /`[^`\n]+`|(?<=^|: |\(|\u001B\[[\d;]+m)(?:openclaw(?! \d)|aws|sudo|chmod|chown|unset|export|mv|ls|iconv|mkdir|npm|nvm|curl|apk|apt-get|brew|dnf|winget) (?:(?! {2}| [([]|, from |, or )[^\n\u001B)])+/gm;

/** Keeps commands together and, in a line of parts with dots between them, each part. */
function keepTogether(text: string, room: number): string {
  const keep = (words: string): string => (widthOf(words) > room ? words : words.replaceAll(" ", KEPT_SPACE));
  return text
    .replace(COMMAND, keep)
    .split(DOT)
    .map((part, _, parts) => (parts.length > 2 ? keep(part) : part))
    .join(DOT);
}

/** Characters that all take one column, this program's marks among them, and some that all take two: most texts have no others, and these need no tables. */
const NARROW = /^[\u0020-\u007E·…•│─]*$/;
const WIDE = /^[\u3001\u3002\u3041-\u3096\u30A1-\u30FE\u4E00-\u9FFF\uAC00-\uD7A3\uFF01-\uFF5E]*$/;

/** Columns that a text takes; styles take none. */
export function widthOf(text: string): number {
  if (NARROW.test(text)) return text.length;
  if (WIDE.test(text)) return 2 * text.length;
  const plain = text.replaceAll(STYLE, "");
  return NARROW.test(plain) ? plain.length : stringWidth(plain);
}

/** As many characters as fit into so many columns. */
export function cutText(text: string, columns: number): string {
  let shown = "";
  let width = 0;
  for (const character of text) {
    width += widthOf(character);
    if (width > columns) break;
    shown += character;
  }
  return shown;
}
