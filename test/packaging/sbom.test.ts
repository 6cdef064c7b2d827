import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { root } from "../helpers/documents.ts";

interface Component {
  type: string;
  "bom-ref": string;
  group?: string;
  name: string;
  version?: string;
  purl?: string;
  licenses: { license?: { id: string }; expression?: string }[];
  hashes?: { alg: string; content: string }[];
  externalReferences?: { type: string; url: string }[];
}

interface Bill {
  bomFormat: string;
  specVersion: string;
  serialNumber: string;
  version: number;
  metadata: { component: Component };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

interface LockEntry {
  version?: string;
  integrity?: string;
}

const read = (...place: string[]): string => readFileSync(path.join(root, ...place), "utf8");
const text = read("dist", "sbom.cdx.json");
const bill = JSON.parse(text) as Bill;
const libraries = bill.components.filter(({ type }) => type === "library");
const { packages: lock } = JSON.parse(read("package-lock.json")) as { packages: Record<string, LockEntry> };

/** The fields that the schema knows for what is used of it; it refuses others. */
const KNOWN = {
  bill: [
    "$schema",
    "bomFormat",
    "specVersion",
    "serialNumber",
    "version",
    "metadata",
    "components",
    "dependencies",
  ],
  metadata: ["lifecycles", "component"],
  component: [
    "type",
    "bom-ref",
    "group",
    "name",
    "version",
    "description",
    "hashes",
    "licenses",
    "purl",
    "externalReferences",
  ],
};

const unknown = (object: object, known: readonly string[]): string[] =>
  Object.keys(object).filter((key) => !known.includes(key));

describe("the bill of materials", () => {
  test("has the form of CycloneDX 1.6", () => {
    expect(bill).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1 });
    expect(bill.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(unknown(bill, KNOWN.bill)).toEqual([]);
    expect(unknown(bill.metadata, KNOWN.metadata)).toEqual([]);
    for (const component of [bill.metadata.component, ...bill.components]) {
      expect(unknown(component, KNOWN.component)).toEqual([]);
      expect(["application", "library", "data"]).toContain(component.type);
      expect(component.name).not.toBe("");
      expect(component.licenses).toHaveLength(1);
      for (const { alg, content } of component.hashes ?? []) {
        expect(alg).toBe("SHA-512");
        expect(content).toMatch(/^[0-9a-f]{128}$/);
      }
      for (const { type, url } of component.externalReferences ?? []) {
        expect(type).toBe("vcs");
        expect(url).toMatch(/^https:\/\/[\w.-]+\/\S+$/);
      }
    }
  });

  test("names each component once, and in its dependencies nothing else", () => {
    const refs = [bill.metadata.component, ...bill.components].map((component) => component["bom-ref"]);
    expect(new Set(refs).size).toBe(refs.length);
    expect(bill.dependencies.map(({ ref }) => ref).toSorted()).toEqual(refs.toSorted());
    for (const { ref, dependsOn } of bill.dependencies) {
      expect(new Set(dependsOn).size).toBe(dependsOn.length);
      for (const other of dependsOn) expect(refs).toContain(other);
      expect(dependsOn).not.toContain(ref);
    }
    const agent = bill.dependencies.find(({ ref }) => ref.includes("https-proxy-agent"));
    expect(agent?.dependsOn).toContainEqual(expect.stringMatching(/^pkg:npm\/agent-base@/));
  });

  test("has the licences, by their SPDX names", () => {
    const names = bill.components.map(({ licenses: [first] }) => first?.license?.id ?? first?.expression);
    expect([...new Set(names)].toSorted()).toEqual([
      "0BSD",
      "Apache-2.0",
      "BSD-2-Clause",
      "BSD-3-Clause",
      "MIT",
    ]);
  });

  test("holds the packages of which the source maps know a line, and no other", () => {
    const maps = Object.values(
      JSON.parse(gunzipSync(readFileSync(path.join(root, "dist", "sources.json.gz"))).toString()) as Record<
        string,
        { sources: string[] }
      >,
    );
    const folders = maps
      .flatMap(({ sources }) => sources)
      .map((source) => /(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(source)?.[0])
      .filter((folder) => folder !== undefined);
    const purls = [...new Set(folders)].map((folder) => {
      const { name, version } = JSON.parse(read(folder, "package.json")) as { name: string; version: string };
      return `pkg:npm/${name.replace("@", "%40")}@${version}`;
    });
    expect(purls.length).toBeGreaterThan(40);
    expect(libraries.map(({ purl }) => purl).toSorted()).toEqual([...new Set(purls)].toSorted());
  });

  test("has version and digest as the lock file has them, and the notices the same versions", () => {
    const notices = read("THIRD-PARTY-NOTICES.txt");
    for (const { group, name, version, hashes, purl } of libraries) {
      const whole = group === undefined ? name : `${group}/${name}`;
      expect(purl).toBe(`pkg:npm/${whole.replace("@", "%40")}@${version}`);
      const digest = Buffer.from(hashes?.[0]?.content ?? "", "hex").toString("base64");
      const entries = Object.entries(lock).filter(([folder]) => folder.endsWith(`node_modules/${whole}`));
      expect(entries.map(([, entry]) => entry)).toContainEqual(
        expect.objectContaining({ version, integrity: `sha512-${digest}` }),
      );
      expect(notices).toContain(`\n${whole} ${version} (`);
    }
    expect(notices.match(/^\S+ \d+\.\d+\.\d+\S* \(\S+\) http/gm)).toHaveLength(libraries.length);
  });

  test("has the data of others, by its digest", () => {
    const [catalog, ...others] = bill.components.filter(({ type }) => type === "data");
    expect(others).toEqual([]);
    expect(catalog).toMatchObject({
      name: "models.dev and @earendil-works/pi-ai",
      "bom-ref": "src/models/catalog.json",
    });
    expect(catalog?.hashes?.[0]?.content).toBe(
      createHash("sha512")
        .update(read("src", "models", "catalog.json"))
        .digest("hex"),
    );
  });

  test("says nothing of the machine or the time it was made", () => {
    expect(text).not.toContain(root);
    expect(text).not.toMatch(/timestamp|\d{4}-\d\d-\d\dT/);
  });
});
