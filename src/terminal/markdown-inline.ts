import type { Style } from "./color.ts";
import { linkTo } from "./terminal-links.ts";

/** How far a text could be rendered: the rest waits for what comes after it. */
export interface Rendered {
  shown: string;
  rest: string;
}

/** A delimiter whose partner is further away than this is text, in characters: nobody should wait for it for long. */
const REACH = 1000;
/** Looks at characters in search of partners: at first, and more for each character that is shown. */
const FIRST_EFFORT = 1_000_000;
const EFFORT = 32;
/** Emphasis within so many others looks like them, and is left as it is. */
const DEEPEST = 8;

/** What texts are rendered with, and where they stand. */
export class InlineState {
  readonly style: Style;
  /** Whether the marks of emphasis and code are shown: where there are no looks, nothing else says what they say. */
  readonly keepsMarks: boolean;
  /** Whether the terminal shows words as links. */
  readonly hasLinks: boolean;
  /** What a reference such as `&amp;` stands for; itself where that is nothing. */
  readonly characterOf: (reference: string) => string;
  /**
   * How many more characters may be looked at for partners. A text of delimiters that are never closed would have each of
   * its characters looked at a thousand times: when nothing is left, the rest of the line is text.
   */
  effort = FIRST_EFFORT;
  isSpent = false;
  /** How many emphases and links the text stands in. */
  depth = 0;
  isInLink = false;

  constructor(
    style: Style,
    { keepsMarks, hasLinks, characterOf }: Pick<InlineState, "keepsMarks" | "hasLinks" | "characterOf">,
  ) {
    this.style = style;
    this.keepsMarks = keepsMarks;
    this.hasLinks = hasLinks;
    this.characterOf = characterOf;
  }
}

