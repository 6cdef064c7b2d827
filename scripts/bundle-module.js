// Makes a TypeScript module one file that Node 20 can load, for the scripts and tests that start it.
import { build } from "rolldown";
import { root } from "./set-up.js";

/** Bundles `entry` into `outfile`, all but what `external` matches. Paths are absolute or from the repository's root. */
export async function bundleModule(entry, outfile, { format = "esm", external = [] } = {}) {
  await build({
    cwd: root,
    input: entry,
    platform: "node",
    external,
    resolve: { mainFields: ["module", "main"] },
    transform: { target: "node20.19", define: { OPENCLAW_VERSION: '"test"' } },
    output: { file: outfile, format, codeSplitting: false },
  });
}
