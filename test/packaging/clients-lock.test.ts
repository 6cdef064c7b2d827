import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { root } from "../helpers/documents.ts";

interface Locked {
  integrity?: string;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

const { packages } = JSON.parse(
  readFileSync(path.join(root, "test", "clients", "package-lock.json"), "utf8"),
) as { packages: Record<string, Locked> };

/** Where Node looks for a package, the nearest first. */
function placesOf(name: string, folder: string): string[] {
  const parts = folder.split("/node_modules/");
  const holders = parts.map((_, index) => parts.slice(0, index + 1).join("/node_modules/")).toReversed();
  return [...holders.filter((holder) => holder !== ""), ""].map((holder) =>
    path.posix.join(holder, "node_modules", name),
  );
}

// A lock that was written on one platform has only that one's packages, and `npm ci` of npm 11 refuses it.
it("the lock of the programs names what they need on every platform", () => {
  const missing = Object.entries(packages).flatMap(([folder, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !placesOf(name, folder).some((place) => place in packages))
      .map((name) => `${folder} needs ${name}`),
  );
  expect(missing).toEqual([]);
});

// The registry that it was written from has only the packages of one platform, and tells nothing of the others.
it("the lock has a checksum for everything that Linux on x64 installs", () => {
  const fits = (own: string[] | undefined, here: string): boolean => own?.includes(here) ?? true;
  const unchecked = Object.entries(packages).filter(
    ([folder, { integrity, os, cpu, libc, optional }]) =>
      folder !== "" &&
      integrity === undefined &&
      !(optional === true && !(fits(os, "linux") && fits(cpu, "x64") && fits(libc, "glibc"))),
  );
  expect(unchecked.map(([folder]) => folder)).toEqual([]);
});
