import { type Command, CommanderError } from "commander";
import { type OpenclawError, usageError } from "../errors.ts";
import { hang } from "../terminal/word-wrap.ts";
import { buildCommand, type CommandSettings } from "./build-command.ts";
import type { Program } from "./declaration.ts";

/** Reads any command line: prints the help that is asked for, within `columns`, runs what is called. Rejects with `usage` for a wrong one. */
export async function parseWithCommander(
  program: Program,
  args: readonly string[],
  { write, columns, run }: Omit<CommandSettings, "args"> & { columns: number },
): Promise<void> {
  const root = buildCommand(program, { write: (text) => write(wrapHelp(text, columns)), run, args });
  if (args.length === 0) {
    root.outputHelp();
    return;
  }
  try {
    await root.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0 && error.code !== "commander.help") throw toUsageError(error, root, args);
  }
}

/**
 * Breaks the lines of help between words: what stands beside a flag or a command goes on below itself. Commander's own
 * way breaks nothing where less than 40 columns are left.
 */
function wrapHelp(text: string, columns: number): string {
  return text
    .split("\n")
    .flatMap((line) => {
      const [, title = "", rest = line] = /^(Usage: | {2}\S.*? {2,}(?=\S))(.*)$/.exec(line) ?? [];
      return hang(title, rest, columns);
    })
    .join("\n");
}

/** What commander says of a wrong command line, in this program's words and with the help of the command that was meant. */
function toUsageError(error: CommanderError, root: Command, args: readonly string[]): OpenclawError {
  const [message = "", suggestion] = error.message.replace(/^error: /, "").split("\n");
  const sentence = message.endsWith(".") ? message : `${message}.`;
  const nearest = suggestion?.match(/Did you mean (?:one of )?(.*)\?/)?.[1];
  return usageError(
    sentence.charAt(0).toUpperCase() + sentence.slice(1),
    nearest ? `Did you mean ${nearest}?` : `${commandPath(root, args)} --help`,
  );
}

/** The command that was meant, as far as the arguments name one: `openclaw models list`. */
function commandPath(root: Command, args: readonly string[]): string {
  let command = root;
  const names = [root.name()];
  for (const arg of args) {
    const child = command.commands.find((candidate) => candidate.name() === arg);
    if (!child) continue;
    command = child;
    names.push(arg);
  }
  return names.join(" ");
}
