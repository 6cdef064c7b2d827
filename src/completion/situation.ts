import type { Candidate, CommandNode, FlagNode, ValueKind } from "./command-tree.ts";

/** What the cursor stands at. */
export interface Situation {
  /** What may come here; undefined where nothing may, and behind a command that nobody knows. */
  wanted: { kind: "commands" | "flags" } | { kind: "value"; value: ValueKind } | undefined;
  command: CommandNode;
  /** Flags that may come here: the command's own, then those of every command. */
  flags: readonly FlagNode[];
  /** What stands before the value in the same word, such as `--model=` or the models before a comma. */
  before: string;
  /** The word from there on. */
  text: string;
  /** The values of flags that were typed, by their long name. */
  values: ReadonlyMap<string, string>;
  /** The arguments that were typed. */
  positionals: readonly string[];
}

/**
 * Reads a command line up to the cursor the way the program would: `words` are the finished words after the program's
 * name, `current` is the one the cursor is in.
 */
export function readSituation(root: CommandNode, words: readonly string[], current: string): Situation {
  let command = root;
  let isKnown = true;
  let isBehindDashes = false;
  let pending: FlagNode | undefined;
  const values = new Map<string, string>();
  const positionals: string[] = [];
  const findFlag = (name: string): FlagNode | undefined =>
    [...command.flags, ...root.flags].find(({ long, short }) => long === name || short === name);
  for (const word of words) {
    if (pending) {
      values.set(pending.long, word);
      pending = undefined;
    } else if (isBehindDashes || !word.startsWith("-") || word === "-") {
      const child = positionals.length === 0 ? command.commands.find(({ name }) => name === word) : undefined;
      if (child) command = child;
      else if (command.commands.length > 0) isKnown = false;
      else positionals.push(word);
    } else if (word === "--") {
      isBehindDashes = true;
    } else {
      const { name, value } = splitFlag(word, findFlag);
      const flag = findFlag(name);
      if (flag?.value && value === undefined) pending = flag;
      else if (flag?.value && value !== undefined) values.set(flag.long, value);
    }
  }
  const flags = command === root ? root.flags : [...command.flags, ...root.flags];
  const situation = { command, flags: uniqueFlags(flags), values, positionals };
  const at = (wanted: Situation["wanted"], before = "", text = current): Situation => ({
    ...situation,
    wanted,
    before,
    text,
  });
  if (pending?.value) return atValue(pending.value, "", current, at);
  if (!isBehindDashes && current.startsWith("-")) {
    const { name, value } = splitFlag(current, findFlag);
    const flag = findFlag(name);
    if (value !== undefined && flag?.value)
      return atValue(flag.value, current.slice(0, current.length - value.length), value, at);
    return at({ kind: "flags" });
  }
  if (!isKnown) return at(undefined);
  if (command.commands.length > 0) return at({ kind: "commands" });
  const argument =
    command.arguments[positionals.length] ?? command.arguments.findLast((last) => last.isVariadic);
  return argument ? atValue(argument.value, "", current, at) : at(undefined);
}

/** What of a situation needs no look at the machine: commands, flags, choices. */
export function staticCandidates({ wanted, command, flags, before, text }: Situation): Candidate[] {
  switch (wanted?.kind) {
    case "commands":
      return command.commands.map(({ name, description }) => ({ value: name, description }));
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

function flagCandidates(flags: readonly FlagNode[], text: string): Candidate[] {
  const long = flags.map(({ long: value, description }) => ({ value, description }));
  // A short flag is no shorter to complete than to type, so it is only confirmed.
  const typed = text.length === 2 ? flags.find(({ short }) => short === text) : undefined;
  return typed?.short ? [{ value: typed.short, description: typed.description }] : long;
}

/** `--flag=value` and `-fvalue` as flag and value; the value is undefined where none is attached. */
function splitFlag(
  word: string,
  findFlag: (name: string) => FlagNode | undefined,
): { name: string; value: string | undefined } {
  if (word.startsWith("--")) {
    const equals = word.indexOf("=");
    return equals < 0
      ? { name: word, value: undefined }
      : { name: word.slice(0, equals), value: word.slice(equals + 1) };
  }
  // Of `-vm` the last one may take a value.
  for (let index = 1; index < word.length; index += 1) {
    const name = `-${word[index]}`;
    if (!findFlag(name)?.value) continue;
    const rest = word.slice(index + 1);
    return { name, value: rest === "" ? undefined : rest };
  }
  return { name: word, value: undefined };
}

function atValue(
  value: ValueKind,
  before: string,
  text: string,
  at: (wanted: Situation["wanted"], before: string, text: string) => Situation,
): Situation {
  const comma = "isList" in value && value.isList ? text.lastIndexOf(",") + 1 : 0;
  return at({ kind: "value", value }, before + text.slice(0, comma), text.slice(comma));
}

function uniqueFlags(flags: readonly FlagNode[]): FlagNode[] {
  return [...new Map(flags.map((flag) => [flag.long, flag])).values()];
}
