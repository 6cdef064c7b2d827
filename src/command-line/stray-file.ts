import { stat } from "node:fs/promises";
import path from "node:path";
import { ifSystemLets, type OpenclawError, usageError } from "../errors.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { type Action, type NamedFlag, readArgument, readFlag } from "./declaration.ts";

/** A flag that takes a file, with the words that stand behind its value. */
interface Followed {
  flag: NamedFlag;
  value: string;
  words: string[];
}

/**
 * Refuses a command line on which files stand behind the one that a flag takes (`-f a.txt b.txt`, or what a shell makes of
 * `-f *.txt`), where they would be words of the prompt. What stands behind `--` is as it is. Throws `usage`.
 */
export async function refuseStrayFiles(
  action: Action,
  args: readonly string[],
  folder: string,
): Promise<void> {
  if (!action.arguments?.some((argument) => readArgument(argument).isVariadic)) return;
  for (const followed of followedFiles(action, args)) {
    const files: string[] = [];
    for (const word of followed.words) {
      if (!(await isFile(path.resolve(folder, word)))) break;
      files.push(word);
    }
    if (files.length > 0) throw strayFiles(followed, files, action);
  }
}

function followedFiles(action: Action, args: readonly string[]): Followed[] {
  const flags = (action.flags ?? [])
    .map(readFlag)
    .filter(({ placeholder }) => placeholder?.startsWith("<file"));
  const end = args.indexOf("--");
  const found: Followed[] = [];
  const plain = end < 0 ? args : args.slice(0, end);
  for (const [index, arg] of plain.entries()) {
    const flag = flags.find(
      ({ long, short }) =>
        arg === long || arg.startsWith(`${long}=`) || (short !== undefined && arg.startsWith(short)),
    );
    if (!flag || (arg.startsWith("--") && !arg.startsWith(flag.long))) continue;
    const isAttached = arg !== flag.long && arg !== flag.short;
    const start = isAttached ? index + 1 : index + 2;
    const rest = plain.slice(start);
    const next = rest.findIndex((word) => word.startsWith("-"));
    const value = isAttached ? arg.replace(/^--[^=]*=|^-./, "") : (plain[index + 1] ?? "");
    found.push({ flag, value, words: next < 0 ? rest : rest.slice(0, next) });
  }
  return found;
}

function strayFiles({ flag, value }: Followed, files: readonly string[], action: Action): OpenclawError {
  const attach = (action.flags ?? []).map(readFlag).find(({ option }) => option === "file") ?? flag;
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

async function isFile(file: string): Promise<boolean> {
  // A question is no file's name: too long, with a zero byte, below a file.
  return (await ifSystemLets(stat(file)))?.isFile() ?? false;
}
