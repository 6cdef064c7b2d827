import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { type Emulated, emulate } from "../helpers/emulated.ts";

async function withFiles(): Promise<{ emulated: Emulated; cwd: string }> {
  const emulated = await emulate();
  for (const name of ["a.txt", "b.txt", "c d.txt", "Makefile", "s.json", "extra.json"])
    writeFileSync(path.join(emulated.home, name), name.endsWith("json") ? '{"type":"object"}' : "some text");
  return { emulated, cwd: emulated.home };
}

describe("a file behind the one that a flag takes is refused with what to write", () => {
  it.each([
    [["-f", "a.txt", "b.txt", "sum"], "-f a.txt -f b.txt;"],
    [["sum", "-f", "a.txt", "b.txt"], "-f a.txt -f b.txt;"],
    [["-f", "a.txt", "b.txt", "c d.txt", "sum"], "-f a.txt -f b.txt -f 'c d.txt';"],
    [["--file", "a.txt", "b.txt"], "-f a.txt -f b.txt;"],
    [["--file=a.txt", "b.txt", "sum"], "-f a.txt -f b.txt;"],
    [["-fa.txt", "b.txt", "sum"], "-f a.txt -f b.txt;"],
    [["-f", "Makefile", "-f", "a.txt", "b.txt", "sum"], "-f a.txt -f b.txt;"],
    [["-f", "a.txt", "a.txt", "b.txt", "c d.txt", "Makefile", "sum"], "-f 'c d.txt' …;"],
    [["--schema", "s.json", "extra.json", "sum"], "-f extra.json;"],
    [["--system-file", "a.txt", "b.txt", "sum"], "-f b.txt;"],
    [["-f", "a.txt", "sum", "b.txt"], "-f a.txt -f b.txt;"],
    [["-f", "a.txt", "compare with", "b.txt", "and", "c d.txt"], "-f a.txt -f b.txt -f 'c d.txt';"],
    [["-f", "a.txt", "-s", "Makefile", "--no-color", "b.txt", "sum"], "-f a.txt -f b.txt;"],
    [["-f", "a.txt", "--temperature=0.5", "sum", "b.txt"], "-f a.txt -f b.txt;"],
  ])("%j", async (args, hint) => {
    const { emulated, cwd } = await withFiles();
    const { code, stderr, stdout } = await emulated.run(["chat", "-m", "amazon.nova-lite-v1:0", ...args], {
      cwd,
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(hint);
    expect(stderr).toContain("put -- before");
    expect(emulated.routes()).toEqual([]);
  });
});

describe("what may be meant is asked", () => {
  it.each([
    [["-f", "a.txt", "--", "b.txt", "sum"], "b.txt sum"],
    [["b.txt"], "b.txt"],
    [["b.txt", "-f", "a.txt"], "b.txt"],
    [["-f", "a.txt", "what differs in b.txt?"], "what differs in b.txt?"],
    [["-f", "a.txt", "-s", "b.txt", "sum"], "sum"],
    [["-f", "a.txt", "--", "sum", "b.txt"], "sum b.txt"],
    [["-f", "a.txt", "make"], "make"],
    [["-f", "a.txt", ".ssh"], ".ssh"],
    [["-f", "a.txt", `why?${" ".repeat(5000)}`], "why?"],
    [["-s", "b.txt", "a.txt"], "a.txt"],
  ])("%j", async (args, asked) => {
    const { emulated, cwd } = await withFiles();
    const { code, stdout } = await emulated.run(["chat", "-m", "amazon.nova-lite-v1:0", ...args], { cwd });
    expect(code).toBe(0);
    expect(stdout).toContain(asked);
  });
});
