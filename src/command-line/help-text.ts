import type { Style } from "../terminal/color.ts";
import { hang, LEAST_BESIDE, stepOf } from "../terminal/word-wrap.ts";
import {
  type Action,
  commandAt,
  type Flag,
  type Group,
  HELP,
  isGroup,
  type Program,
  readArgument,
  visibleMembers,
} from "./declaration.ts";
import { type Closing, closingOf, type Example } from "./examples.ts";
import { TOPIC_ROWS } from "./topics.ts";

export interface HelpLayout {
  /** Infinity, as in a pipe, breaks no line. */
  columns: number;
  style: Style;
}

/** A heading and what stands under it: rows of a term and what it means, or whole lines. */
interface Section {
  heading: string;
  rows?: readonly (readonly [term: string, meaning: string])[];
  lines?: readonly string[];
  examples?: readonly Example[];
}

/** Between a term and its meaning. */
const GAP = "  ";
const INDENT = "  ";
const MOST_EXAMPLES = 3;

/**
 * The help of the command that `path` names: how it is called, what is below it, its flags, then those of every command,
 * examples, and what to read.
 */
export function helpText(program: Program, path: readonly string[], layout: HelpLayout): string {
  const command = commandAt(program, path) ?? program;
  const name = [program.name, ...path].join(" ");
  const shared = { heading: path.length === 0 ? "Options" : "Global options", rows: sharedRows(program) };
  const sections = isGroup(command)
    ? [commandSection(command), shared, ...closingOfGroup(program, command, path)]
    : [
        ...(command.members ? [commandSection(command)] : []),
        ...flagSections(command),
        shared,
        ...(command.isHidden ? [] : closingOfAction(closingOf(path.join(" ")))),
      ];
  return lay(
    [...hang("Usage: ", `${name} ${usageOf(command)}`, layout.columns), "", command.description],
    sections,
    layout,
  );
}

/** What a person sees who types the name of the program alone: a screen of at most 24 rows at 80 columns. */
export function welcome({ name, version, description }: Program, layout: HelpLayout): string {
  return lay(
    [`${name} ${version}: ${description}`],
    [
      {
        heading: "To begin",
        rows: [
          [`${name} doctor`, "which credentials sign, what is missing, what to do"],
          [`${name} models list`, "the models that this account can call"],
          [`${name} models set MODEL`, "the one that answers from now on"],
          [`${name} chat`, "a conversation; /quit or Ctrl-D ends it"],
          [`${name} chat "Why?"`, "one answer; what is piped in comes before it"],
        ],
      },
      {
        heading: "Without AWS",
        lines: [`${name} chat --emulator "hi"`],
      },
      {
        heading: "To read",
        rows: [
          [`${name} help`, "every command, and pages to read"],
          [`${name} chat --help`, "the flags of a command, and examples"],
        ],
      },
    ],
    layout,
  );
}

/** The commands of the whole program and the topics, each with a line. */
export function overview(program: Program, layout: HelpLayout): string {
  const topics = TOPIC_ROWS.map(([name, { says }]) => [name, says] as const);
  return lay(
    hang("", "To read about one: openclaw help COMMAND, openclaw help TOPIC", layout.columns),
    [
      { heading: "Commands", rows: leavesOf(program).map(({ path, action }) => [path, action.description]) },
      { heading: "Topics", rows: topics },
    ],
    layout,
  );
}

/** Every command that does something and is shown, by its words. */
export function leavesOf(
  group: Group | Action,
  path: readonly string[] = [],
): { path: string; action: Action }[] {
  return visibleMembers(group).flatMap(([name, member]) => {
    const below = leavesOf(member, [...path, name]);
    return isGroup(member) ? below : [{ path: [...path, name].join(" "), action: member }].concat(below);
  });
}

/** The line that shows what there is to read about a command or a topic. */
export function helpCommand(...words: readonly string[]): string {
  return ["openclaw", "help", ...words].join(" ");
}

/** What stands behind a command's name when it is called. */
export function usageOf(command: Group | Action): string {
  if (isGroup(command)) return "[options] [command]";
  return ["[options]", ...(command.arguments ?? []).map(({ notation }) => notation)].join(" ");
}

