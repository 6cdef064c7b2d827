import { findTemplate } from "../../chat/template.ts";
import { loadConfig } from "../../config/resolve.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";

export interface ShowOptions extends GlobalOptions {
  name: string;
}

/** Prints a template as it stands in the configuration, as JSON. Throws `usage` for one that is not there. */
export async function run({ name, ...options }: ShowOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const { value } = await loadConfig(options, runtime);
  const template = findTemplate(name, value);
  if (terminal.format === "json") await terminal.printJson(template);
  else await terminal.printDocument(template);
}
