import { parsePath } from "../../config/path.ts";
import { updateConfig } from "../../config/update.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { reportUpdate } from "./report-update.ts";

export interface UnsetOptions extends GlobalOptions {
  path: string;
  dryRun?: boolean;
}

/** Removes one setting, of this program or another. Throws what `updateConfig` throws, `config-not-set` among it. */
export async function run({ path, dryRun, ...options }: UnsetOptions, runtime: Runtime): Promise<void> {
  const updated = await updateConfig(options, runtime, [{ op: "unset", path: parsePath(path) }], { dryRun });
  await reportUpdate(updated, { isBatch: false, names: [path] }, runtime);
}
