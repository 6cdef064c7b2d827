import { Argument, Command, Option, type OutputConfiguration } from "commander";
import {
  type Action,
  type Argument as DeclaredArgument,
  checkWord,
  type Flag,
  FlagValueError,
  type Group,
  HELP,
  isGroup,
  type Program,
  SEVERAL,
} from "./declaration.ts";
import type { Call } from "./plain-call.ts";

export interface CommandSettings {
  run: (call: Call) => Promise<void>;
  /** With arguments only the commands they name are built: the whole tree costs 3 ms. */
  args?: readonly string[];
}

/** Where commander would print the help of a command, which this program does: thrown through it. */
export class HelpAsked extends Error {
  /** The words that lead to the command. */
  readonly path: readonly string[];

  constructor(path: readonly string[]) {
    super("help is asked for");
    this.path = path;
  }
}

/** The program as commander's command: what finds out that help is asked for, suggests names and says what is wrong with a command line. */
export function buildCommand(program: Program, settings: CommandSettings): Command {
  const output: OutputConfiguration = {
    writeOut: () => undefined,
    writeErr: () => undefined,
    outputError: () => undefined,
    getOutHelpWidth: () => Number.POSITIVE_INFINITY,
    getErrHelpWidth: () => Number.POSITIVE_INFINITY,
    // The texts have none to be taken out, and asking process.stdout opens it, which takes 5 ms.
    getOutHasColors: () => true,
    getErrHasColors: () => true,
  };
  const root = configured(new Command(program.name), output)
    .description(program.description)
    .version(program.version, program.versionFlag.notation, program.versionFlag.description)
    .configureHelp({
      formatHelp: (command) => {
        throw new HelpAsked(pathOf(command));
      },
    });
  for (const flag of program.flags) root.addOption(toOption(flag));
  addMembers(root, program, output, settings);
  return root;
}

/** The words that lead to a command, without the program's name. */
export function pathOf(command: Command): string[] {
  if (!command.parent) return [];
  const path = pathOf(command.parent);
  return command.name() === ITSELF ? path : [...path, command.name()];
}

/** What a command is to commander that does something and has others under its name: the one that is meant without a name. */
const ITSELF = "*";

/** What does a command's own work, where others stand under its name, too. */
export function itself(command: Command): Command {
  return command.commands.find((one) => one.name() === ITSELF) ?? command;
}

function addMembers(
  parent: Command,
  group: Group | Action,
  output: OutputConfiguration,
  settings: CommandSettings,
): void {
  for (const [name, member] of Object.entries(group.members ?? {})) {
    if (!isWanted(name, group, settings.args)) continue;
    const isHidden = !isGroup(member) && member.isHidden === true;
    const command = configured(parent.command(name, { hidden: isHidden }), output).description(
      member.description,
    );
    if (isGroup(member)) addMembers(command, member, output, settings);
    else if (member.members === undefined) addAction(command, member, settings);
    else {
      // Its flags are not those of the commands under its name, which commander would take from them.
      addMembers(command, member, output, settings);
      addAction(
        configured(command.command(ITSELF, { hidden: true, isDefault: true }), output),
        member,
        settings,
      );
    }
  }
}

function addAction(command: Command, action: Action, { run }: CommandSettings): void {
  for (const argument of action.arguments ?? []) command.addArgument(toArgument(argument));
  for (const flag of action.flags ?? []) command.addOption(toOption(flag));
  command.action(() => {
    const words = command.registeredArguments.map((argument, index) => [
      argument.name(),
      command.processedArgs[index],
    ]);
    return run({
      action,
      options: { ...command.optsWithGlobals(), ...Object.fromEntries(words) },
    });
  });
}

/** Whether a command is to be built: all without arguments and where they name none, for help and suggestions. */
function isWanted(
  name: string,
  { members = {} }: Group | Action,
  args: readonly string[] | undefined,
): boolean {
  return (
    args === undefined || args.includes(name) || !Object.keys(members).some((other) => args.includes(other))
  );
}

function toOption({ notation, description, choices, parse, default: initial }: Flag): Option {
  // Several values are written out before.
  const option = new Option(notation.replace(SEVERAL, ">"), description);
  if (initial !== undefined) option.default(initial);
  if (!choices && !parse) return option;
  const { long } = option;
  return option.argParser((value: string, previous: unknown) =>
    readValue(
      long ?? notation,
      value,
      () => {
        if (choices) checkWord(value, choices);
        return parse ? parse(value, previous as never) : value;
      },
      UNIT.exec(notation)?.[1]?.replace("usd", "USD"),
    ),
  );
}

/** What a number of a flag is a number of, where people write it behind: `5m`, `$0.05`. */
const UNIT = /<(seconds|megabytes|usd)>$/;

function toArgument({ notation, choices }: DeclaredArgument): Argument {
  const argument = new Argument(notation);
  if (!choices) return argument;
  return argument.argParser((value: string) =>
    readValue(notation, value, () => {
      checkWord(value, choices);
      return value;
    }),
  );
}

/** A value that a flag or an argument does not take. The message says what it takes. */
export class WrongValue extends Error {
  /** As it was declared: `--max-tokens`, `<shell>`. */
  readonly of: string;
  readonly value: string;
  /** All that it takes, where they are few words. */
  readonly words: readonly string[];

  constructor(of: string, value: string, { message, words }: FlagValueError, unit: string | undefined) {
    super(unit === undefined ? message : message.replace(/^It takes (?=a )/, `It takes ${unit}, `));
    this.of = of;
    this.value = value;
    this.words = words;
  }
}

/** Throws `WrongValue`, which commander hands on as it is: of errors of its own it makes sentences of its own. */
function readValue<Value>(of: string, value: string, read: () => Value, unit?: string): Value {
  try {
    return read();
  } catch (error) {
    throw error instanceof FlagValueError ? new WrongValue(of, value, error, unit) : error;
  }
}

function configured(command: Command, output: OutputConfiguration): Command {
  return command
    .configureOutput(output)
    .helpOption(HELP.notation, HELP.description)
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .exitOverride();
}
