/** Turns text that arrives in pieces into what is shown of it. */
export interface TextRenderer {
  /** Takes a piece; returns what can be shown by now. */
  push(text: string): string;
  /** Returns what was still held back, and begins anew. */
  end(): string;
}
