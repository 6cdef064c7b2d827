import {
  type Action,
  type Argument,
  commandAt,
  type Flag,
  FlagValueError,
  type Group,
  HELP,
  isGroup,
  memberOf,
  type NamedFlag,
  type Program,
  readArgument,
  readFlag,
  SEVERAL,
} from "./declaration.ts";

/** A command and what it is called with, as its `run` takes it. */
export interface Call {
  action: Action;
  options: Record<string, unknown>;
}

interface GivenFlag {
  flag: NamedFlag;
  /** Empty for a switch. */
  value: string;
  /** Whether the value is the argument after it. */
  isValueNext: boolean;
}

/**
 * Reads a command line that is written out plainly: known names, whole flags, values that do not look like flags, as many
 * arguments as the command takes. Undefined for anything else, help and mistakes included: commander reads those, and
 * takes longer to load than a plain line takes to read. What it would make of a plain line is what is returned here:
 * test/command-line/plain-call.test.ts.
 */
export function readPlainCall(program: Program, args: readonly string[]): Call | undefined {
  let command: Group | Action = program;
  const shared = program.flags.map(readFlag);
  let flags = shared;
  const given: GivenFlag[] = [];
  const words: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (arg === "--") {
      words.push(...args.slice(index + 1));
      break;
    }
    if (looksLikeFlag(arg)) {
      const flag = findFlag(flags, arg, args[index + 1]);
      if (!flag) return undefined;
      given.push(flag);
      if (flag.isValueNext) index++;
    } else {
      const member: Group | Action | undefined = words.length === 0 ? memberOf(command, arg) : undefined;
      if (member === undefined) {
        if (isGroup(command)) return undefined;
        words.push(arg);
      } else {
        // A command's own flags mean nothing to one under its name.
        if (given.some(({ flag }) => !shared.includes(flag))) return undefined;
        command = member;
        flags = isGroup(command) ? shared : [...shared, ...(command.flags ?? []).map(readFlag)];
      }
    }
  }
  if (isGroup(command)) return undefined;
  const values = readValues(flags, given);
  const positionals = readWords(command.arguments ?? [], words);
  return values && positionals && { action: command, options: { ...values, ...positionals } };
}

/**
 * Writes out the values that were left out, and the flag of each where one has several: `--wait-for-quota` becomes
 * `--wait-for-quota=600`, and `--models a b` `--models=a --models=b`.
 */
export function fillValues(program: Program, typed: readonly string[]): readonly string[] {
  const called = findCalled(program, typed);
  const args = spreadValues(program, called, typed);
  const end = args.indexOf("--");
  const flags = [program.versionFlag, ...program.flags, ...ownFlags(called.command)];
  const isNamed = (flag: Flag, arg: string): boolean => readFlag(flag).long === arg;
  return args.map((arg, index) => {
    if (!arg.startsWith("--") || (end >= 0 && index >= end)) return arg;
    // Only for another command's flag is every command declared.
    const flag =
      flags.find((each) => isNamed(each, arg)) ?? presetsOf(program).find((each) => isNamed(each, arg));
    const next = args[index + 1];
    if (flag?.preset === undefined || !flag.parse) return arg;
    return next !== undefined && takes(flag.parse, next) ? arg : `${arg}=${flag.preset}`;
  });
}

/** The command that arguments call, and how many words name it. */
interface Called {
  command: Group | Action;
  words: number;
}

function findCalled(program: Program, args: readonly string[]): Called {
  return args.reduce<Called>(
    ({ command, words }, arg) => {
      const member = memberOf(command, arg);
      return member ? { command: member, words: words + 1 } : { command, words };
    },
    { command: program, words: 0 },
  );
}

function ownFlags(command: Group | Action): readonly Flag[] {
  return isGroup(command) ? [] : (command.flags ?? []);
}

