// What is in the bundle besides src/: the packages, and their bill of materials as CycloneDX 1.6.
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { root } from "./set-up.js";

/**
 * A package of which something is in the bundle. `folder` is its place from the root, `sha512` the digest of what the
 * registry hands out, in hexadecimal.
 * @typedef {{ folder: string, name: string, version: string, license: string, url: string, sha512: string,
 *   dependencies: string[] }} BundledPackage
 */

/** The data of src/ that is another's. Its licence stands beside it. */
const CATALOG = {
  name: "models.dev and @earendil-works/pi-ai",
  license: "MIT",
  urls: ["https://github.com/anomalyco/models.dev", "https://github.com/earendil-works/pi"],
  file: "src/models/catalog.json",
};

/**
 * The packages that the bundled files are of, in alphabetical order of their folders.
 * @param {readonly string[]} files from the root
 */
export async function readPackages(files) {
  const folders = files
    // The innermost package: one may hold another in a node_modules of its own. The first node_modules may be a link.
    .map((file) => /(?:^|\/)(node_modules\/(?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)/.exec(file)?.[1])
    .filter((name) => name !== undefined);
  const { packages: lock } = JSON.parse(await readFile(path.join(root, "package-lock.json"), "utf8"));
  return Promise.all([...new Set(folders)].sort().map((folder) => readPackage(folder, lock[folder])));
}

/**
 * What a package says about itself and the lock file about where it comes from.
 * @param {string} folder
 * @param {{ version?: string, integrity?: string } | undefined} entry
 * @returns {Promise<BundledPackage>}
 */
async function readPackage(folder, entry) {
  const manifest = JSON.parse(await readFile(path.join(root, folder, "package.json"), "utf8"));
  const { name, version, license, repository, dependencies = {} } = manifest;
  const digest = /^sha512-(\S+)$/.exec(entry?.integrity ?? "")?.[1];
  if (entry?.version !== version || digest === undefined)
    throw new Error(`${folder} holds ${name} ${version}, which is not what package-lock.json says.`);
  return {
    folder,
    name,
    version,
    license,
    url: webAddress(typeof repository === "string" ? repository : repository?.url),
    sha512: Buffer.from(digest, "base64").toString("hex"),
    dependencies: Object.keys(dependencies),
  };
}

/** Where a repository is seen in a browser, from any of the forms package.json takes. */
function webAddress(repository = "") {
  const bare = repository.replace(/^git\+/, "").replace(/\.git$/, "");
  if (/^[^/:@]+\/[^/:@]+$/.test(bare)) return `https://github.com/${bare}`;
  return bare.replace(/^git@([^:]+):/, "https://$1/").replace(/^(?:git|ssh):\/\/(?:git@)?/, "https://");
}

/** Packages that ship no licence, nor does any beside them, and where that of their repository is kept. */
const FORGOTTEN = { "@redis/client": "scripts/licences/redis-client.txt" };

/**
 * The texts of a package's own licence and notices, joined; undefined where it ships no licence and none is kept.
 * @param {BundledPackage} entry
 */
export async function readLicence({ folder, name }) {
  const place = path.join(root, folder);
  const names = (await readdir(place))
    .filter((entry) => /^(licen[cs]e|copying|notice)([.-]|$)/i.test(entry))
    .sort();
  if (!names.some((entry) => !/^notice/i.test(entry))) {
    const kept = new Map(Object.entries(FORGOTTEN)).get(name);
    return kept === undefined ? undefined : readFile(path.join(root, kept), "utf8");
  }
  const texts = await Promise.all(names.map((entry) => readFile(path.join(place, entry), "utf8")));
  return texts.join("\n\n");
}

/**
 * The bill of materials of the bundle: https://cyclonedx.org/docs/1.6/json/. The same bundle has the same bill: no time is
 * in it, and its serial number is made from what it says.
 * @param {readonly string[]} files from the root
 */
export async function billOfMaterials(files) {
  const manifest = JSON.parse(await readFile(path.join(root, "package.json"), "utf8"));
  const packages = await readPackages(files);
  const self = { ...manifest, url: webAddress(manifest.repository.url) };
  const ref = purlOf(self);
  const catalog = files.includes(CATALOG.file) ? [await describeCatalog()] : [];
  const bill = {
    metadata: { lifecycles: [{ phase: "build" }], component: describe("application", self) },
    components: [...uniqueBy(packages, purlOf).map((entry) => describe("library", entry)), ...catalog],
    dependencies: [
      {
        ref,
        dependsOn: [...new Set(packages.map(purlOf)), ...catalog.map((data) => data["bom-ref"])].sort(),
      },
      ...uniqueBy(packages, purlOf).map((entry) => ({
        ref: purlOf(entry),
        dependsOn: dependenciesOf(entry, packages),
      })),
      ...catalog.map((data) => ({ ref: data["bom-ref"], dependsOn: [] })),
    ],
  };
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(JSON.stringify(bill))}`,
    version: 1,
    ...bill,
  };
}

/**
 * @param {"application" | "library"} type
 * @param {{ name: string, version: string, license: string, url: string, sha512?: string }} entry
 */
function describe(type, { name, version, license, url, sha512 }) {
  const purl = purlOf({ name, version });
  const [group, bare] = name.startsWith("@") ? name.split("/") : [undefined, name];
  return {
    type,
    "bom-ref": purl,
    ...(group === undefined ? {} : { group }),
    name: bare,
    version,
    licenses: [/[ (]/.test(license) ? { expression: license } : { license: { id: license } }],
    purl,
    ...(sha512 === undefined ? {} : { hashes: [{ alg: "SHA-512", content: sha512 }] }),
    ...(url === "" ? {} : { externalReferences: [{ type: "vcs", url }] }),
  };
}

async function describeCatalog() {
  const { name, license, urls, file } = CATALOG;
  const bytes = await readFile(path.join(root, file));
  const content = createHash("sha512").update(bytes).digest("hex");
  return {
    type: "data",
    "bom-ref": file,
    name,
    version: JSON.parse(bytes.toString()).date,
    description: "Limits, prices and capabilities of models, as built into this program.",
    hashes: [{ alg: "SHA-512", content }],
    licenses: [{ license: { id: license } }],
    externalReferences: urls.map((url) => ({ type: "vcs", url })),
  };
}

/**
 * Where npm has a package: https://github.com/package-url/purl-spec.
 * @param {{ name: string, version: string }} entry
 */
function purlOf({ name, version }) {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

/**
 * What a bundled package uses of the others: as Node finds it, the nearest of each name from its folder upwards.
 * @param {BundledPackage} entry
 * @param {readonly BundledPackage[]} packages
 */
function dependenciesOf({ folder, dependencies }, packages) {
  const found = dependencies.flatMap((name) => {
    for (let place = `${folder}/`; ; place = place.slice(0, place.lastIndexOf("node_modules/"))) {
      const nearest = packages.find((other) => other.folder === `${place}node_modules/${name}`);
      if (nearest) return [purlOf(nearest)];
      if (place === "") return [];
    }
  });
  return [...new Set(found)].sort();
}

/**
 * @template T
 * @param {readonly T[]} items
 * @param {(item: T) => string} keyOf
 */
function uniqueBy(items, keyOf) {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}

/**
 * A UUID of a text: version 8 of RFC 9562, which leaves its contents to whoever makes it.
 * @param {string} text
 */
function uuidOf(text) {
  const bytes = createHash("sha256").update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
