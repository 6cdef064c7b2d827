// Writes the generated pages of docs/: node scripts/build-docs.js
// With --check it writes nothing and fails where a page is not what the code says.
import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { bundleModule } from "./bundle-module.js";
import { isMissing, root } from "./set-up.js";

const docs = path.join(root, "docs");

/** The pages as the code has them, by path in docs/. Node 20 cannot load TypeScript, so they are bundled first. */
async function generatePages() {
  const outfile = path.join(root, "node_modules", ".cache", "openclaw", `pages-${process.pid}.cjs`);
  // The tables of commands and of doctor's checks are read; no command is run, and nothing is asked.
  const external = [/^\.\/(commands|completion)\//, /^@(aws-crypto|aws-sdk|smithy)\//];
  await bundleModule("scripts/docs/pages.ts", outfile, { format: "cjs", external });
  try {
    const { default: module } = await import(pathToFileURL(outfile).href);
    return module.pages((/** @type {string} */ name) => readFileSync(path.join(docs, name), "utf8"));
  } finally {
    await rm(outfile);
  }
}

/** @param {string} file */
async function readIfThere(file) {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Pages of commands that are gone.
 * @param {Map<string, string>} pages
 */
async function findLeftovers(pages) {
  const names = await readdir(path.join(docs, "commands")).catch((error) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return names.map((name) => `commands/${name}`).filter((name) => !pages.has(name));
}

async function tellCatalogAge() {
  const { date } = JSON.parse(await readFile(path.join(root, "src", "models", "catalog.json"), "utf8"));
  const days = Math.floor((Date.now() - Date.parse(date)) / 86_400_000);
  console.log(
    `The model catalog is ${days} days old (${date}). A newer one: npm run catalog -- pi-ai VERSION`,
  );
}

const isCheck = process.argv.includes("--check");
const pages = await generatePages();
const stale = await findLeftovers(pages);
if (!isCheck) for (const name of stale.splice(0)) await rm(path.join(docs, name));
for (const [name, text] of pages) {
  const file = path.join(docs, name);
  if ((await readIfThere(file)) === text) continue;
  if (isCheck) {
    stale.push(name);
    continue;
  }
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
  console.log(`docs/${name}`);
}
if (!isCheck) await tellCatalogAge();
if (stale.length > 0) {
  console.error(
    `Not what the code says: ${stale.map((name) => `docs/${name}`).join(", ")}. Run: npm run docs`,
  );
  process.exitCode = 1;
}
