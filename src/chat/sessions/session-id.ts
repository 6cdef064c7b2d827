import { usageError } from "../../errors.ts";

/** Lower-case letters and digits that nobody mistakes for one another. */
const ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789";
const LENGTH = 6;

/** Makes an id that is short enough to type. `random` gives numbers from 0 up to 1. */
export function createSessionId(random: () => number): string {
  return Array.from({ length: LENGTH }, () => ALPHABET[Math.floor(random() * ALPHABET.length)]).join("");
}

/** Checks an id that a person typed: it names a file. Throws `usage`. */
export function checkSessionId(id: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(id)) return id;
  throw usageError(
    `'${id}' cannot name a session: up to 64 letters, digits, dots, underscores and dashes can.`,
    "openclaw sessions list",
  );
}
