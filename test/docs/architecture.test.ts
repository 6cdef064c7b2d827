import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { root } from "../helpers/documents.ts";

test("the architecture page says what every room of src/ holds", () => {
  const page = readFileSync(path.join(root, "docs", "architecture.md"), "utf8");
  const files = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" });
  const inRooms = files.filter((name) => name.endsWith(".ts") && name.includes(path.sep));
  const rooms = new Set(inRooms.map((name) => name.split(path.sep)[0]));
  const described = [...page.matchAll(/^\| `([\w-]+)\/` \| \S/gm)].map(([, name]) => name);
  expect(described.toSorted()).toEqual([...rooms].toSorted());
});
