import { settingsSchema } from "../../config/schema.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";

/** Prints a JSON Schema (draft 2020-12) of the settings. */
export async function run(_: GlobalOptions, { terminal }: Runtime): Promise<void> {
  if (terminal.format === "json") return terminal.printJson(settingsSchema());
  await terminal.printDocument(settingsSchema());
}
