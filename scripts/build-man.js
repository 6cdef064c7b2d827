// Writes the man pages into dist/man/, out of docs/ and the table of commands: node scripts/build-man.js
import { readFileSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { bundleModule } from "./bundle-module.js";
import { root } from "./set-up.js";

const { version } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
const outfile = path.join(root, "node_modules", ".cache", "openclaw", `man-${process.pid}.cjs`);
const folder = path.join(root, "dist", "man");
// The table of commands is read; no command is run.
await bundleModule("scripts/docs/man-pages.ts", outfile, { format: "cjs", external: [/^\.\/commands\//] });
try {
  const { default: module } = await import(pathToFileURL(outfile).href);
  const read = (/** @type {string} */ name) => readFileSync(path.join(root, "docs", name), "utf8");
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, text] of module.manPages(read, version)) await writeFile(path.join(folder, name), text);
} finally {
  await rm(outfile);
}
