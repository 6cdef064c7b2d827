import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { run as get } from "./get.ts";

/** Prints every setting that has a value in force, and where it comes from, as `config get --effective` does. */
export async function run(options: GlobalOptions, runtime: Runtime): Promise<void> {
  await get({ ...options, effective: true }, runtime);
}
