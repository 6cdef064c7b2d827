import { type Command, CommanderError } from "commander";
import { nearestIds } from "../models/nearest.ts";
import { isOnlyBlanks } from "../only-blanks.ts";
import { capitalize, type OpenclawError, shorten, usageError } from "../errors.ts";
import {
  buildCommand,
  type CommandSettings,
  HelpAsked,
  itself,
  pathOf,
  WrongValue,
} from "./build-command.ts";
import type { Program } from "./declaration.ts";
import { hintForFlag, hintForWord } from "./other-words.ts";

/**
 * Reads any command line: runs what is called, or resolves to what is asked for in place of that. Rejects with `usage` for a
 * wrong one.
 */
export async function parseWithCommander(
  program: Program,
  args: readonly string[],
  run: CommandSettings["run"],
): Promise<"version" | { help: readonly string[] } | undefined> {
  const root = buildCommand(program, { run, args });
  try {
    await root.parseAsync([...args], { from: "user" });
    return undefined;
  } catch (error) {
    if (error instanceof HelpAsked) return { help: error.path };
    if (error instanceof WrongValue) throw refuseValue(error, pathOf(namedCommand(root, args)));
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.version") return "version";
    throw toUsageError(error, program, root, args);
  }
}

/** What commander says of a wrong command line, in this program's words and with the line or the help that was meant. */
function toUsageError(
  error: CommanderError,
  program: Program,
  root: Command,
  args: readonly string[],
): OpenclawError {
  const [message = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const sentence = message.endsWith(".") ? message : `${message}.`;
  const near = suggestion?.match(/Did you mean (?:one of )?(.*)\?/)?.[1];
  const [, unknown = ""] = /^unknown (?:command|option) '([^]*)'$/.exec(message) ?? [];
  // A word behind the unknown one names nothing.
  const end = error.code === "commander.unknownCommand" ? args.indexOf(unknown) : args.length;
  const command = namedCommand(root, args.slice(0, end));
  const path = pathOf(command);
  const hint =
    error.code === "commander.unknownCommand"
      ? hintForWord(program, path, unknown, near, args)
      : error.code === "commander.unknownOption"
        ? hintForFlag(program, unknown, args)
        : undefined;
  const name = ["openclaw", ...path].join(" ");
  return usageError(
    error.code === "commander.excessArguments"
      ? `'${shorten(oneTooMany(command))}' is one argument too many for ${name}.`
      : error.code === "commander.optionMissingArgument"
        ? `${(/--[\w-]+/.exec(sentence) ?? /-\w/.exec(sentence))?.[0] ?? "The option"} takes a value, and none follows.`
        : capitalize(sentence),
    hint ?? (near ? `Did you mean ${near}?` : `${name} --help`),
  );
}

function refuseValue({ of, value, message, words }: WrongValue, path: readonly string[]): OpenclawError {
  const [near] = nearestIds(value, words, 1);
  const meant = of.startsWith("-") ? [of, near] : ["openclaw", ...path, near];
  return usageError(
    isOnlyBlanks(value) ? `${of} cannot be empty.` : `${of} cannot be '${shorten(value)}'. ${message}`,
    near === undefined ? `${["openclaw", ...path].join(" ")} --help` : `Did you mean ${meant.join(" ")}?`,
  );
}

function oneTooMany(command: Command): string {
  const { args, registeredArguments } = itself(command);
  return args[registeredArguments.length] ?? "";
}

/** The command that was meant, as far as the arguments name one. */
function namedCommand(root: Command, args: readonly string[]): Command {
  let command = root;
  for (const arg of args) {
    const child = command.commands.find((candidate) => candidate.name() === arg);
    if (child) command = child;
  }
  return command;
}
