import {
  type Action,
  type Flag,
  type Program,
  readArgument,
  readFlag,
} from "../../src/command-line/declaration.ts";
import { closingOf, type Example } from "../../src/command-line/examples.ts";
import { leavesOf, usageOf } from "../../src/command-line/help-text.ts";
import { noteOn } from "./command-notes.ts";
import { code, fence, page, table } from "./markdown.ts";

/** Columns of a line of code in a man page, whose margins are those of `man` and its own. */
const MOST_IN_MANUAL = 66;

/** A command by its words: `models list`. */
type Leaf = ReturnType<typeof leavesOf>[number];

/** The page's file name: `models-list.md`. */
export function pageName({ path }: Leaf): string {
  return `${path.replaceAll(" ", "-")}.md`;
}

/** The page of one command: examples first, then what it does, its usage, arguments and options. */
export function commandPage(leaf: Leaf): string {
  const { examples, about, usage, options } = partsOf(leaf);
  return page(
    `# openclaw ${leaf.path}`,
    examples,
    ...about,
    "## Usage",
    usage,
    options,
    "The [global options](README.md#global-options) work here too. What an exit code means is in [scripting](../scripting.md#exit-codes).",
  );
}

/** The same in the order in which a manual page has it. */
export function commandManual(leaf: Leaf): string {
  const { examples, about, usage, options } = partsOf(leaf);
  return page(
    "## Synopsis",
    usage,
    "## Description",
    ...about,
    options,
    "## Examples",
    examples,
    "## To read",
    `**openclaw**(1) has the global options, exit codes and variables; **openclaw-${closingOf(leaf.path).topic}** says more.`,
  );
}

function partsOf({ path, action }: Leaf) {
  const { examples, piped } = closingOf(path);
  const fields = piped
    ? `In a pipe each line${piped.when ? ` of ${code(piped.when)}` : ""} has these fields, separated by tabs: ${piped.fields.join(", ")}.`
    : "";
  return {
    examples: fence("sh", examples.map(exampleOf).join("\n")),
    about: [action.description, noteOn(path), fields],
    usage: fence("text", `openclaw ${path} ${usageOf(action)}`),
    options: optionSections(action),
  };
}

/** A command with what it is for behind it, or above where both are too wide for a man page on 80 columns. */
function exampleOf({ line, says }: Example): string {
  if (says === undefined) return line;
  const both = `${line}  # ${says}`;
  return both.length <= MOST_IN_MANUAL ? both : `# ${says}\n${line}`;
}

/** docs/commands/README.md: every command with its page, and the options they share. */
export function commandIndex(program: Program): string {
  return page(
    "# Commands",
    fence(
      "sh",
      ["openclaw doctor", "openclaw models list", 'openclaw chat "Why is the sky blue?"'].join("\n"),
    ),
    table(
      ["command", "what it does"],
      leavesOf(program).map((leaf) => [
        `[\`openclaw ${leaf.path}\`](${pageName(leaf)})`,
        leaf.action.description,
      ]),
    ),
    "## Global options",
    "Every command takes these, before or after its name.",
    optionTable([program.versionFlag, ...program.flags]),
    "`openclaw COMMAND --help` prints the same on the terminal.",
  );
}

/** The options of a command, those under a heading of their own in a table of their own. */
function optionSections({ flags = [], arguments: declared = [] }: Action): string {
  const words = declared.flatMap((argument) =>
    argument.choices
      ? [`${code(readArgument(argument).name)} is one of ${argument.choices.map(code).join(", ")}.`]
      : [],
  );
  const headings = [...new Set(flags.map(({ heading }) => heading))];
  const sections = headings.map((heading) => {
    const title = heading === undefined ? "" : `### ${heading}\n\n`;
    return title + optionTable(flags.filter((flag) => flag.heading === heading));
  });
  return [...words, ...(sections.length > 0 ? ["## Options", ...sections] : [])].join("\n\n");
}

function optionTable(flags: readonly Flag[]): string {
  const rows = flags.map((flag) => {
    const { notation, description, choices, default: initial } = flag;
    return [
      code(notation),
      choices ? `${description}: ${choices.map(code).join(", ")}` : description,
      // `--no-x` is on until it is given; nobody types that.
      initial === undefined || readFlag(flag).isNegated ? "" : code(String(initial)),
    ];
  });
  return table(["option", "meaning", "default"], rows);
}
