// Writes the man pages into dist/man/, out of docs/ and the table of commands, and their names into package.json:
//   node scripts/build-man.js
// With --check it writes the pages, and fails where package.json names others. npm links those it names, and no folder.
import { readFileSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { bundleModule } from "./bundle-module.js";
import { root } from "./set-up.js";

const outfile = path.join(root, "node_modules", ".cache", "openclaw", `man-${process.pid}.cjs`);
const folder = path.join(root, "dist", "man");
const manifestFile = path.join(root, "package.json");
const manifest = JSON.parse(await readFile(manifestFile, "utf8"));

/** @returns {Promise<Map<string, string>>} */
async function generatePages() {
  // The table of commands is read; no command is run.
  await bundleModule("scripts/docs/man-pages.ts", outfile, { format: "cjs", external: [/^\.\/commands\//] });
  try {
    const { default: module } = await import(pathToFileURL(outfile).href);
    const read = (/** @type {string} */ name) => readFileSync(path.join(root, "docs", name), "utf8");
    return module.manPages(read, manifest.version);
  } finally {
    await rm(outfile);
  }
}

const pages = await generatePages();
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
for (const [name, text] of pages) await writeFile(path.join(folder, name), text);
const man = [...pages.keys()].map((name) => `dist/man/${name}`);
if (JSON.stringify(manifest.man) !== JSON.stringify(man)) {
  if (process.argv.includes("--check")) {
    console.error("package.json does not name the man pages there are. Run: npm run docs");
    process.exitCode = 1;
  } else {
    await writeFile(manifestFile, `${JSON.stringify({ ...manifest, man }, undefined, 2)}\n`);
    console.log("package.json");
  }
}
