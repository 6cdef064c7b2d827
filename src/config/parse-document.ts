import { OpenclawError } from "../errors.ts";
import { isRecord } from "../json.ts";
import { describeSyntaxError } from "./syntax-error.ts";
import { tryJson5 } from "./parse-json5.ts";
import { problemAt } from "./validate.ts";

/** The command that shows all that is wrong with the file. */
export const VALIDATE = "openclaw config validate";

/**
 * Parses the text of a configuration file. A text of nothing but white space and comments is an empty configuration.
 * Throws `config-invalid` with line and column when it is not JSON5, and when it is JSON5 but not an object.
 */
export function parseDocument(text: string, file: string): Record<string, unknown> {
  if (isBlank(text)) return {};
  const { value, error } = tryJson5(text);
  if (error) throw syntaxError(error, text, file);
  if (isRecord(value)) return value;
  const { expected, received } = problemAt([], "an object", value);
  throw new OpenclawError("config-invalid", {
    message: `${file} must hold ${expected}, not ${received}.`,
    hint: `Put { } around the settings in ${file}.`,
    details: { file, expected, received },
  });
}

/** True when the text holds nothing but white space and comments. */
export function isBlank(text: string): boolean {
  return /^(?:\s|\/\/[^\n\r\u2028\u2029]*(?:[\n\r\u2028\u2029]|$)|\/\*[^*]*\*+(?:[^/*][^*]*\*+)*\/)*$/.test(
    text,
  );
}

function syntaxError(error: SyntaxError, text: string, file: string): OpenclawError {
  const { what, line, column } = describeSyntaxError(text, error);
  return new OpenclawError("config-invalid", {
    message: `${file} is not valid JSON5 at line ${line}, column ${column}: ${what}.`,
    hint: VALIDATE,
    cause: error,
    details: { file, line, column },
  });
}
