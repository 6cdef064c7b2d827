import type { Command } from "commander";
import { createCommand } from "../../src/program.ts";
import { createRuntime } from "../../src/runtime.ts";
import { commandIndex, commandPage, pageName } from "./command-page.ts";
import { errorsPage } from "./errors-page.ts";
import { faultsPage } from "./faults-page.ts";
import { settingsPage } from "./settings-page.ts";

/** Every generated page of docs/, by its path there. */
export function pages(): Map<string, string> {
  const root = createCommand(createRuntime(new AbortController().signal));
  const commands = leaves(root);
  return new Map([
    ["commands/README.md", commandIndex(root, commands)],
    ...commands.map((command) => [`commands/${pageName(command)}`, commandPage(command)] as const),
    ["settings.md", settingsPage()],
    ["errors.md", errorsPage()],
    ["faults.md", faultsPage()],
  ]);
}

/** The commands that do something, in the order of the help. */
function leaves(command: Command): Command[] {
  return command.commands.length === 0
    ? [command]
    : command.createHelp().visibleCommands(command).flatMap(leaves);
}
