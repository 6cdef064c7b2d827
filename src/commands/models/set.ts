import { loadConfig } from "../../config/resolve.ts";
import { updateConfig } from "../../config/update.ts";
import { usageError } from "../../errors.ts";
import { namedModel } from "../../models/resolve-model.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { findKey } from "./find-key.ts";

export interface SetOptions extends GlobalOptions {
  model: string;
  force?: boolean;
}

/**
 * Makes a configured or discovered model the default. Throws `model-not-found` with the nearest ids for any other, and
 * `invalid-request` for one that does not stream text; `--force` asks nobody.
 */
export async function run(options: SetOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  if (options.model.trim() === "")
    throw usageError("No model is named.", "List the models you can call: openclaw models list");
  const { value: config } = await loadConfig(options, runtime);
  const key = options.force ? namedModel(options.model, config).key : await findKey(options, runtime);
  const isRecord = typeof config.agents?.defaults?.model === "object";
  const path = runtime.isEmulated
    ? ["emulator", "model"]
    : ["agents", "defaults", "model", ...(isRecord ? ["primary"] : [])];
  const { file } = await updateConfig(options, runtime, [{ op: "set", path, value: key }]);
  if (terminal.format === "json") await terminal.printJson({ model: key, file });
  else await terminal.print(`Default model${runtime.isEmulated ? " of the emulator" : ""}: ${key}`);
  if (runtime.isEmulated)
    terminal.note("openclaw: it holds under --emulator only; the default model of AWS is as it was");
}
