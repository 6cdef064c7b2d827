import type { Command, Option } from "commander";
import { notesOf } from "./command-notes.ts";
import { code, fence, page, table } from "./markdown.ts";

/** A command's words from the root on: `openclaw models list`. */
function commandName(command: Command): string {
  return command.parent ? `${commandName(command.parent)} ${command.name()}` : command.name();
}

/** The page's file name: `models-list.md`. */
export function pageName(command: Command): string {
  return `${commandName(command).split(" ").slice(1).join("-")}.md`;
}

/** The page of one command: examples first, then what it does, its usage, arguments and options. */
export function commandPage(command: Command): string {
  const name = commandName(command);
  const { examples, text } = notesOf(name);
  // The usage line names the arguments; a table is for those that need words.
  const ownArguments = command.registeredArguments
    .filter(({ description }) => description !== "")
    .map((argument) => [
      code(argument.variadic ? `${argument.name()}…` : argument.name()),
      argument.description,
    ]);
  return page(
    `# ${name}`,
    fence("sh", examples.map(({ line, says }) => `${line}${says ? `  # ${says}` : ""}`).join("\n")),
    command.description(),
    text,
    "## Usage",
    fence("text", `${name} ${command.usage()}`),
    ownArguments.length > 0 ? table(["argument", "meaning"], ownArguments) : "",
    command.options.length > 0 ? `## Options\n\n${optionTable(command.options)}` : "",
    "The [global options](README.md#global-options) work here too. What an exit code means is in [scripting](../scripting.md#exit-codes).",
  );
}

/** docs/commands/README.md: every command with its page, and the options they share. */
export function commandIndex(root: Command, commands: readonly Command[]): string {
  return page(
    "# Commands",
    fence(
      "sh",
      ["openclaw doctor", "openclaw models list", 'openclaw chat "Why is the sky blue?"'].join("\n"),
    ),
    table(
      ["command", "what it does"],
      commands.map((command) => [
        `[\`${commandName(command)}\`](${pageName(command)})`,
        command.description(),
      ]),
    ),
    "## Global options",
    "Every command takes these, before or after its name.",
    optionTable(root.options),
    "`openclaw COMMAND --help` prints the same on the terminal.",
  );
}

function optionTable(options: readonly Option[]): string {
  const rows = options
    .filter(({ hidden }) => !hidden)
    .map((option) => [
      code(option.flags),
      option.description,
      // `--no-x` has the default "true" inside; nobody types that.
      option.defaultValue === undefined || option.negate ? "" : code(String(option.defaultValue)),
    ]);
  return table(["option", "meaning", "default"], rows);
}