/** What a backslash may stand before. The others are left with it, for the sake of formulas. */
const ESCAPABLE = /[\\`*_[\]#>~|&<-]/;

/** What may begin something, or could when more comes behind it. */
const MARKS = /[\\`*_[&<]|!(?:\[|$)|~(?:~|$)|https?:\/\/|www\.|(?:h(?:t(?:t(?:ps?(?::\/?)?)?)?)?|ww?w?)$/g;

/**
 * Renders emphasis, code spans, links and character references of one line. `isEnd` says that the line ends here; until
 * then a delimiter whose partner has not come yet waits in `rest`. `before` is the character before the text. What has no
 * partner is shown as it is: two asterisks between numbers are arithmetic. What is shown does not depend on where a line is
 * cut.
 */
export function renderInline(text: string, isEnd: boolean, state: InlineState, before = ""): Rendered {
  let shown = "";
  let index = 0;
  /** Shows what stands up to a place. */
  const pass = (end: number, part: string): void => {
    shown += part;
    if (state.depth === 0) state.effort += EFFORT * (end - index);
    index = end;
  };
  while (index < text.length) {
    state.isSpent ||= state.effort <= 0;
    MARKS.lastIndex = index;
    const found = state.isSpent || state.depth > DEEPEST ? null : MARKS.exec(text);
    const start = found?.index ?? text.length;
    pass(start, text.slice(index, start));
    if (!found) break;
    const left = index === 0 ? before : (text[index - 1] ?? "");
    const isLast = isEnd || text.length - index > REACH;
    const { effort, isSpent } = state;
    const span = spanAt(text.slice(index, index + REACH), isLast, state, left);
    if (!span) {
      // What was looked at in vain is looked at again, as if for the first time.
      Object.assign(state, { effort, isSpent });
      return { shown, rest: text.slice(index) };
    }
    pass(index + span.length, span.shown);
  }
  return { shown, rest: "" };
}

interface Span {
  shown: string;
  /** Characters of the text that it took. */
  length: number;
}

/** The construct that a text begins with, or its delimiter as text; undefined while that is open. */
function spanAt(text: string, isEnd: boolean, state: InlineState, before: string): Span | undefined {
  switch (text[0]) {
    case "\\":
      return escapedAt(text, isEnd);
    case "`":
      return codeAt(text, isEnd, state);
    case "&":
      return referenceAt(text, isEnd, state);
    case "<":
      return autolinkAt(text, isEnd, state);
    case "[":
      return linkAt(text, isEnd, state);
    case "!":
      return text === "!" ? (isEnd ? literal("!") : undefined) : linkAt(text, isEnd, state);
    case "h":
    case "w":
      return addressAt(text, isEnd, state, before);
    default:
      return emphasisAt(text, isEnd, state, before);
  }
}

function literal(shown: string): Span {
  return { shown, length: shown.length };
}

function escapedAt(text: string, isEnd: boolean): Span | undefined {
  const next = text[1];
  if (next === undefined) return isEnd ? literal("\\") : undefined;
  return ESCAPABLE.test(next) ? { shown: next, length: 2 } : literal("\\");
}

function codeAt(text: string, isEnd: boolean, state: InlineState): Span | undefined {
  const fence = runAt(text, 0);
  const runs = /`+/g;
  runs.lastIndex = fence;
  let run = runs.exec(text);
  while (run && run[0].length !== fence) run = runs.exec(text);
  state.effort -= (run?.index ?? text.length) - fence;
  // At the very end more backticks may follow.
  const isOpen = run === null || runs.lastIndex === text.length;
  if (isOpen && !isEnd) return undefined;
  if (run === null) return literal("`".repeat(fence));
  if (state.keepsMarks) return literal(text.slice(0, run.index + fence));
  const content = text.slice(fence, run.index);
  const isPadded = content.startsWith(" ") && content.endsWith(" ") && content.trim() !== "";
  return { shown: state.style.cyan(isPadded ? content.slice(1, -1) : content), length: run.index + fence };
}

const REFERENCE = /^&(?:#(?:\d{1,7}|[xX][\da-fA-F]{1,6})|[a-zA-Z][\da-zA-Z]{1,31});/;

/** A character by its name or number in HTML, such as `&amp;` and `&#39;`: https://spec.commonmark.org/0.31.2/#entity-and-numeric-character-references */
function referenceAt(text: string, isEnd: boolean, { characterOf }: InlineState): Span | undefined {
  const reference = REFERENCE.exec(text)?.[0];
  if (reference !== undefined) {
    const shown = characterOf(reference);
    return shown === reference ? literal("&") : { shown, length: reference.length };
  }
  return !isEnd && /^&#?[\da-zA-Z]{0,32}$/.test(text) ? undefined : literal("&");
}

/** An address in angle brackets. Those of a type, as in `Vec<std::string>`, are left. */
function autolinkAt(text: string, isEnd: boolean, state: InlineState): Span | undefined {
  const [whole, words] = /^<([^\s<>]+)>/.exec(text) ?? [];
  if (whole === undefined || words === undefined)
    return !isEnd && /^<[^\s<>]*$/.test(text) ? undefined : literal("<");
  const address = withoutReferences(words, state);
  const isMail = /^[^\s@:/]+@[^\s@:/]+$/.test(words);
  if (!isMail && !/^(?:https?|ftp):\/\/.|^mailto:./i.test(words)) return literal("<");
  return { shown: showAddress(isMail ? `mailto:${address}` : address, address, state), length: whole.length };
}

/** An address of the web as it stands in a text, without what ends the sentence behind it. */
function addressAt(text: string, isEnd: boolean, state: InlineState, before: string): Span | undefined {
  const [beginning = ""] = /^(?:https?:\/\/|www\.)/.exec(text) ?? [];
  const isInWord = isTied(before, "h");
  if (beginning === "" || isInWord) {
    const mayBegin = beginning === "" && !isInWord && !isEnd;
    return mayBegin ? undefined : literal(beginning === "" ? text : beginning);
  }
  const [run = ""] = /^[^\s<>"`|\u2026\u3000-\u303F\uFF01-\uFF0F\uFF1A-\uFF1F]+/.exec(text) ?? [];
  if (run.length === text.length && !isEnd) return undefined;
  const words = withoutEnd(run);
  state.effort -= run.length;
  if (words.length <= beginning.length || run.length === REACH) return literal(beginning);
  const address = beginning === "www." ? `http://${words}` : words;
  return {
    shown: showAddress(withoutReferences(address, state), withoutReferences(words, state), state),
    length: words.length,
  };
}

/** An address without the marks at its end, and without a bracket that it does not open. */
function withoutEnd(address: string): string {
  let end = address.length;
  let open = address.split("(").length - address.split(")").length;
  for (; end > 0; end -= 1) {
    const last = address.charAt(end - 1);
    if (last === ")" && open < 0) open += 1;
    else if (!/[?!.,:;*_~'\]}]/.test(last)) break;
  }
  return address.slice(0, end);
}

function withoutReferences(address: string, { characterOf }: InlineState): string {
  return address.replaceAll(/&(?:#\w{1,7}|\w{2,32});/g, characterOf);
}

/** Shows an address of which `words` is what is read. */
function showAddress(address: string, words: string, { style, hasLinks, isInLink }: InlineState): string {
  if (isInLink) return words;
  const shown = style.underline(words);
  return (hasLinks ? linkTo(address, shown) : undefined) ?? shown;
}

/** Where a link leads: an address, in angle brackets or with brackets in pairs, and a title, which is not shown. */
const TARGET = /^\((?:<([^<>]*)>|(?!<)((?:[^()\s]|\([^()\s]*\))*))(?:[ \t]+(?:"[^"]*"|'[^']*'))?[ \t]*\)/;
/** The beginning of one. */
const TARGET_BEGUN =
  /^(?:\((?:<[^<>]*>?|(?!<)(?:[^()\s]|\([^()\s]*\))*(?:\([^()\s]*)?)(?:[ \t]+(?:"[^"]*"?|'[^']*'?)?)?[ \t]*)?$/;

function linkAt(text: string, isEnd: boolean, state: InlineState): Span | undefined {
  const start = text.startsWith("!") ? 1 : 0;
  const close = closingBracket(text, start, isEnd, state);
  if (close === "open") return undefined;
  const mark = literal(text.slice(0, start + 1));
  if (close === undefined) return mark;
  const behind = text.slice(close + 1);
  const target = TARGET.exec(behind);
  if (!target) return !isEnd && TARGET_BEGUN.test(behind) ? undefined : mark;
  const [whole, bracketed, bare = ""] = target;
  state.effort -= whole.length;
  const address = withoutReferences(bracketed ?? bare, state);
  // `table[row](column)` is code that was left without its backticks.
  if (!/[/.:#]/.test(address)) return mark;
  return {
    shown: showLink(text.slice(start + 1, close), address, state),
    length: close + 1 + whole.length,
  };
}

/** Where the bracket ends that a text begins with; `open` while it may still come. Code spans and escapes are passed over. */
function closingBracket(
  text: string,
  start: number,
  isEnd: boolean,
  state: InlineState,
): number | "open" | undefined {
  let depth = 0;
  for (let index = start; index < text.length; index += 1) {
    state.effort -= 1;
    const character = text.charAt(index);
    if (character === "\\") index += 1;
    else if (character === "`") {
      const code = codeAt(text.slice(index), isEnd, state);
      if (!code) return "open";
      index += code.length - 1;
    } else if (character === "[") depth += 1;
    else if (character === "]") {
      depth -= 1;
      if (depth === 0) return index;
    }
  }
  return isEnd ? undefined : "open";
}

/**
 * Words that lead to an address. Where the terminal shows links the address is not shown, but for words that look like
 * another one.
 */
function showLink(words: string, address: string, state: InlineState): string {
  if (words === "" || words === address) return showAddress(address, address, state);
  const { style, hasLinks, isInLink } = state;
  state.isInLink = true;
  const label = style.underline(renderWithin(words, state));
  state.isInLink = isInLink;
  const link = hasLinks && !isInLink ? linkTo(address, label) : undefined;
  const isPlain = link !== undefined && (!/\w[.:]\w|:\/\//.test(words) || bareOf(address) === bareOf(words));
  return isPlain ? link : `${link ?? label} ${style.dim(`(${address})`)}`;
}

/** An address without what may be left out when it is written for people. */
function bareOf(address: string): string {
  return address.replace(/^(?:https?:\/\/|mailto:)/i, "").replace(/\/$/, "");
}

function emphasisAt(text: string, isEnd: boolean, state: InlineState, before: string): Span | undefined {
  const mark = text.charAt(0);
  const run = runAt(text, 0);
  const inside = text.slice(run);
  if (inside === "" && !isEnd) return undefined;
  const isStruck = mark === "~";
  const isEmphasis = isStruck ? run === 2 : run <= 3 && !isTied(before, mark);
  if (!isEmphasis || /^\s|^$/.test(inside)) return literal(mark.repeat(run));
  const end = closingRun(inside, mark, run, isEnd, state);
  if (end === "open") return undefined;
  if (end === undefined) return literal(mark.repeat(run));
  const content = renderWithin(inside.slice(0, end), state);
  const { bold, italic, dim, strikethrough } = state.style;
  const length = 2 * run + end;
  if (state.keepsMarks) return { shown: mark.repeat(run) + content + mark.repeat(run), length };
  // Not every terminal strikes through.
  if (isStruck) return { shown: dim(strikethrough(content)), length };
  const slanted = run === 2 ? content : italic(content);
  return { shown: run === 1 ? slanted : bold(slanted), length };
}

/** Renders what stands within something else. */
function renderWithin(text: string, state: InlineState): string {
  state.depth += 1;
  const { shown } = renderInline(text, true, state);
  state.depth -= 1;
  return shown;
}

/** Where the closing run of an emphasis begins; `open` while it may still come. Code spans and escapes are passed over. */
function closingRun(
  text: string,
  mark: string,
  length: number,
  isEnd: boolean,
  state: InlineState,
): number | "open" | undefined {
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    state.effort -= 1;
    if (character === "\\") index += 1;
    else if (character === "`") {
      const code = codeAt(text.slice(index), isEnd, state);
      if (!code) return "open";
      index += code.length - 1;
    } else if (character === mark) {
      const run = runAt(text, index);
      const after = text.charAt(index + run);
      if (after === "" && !isEnd) return "open";
      const fits = run === length || (run === 3 && length < 3 && mark !== "~");
      if (fits && !/\s/.test(text.charAt(index - 1)) && !isTied(after, mark)) return index + run - length;
      index += run - 1;
    }
  }
  return isEnd ? undefined : "open";
}

/** How often the character at a place stands there in a row. */
function runAt(text: string, start: number): number {
  let end = start;
  while (text[end] === text[start] && end < text.length) end += 1;
  return end - start;
}

/** Whether what begins or ends beside a character is a part of a word. Scripts without spaces have emphasis and addresses in the middle of their text. */
function isTied(character: string, mark: string): boolean {
  if (mark === "~" || !isWord(character)) return false;
  return (
    mark === "_" ||
    !/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u.test(character)
  );
}

function isWord(character: string): boolean {
  return /[\p{L}\p{N}]/u.test(character);
}
