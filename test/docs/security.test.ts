import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { type Flag, isGroup } from "../../src/command-line/declaration.ts";
import { PROGRAM } from "../../src/program.ts";
import { root } from "../helpers/documents.ts";

const page = readFileSync(path.join(root, "docs", "security.md"), "utf8");
const BOUND = /^\| ([^|]+) \| (\d+)(?: (MB|KB|s))? \| (?:`(--[\w-]+)`|\[`(\w+)`\]\(\.\.\/([\w/.-]+)\)) \|$/gm;

interface Row {
  what: string;
  most: number;
  unit: string | undefined;
  flag: string | undefined;
  name: string | undefined;
  file: string | undefined;
}

const rows = [...page.matchAll(BOUND)].map(([, what = "", most, unit, flag, name, file]): Row => ({
  what,
  most: Number(most),
  unit,
  flag,
  name,
  file,
}));

/** What a row says in the unit of the code: bytes, ms, or a number of things. */
function inCode({ most, unit }: Row): number {
  return most * ({ MB: 1024 * 1024, KB: 1024, s: 1000 }[unit ?? ""] ?? 1);
}

/** The number that a source gives a name, which may be a product. */
function constantIn(text: string, name: string): number | undefined {
  const [, value] = new RegExp(`^(?:export )?const ${name} = ([\\d_ *]+);$`, "m").exec(text) ?? [];
  return value
    ?.replaceAll("_", "")
    .split("*")
    .reduce((product, factor) => product * Number(factor), 1);
}

function serveFlags(): readonly Flag[] {
  const { serve } = PROGRAM.members;
  return serve && !isGroup(serve) ? (serve.flags ?? []) : [];
}

describe("docs/security.md", () => {
  test("has a constant or a flag in each row of its bounds", () => {
    const [, table = ""] = /## What is bounded\n([^]*?)\n## /.exec(page) ?? [];
    expect(rows).toHaveLength(table.split("\n").filter((line) => line.startsWith("| ")).length - 2);
    expect(rows.length).toBeGreaterThan(20);
  });

  test.each(rows)("says of $what what is so", (row) => {
    if (row.flag !== undefined) {
      const flag = serveFlags().find(({ notation }) => notation.startsWith(`${row.flag} `));
      expect(flag?.default).toBe(row.most);
      return;
    }
    const text = readFileSync(path.join(root, row.file ?? ""), "utf8");
    expect(constantIn(text, row.name ?? "")).toBe(inCode(row));
  });

  test("is what SECURITY.md leads to, where GitHub looks for it", () => {
    const policy = readFileSync(path.join(root, "SECURITY.md"), "utf8");
    expect(policy).toContain("(docs/security.md#reporting-a-hole)");
    expect(existsSync(path.join(root, ".github", "SECURITY.md"))).toBe(false);
  });
});
