import type { Command } from "commander";
import { buildCommand } from "../../src/command-line/build-command.ts";
import { PROGRAM } from "../../src/program.ts";
import { commandIndex, commandPage, pageName } from "./command-page.ts";
import { doctorSchema } from "./doctor-schema.ts";
import { errorsPage } from "./errors-page.ts";
import { faultsPage } from "./faults-page.ts";
import { settingsPage } from "./settings-page.ts";

/** Every generated page of docs/, by its path there. `read` reads a page of which only a part is generated. */
export function pages(read: (name: string) => string): Map<string, string> {
  const root = buildCommand(PROGRAM, {
    write: () => undefined,
    run: () => Promise.resolve(),
  });
  const commands = leaves(root);
  return new Map([
    ["commands/README.md", commandIndex(root, commands)],
    ...commands.map((command) => [`commands/${pageName(command)}`, commandPage(command)] as const),
    ["settings.md", settingsPage()],
    ["errors.md", errorsPage()],
    ["faults.md", faultsPage()],
    ["schemas/doctor.schema.json", doctorSchema(read("schemas/doctor.schema.json"))],
  ]);
}

/** The commands that do something, in the order of the help. */
function leaves(command: Command): Command[] {
  return command.commands.length === 0
    ? [command]
    : command.createHelp().visibleCommands(command).flatMap(leaves);
}
