import { describe, expect, it } from "vitest";
import { commandAt, isGroup, readFlag } from "../../src/command-line/declaration.ts";
import { SLASH_COMMANDS } from "../../src/chat/interactive/slash-commands.ts";
import { hintForWord, OTHER_WORDS } from "../../src/command-line/other-words.ts";
import { PROGRAM } from "../../src/program.ts";

const rows = Object.entries(OTHER_WORDS).flatMap(([path, words]) =>
  Object.entries(words).flatMap(([names, right]) => names.split(" ").map((name) => ({ path, name, right }))),
);

describe("the table of other words", () => {
  it.each(rows)("$path $name leads to what is there: $right", ({ path, name, right }) => {
    const parents = path === "" ? [] : path.split(" ");
    expect(commandAt(PROGRAM, [...parents, name])).toBeUndefined();
    const words = right.split(" ").filter((word) => !word.startsWith("-"));
    const command = commandAt(PROGRAM, [...parents, ...words]);
    expect(command).toBeDefined();
    const flags = [
      PROGRAM.versionFlag,
      ...PROGRAM.flags,
      ...(command && !isGroup(command) ? (command.flags ?? []) : []),
    ].map((flag) => readFlag(flag).long);
    for (const flag of right.split(" ").filter((word) => word.startsWith("-"))) expect(flags).toContain(flag);
  });

  it("has each word once", () => {
    const keys = rows.map(({ path, name }) => `${path} ${name}`);
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([]);
  });
});

it.each(SLASH_COMMANDS.map(({ name }) => name))("leads to what %s does, typed to the shell", (name) => {
  const near = name === "/model" ? "models" : undefined;
  expect(hintForWord(PROGRAM, [], name, near, [name])).toMatch(/^Did you mean |\/[a-z]/);
});
