import JSON5 from "json5";

/** What a parser makes of a text: a value, or the error that says what is wrong with the text. */
type Parsed = { value: unknown; error?: undefined } | { value?: undefined; error: SyntaxError };

/** Parses JSON. */
export function tryJson(text: string): Parsed {
  return attempt(JSON.parse, text);
}

/** Parses JSON5, taking the short way where the text is plain JSON. The error is that of JSON5's own parser. */
export function tryJson5(text: string): Parsed {
  // JSON5's own freedoms mostly show at the first key.
  const looksStrict = /^\s*(?:[{[]\s*(?:["{[\]}\d-]|true|false|null)|["\d-]|true|false|null)/.test(text);
  const strict = looksStrict ? tryJson(text) : undefined;
  return strict && !strict.error ? strict : attempt(JSON5.parse, text);
}

/** Parses JSON5. Throws the SyntaxError of JSON5's own parser. */
export function parseJson5(text: string): unknown {
  const { value, error } = tryJson5(text);
  if (error) throw error;
  return value;
}

function attempt(parse: (text: string) => unknown, text: string): Parsed {
  try {
    return { value: parse(text) };
  } catch (error) {
    if (error instanceof SyntaxError) return { error };
    throw error;
  }
}
