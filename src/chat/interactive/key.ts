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

/** Whether a key is a plain character, and not a command of any kind. */
export function isCharacter({ text, ctrl, meta }: Key): boolean {
  return !ctrl && !meta && text !== "" && !/^[\u0000-\u001F\u007F]/.test(text);
}
