/** The program as completion sees it: names, flags, and what their values are. Made from src/program.ts. */
export interface CommandNode {
  name: string;
  description: string;
  commands: readonly CommandNode[];
  flags: readonly FlagNode[];
  arguments: readonly ArgumentNode[];
}

export interface FlagNode {
  /** With its dashes: `--model`. */
  long: string;
  /** With its dash: `-m`. */
  short?: string | undefined;
  description: string;
  /** What it takes; undefined for a switch. */
  value?: ValueKind | undefined;
}

export interface ArgumentNode {
  name: string;
  /** Whether it takes all that follows. */
  isVariadic: boolean;
  value: ValueKind;
}

/** What can be offered for a value. */
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
  /** `isList` takes several, separated by commas. */
  | { kind: "model"; isList?: true }
  | { kind: "purpose"; isList: true }
  | { kind: "profile" | "provider" | "region" | "session" };

export type SettingUse = "get" | "set" | "unset";

/** Something to offer. */
export interface Candidate {
  /** The whole word it stands for. */
  value: string;
  description?: string | undefined;
  /** Whether the word goes on after it, so that no space may follow. */
  isBranch?: true;
}
