import { once } from "../once.ts";
import type { Runtime } from "../runtime.ts";

/** The program as data: parsing, help, completion and documentation are made from it. */
export interface Program extends Group {
  name: string;
  version: string;
  versionFlag: Flag;
  /** Flags that every command takes, before or after its name. */
  flags: readonly Flag[];
}

export interface Group {
  description: string;
  members: Readonly<Record<string, Group | Action>>;
}

export interface Action {
  description: string;
  /** Loads its file. Arguments and flags arrive in `run` as one object, by their names in camel case. */
  load: () => Promise<CommandFile>;
  arguments?: readonly Argument[];
  flags?: readonly Flag[];
  /** Commands under its name, which stand directly behind it. */
  members?: Group["members"];
  /** It is the emulator itself: what other commands run one with is its own. */
  isEmulator?: true;
  /** It mostly says what a few small files hold: until it asks for the signal, or waits, signals are left to the system. */
  isBrief?: true;
  /** Left out of help and completion. */
  isHidden?: true;
}

export interface CommandFile {
  run(options: never, runtime: Runtime): Promise<void>;
}

export interface Argument {
  /** `<name>` is required, `[name]` is not; dots take all that follow: `<ids...>`. */
  notation: string;
  choices?: readonly string[];
}

export interface Flag {
  /**
   * `--all`, `-m, --model <model>`; one that begins with `--no-` is on until it is given. The value of `--wait [seconds]` may
   * be left out: the word behind it is one only where `parse` takes it. `--models <patterns...>` takes every word behind it.
   */
  notation: string;
  description: string;
  choices?: readonly string[] | undefined;
  /** Reads the value; `previous` is what the flag held before. Throws `FlagValueError`. */
  parse?: ((value: string, previous: never) => unknown) | undefined;
  default?: unknown;
  /** The value that is meant where it is left out. */
  preset?: string;
  /** The heading that help shows it under, where a command has many. */
  heading?: string;
  /** Flags without one of which it says nothing: given alone it is refused. */
  needs?: readonly string[];
}

/** What ends the notation of a flag that takes every word behind it. */
export const SEVERAL = /\.\.\.>$/;

/** A flag's value that cannot be read. The message says what it takes, `words` all of it where they are few. */
export class FlagValueError extends Error {
  readonly words: readonly string[];

  constructor(message: string, words: readonly string[] = []) {
    super(message);
    this.words = words;
  }
}

/** Throws `FlagValueError` for a word that is none of the few. */
export function checkWord(word: string, words: readonly string[]): void {
  if (!words.includes(word)) throw new FlagValueError(`It takes ${words.join(", ")}.`, words);
}

/** An empty text is mostly a variable that is not set. */
function readText(value: string): string {
  if (value.trim() === "") throw new FlagValueError("It is empty.");
  return value;
}

/** Declares a flag; `how` is a parser of its value, or the few words it takes. By itself it takes any text but an empty one. */
export function flag(
  notation: string,
  description: string,
  how?: Flag["parse"] | readonly string[],
  initial?: unknown,
): Flag {
  const [parse, choices] = typeof how === "function" ? [how] : [undefined, how];
  const takesText = choices === undefined && notation.endsWith(">");
  return {
    notation,
    description,
    parse: parse ?? (takesText ? readText : undefined),
    choices,
    default: initial,
  };
}

/** Commands that are each declared when somebody asks for them, since a start mostly runs one. */
export function declaredLater(
  declarations: Readonly<Record<string, () => Group | Action>>,
): Group["members"] {
  const later = Object.entries(declarations).map(
    ([name, declare]) => [name, { get: once(declare), enumerable: true }] as const,
  );
  return Object.defineProperties({}, Object.fromEntries(later));
}

/** Puts flags under a heading of their own in the help. */
export function headed(heading: string, ...flags: readonly Flag[]): Flag[] {
  return flags.map((flag) => Object.assign({ heading }, flag));
}

/** Declares flags that are refused where none of others is given. */
export function needing(needs: readonly string[], ...flags: readonly Flag[]): Flag[] {
  return flags.map((flag) => Object.assign({ needs }, flag));
}

/** What every command has. */
export const HELP: Flag = flag("-h, --help", "print help");

export function isGroup(command: Group | Action): command is Group {
  return !("load" in command);
}

/** The command that words name; undefined where they name none. */
export function commandAt(group: Group, names: readonly string[]): Group | Action | undefined {
  return names.reduce<Group | Action | undefined>(
    (command, name) => command && memberOf(command, name),
    group,
  );
}

/** The command of this name under another; undefined where there is none. */
export function memberOf({ members = {} }: Group | Action, name: string): Group | Action | undefined {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

/** The commands under another that help and completion show, with their names. */
export function visibleMembers({ members = {} }: Group | Action): [name: string, command: Group | Action][] {
  return Object.entries(members).filter(([, member]) => isGroup(member) || !member.isHidden);
}

/** A flag with what its notation says. */
export interface NamedFlag extends Flag {
  /** With its dashes: `--no-color`. */
  long: string;
  /** With its dash: `-m`. */
  short: string | undefined;
  /** `<model>`; undefined for a switch. */
  placeholder: string | undefined;
  /** The option's name: `maxTokens` of `--max-tokens`, `color` of `--no-color`. */
  option: string;
  /** Whether the option is on until the flag is given. */
  isNegated: boolean;
}

/** Takes the notation of a flag apart. */
export function readFlag(flag: Flag): NamedFlag {
  const words = flag.notation.split(/, | /);
  const short = words[0]?.startsWith("--") === false ? words.shift() : undefined;
  const [long = "", placeholder] = words;
  const isNegated = long.startsWith("--no-");
  const name = long.slice(isNegated ? 5 : 2);
  const option = name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  return { ...flag, long, short, placeholder, option, isNegated };
}

/** What the notation of an argument says. */
export interface NamedArgument {
  name: string;
  isRequired: boolean;
  isVariadic: boolean;
}

/** Takes the notation of an argument apart. */
export function readArgument({ notation }: Argument): NamedArgument {
  const isVariadic = notation.endsWith("...", notation.length - 1);
  return { name: notation.slice(1, isVariadic ? -4 : -1), isRequired: notation.startsWith("<"), isVariadic };
}
