import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { appendLines, appendLinesAtOnce } from "../../src/disk/append-lines.ts";
import { createHome } from "../helpers/openclaw.ts";

it("appends to nothing but a regular file: what a pipe or a folder is given is not kept", async (context) => {
  if (process.platform === "win32") context.skip("Windows has no pipes in folders.");
  const folder = createHome();
  const pipe = path.join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  mkdirSync(path.join(folder, "folder"));
  for (const name of ["pipe", "folder"]) {
    const file = path.join(folder, name);
    await expect(appendLines(file, "a\n")).rejects.toHaveProperty("code");
    expect(() => appendLinesAtOnce(file, "a\n")).toThrow(name);
  }
  const plain = path.join(folder, "new", "plain");
  await appendLines(plain, "a\n");
  appendLinesAtOnce(plain, "b\n");
  expect(readFileSync(plain, "utf8")).toBe("a\nb\n");
});
