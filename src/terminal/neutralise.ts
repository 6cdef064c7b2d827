/**
 * What a terminal obeys instead of showing: C0 controls but tab and line feed, DEL, C1 controls, and the marks that
 * reorder what is read (Unicode's Bidi_Control).
 */
const OBEYED =
  "\\u0000-\\u0008\\u000B-\\u001F\\u007F-\\u009F\\u061C\\u200E\\u200F\\u202A-\\u202E\\u2066-\\u2069";
const ANY_OBEYED = new RegExp(`[${OBEYED}]`, "g");
/** The sequences of our own Style: weights, italics, underline and the six colours, on and off. */
const STYLE_OR_OBEYED = new RegExp(`\\u001B\\[(?:[1-4]|2[2-4]|3[1-6]|39)m|[${OBEYED}]`, "g");

/**
 * Makes foreign text harmless on a terminal: control characters become pictures of themselves (`␛`), carriage returns
 * and marks of writing direction go. Looks at each character alone, so a text may be cut anywhere before.
 */
export function neutralise(text: string): string {
  return text.replace(ANY_OBEYED, pictureOf);
}

/** Does the same to a text that this program has already styled, whose own colours stay. */
export function neutraliseStyled(text: string): string {
  return text.replace(STYLE_OR_OBEYED, (found) => (found.length > 1 ? found : pictureOf(found)));
}

/** Writes what a terminal obeys as JSON escapes, so that the document stays the same document. */
export function escapeInJson(json: string): string {
  return json.replace(ANY_OBEYED, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function pictureOf(character: string): string {
  const code = character.charCodeAt(0);
  // A carriage return before a line feed is a line end; alone it would write over what stands there.
  if (code === 0x0d || code > 0x9f) return "";
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? "\u2421" : "\uFFFD";
}