function commandSection(group: Group | Action): Section {
  return {
    heading: "Commands",
    rows: visibleMembers(group).map(([name, member]) => [
      isGroup(member) || !member.arguments
        ? name
        : `${name} ${member.arguments.map(({ notation }) => notation).join(" ")}`,
      member.description,
    ]),
  };
}

/** The flags of a command, those under a heading of their own together. */
function flagSections({ flags = [], arguments: declared = [] }: Action): Section[] {
  const choices = declared.flatMap((argument) =>
    argument.choices ? [[readArgument(argument).name, argument.choices.join(", ")] as const] : [],
  );
  const headings = [...new Set(flags.map(({ heading }) => heading))];
  return [
    { heading: "Arguments", rows: choices },
    ...headings.map((heading) => ({
      heading: heading ?? "Options",
      rows: flags.filter((flag) => flag.heading === heading).map(rowOf),
    })),
  ];
}

function sharedRows({ flags, versionFlag }: Program): (readonly [string, string])[] {
  return [...flags, versionFlag, HELP].map(rowOf);
}

function rowOf({ notation, description, choices, default: initial }: Flag): readonly [string, string] {
  const more = [
    ...(choices ? [choices.join(", ")] : []),
    ...(initial === undefined ? [] : [`default: ${String(initial)}`]),
  ];
  return [notation, more.length > 0 ? `${description} (${more.join("; ")})` : description];
}

function closingOfAction({ examples, topic, piped }: Closing): Section[] {
  return [
    ...(piped
      ? [
          {
            heading: "In a pipe",
            lines: [
              `Each line${piped.when ? ` of ${piped.when}` : ""} has these fields, separated by tabs: ${piped.fields.join(", ")}.`,
            ],
          },
        ]
      : []),
    ...closingSections(examples, helpCommand(topic)),
  ];
}

/** The first example of each of its commands. */
function closingOfGroup(program: Program, group: Group, path: readonly string[]): Section[] {
  const isRoot = group === program;
  const names = isRoot ? ["doctor", "models list", "chat"] : leavesOf(group, path).map((leaf) => leaf.path);
  const one = names.flatMap((name) => closingOf(name).examples.slice(0, 1));
  // A group of one command has two of that.
  const examples = one.length > 1 ? one : names.flatMap((name) => closingOf(name).examples.slice(0, 2));
  return closingSections(examples, helpCommand(...path));
}

function closingSections(examples: readonly Example[], reading: string): Section[] {
  return [
    { heading: "Examples", examples: examples.slice(0, MOST_EXAMPLES) },
    { heading: "To read", lines: [reading] },
  ];
}

function lay(
  opening: readonly string[],
  sections: readonly Section[],
  { columns, style }: HelpLayout,
): string {
  const terms = sections.flatMap(({ rows = [] }) => rows.map(([term]) => term.length));
  const width = INDENT.length + Math.max(0, ...terms) + GAP.length;
  // Where most meanings stand below their terms, all do.
  const isNarrow = columns - width < LEAST_BESIDE;
  const layRow = (term: string, meaning: string): string[] => {
    const lines = hang(`${INDENT}${term}`.padEnd(width), meaning, columns);
    return isNarrow && lines.length === 1 && meaning !== ""
      ? [`${INDENT}${term}`, `${INDENT}${stepOf(columns)}${meaning}`]
      : lines;
  };
  const paragraphs = sections.flatMap(({ heading, rows = [], lines = [], examples = [] }) => {
    const laid = [
      ...rows.flatMap(([term, meaning]) => layRow(term, meaning)),
      ...lines.flatMap((line) => hang(INDENT, line, columns)),
      ...examples.flatMap((example) => layExample(example, columns, style)),
    ];
    return laid.length === 0 ? [] : ["", style.bold(`${heading}:`), ...laid];
  });
  return `${[...opening.flatMap((line) => hang("", line, columns)), ...paragraphs].join("\n")}\n`;
}

/** A command is pasted, so that it is never broken: what it is for goes above it where both are too wide for one line. */
function layExample({ line, says }: Example, columns: number, style: HelpLayout["style"]): string[] {
  const command = `${INDENT}${line}`;
  if (says === undefined) return [command];
  const comment = style.dim(`# ${says}`);
  return `${command}${GAP}# ${says}`.length <= columns
    ? [`${command}${GAP}${comment}`]
    : [...hang(INDENT, comment, columns), command];
}
