import { plainStyle, type Style } from "./color.ts";

/** How far a text could be rendered: the rest waits for what comes after it. */
export interface Rendered {
  shown: string;
  rest: string;
}

/** A delimiter whose partner is further away than this is text, in characters: nobody should wait for it for long. */
const REACH = 1000;

/**
 * How many more characters may be looked at for partners. A text of delimiters that are never closed would have each of
 * its characters looked at a thousand times: when nothing is left, delimiters are text.
 */
export interface Effort {
  left: number;
  /** How many emphases the text stands in. */
  depth: number;
}

/** Emphasis within so many others looks like them, and is left as it is. */
const DEEPEST = 8;

/** What a backslash may stand before. The others are left with it, for the sake of formulas. */
const ESCAPABLE = /[\\`*_[\]#>~|-]/;

/**
 * Renders emphasis, code spans and links of one line. `isEnd` says that the line ends here; until then a delimiter whose
 * partner has not come yet waits in `rest`. `before` is the character before the text. What has no partner is shown as it
 * is: two asterisks between numbers are arithmetic.
 */
export function renderInline(
  text: string,
  isEnd: boolean,
  style: Style,
  effort: Effort,
  before = "",
): Rendered {
  let shown = "";
  let index = 0;
  while (index < text.length) {
    const found = /[\\`*_[]/.exec(text.slice(index));
    if (!found || effort.left <= 0 || effort.depth > DEEPEST)
      return { shown: shown + text.slice(index), rest: "" };
    shown += text.slice(index, index + found.index);
    index += found.index;
    const left = index === 0 ? before : (text[index - 1] ?? "");
    const isLast = isEnd || text.length - index > REACH;
    const span = spanAt(text.slice(index, index + REACH), isLast, style, effort, left);
    if (!span) return { shown, rest: text.slice(index) };
    shown += span.shown;
    index += span.length;
  }
  return { shown, rest: "" };
}

interface Span {
  shown: string;
  /** Characters of the text that it took. */
  length: number;
}

/** The construct that a text begins with, or its delimiter as text; undefined while that is open. */
function spanAt(
  text: string,
  isEnd: boolean,
  style: Style,
  effort: Effort,
  before: string,
): Span | undefined {
  if (text.startsWith("\\")) return escapedAt(text, isEnd);
  if (text.startsWith("`")) return codeAt(text, isEnd, style, effort);
  if (text.startsWith("[")) return linkAt(text, isEnd, style, effort);
  return emphasisAt(text, isEnd, style, effort, before);
}

function literal(shown: string): Span {
  return { shown, length: shown.length };
}

function escapedAt(text: string, isEnd: boolean): Span | undefined {
  const next = text[1];
  if (next === undefined) return isEnd ? literal("\\") : undefined;
  return ESCAPABLE.test(next) ? { shown: next, length: 2 } : literal("\\");
}

function codeAt(text: string, isEnd: boolean, style: Style, effort: Effort): Span | undefined {
  const [fence = ""] = /^`+/.exec(text) ?? [];
  const rest = text.slice(fence.length);
  effort.left -= rest.length;
  const end = [...rest.matchAll(/`+/g)].find(([run]) => run.length === fence.length)?.index;
  // At the very end more backticks may follow.
  const isOpen = end === undefined || end + fence.length === rest.length;
  if (isOpen && !isEnd) return undefined;
  if (end === undefined) return literal(fence);
  const content = rest.slice(0, end);
  const isPadded = content.startsWith(" ") && content.endsWith(" ") && content.trim() !== "";
  return { shown: style.cyan(isPadded ? content.slice(1, -1) : content), length: 2 * fence.length + end };
}

function linkAt(text: string, isEnd: boolean, style: Style, effort: Effort): Span | undefined {
  const link = /^\[([^[\]]*)\]\(([^()\s]*)(?: "[^"]*")?\)/.exec(text);
  // `table[row](column)` is code that was left without its backticks.
  if (link?.[1] !== undefined && link[2] !== undefined && /[/.:#]/.test(link[2])) {
    const [whole, words, address] = link;
    const label = renderInline(words, true, style, effort).shown;
    const isBare = words === address || words === "";
    return {
      shown: isBare ? style.underline(address) : `${style.underline(label)} ${style.dim(`(${address})`)}`,
      length: whole.length,
    };
  }
  const mayBecomeLink = /^\[[^[\]]*(?:\](?:\([^()\s]*(?: "[^"]*"?)?)?)?$/.test(text);
  return mayBecomeLink && !isEnd ? undefined : literal("[");
}

function emphasisAt(
  text: string,
  isEnd: boolean,
  style: Style,
  effort: Effort,
  before: string,
): Span | undefined {
  const mark = text.charAt(0);
  const run = runAt(text, 0);
  const inside = text.slice(run);
  if (inside === "" && !isEnd) return undefined;
  if (run > 3 || isWord(before) || /^\s|^$/.test(inside)) return literal(mark.repeat(run));
  const end = closingRun(inside, mark, run, isEnd, effort);
  if (end === "open") return undefined;
  if (end === undefined) return literal(mark.repeat(run));
  effort.depth += 1;
  const content = renderInline(inside.slice(0, end), true, style, effort).shown;
  effort.depth -= 1;
  const italic = run === 2 ? content : style.italic(content);
  return { shown: run === 1 ? italic : style.bold(italic), length: 2 * run + end };
}

/** Where the closing run of an emphasis begins; `open` while it may still come. Code spans and escapes are passed over. */
function closingRun(
  text: string,
  mark: string,
  length: number,
  isEnd: boolean,
  effort: Effort,
): number | "open" | undefined {
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    effort.left -= 1;
    if (character === "\\") index += 1;
    else if (character === "`") {
      const code = codeAt(text.slice(index), isEnd, plainStyle, effort);
      if (!code) return "open";
      index += code.length - 1;
    } else if (character === mark) {
      const run = runAt(text, index);
      const after = text.charAt(index + run);
      if (after === "" && !isEnd) return "open";
      const fits = run === length || (run === 3 && length < 3);
      if (fits && !/\s/.test(text.charAt(index - 1)) && !isWord(after)) return index + run - length;
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

function isWord(character: string): boolean {
  return /[\p{L}\p{N}]/u.test(character);
}
