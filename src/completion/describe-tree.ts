import type { Argument, Command, Option } from "commander";
import type { ArgumentNode, CommandNode, FlagNode, ValueKind } from "./command-tree.ts";

/**
 * What flags and arguments take, by the flag's name, by the command and the argument's name, or by the placeholder of the
 * flag. A flag that takes a value and is not here, and has no choices, takes anything: test/completion/tree.test.ts names
 * those, so that a new flag is not forgotten.
 */
const KINDS: Readonly<Record<string, ValueKind>> = {
  "--profile": { kind: "profile" },
  "--region": { kind: "region" },
  "--provider": { kind: "provider" },
  "--session": { kind: "session" },
  "--model": { kind: "model", isList: true },
  "<file>": { kind: "files" },
  "<file|json>": { kind: "files" },
  "<purposes>": { kind: "purpose", isList: true },
  "config get path": { kind: "setting", use: "get" },
  "config set path": { kind: "setting", use: "set" },
  "config set value": { kind: "setting-value" },
  "config unset path": { kind: "setting", use: "unset" },
  "models show model": { kind: "model" },
  "models set model": { kind: "model" },
  "sessions show id": { kind: "session" },
  "sessions export id": { kind: "session" },
  "sessions rm ids": { kind: "session" },
};
const ANYTHING: ValueKind = { kind: "anything" };

/** Describes a command and all below it. Hidden commands and flags are left out. */
export function describeTree(command: Command, path: readonly string[] = []): CommandNode {
  const help = command.createHelp();
  return {
    name: command.name(),
    description: command.description(),
    commands: help.visibleCommands(command).map((child) => describeTree(child, [...path, child.name()])),
    flags: help.visibleOptions(command).flatMap(describeFlag),
    arguments: command.registeredArguments.map((argument) => describeArgument(argument, path)),
  };
}

function describeFlag(option: Option): FlagNode[] {
  const { long, short, description, flags, argChoices } = option;
  if (!long) return [];
  const placeholder = /[<[].*$/.exec(flags)?.[0];
  const value = argChoices
    ? { kind: "choices" as const, values: argChoices }
    : (find(long) ?? find(placeholder));
  return [{ long, short, description, value: placeholder === undefined ? undefined : (value ?? ANYTHING) }];
}

function describeArgument(argument: Argument, path: readonly string[]): ArgumentNode {
  const name = argument.name();
  const value: ValueKind | undefined = argument.argChoices
    ? { kind: "choices", values: argument.argChoices }
    : find([...path, name].join(" "));
  return { name, isVariadic: argument.variadic, value: value ?? ANYTHING };
}

function find(name: string | undefined): ValueKind | undefined {
  return name !== undefined && Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
}
