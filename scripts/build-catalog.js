// Makes src/models/catalog.json from a models.dev export and scripts/catalog/overrides.json5:
//   node scripts/build-catalog.js EXPORT.json [OUTPUT.json]
// EXPORT.json is https://models.dev/api.json, or its "amazon-bedrock" part alone with a "source" that names the commit.
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import JSON5 from "json5";
import { buildCatalog, formatCatalog } from "./catalog/transform.js";

const folder = path.dirname(fileURLToPath(import.meta.url));

const [input, output = path.join(folder, "..", "src", "discovery", "catalog.json")] = process.argv.slice(2);
if (input === undefined) {
  console.error("Usage: node scripts/build-catalog.js EXPORT.json [OUTPUT.json]");
  process.exit(2);
}

const overrides = JSON5.parse(await readFile(path.join(folder, "catalog", "overrides.json5"), "utf8"));
const catalog = buildCatalog(JSON.parse(await readFile(input, "utf8")), overrides);
await writeFile(output, formatCatalog(catalog));
console.log(`${Object.keys(catalog.models).length} rows written to ${output}`);
