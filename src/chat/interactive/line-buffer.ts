/** A key that was pressed, as node:readline names it, or a text that was pasted. */
export interface Key {
  /** `return`, `up`, `a`, …; `paste` for pasted text; undefined for characters without a name. */
  name: string | undefined;
  /** What the terminal sent; of a paste, its text. */
  text: string;
  ctrl: boolean;
  /** Alt, or Escape before the key. */
  meta: boolean;
}

export interface LineBuffer {
  readonly text: string;
  /** Where the cursor stands, in UTF-16 units, always between two characters as people see them. */
  readonly cursor: number;
  /** What was cut last, for Ctrl-Y. */
  readonly cut: string;
}

export const EMPTY_BUFFER: LineBuffer = { text: "", cursor: 0, cut: "" };

/** Characters as people see them. */
export const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

type Edit = (buffer: LineBuffer) => LineBuffer;
type Place = (text: string, cursor: number) => number;

const move =
  (to: Place): Edit =>
  (buffer) => ({ ...buffer, cursor: to(buffer.text, buffer.cursor) });
const remove =
  (to: Place): Edit =>
  (buffer) =>
    removeTo(buffer, to(buffer.text, buffer.cursor));
const cut =
  (to: Place): Edit =>
  (buffer) =>
    cutTo(buffer, to(buffer.text, buffer.cursor));

/** The bindings of Emacs and of readline: `C-` is Ctrl, `M-` is Alt. */
const BINDINGS: Readonly<Record<string, Edit>> = {
  left: move(previous),
  "C-b": move(previous),
  "C-left": move(wordStart),
  "M-left": move(wordStart),
  "M-b": move(wordStart),
  right: move(following),
  "C-f": move(following),
  "C-right": move(wordEnd),
  "M-right": move(wordEnd),
  "M-f": move(wordEnd),
  home: move(lineStart),
  "C-a": move(lineStart),
  end: move(lineEnd),
  "C-e": move(lineEnd),
  backspace: remove(previous),
  "C-h": remove(previous),
  "M-backspace": cut(wordStart),
  delete: remove(following),
  "C-d": remove(following),
  "C-delete": cut(wordEnd),
  "M-delete": cut(wordEnd),
  "M-d": cut(wordEnd),
  // At the end of a line it joins the next one.
  "C-k": cut((text, cursor) => (cursor === lineEnd(text, cursor) ? following : lineEnd)(text, cursor)),
  "C-u": cut((text, cursor) => (cursor === lineStart(text, cursor) ? previous : lineStart)(text, cursor)),
  "C-w": cut(spacedWordStart),
  "C-y": (buffer) => insertText(buffer, buffer.cut),
  "M-return": (buffer) => insertText(buffer, "\n"),
  "M-enter": (buffer) => insertText(buffer, "\n"),
};

/** Applies an editing key. Undefined when the key is none. */
export function editLine(buffer: LineBuffer, key: Key): LineBuffer | undefined {
  const { name, ctrl, meta } = key;
  if (name === "paste" || isCharacter(key)) return insertText(buffer, key.text);
  const bound = [ctrl && `C-${name}`, meta && `M-${name}`, name].find((keys) => keys && BINDINGS[keys]);
  return bound ? BINDINGS[bound]?.(buffer) : undefined;
}

/** Puts a text where the cursor stands. */
export function insertText(buffer: LineBuffer, inserted: string): LineBuffer {
  const { text, cursor } = buffer;
  return {
    ...buffer,
    text: text.slice(0, cursor) + inserted + text.slice(cursor),
    cursor: cursor + inserted.length,
  };
}

/** Moves the cursor a line up (-1) or down (1), in the same column. Undefined when there is no such line. */
export function moveLine(buffer: LineBuffer, direction: -1 | 1): LineBuffer | undefined {
  const { text, cursor } = buffer;
  const start = lineStart(text, cursor);
  const neighbour = direction < 0 ? start - 1 : lineEnd(text, cursor) + 1;
  if (neighbour < 0 || neighbour > text.length) return undefined;
  const column = [...graphemes.segment(text.slice(start, cursor))].length;
  const end = lineEnd(text, neighbour);
  let place = lineStart(text, neighbour);
  for (let step = 0; step < column && place < end; step += 1) place = following(text, place);
  return { ...buffer, cursor: place };
}

function removeTo(buffer: LineBuffer, place: number): LineBuffer {
  const [from, to] = [Math.min(place, buffer.cursor), Math.max(place, buffer.cursor)];
  return { ...buffer, text: buffer.text.slice(0, from) + buffer.text.slice(to), cursor: from };
}

function cutTo(buffer: LineBuffer, place: number): LineBuffer {
  const [from, to] = [Math.min(place, buffer.cursor), Math.max(place, buffer.cursor)];
  return from === to ? buffer : { ...removeTo(buffer, place), cut: buffer.text.slice(from, to) };
}

function lineStart(text: string, place: number): number {
  return place === 0 ? 0 : text.lastIndexOf("\n", place - 1) + 1;
}

/** The end of the line that a place is in, before its line end. */
function lineEnd(text: string, place: number): number {
  const end = text.indexOf("\n", place);
  return end < 0 ? text.length : end;
}

function previous(text: string, place: number): number {
  const start = lineStart(text, place);
  if (place === start) return Math.max(0, place - 1);
  let last = start;
  for (const { index } of graphemes.segment(text.slice(start, place))) last = start + index;
  return last;
}

function following(text: string, place: number): number {
  const end = lineEnd(text, place);
  if (place === end) return Math.min(text.length, place + 1);
  const [next] = graphemes.segment(text.slice(place, end));
  return place + (next?.segment.length ?? 0);
}

function wordStart(text: string, place: number): number {
  return place - (/[\p{L}\p{N}_]*[^\p{L}\p{N}_]*$/u.exec(text.slice(0, place))?.[0].length ?? 0);
}

function wordEnd(text: string, place: number): number {
  return place + (/^[^\p{L}\p{N}_]*[\p{L}\p{N}_]*/u.exec(text.slice(place))?.[0].length ?? 0);
}

function spacedWordStart(text: string, place: number): number {
  return place - (/\S*\s*$/.exec(text.slice(0, place))?.[0].length ?? 0);
}

/** Whether a key is a plain character, and not a command of any kind. */
export function isCharacter({ text, ctrl, meta }: Key): boolean {
  return !ctrl && !meta && text !== "" && !/^[\u0000-\u001F\u007F]/.test(text);
}