/** Gives each of the values behind a flag that takes several the flag's name; the last one stays the argument that a command lacks. */
function spreadValues(
  program: Program,
  { command, words: nameWords }: Called,
  args: readonly string[],
): readonly string[] {
  if (isGroup(command) || !command.flags?.some(({ notation }) => SEVERAL.test(notation))) return args;
  const flags = [...program.flags, ...command.flags].map(readFlag);
  const spread: string[] = [];
  let [words, spare] = [0, -1];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (arg === "--") {
      spread.push(...args.slice(index));
      words += args.length - index - 1;
      break;
    }
    const flag = flags.find(({ long, short }) => long === arg || short === arg);
    if (!looksLikeFlag(arg)) words += 1;
    if (!flag || !SEVERAL.test(flag.notation)) spread.push(arg);
    if (flag?.placeholder === undefined) continue;
    const first = index + 1;
    const hasNext = (): boolean => index + 1 < args.length && !looksLikeFlag(args[index + 1] ?? "");
    if (!SEVERAL.test(flag.notation)) {
      if (hasNext()) spread.push(args[(index += 1)] ?? "");
      continue;
    }
    if (!hasNext()) spread.push(arg);
    while (hasNext()) spread.push(`${flag.long}=${args[(index += 1)] ?? ""}`);
    if (index > first) spare = spread.length - 1;
  }
  const needed = (command.arguments ?? []).filter((argument) => readArgument(argument).isRequired).length;
  if (words < nameWords + needed && spare >= 0) spread[spare] = spread[spare]?.replace(/^[^=]*=/, "") ?? "";
  return spread;
}

function presetsOf(command: Group | Action): Flag[] {
  const inner = Object.values(command.members ?? {}).flatMap(presetsOf);
  return [...ownFlags(command).filter(({ preset }) => preset !== undefined), ...inner];
}

function takes(parse: NonNullable<Flag["parse"]>, value: string): boolean {
  try {
    parse(value, undefined as never);
    return true;
  } catch (error) {
    if (error instanceof FlagValueError) return false;
    throw error;
  }
}

/**
 * The words of the command whose help is asked for and nothing else, as in `chat --help`, or by the name of a group alone.
 * Undefined for any other line; commander finds help within those.
 */
export function readHelpCall(program: Program, args: readonly string[]): readonly string[] | undefined {
  const { long, short } = readFlag(HELP);
  const last = args.at(-1);
  const isAsked = last === long || last === short;
  const path = isAsked ? args.slice(0, -1) : args;
  const command = commandAt(program, path);
  return command && (isAsked || isGroup(command)) ? path : undefined;
}

/** A lone dash stands for stdin. */
function looksLikeFlag(word: string): boolean {
  return word.length > 1 && word.startsWith("-");
}

/** The flag that `arg` is, with the value that is attached to it or that is `next`; undefined where that is not plain. */
function findFlag(flags: readonly NamedFlag[], arg: string, next: string | undefined): GivenFlag | undefined {
  const equals = arg.startsWith("--") ? arg.indexOf("=") : -1;
  const name = equals < 0 ? arg : arg.slice(0, equals);
  const flag = flags.find(({ long, short }) => long === name || short === name);
  if (!flag) return undefined;
  const isAttached = equals >= 0;
  if (flag.placeholder === undefined) return isAttached ? undefined : { flag, value: "", isValueNext: false };
  if (isAttached) return { flag, value: arg.slice(equals + 1), isValueNext: false };
  return next === undefined || looksLikeFlag(next) ? undefined : { flag, value: next, isValueNext: true };
}

/** The options that flags stand for; undefined where one has a value that it does not take. */
function readValues(
  flags: readonly NamedFlag[],
  given: readonly GivenFlag[],
): Record<string, unknown> | undefined {
  const values: Record<string, unknown> = {};
  for (const { option, isNegated, default: initial } of flags) {
    if (isNegated) values[option] = true;
    else if (initial !== undefined) values[option] = initial;
  }
  try {
    for (const { flag, value } of given) {
      const { option, isNegated, placeholder, choices, parse } = flag;
      if (choices && !choices.includes(value)) return undefined;
      if (placeholder === undefined) values[option] = !isNegated;
      else values[option] = parse ? parse(value, values[option] as never) : value;
    }
  } catch (error) {
    if (error instanceof FlagValueError) return undefined;
    throw error;
  }
  return values;
}

/** The words as the arguments of a command; undefined where they are too few, too many or not among the choices. */
function readWords(
  declared: readonly Argument[],
  words: readonly string[],
): Record<string, unknown> | undefined {
  const values: Record<string, unknown> = {};
  let next = 0;
  for (const argument of declared) {
    const { name, isRequired, isVariadic } = readArgument(argument);
    const taken = words.slice(next, isVariadic ? undefined : next + 1);
    next += taken.length;
    if (isRequired && taken.length === 0) return undefined;
    if (taken.some((word) => argument.choices?.includes(word) === false)) return undefined;
    values[name] = isVariadic ? taken : taken[0];
  }
  return next < words.length ? undefined : values;
}
