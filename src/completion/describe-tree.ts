import {
  type Action,
  type Argument,
  type Flag,
  type Group,
  HELP,
  isGroup,
  type Program,
  readArgument,
  readNotation,
} from "../command-line/declaration.ts";
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

/** Describes the program and every command of it. Hidden commands are left out. */
export function describeTree(program: Program): CommandNode {
  const { name, flags, versionFlag } = program;
  return { ...describeCommand(name, program, []), flags: [versionFlag, ...flags, HELP].map(describeFlag) };
}

function describeCommand(name: string, command: Group | Action, path: readonly string[]): CommandNode {
  const node = { name, description: command.description };
  if (!isGroup(command)) {
    return {
      ...node,
      commands: [],
      flags: [...(command.flags ?? []), HELP].map(describeFlag),
      arguments: (command.arguments ?? []).map((argument) => describeArgument(argument, path)),
    };
  }
  const members = Object.entries(command.members).filter(([, member]) => isGroup(member) || !member.isHidden);
  return {
    ...node,
    commands: members.map(([child, member]) => describeCommand(child, member, [...path, child])),
    flags: [describeFlag(HELP)],
    arguments: [],
  };
}

function describeFlag({ notation, description, choices }: Flag): FlagNode {
  const { long, short, placeholder } = readNotation(notation);
  const value: ValueKind | undefined = choices
    ? { kind: "choices", values: choices }
    : (find(long) ?? find(placeholder));
  return { long, short, description, value: placeholder === undefined ? undefined : (value ?? ANYTHING) };
}

function describeArgument(argument: Argument, path: readonly string[]): ArgumentNode {
  const { name, isVariadic } = readArgument(argument);
  const value: ValueKind | undefined = argument.choices
    ? { kind: "choices", values: argument.choices }
    : find([...path, name].join(" "));
  return { name, isVariadic, value: value ?? ANYTHING };
}

function find(name: string | undefined): ValueKind | undefined {
  return name !== undefined && Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
}
