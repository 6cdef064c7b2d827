import { type JsonObject, numberOf } from "../../../json.ts";

/** What is wrong with a call, for the model to read: its input, or what that leads to. */
export class CallFault extends Error {
  override readonly name = "CallFault";
}

/** The text in a field of a call's input; undefined where it has none. Throws a `CallFault` for anything else. */
export function textIn(input: JsonObject, name: string): string | undefined {
  const value = input[name] ?? undefined;
  if (value !== undefined && typeof value !== "string") throw new CallFault(`'${name}' has to be a text.`);
  return value;
}

/** The text in a field that a call must have. Throws a `CallFault` where it is missing or empty. */
export function requiredText(input: JsonObject, name: string): string {
  const text = textIn(input, name);
  if (text === undefined || text === "") throw new CallFault(`'${name}' is missing.`);
  return text;
}

/** The whole number in a field; undefined where there is none. Throws a `CallFault` where it is not from `least` to `most`. */
export function numberIn(input: JsonObject, name: string, least: number, most: number): number | undefined {
  if ((input[name] ?? undefined) === undefined) return undefined;
  const value = numberOf(input[name]);
  if (value === undefined || !Number.isInteger(value) || value < least || value > most)
    throw new CallFault(`'${name}' has to be a whole number from ${least} to ${most}.`);
  return value;
}

/** Whether a field says yes. Throws a `CallFault` for what is neither true nor false. */
export function isSet(input: JsonObject, name: string): boolean {
  const value = input[name] ?? false;
  if (typeof value !== "boolean") throw new CallFault(`'${name}' has to be true or false.`);
  return value;
}
