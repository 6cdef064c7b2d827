import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { PROGRAMS } from "../../scripts/clients/programs.js";
import { root } from "../helpers/documents.ts";

const page = readFileSync(path.join(root, "docs", "clients.md"), "utf8");
const read = (name: string): unknown =>
  JSON.parse(readFileSync(path.join(root, "test", "clients", name), "utf8"));
const { dependencies } = read("package.json") as { dependencies: Record<string, string> };
const { packages } = read("package-lock.json") as { packages: Record<string, { version?: string }> };

describe("docs/clients.md", () => {
  it.each(PROGRAMS.map((program) => [program.name, program] as const))(
    "says what %s needs, and how its pinned version was tried",
    (name, { package: from, ways }) => {
      const version = dependencies[from];
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
      expect(packages[`node_modules/${from}`]?.version).toBe(version);
      expect(page).toContain(`\n## ${name}\n`);
      const rows = page.split("\n").filter((line) => line.startsWith(`| ${name} |`));
      expect(rows).toEqual(
        ways.map(
          ({ wire, via }) => expect.stringContaining(`| ${name} | ${version} | ${wire} | ${via} |`) as string,
        ),
      );
    },
  );

  it("has no program that is not installed, and none is installed for nothing", () => {
    expect(PROGRAMS.map(({ package: from }) => from).toSorted()).toEqual(
      Object.keys(dependencies).toSorted(),
    );
  });
});
