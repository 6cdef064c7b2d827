import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { completePath, readPath } from "../../../src/chat/interactive/file-path.ts";
import { createHome } from "../../helpers/openclaw.ts";

describe("a path as a person types or drops it", () => {
  it.each([
    ["plain.png", "plain.png"],
    ["'a b.png'", "a b.png"],
    ['"it\'s.png"', "it's.png"],
    [String.raw`a\ b\(1\).png`, "a b(1).png"],
    ["''", ""],
    ["-", "./-"],
    ["~", "/users/me"],
    ["~/a.png", "/users/me/a.png"],
    ["~other/a.png", "~other/a.png"],
  ])("%s is %s", (typed, read) => {
    expect(readPath(typed, { homeFolder: "/users/me", currentFolder: "/" })).toBe(read);
  });
});

describe("what may follow", () => {
  const home = (): { homeFolder: string; currentFolder: string } => {
    const folder = createHome();
    mkdirSync(path.join(folder, "pictures"));
    for (const name of ["plan.txt", "a plan.txt", ".hidden", "pictures/one.png"])
      writeFileSync(path.join(folder, name), "");
    return { homeFolder: folder, currentFolder: folder };
  };

  it.each([
    ["p", ["pictures/", "plan.txt"]],
    ["a", [String.raw`a\ plan.txt`]],
    [String.raw`a\ p`, [String.raw`a\ plan.txt`]],
    ["", [String.raw`a\ plan.txt`, "pictures/", "plan.txt"]],
    [".h", [".hidden"]],
    ["pictures/", ["pictures/one.png"]],
    ["~/pl", ["~/plan.txt"]],
    ["nowhere/x", []],
    ["plan.txt/x", []],
  ])("%s: %j", async (typed, offered) => {
    expect(await completePath(typed, home())).toEqual(offered);
  });
});
