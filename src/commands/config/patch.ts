import { patchEdits } from "../../config/edit-value.ts";
import { parsePatch } from "../../config/parse-input.ts";
import { updateConfig } from "../../config/update.ts";
import { readTextInput } from "../../disk/read-input.ts";
import { usageError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { reportUpdate } from "./report-update.ts";

export interface PatchOptions extends GlobalOptions {
  file?: string;
  stdin?: boolean;
  force?: boolean;
  replace?: boolean;
  dryRun?: boolean;
}

/**
 * Merges a JSON5 object into the configuration, as RFC 7386 has it: null removes, objects merge, all else replaces.
 * Throws what `updateConfig` throws, and `usage`.
 */
export async function run(options: PatchOptions, runtime: Runtime): Promise<void> {
  const { file, stdin, force, replace, dryRun } = options;
  if ((file === undefined) === (stdin !== true)) {
    throw usageError(
      "config patch takes either --file FILE or --stdin.",
      "openclaw config patch --file settings.json5",
    );
  }
  const name = file ?? "stdin";
  const text = await readTextInput(file ?? "-", "--file", "Name a file of JSON5.", runtime);
  const patch = parsePatch(text, name);
  const updated = await updateConfig(options, runtime, (value) => patchEdits(value, patch), {
    force,
    replace,
    dryRun,
  });
  await reportUpdate(updated, { isBatch: true }, runtime);
}
