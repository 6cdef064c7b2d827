import { type Argument, type NamedFlag, readArgument } from "../command-line/declaration.ts";

export type ValueKind =
  /** One of a few words. */
  | { kind: "choices"; values: readonly string[] }
  /** Left to the shell. */
  | { kind: "files" }
  /** Text, numbers and whatever else only the person knows. */
  | { kind: "anything" }
  /** A path of a setting, for a command that reads, writes or removes it. */
  | { kind: "setting"; use: SettingUse }
  /** A value for the setting that the argument before names. */
  | { kind: "setting-value" }
  /** The words of a command or a topic, for help. */
  | { kind: "topic" }
  /** `isList` takes several, separated by commas. */
  | { kind: "model"; isList?: true }
  | { kind: "purpose"; isList: true }
  | { kind: "profile" | "provider" | "region" | "session" | "template" | "alias" }
  /** A tool that can be named, an MCP server, or what --allow permits. */
  | { kind: "tool" | "server" | "leave" }
  /** A parameter of the template that was named, with an equals sign behind it. */
  | { kind: "template-parameter" };

export type SettingUse = "get" | "set" | "unset";

export interface Candidate {
  /** The whole word it stands for. */
  value: string;
  description?: string | undefined;
  /** Whether the word goes on after it, so that no space may follow. */
  isBranch?: true;
}

/**
 * What flags and arguments take, by the flag's name, by the command and the argument's name, or by the placeholder of the
 * flag. A flag that takes a value and is not here, and has no choices, takes anything:
 * test/completion/value-kinds.test.ts names those, so that a new flag is not forgotten.
 */
const KINDS: Readonly<Record<string, ValueKind>> = {
  "--profile": { kind: "profile" },
  "--region": { kind: "region" },
  "--regions": { kind: "region" },
  "--provider": { kind: "provider" },
  "--session": { kind: "session" },
  "--model": { kind: "model", isList: true },
  "--template": { kind: "template" },
  "--param": { kind: "template-parameter" },
  "--tool": { kind: "tool" },
  "--mcp": { kind: "server" },
  "--allow": { kind: "leave" },
  "<file>": { kind: "files" },
  "<file|json>": { kind: "files" },
  "<purposes>": { kind: "purpose", isList: true },
  "config get path": { kind: "setting", use: "get" },
  "config set path": { kind: "setting", use: "set" },
  "config set value": { kind: "setting-value" },
  "config unset path": { kind: "setting", use: "unset" },
  "models show model": { kind: "model" },
  "models access model": { kind: "model" },
  "models set model": { kind: "model" },
  "quota model": { kind: "model" },
  "batch estimate file": { kind: "files" },
  "batch run file": { kind: "files" },
  "batch submit file": { kind: "files" },
  "help topic": { kind: "topic" },
  "models alias name": { kind: "alias" },
  "models alias model": { kind: "model" },
  "sessions show id": { kind: "session" },
  "sessions export id": { kind: "session" },
  "sessions rename id": { kind: "session" },
  "sessions rm ids": { kind: "session" },
  "tools run tool": { kind: "tool" },
  "mcp tools server": { kind: "server" },
  "mcp call server": { kind: "server" },
  "templates show name": { kind: "template" },
  "templates edit name": { kind: "template" },
};

/** What a flag with a value takes. */
export function kindOfFlag({ long, placeholder = "", choices }: NamedFlag): ValueKind {
  return kindOf(choices, long, placeholder);
}

/** What an argument of a command takes; `path` is the command's, such as `models show`. */
export function kindOfArgument(argument: Argument, path: string): ValueKind {
  return kindOf(argument.choices, `${path} ${readArgument(argument).name}`);
}

function kindOf(choices: readonly string[] | undefined, ...names: string[]): ValueKind {
  if (choices) return { kind: "choices", values: choices };
  const known = names.find((name) => Object.hasOwn(KINDS, name));
  return (known !== undefined && KINDS[known]) || { kind: "anything" };
}
