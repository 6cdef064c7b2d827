// Writes THIRD-PARTY-NOTICES.txt: the licences of everything in the bundle.   node scripts/build-notices.js
// With --check it writes nothing and fails where the file is not what the bundle holds.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { buildProgram } from "./build.js";
import { root } from "./set-up.js";

/** @typedef {{ title: string, origin: string, text: string | undefined }} Package */

const file = path.join(root, "THIRD-PARTY-NOTICES.txt");
const rule = "-".repeat(80);

/** Folders of the packages of which something is in the bundle, in alphabetical order. */
async function bundledPackages() {
  const folder = await mkdtemp(path.join(tmpdir(), "openclaw-notices-"));
  try {
    const files = await buildProgram(path.join(folder, "dist"));
    const packages = files
      // The innermost package: one may hold another in a node_modules of its own.
      .map((file) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0])
      .filter((name) => name !== undefined);
    return [...new Set(packages)].sort();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * What a package says about itself, with the licence text it ships, if it ships one.
 * @param {string} folder
 * @returns {Promise<Package>}
 */
async function readPackage(folder) {
  const place = path.join(root, folder);
  const { name, version, license, repository } = JSON.parse(
    await readFile(path.join(place, "package.json"), "utf8"),
  );
  const names = (await readdir(place))
    .filter((entry) => /^(licen[cs]e|copying|notice)([.-]|$)/i.test(entry))
    .sort();
  const texts = await Promise.all(names.map((entry) => readFile(path.join(place, entry), "utf8")));
  const url = webAddress(typeof repository === "string" ? repository : repository?.url);
  return {
    title: `${name} ${version} (${license}) ${url}`,
    origin: `${license} ${url}`,
    text: names.some((entry) => !/^notice/i.test(entry)) ? normalize(texts.join("\n\n")) : undefined,
  };
}

/** Where a repository is seen in a browser, from any of the forms package.json takes. */
function webAddress(repository = "") {
  const bare = repository.replace(/^git\+/, "").replace(/\.git$/, "");
  if (/^[^/:@]+\/[^/:@]+$/.test(bare)) return `https://github.com/${bare}`;
  return bare.replace(/^git@([^:]+):/, "https://$1/").replace(/^git:/, "https:");
}

/**
 * Some packages of a repository forget their licence: it is the one beside them. Throws where there is none.
 * @param {Package} own
 * @param {Package[]} packages
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
  const packages = await Promise.all((await bundledPackages()).map(readPackage));
  const byText = new Map();
  for (const entry of packages) {
    const text = textOf(entry, packages);
    byText.set(text, [...(byText.get(text) ?? []), entry.title]);
  }
  const notice = normalize(await readFile(path.join(root, "src", "discovery", "catalog-notice.txt"), "utf8"));
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
