// Asks the registry what is known against the packages in the bundle, and against no others: what only builds and tests
// the program never reaches who installs it.   node scripts/audit.js [--json]
// Ends with 1 where something is known, and with 2 where the registry cannot be asked.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { buildWhenStale, readNpm, root } from "./set-up.js";

/**
 * What `npm audit --json` says of a package. `via` has its own advisories, and the names of packages through which others
 * reach it.
 * @typedef {{ via: (string | { title: string, url: string, severity: string, range: string })[], nodes: string[] }} Vulnerable
 * @typedef {{ purl: string, severity: string, title: string, url: string, range: string }} Finding
 */

/** The versions of each bundled package, from the bill of materials of the build. */
async function bundledVersions() {
  await buildWhenStale(() => undefined);
  const { components } = JSON.parse(await readFile(path.join(root, "dist", "sbom.cdx.json"), "utf8"));
  /** @type {Set<string>} */
  const purls = new Set();
  for (const { purl } of components) if (purl !== undefined) purls.add(purl);
  return purls;
}

/** @returns {Promise<Record<string, Vulnerable>>} */
async function askRegistry() {
  // npm ends with 1 where it finds something, and says it all the same.
  const { output } = await readNpm(["audit", "--json", "--package-lock-only"]);
  const answer = JSON.parse(output);
  if (answer.vulnerabilities === undefined)
    throw new Error(answer.message ?? answer.error?.summary ?? "npm gave no report.");
  return answer.vulnerabilities;
}

/**
 * The advisories for what is in the bundle. A package that only uses another of them has none of its own.
 * @param {Record<string, Vulnerable>} vulnerable
 * @param {ReadonlySet<string>} bundled
 * @returns {Promise<Finding[]>}
 */
async function findingsOf(vulnerable, bundled) {
  const { packages: lock } = JSON.parse(await readFile(path.join(root, "package-lock.json"), "utf8"));
  /** @type {Finding[]} */
  const findings = [];
  for (const [name, { via, nodes }] of Object.entries(vulnerable)) {
    const purls = nodes.map((folder) => `pkg:npm/${name.replace("@", "%40")}@${lock[folder].version}`);
    for (const advisory of via) {
      if (typeof advisory === "string") continue;
      const { severity, title, url, range } = advisory;
      for (const purl of new Set(purls))
        if (bundled.has(purl)) findings.push({ purl, severity, title, url, range });
    }
  }
  return findings;
}

try {
  const bundled = await bundledVersions();
  const findings = await findingsOf(await askRegistry(), bundled);
  if (process.argv.includes("--json"))
    console.log(JSON.stringify({ packages: bundled.size, findings }, undefined, 2));
  else {
    for (const { purl, severity, title, url, range } of findings)
      console.log(`${severity}: ${purl}: ${title} (${range})\n  ${url}`);
    console.log(
      `${bundled.size} packages are in the bundle; ${findings.length === 1 ? "1 advisory" : `${findings.length || "no"} advisories`}.`,
    );
  }
  if (findings.length > 0) process.exitCode = 1;
} catch (error) {
  console.error(`The registry could not be asked: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 2;
}
