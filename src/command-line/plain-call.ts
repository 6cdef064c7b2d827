import {
  type Action,
  type Argument,
  type Flag,
  type FlagNames,
  isGroup,
  type Program,
  readArgument,
  readNotation,
} from "./declaration.ts";
import { FlagValueError } from "./flag-values.ts";

/** A command and what it is called with, as its `run` takes it. */
export interface Call {
  action: Action;
  options: Record<string, unknown>;
}

type NamedFlag = Flag & FlagNames;
/** A flag and its value; that of a switch is empty. */
type GivenFlag = [flag: NamedFlag, value: string];

/**
 * Reads a command line that is written out plainly: known names, whole flags, values that do not look like flags, as many
 * arguments as the command takes. Undefined for anything else, help and mistakes included: commander reads those, and
 * takes longer to load than a plain line takes to read. What it would make of a plain line is what is returned here:
 * test/command-line/plain-call.test.ts.
 */
export function readPlainCall(program: Program, args: readonly string[]): Call | undefined {
  const shared = program.flags.map(named);
  let command: Program["members"][string] = program;
  let own: NamedFlag[] = [];
  const given: GivenFlag[] = [];
  const words: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const arg = args[index] ?? "";
    if (!looksLikeFlag(arg)) {
      if (!isGroup(command)) {
        words.push(arg);
        continue;
      }
      if (!Object.hasOwn(command.members, arg)) return undefined;
      command = command.members[arg] ?? command;
      if (!isGroup(command)) own = (command.flags ?? []).map(named);
      continue;
    }
    if (arg === "--") {
      words.push(...args.slice(index + 1));
      break;
    }
    const equals = arg.startsWith("--") ? arg.indexOf("=") : -1;
    const name = equals < 0 ? arg : arg.slice(0, equals);
    const found = find(shared, name) ?? find(own, name);
    if (!found) return undefined;
    if (found.placeholder === undefined) {
      if (equals >= 0) return undefined;
      given.push([found, ""]);
      continue;
    }
    const value = equals < 0 ? args[++index] : arg.slice(equals + 1);
    if (value === undefined || (equals < 0 && looksLikeFlag(value))) return undefined;
    given.push([found, value]);
  }
  if (isGroup(command)) return undefined;
  const values = readValues([...own, ...shared], given);
  const positionals = readWords(command.arguments ?? [], words);
  return values && positionals && { action: command, options: { ...values, ...positionals } };
}

/** A lone dash stands for stdin. */
function looksLikeFlag(word: string): boolean {
  return word.length > 1 && word.startsWith("-");
}

function named(flag: Flag): NamedFlag {
  return { ...flag, ...readNotation(flag.notation) };
}

function find(flags: readonly NamedFlag[], name: string): NamedFlag | undefined {
  return flags.find(({ long, short }) => long === name || short === name);
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
    for (const [{ option, isNegated, placeholder, choices, parse }, text] of given) {
      if (choices && !choices.includes(text)) return undefined;
      if (placeholder === undefined) values[option] = !isNegated;
      else values[option] = parse ? parse(text, values[option] as never) : text;
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
