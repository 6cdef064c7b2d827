/** Nobody says more blanks, in characters; to look at them all takes others' time. */
export const MOST_BLANKS = 65_536;

/** Whether a text is empty or has nothing but blanks. One of very many passes for one that says something. */
export function isOnlyBlanks(text: string): boolean {
  return text.length <= MOST_BLANKS && text.trim() === "";
}
