import {
  type Action,
  type Flag,
  type Group,
  HELP,
  isGroup,
  type NamedFlag,
  type Program,
  readArgument,
  readFlag,
  visibleMembers,
} from "../command-line/declaration.ts";
import { type Candidate, kindOfArgument, kindOfFlag, type ValueKind } from "./value-kinds.ts";

export interface Situation {
  program: Program;
  /** What may come here; undefined where nothing may, and behind a command that nobody knows. */
  wanted: { kind: "commands" | "flags" } | { kind: "value"; value: ValueKind } | undefined;
  /** Where the cursor is among the commands. */
  command: Group | Action;
  /** Flags that may come here: the command's own, then those of every command. */
  flags: readonly NamedFlag[];
  /** What stands before the value in the same word, such as `--model=` or the models before a comma. */
  before: string;
  /** The word from there on. */
  text: string;
  /** The values of flags that were typed, by their long name. */
  values: ReadonlyMap<string, string>;
  positionals: readonly string[];
}

/**
 * Reads a command line up to the cursor the way the program would: `words` are the finished words after the program's
 * name, `current` is the one the cursor is in.
 */
export function readSituation(program: Program, words: readonly string[], current: string): Situation {
  const rootFlags = [program.versionFlag, ...program.flags, HELP];
  let command: Group | Action = program;
  let flags = uniqueFlags(rootFlags);
  const path: string[] = [];
  let isKnown = true;
  let isBehindDashes = false;
  let pending: NamedFlag | undefined;
  const values = new Map<string, string>();
  const positionals: string[] = [];
  for (const word of words) {
    if (pending) {
      values.set(pending.long, word);
      pending = undefined;
    } else if (isBehindDashes || !word.startsWith("-") || word === "-") {
      const children: ReturnType<typeof visibleMembers> =
        positionals.length === 0 ? visibleMembers(command) : [];
      const child = children.find(([name]) => name === word);
      if (child) {
        [, command] = child;
        path.push(word);
        flags = uniqueFlags([...(isGroup(command) ? [] : (command.flags ?? [])), HELP, ...rootFlags]);
      } else if (isGroup(command)) isKnown = false;
      else positionals.push(word);
    } else if (word === "--") {
      isBehindDashes = true;
    } else {
      const given = valueFlagOf(word, flags);
      if (given?.value === undefined) pending = given?.flag;
      else values.set(given.flag.long, given.value);
    }
  }
  const situation = { program, command, flags, before: "", text: current, values, positionals };
  if (pending) return atValue(situation, kindOfFlag(pending));
  if (!isBehindDashes && current.startsWith("-")) {
    const given = valueFlagOf(current, flags);
    if (given?.value === undefined) return { ...situation, wanted: { kind: "flags" } };
    const before = current.slice(0, current.length - given.value.length);
    return atValue({ ...situation, before, text: given.value }, kindOfFlag(given.flag));
  }
  if (!isKnown) return { ...situation, wanted: undefined };
  const hasMembers = isGroup(command) || command.members !== undefined;
  if (hasMembers && positionals.length === 0) return { ...situation, wanted: { kind: "commands" } };
  if (isGroup(command)) return { ...situation, wanted: undefined };
  const declared = command.arguments ?? [];
  const argument = declared[positionals.length] ?? declared.findLast((last) => readArgument(last).isVariadic);
  if (!argument) return { ...situation, wanted: undefined };
  return atValue(situation, kindOfArgument(argument, path.join(" ")));
}

/** Of several values by commas, the cursor stands at the last one. */
function atValue(situation: Omit<Situation, "wanted">, value: ValueKind): Situation {
  const { before, text } = situation;
  const comma = "isList" in value && value.isList ? text.lastIndexOf(",") + 1 : 0;
  return {
    ...situation,
    wanted: { kind: "value", value },
    before: before + text.slice(0, comma),
    text: text.slice(comma),
  };
}

/** What of a situation needs no look at the machine: commands, flags, choices. */
export function staticCandidates({ wanted, command, flags, before, text }: Situation): Candidate[] {
  switch (wanted?.kind) {
    case "commands":
      return visibleMembers(command).map(([value, { description }]) => ({ value, description }));
    case "flags":
      return flagCandidates(flags, text);
    case "value": {
      const { value } = wanted;
      return value.kind === "choices" ? value.values.map((word) => ({ value: before + word })) : [];
    }
    default:
      return [];
  }
}

function flagCandidates(flags: readonly NamedFlag[], text: string): Candidate[] {
  const long = flags.map(({ long: value, description }) => ({ value, description }));
  // A short flag is no shorter to complete than to type, so it is only confirmed.
  const typed = text.length === 2 ? flags.find(({ short }) => short === text) : undefined;
  return typed?.short ? [{ value: typed.short, description: typed.description }] : long;
}

/** The flag with a value that a word is, as `--flag=value` or `-fvalue`; the value is undefined where none is attached. */
function valueFlagOf(
  word: string,
  flags: readonly NamedFlag[],
): { flag: NamedFlag; value: string | undefined } | undefined {
  const find = (name: string): NamedFlag | undefined =>
    flags.find(
      ({ long, short, placeholder }) => placeholder !== undefined && (long === name || short === name),
    );
  if (word.startsWith("--")) {
    const [name = "", ...value] = word.split("=");
    const flag = find(name);
    return flag && { flag, value: value.length > 0 ? value.join("=") : undefined };
  }
  // Of `-vm` the last one may take a value.
  for (let index = 1; index < word.length; index += 1) {
    const flag = find(`-${word[index]}`);
    if (flag) return { flag, value: word.slice(index + 1) || undefined };
  }
  return undefined;
}

/** The flags without those that come again: a command's own go before those of every command. */
function uniqueFlags(flags: readonly Flag[]): NamedFlag[] {
  const named = flags.map(readFlag);
  return named.filter(({ long }, index) => named.findIndex((flag) => flag.long === long) === index);
}
