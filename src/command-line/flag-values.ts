import { checkWord, FlagValueError } from "./declaration.ts";

/** Takes a text that may be empty. */
export function textOrNothing(value: string): string {
  return value;
}

/** Collects the values of a flag that may be given several times. Throws `FlagValueError` for an empty one. */
export function repeatable(value: string, previous: string[] | undefined): string[] {
  if (value === "") throw new FlagValueError("It is empty.");
  return [...(previous ?? []), value];
}

/** Collects the values of a flag that may be given several times and takes a few words. Throws `FlagValueError`. */
export function repeatableOf(words: readonly string[]): (value: string, previous?: string[]) => string[] {
  return (value, previous = []) => {
    checkWord(value, words);
    return [...previous, value];
  };
}

/** Parses a whole number within bounds. Throws `FlagValueError`. */
export function integerFlag(minimum: number, maximum = Number.MAX_SAFE_INTEGER): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (!/^[+-]?\d+$/.test(value.trim()) || number < minimum || number > maximum) {
      throw new FlagValueError(`It takes a whole number ${bounds(minimum, maximum)}.`);
    }
    return number;
  };
}

/** Parses a number within bounds. Throws `FlagValueError`. */
export function numberFlag(minimum: number, maximum = Number.POSITIVE_INFINITY): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (value.trim() === "" || !Number.isFinite(number) || number < minimum || number > maximum) {
      throw new FlagValueError(`It takes a number ${bounds(minimum, maximum)}.`);
    }
    return number;
  };
}

function bounds(minimum: number, maximum: number): string {
  return maximum >= Number.MAX_SAFE_INTEGER ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
}
