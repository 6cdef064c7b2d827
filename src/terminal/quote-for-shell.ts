import { isShownWhole } from "./neutralise.ts";

/**
 * A word as a shell takes it, quoted only where it must be. What would act on a terminal, hide, or break the line is
 * written as bash and zsh read it in `$'…'`: the bytes of its UTF-8.
 */
export function quoteForShell(word: string): string {
  if (/^[\w@%+=:,./~-]+$/.test(word)) return word;
  if (isShownWhole(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const shown = [...word].map((character) => {
    if (/['\\]/.test(character)) return `\\${character}`;
    return isShownWhole(character) && !/\p{M}/u.test(character) ? character : escapeBytes(character);
  });
  return `$'${shown.join("")}'`;
}

function escapeBytes(character: string): string {
  const bytes = new TextEncoder().encode(character);
  return Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("");
}
