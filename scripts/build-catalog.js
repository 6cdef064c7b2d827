// Makes src/models/catalog.json from what is kept in scripts/catalog/: models-dev.json, pi-ai.json and overrides.json5.
//   npm run catalog                               the catalog, and what its sources say differently
//   npm run catalog -- models-dev EXPORT.json     the same with a newer models.dev: https://models.dev/api.json
//   npm run catalog -- pi-ai VERSION              the same with a newer pi-ai, from npm
// With --in FOLDER everything is read there and written there.
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs, promisify } from "node:util";
import JSON5 from "json5";
import { buildCatalog, differences, formatCatalog, readModelsDev, readPiAi } from "./catalog/transform.js";
import { root } from "./set-up.js";

const PACKAGE = "@earendil-works/pi-ai";

const run = promisify(execFile);

/** @param {string} file */
const readJson = async (file) => JSON.parse(await readFile(file, "utf8"));

/**
 * What is read of a version that the registry has.
 * @param {string} version
 */
async function fetchPiAi(version) {
  const folder = await mkdtemp(path.join(tmpdir(), "openclaw-catalog-"));
  try {
    const { stdout: times } = await run("npm", ["view", `${PACKAGE}@${version}`, "time", "--json"]);
    const date = String(JSON.parse(times)[version]).slice(0, "2026-11-26".length);
    const { stdout: packed } = await run("npm", ["pack", "--silent", `${PACKAGE}@${version}`], {
      cwd: folder,
    });
    await run("tar", ["-xzf", packed.trim()], { cwd: folder });
    const data = await readJson(path.join(folder, "package/dist/providers/data/amazon-bedrock.json"));
    return readPiAi(data, `${PACKAGE} ${version} (MIT), npm, of ${date}`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const { values, positionals } = parseArgs({ options: { in: { type: "string" } }, allowPositionals: true });
const [kind, newer, ...more] = positionals;
const isKnown = kind === undefined || (["models-dev", "pi-ai"].includes(kind) && newer !== undefined);
if (!isKnown || more.length > 0) {
  console.error("Usage: npm run catalog [-- models-dev EXPORT.json | -- pi-ai VERSION]");
  process.exit(2);
}

const folder = values.in ?? path.join(root, "scripts", "catalog");
const output = path.join(values.in ?? path.join(root, "src", "models"), "catalog.json");
const files = { modelsDev: path.join(folder, "models-dev.json"), piAi: path.join(folder, "pi-ai.json") };

if (kind === "models-dev") {
  await writeFile(files.modelsDev, formatCatalog(readModelsDev(await readJson(newer ?? ""))));
} else if (kind === "pi-ai") {
  await writeFile(files.piAi, formatCatalog(await fetchPiAi(newer ?? "")));
}
const sources = { modelsDev: await readJson(files.modelsDev), piAi: await readJson(files.piAi) };
const overrides = JSON5.parse(await readFile(path.join(folder, "overrides.json5"), "utf8"));
const catalog = buildCatalog(sources, overrides);
await writeFile(output, formatCatalog(catalog));
const { undecided, onlyModelsDev, onlyPiAi } = differences(sources, overrides);
console.log(`Only in models.dev: ${onlyModelsDev.join(", ")}`);
console.log(`Only in pi-ai: ${onlyPiAi.join(", ")}`);
console.log(
  `Said differently, and decided by no page of AWS's: ${undecided.map((line) => `\n${line}`).join("") || "nothing"}`,
);
console.log(`${Object.keys(catalog.models).length} rows written to ${path.relative(root, output)}`);
