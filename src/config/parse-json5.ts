import JSON5 from "json5";

/** Parses JSON5, taking the short way where the text is plain JSON. Throws the SyntaxError of JSON5's own parser. */
export function parseJson5(text: string): unknown {
  if (looksStrict(text)) {
    try {
      return JSON.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return JSON5.parse(text);
}

/** JSON5's own freedoms mostly show at the first key. */
function looksStrict(text: string): boolean {
  return /^\s*(?:[{[]\s*(?:["{[\]}\d-]|true|false|null)|["\d-]|true|false|null)/.test(text);
}
