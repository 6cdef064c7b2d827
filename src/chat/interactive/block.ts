const QUOTES = '"""';

/** Whether Enter begins a new line here: inside `"""`, or behind a backslash. */
export function isUnfinished(text: string): boolean {
  const trimmed = text.trimStart();
  if (!trimmed.startsWith(QUOTES)) return isContinued(text);
  return !trimmed.slice(QUOTES.length).trimEnd().endsWith(QUOTES);
}

/** The text with the backslash at its end, which stood for a line end, taken off. */
export function withoutContinuation(text: string): string {
  return isContinued(text) ? text.slice(0, -1) : text;
}

/** What was meant: the text between `"""`, without the line ends next to them, or the text as it is. */
export function unwrapBlock(text: string): string {
  const block = /^\s*"""\n?([\s\S]*?)\n?"""\s*$/.exec(text);
  return block?.[1] ?? text;
}

/** An odd number of backslashes at the end: an even one is that many halves of backslashes. */
function isContinued(text: string): boolean {
  return (/\\+$/.exec(text)?.[0].length ?? 0) % 2 === 1;
}
