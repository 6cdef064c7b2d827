import { stat } from "node:fs/promises";
import path from "node:path";
import { ifSystemLets, type OpenclawError, usageError } from "../errors.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { type Flag, type NamedFlag, readFlag } from "./declaration.ts";

/** A flag that takes a file, with the words that stand behind its value. */
interface Followed {
  flag: NamedFlag;
  value: string;
  words: string[];
}

/**
 * Refuses a command line on which files stand behind the one that a flag takes (`-f a.txt sum b.txt`, or what a shell makes
 * of `-f *.txt`), where they would be words of the prompt. What stands behind `--` is as it is. Throws `usage`.
 */
export async function refuseStrayFiles(
  flags: readonly Flag[],
  args: readonly string[],
  folder: string,
): Promise<void> {
  const named = flags.map(readFlag);
  for (const followed of followedFiles(named, args)) {
    const files: string[] = [];
    for (const word of followed.words.slice(0, MOST_LOOKED_AT))
      if (await isFile(path.resolve(folder, word))) files.push(word);
    if (files.length > 0) throw strayFiles(followed, files, named);
  }
}

/** The flags that take a file, each with the words up to the next. */
function followedFiles(flags: readonly NamedFlag[], args: readonly string[]): Followed[] {
  const end = args.indexOf("--");
  const found: Followed[] = [];
  const plain = end < 0 ? args : args.slice(0, end);
  for (let index = 0; index < plain.length; index++) {
    const arg = plain[index] ?? "";
    if (!arg.startsWith("-")) {
      found.at(-1)?.words.push(arg);
      continue;
    }
    const flag = flags.find(({ long, short = long }) =>
      arg.startsWith("--") ? arg === long || arg.startsWith(`${long}=`) : arg.startsWith(short),
    );
    if (flag?.placeholder === undefined) continue;
    const isAttached = arg !== flag.long && arg !== flag.short;
    const value = isAttached ? arg.replace(/^--[^=]*=|^-./, "") : (plain[(index += 1)] ?? "");
    if (flag.placeholder.startsWith("<file")) found.push({ flag, value, words: [] });
  }
  return found;
}

function strayFiles(
  { flag, value }: Followed,
  files: readonly string[],
  flags: readonly NamedFlag[],
): OpenclawError {
  const attach = flags.find(({ option }) => option === "file") ?? flag;
  const name = attach.short ?? attach.long;
  const own = flag.option === attach.option ? [value] : [];
  const shown = [...own, ...files].slice(0, MOST_SHOWN).map((file) => `${name} ${quoteForShell(file)}`);
  const more = own.length + files.length > MOST_SHOWN ? " …" : "";
  return usageError(
    `'${files[0]}' stands behind ${flag.short ?? flag.long} ${value} and is a file; ${flag.short ?? flag.long} takes one, so it would be words of the prompt.`,
    `To attach ${files.length === 1 ? "it" : "them"}: ${shown.join(" ")}${more}; if the words are meant, put -- before them`,
  );
}

/** So many files are named in a hint. */
const MOST_SHOWN = 4;
/** So many words are looked at: longer is what a shell makes of a text, not what a person types. */
const MOST_LOOKED_AT = 1000;

async function isFile(file: string): Promise<boolean> {
  // A question is no file's name: too long, with a zero byte, below a file.
  return (await ifSystemLets(stat(file)))?.isFile() ?? false;
}
