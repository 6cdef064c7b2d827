// Makes a TypeScript module one file that Node 20 can load, for the scripts and tests that start it.
import { build } from "rolldown";
import { nodeOptions } from "./build.js";

/**
 * Bundles `entry` into `outfile`, all but what `external` matches. Paths are absolute or from the repository's root.
 * @param {string} entry
 * @param {string} outfile
 * @param {{ format?: "cjs" | "esm", external?: RegExp[] }} [options]
 */
export async function bundleModule(entry, outfile, { format = "esm", external = [] } = {}) {
  await build({
    ...nodeOptions({ version: "test", bugs: { url: "test" } }),
    input: entry,
    external,
    output: { file: outfile, format, codeSplitting: false },
  });
}
