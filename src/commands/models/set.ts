import { loadConfig } from "../../config/resolve.ts";
import { updateConfig } from "../../config/update.ts";
import { usageError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { findKey } from "./find-key.ts";

export interface SetOptions extends GlobalOptions {
  /** Without it a person at a terminal is asked. */
  model?: string;
  force?: boolean;
}

/**
 * Makes a configured or discovered model the default. Throws `model-not-found` with the nearest ids for any other, and
 * `invalid-request` for one that does not stream text; `--force` asks nobody. Without a model a person at a terminal
 * chooses one; in a pipe that is `usage`.
 */
export async function run(options: SetOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const { model } = options;
  const key =
    model === undefined
      ? await choose(options, runtime)
      : await findKey("openclaw models set", { ...options, model }, runtime);
  const file = await storeDefault(key, options, runtime);
  if (terminal.format === "json") await terminal.printJson({ model: key, file });
  else await terminal.print(`Default model${runtime.isEmulated ? " of the emulator" : ""}: ${key}`);
  if (runtime.isEmulated)
    terminal.note("openclaw: it holds under --emulator only; the default model of AWS is as it was");
}

/** Writes the key of the default model. Resolves to the file; throws as `updateConfig` does. */
export async function storeDefault(key: string, options: GlobalOptions, runtime: Runtime): Promise<string> {
  const { value: config } = await loadConfig(options, runtime);
  const isRecord = typeof config.agents?.defaults?.model === "object";
  const path = runtime.isEmulated
    ? ["emulator", "model"]
    : ["agents", "defaults", "model", ...(isRecord ? ["primary"] : [])];
  const { file } = await updateConfig(options, runtime, [{ op: "set", path, value: key }]);
  return file;
}

/** Asks a person. Throws `usage` where there is nobody, and where they choose none. */
async function choose(options: SetOptions, runtime: Runtime): Promise<string> {
  const { chooseModel } = await import("./choose-model.ts");
  const key = await chooseModel(options, runtime);
  if (key !== undefined) return key;
  throw usageError("Missing required argument 'model'.", "openclaw models set --help");
}
