// Prints the entry of the changelog for a release, and fails where tag, package and changelog do not name one version:
// node scripts/release-notes.js v0.1.0
import { readFile } from "node:fs/promises";
import path from "node:path";
import { root } from "./set-up.js";

const tag = process.argv[2] ?? "";
const { version } = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
const changelog = await readFile(path.join(root, "CHANGELOG.md"), "utf8");
const [, ...entries] = changelog.split(/^## /m);
const entry = entries
  .find((text) => text.startsWith(`${version}\n`))
  ?.slice(version.length)
  .trim();

if (tag !== `v${version}`) {
  console.error(
    `The tag is '${tag}' and package.json has ${version}: the tag of this commit is v${version}.`,
  );
  process.exitCode = 1;
} else if (!entry) {
  console.error(`CHANGELOG.md says nothing of ${version}: add a heading '## ${version}' with what changed.`);
  process.exitCode = 1;
} else console.log(entry);
