// Writes THIRD-PARTY-NOTICES.txt: the licences of everything in the bundle.   node scripts/build-notices.js
// With --check it writes nothing and fails where the file is not what the bundle holds.
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { readLicence, readPackages } from "./bundled-packages.js";
import { buildWhenStale, root } from "./set-up.js";

/** @typedef {{ title: string, origin: string, text: string | undefined }} Notice */

const file = path.join(root, "THIRD-PARTY-NOTICES.txt");
const rule = "-".repeat(80);

/** The packages of which the bundle's source maps know a line. */
async function bundledPackages() {
  await buildWhenStale((step) => console.error(`...  ${step}`));
  const maps = gunzipSync(await readFile(path.join(root, "dist", "sources.json.gz"))).toString();
  /** @type {{ sources: string[] }[]} */
  const files = Object.values(JSON.parse(maps));
  return readPackages(files.flatMap(({ sources }) => sources));
}

/**
 * @param {import("./bundled-packages.js").BundledPackage} entry
 * @returns {Promise<Notice>}
 */
async function describe(entry) {
  const { name, version, license, url } = entry;
  const text = await readLicence(entry);
  return {
    title: `${name} ${version} (${license}) ${url}`,
    origin: `${license} ${url}`,
    text: text && normalize(text),
  };
}

/**
 * Some packages of a repository forget their licence: it is the one beside them. Throws where there is none.
 * @param {Notice} own
 * @param {Notice[]} packages
 */
function textOf({ title, origin, text }, packages) {
  const found = text ?? packages.find((other) => other.origin === origin && other.text !== undefined)?.text;
  if (found === undefined) throw new Error(`${title} is in the bundle and ships no licence text.`);
  return found;
}

/**
 * Line ends and white space differ between packages with the same licence.
 * @param {string} text
 */
function normalize(text) {
  return text
    .replaceAll("\r\n", "\n")
    .replaceAll(/[ \t]+$/gm, "")
    .trim();
}

async function describeAll() {
  const packages = await Promise.all((await bundledPackages()).map(describe));
  const byText = new Map();
  for (const entry of packages) {
    const text = textOf(entry, packages);
    byText.set(text, [...(byText.get(text) ?? []), entry.title]);
  }
  const notice = normalize(await readFile(path.join(root, "src", "models", "catalog-notice.txt"), "utf8"));
  const sections = [...byText].map(([text, titles]) => `${titles.join("\n")}\n\n${text}`);
  return `openclaw contains the following software and data.\n\n${[...sections, notice].map((section) => `${rule}\n\n${section}\n`).join("\n")}`;
}

const text = await describeAll();
if (process.argv.includes("--check")) {
  const existing = await readFile(file, "utf8").catch((error) =>
    error.code === "ENOENT" ? "" : Promise.reject(error),
  );
  if (existing !== text) {
    console.error("THIRD-PARTY-NOTICES.txt is not what the bundle holds. Run: npm run docs");
    process.exitCode = 1;
  }
} else {
  await writeFile(file, text);
}
