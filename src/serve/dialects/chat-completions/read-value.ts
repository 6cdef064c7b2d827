import { type JsonObject } from "../../../json.ts";
import { OpenclawError } from "../../../errors.ts";

/** The error for a field of a request that cannot be taken as it is; `param` names the field as OpenAI's errors do. */
export function refused(message: string, param: string, code?: string): OpenclawError {
  return new OpenclawError("invalid-request", {
    message,
    details: { param, ...(code === undefined ? {} : { openaiCode: code }) },
  });
}

/** Whether a field counts as not given: OpenAI's clients send null for what they leave open. */
export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** An object. Throws `invalid-request`. */
export function readObject(value: unknown, param: string): JsonObject {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw wrongType(value, param, "an object");
}

/** A list. Throws `invalid-request`. */
export function readList(value: unknown, param: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw wrongType(value, param, "an array");
}

/** A text. Throws `invalid-request`. */
export function readText(value: unknown, param: string): string {
  if (typeof value === "string") return value;
  throw wrongType(value, param, "a string");
}

/** A text, or undefined where none is given. Throws `invalid-request`. */
export function readOptionalText(value: unknown, param: string): string | undefined {
  return isAbsent(value) ? undefined : readText(value, param);
}

/** A number, or undefined where none is given. Throws `invalid-request`. */
export function readOptionalNumber(value: unknown, param: string): number | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw wrongType(value, param, "a number");
}

/** A whole number of at least 1, or undefined where none is given. Throws `invalid-request`. */
export function readOptionalCount(value: unknown, param: string): number | undefined {
  const number = readOptionalNumber(value, param);
  if (number === undefined || (Number.isSafeInteger(number) && number >= 1)) return number;
  throw refused(`'${param}' is ${number}, and must be a whole number of at least 1.`, param);
}

/** A boolean; false where none is given. Throws `invalid-request`. */
export function readFlag(value: unknown, param: string): boolean {
  if (isAbsent(value)) return false;
  if (typeof value === "boolean") return value;
  throw wrongType(value, param, "a boolean");
}

/** One of some texts, or undefined where none is given. Throws `invalid-request`. */
export function readOptionalChoice<T extends string>(
  value: unknown,
  param: string,
  choices: readonly T[],
): T | undefined {
  if (isAbsent(value)) return undefined;
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw refused(`'${param}' is ${show(value)}, and must be one of ${choices.join(", ")}.`, param);
}

/** A value in a message: short, and never the whole of what somebody sent. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function wrongType(value: unknown, param: string, expected: string): OpenclawError {
  const what = isAbsent(value) ? "missing" : show(value);
  return refused(`'${param}' is ${what}, and must be ${expected}.`, param);
}
