import { isCharacter, type Key } from "./key.ts";

/** A text that is being edited. */
export interface LineBuffer {
  readonly text: string;
  /** Where the cursor stands, in UTF-16 units, always between two characters as people see them. */
  readonly cursor: number;
  /** What was cut last, for Ctrl-Y. */
  readonly cut: string;
}

export const EMPTY_BUFFER: LineBuffer = { text: "", cursor: 0, cut: "" };

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Applies an editing key, with the bindings of Emacs and of readline. Undefined when the key is none. */
export function editLine(buffer: LineBuffer, key: Key): LineBuffer | undefined {
  const { text, cursor } = buffer;
  const { name, ctrl, meta } = key;
  if (name === "paste" || isCharacter(key)) return insertText(buffer, key.text);
  const [lineStart, lineEnd] = lineAround(text, cursor);
  const isWordKey = meta || ctrl;
  switch (name) {
    case "left":
      return moveTo(buffer, isWordKey ? wordStart(text, cursor) : previous(text, cursor));
    case "right":
      return moveTo(buffer, isWordKey ? wordEnd(text, cursor) : following(text, cursor));
    case "home":
      return moveTo(buffer, lineStart);
    case "end":
      return moveTo(buffer, lineEnd);
    case "backspace":
      return meta ? cutTo(buffer, wordStart(text, cursor)) : deleteTo(buffer, previous(text, cursor));
    case "delete":
      return isWordKey ? cutTo(buffer, wordEnd(text, cursor)) : deleteTo(buffer, following(text, cursor));
    case "return":
    case "enter":
      return meta ? insertText(buffer, "\n") : undefined;
  }
  if (ctrl) return editByControl(buffer, name, lineStart, lineEnd);
  return meta ? editByMeta(buffer, name) : undefined;
}

function editByControl(
  buffer: LineBuffer,
  name: string | undefined,
  lineStart: number,
  lineEnd: number,
): LineBuffer | undefined {
  const { text, cursor } = buffer;
  switch (name) {
    case "a":
      return moveTo(buffer, lineStart);
    case "e":
      return moveTo(buffer, lineEnd);
    case "b":
      return moveTo(buffer, previous(text, cursor));
    case "f":
      return moveTo(buffer, following(text, cursor));
    case "h":
      return deleteTo(buffer, previous(text, cursor));
    case "d":
      return deleteTo(buffer, following(text, cursor));
    case "k":
      // At the end of a line it joins the next one.
      return cutTo(buffer, cursor === lineEnd ? following(text, cursor) : lineEnd);
    case "u":
      return cutTo(buffer, cursor === lineStart ? previous(text, cursor) : lineStart);
    case "w":
      return cutTo(buffer, spacedWordStart(text, cursor));
    case "y":
      return insertText(buffer, buffer.cut);
    default:
      return undefined;
  }
}

function editByMeta(buffer: LineBuffer, name: string | undefined): LineBuffer | undefined {
  const { text, cursor } = buffer;
  switch (name) {
    case "b":
      return moveTo(buffer, wordStart(text, cursor));
    case "f":
      return moveTo(buffer, wordEnd(text, cursor));
    case "d":
      return cutTo(buffer, wordEnd(text, cursor));
    default:
      return undefined;
  }
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
  const [start, end] = lineAround(text, cursor);
  const neighbour = direction < 0 ? start - 1 : end + 1;
  if (neighbour < 0 || neighbour > text.length) return undefined;
  const [otherStart, otherEnd] = lineAround(text, neighbour);
  const column = [...graphemes.segment(text.slice(start, cursor))].length;
  let place = otherStart;
  for (let step = 0; step < column && place < otherEnd; step += 1) place = following(text, place);
  return moveTo(buffer, place);
}

function moveTo(buffer: LineBuffer, cursor: number): LineBuffer {
  return { ...buffer, cursor };
}

function deleteTo(buffer: LineBuffer, place: number): LineBuffer {
  const [from, to] = [Math.min(place, buffer.cursor), Math.max(place, buffer.cursor)];
  return { ...buffer, text: buffer.text.slice(0, from) + buffer.text.slice(to), cursor: from };
}

function cutTo(buffer: LineBuffer, place: number): LineBuffer {
  const [from, to] = [Math.min(place, buffer.cursor), Math.max(place, buffer.cursor)];
  return from === to ? buffer : { ...deleteTo(buffer, place), cut: buffer.text.slice(from, to) };
}

/** Start and end of the line that a place is in, without its line end. */
function lineAround(text: string, place: number): [number, number] {
  const start = place === 0 ? 0 : text.lastIndexOf("\n", place - 1) + 1;
  const end = text.indexOf("\n", place);
  return [start, end < 0 ? text.length : end];
}

function previous(text: string, place: number): number {
  const [start] = lineAround(text, place);
  if (place === start) return Math.max(0, place - 1);
  let last = start;
  for (const { index } of graphemes.segment(text.slice(start, place))) last = start + index;
  return last;
}

function following(text: string, place: number): number {
  const [, end] = lineAround(text, place);
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
