import { readReady, readyFile } from "../../discovery/ready-list.ts";
import { usageError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import type { ListOptions } from "./list-models.ts";

/** Lists configured and discovered models: as they were printed before where nothing has changed, else anew. */
export async function run(options: ListOptions, runtime: Runtime): Promise<void> {
  if (options.refresh && options.offline) {
    throw usageError("--refresh asks AWS and --offline never does.", "Leave one of them out.");
  }
  const file = readyFile(options, runtime);
  const text = file && (await readReady(file, runtime.now()));
  if (text !== undefined) return runtime.terminal.write(text);
  // It may take long from here on, so signals are heard.
  runtime.signal.throwIfAborted();
  const { showModelList } = await import("./list-models.ts");
  await showModelList(options, runtime, file);
}
