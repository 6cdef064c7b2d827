import { access } from "node:fs";
import { promisify } from "node:util";
import { errorCode } from "../../errors.ts";
import { locateConfig } from "../../config/file.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";

/** Prints the path of the configuration file, whether it exists or not. */
export async function run(options: GlobalOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  const { file, source } = locateConfig(options, runtime);
  if (terminal.format === "json") return terminal.printJson({ file, source, exists: await exists(file) });
  await terminal.print(file);
}

async function exists(file: string): Promise<boolean> {
  try {
    // Node's promises for files take longer to load than this takes.
    await promisify(access)(file);
    return true;
  } catch (error) {
    if (errorCode(error) === undefined) throw error;
    return errorCode(error) !== "ENOENT" && errorCode(error) !== "ENOTDIR";
  }
}
