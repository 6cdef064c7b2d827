import { leavesOf } from "../../src/command-line/help-text.ts";
import { PROGRAM } from "../../src/program.ts";
import { commandIndex, commandPage, pageName } from "./command-page.ts";
import { doctorSchema } from "./doctor-schema.ts";
import { errorsPage } from "./errors-page.ts";
import { faultsPage } from "./faults-page.ts";
import { settingsPage } from "./settings-page.ts";

/** Every generated page of docs/, by its path there. `read` reads a page of which only a part is generated. */
export function pages(read: (name: string) => string): Map<string, string> {
  return new Map([
    ["commands/README.md", commandIndex(PROGRAM)],
    ...leavesOf(PROGRAM).map((leaf) => [`commands/${pageName(leaf)}`, commandPage(leaf)] as const),
    ["settings.md", settingsPage()],
    ["errors.md", errorsPage()],
    ["faults.md", faultsPage()],
    ["schemas/doctor.schema.json", doctorSchema(read("schemas/doctor.schema.json"))],
  ]);
}
