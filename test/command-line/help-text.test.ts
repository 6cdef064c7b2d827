import { describe, expect, it } from "vitest";
import { type Action, type Group, visibleMembers } from "../../src/command-line/declaration.ts";
import { closingOf } from "../../src/command-line/examples.ts";
import { helpText, leavesOf, overview, welcome } from "../../src/command-line/help-text.ts";
import { TOPICS } from "../../src/command-line/topics.ts";
import { PROGRAM } from "../../src/program.ts";
import { plainStyle } from "../../src/terminal/color.ts";

const layout = { columns: 80, style: plainStyle };

/** Every command and group that help shows, by its words. */
function commands(command: Group | Action, path: readonly string[] = []): string[][] {
  const below = visibleMembers(command).flatMap(([name, member]) => commands(member, [...path, name]));
  return [[...path], ...below];
}

const headingsOf = (text: string): string[] =>
  [...text.matchAll(/^(\w.*):$/gm)].map(([, heading = ""]) => heading);

describe("the help", () => {
  it.each(commands(PROGRAM).map((path) => [path.join(" "), path] as const))(
    "of 'openclaw %s' has commands before options, and ends with examples and what to read",
    (_, path) => {
      const headings = headingsOf(helpText(PROGRAM, path, layout));
      expect(headings.slice(-2)).toEqual(["Examples", "To read"]);
      const options = headings.findIndex((heading) => heading.endsWith("ptions"));
      expect(options).toBeGreaterThanOrEqual(0);
      if (headings.includes("Commands")) expect(headings.indexOf("Commands")).toBeLessThan(options);
    },
  );

  it.each(leavesOf(PROGRAM).map(({ path }) => path))("of '%s' shows two or three examples", (path) => {
    const { examples, topic } = closingOf(path);
    const text = helpText(PROGRAM, path.split(" "), { ...layout, columns: Infinity });
    expect(examples.length).toBeGreaterThanOrEqual(2);
    for (const { line } of examples.slice(0, 3)) {
      expect(line).toContain("openclaw");
      expect(text).toContain(`  ${line}`);
    }
    expect(text.trimEnd()).toMatch(new RegExp(`\n  openclaw help ${topic}$`));
    expect(Object.keys(TOPICS)).toContain(topic);
  });

  it("has the flags of chat in six groups", () => {
    const headings = headingsOf(helpText(PROGRAM, ["chat"], layout));
    expect(headings.slice(0, headings.indexOf("Global options"))).toEqual([
      "Question",
      "Answer",
      "Tools",
      "Output",
      "Limits",
      "Bedrock",
    ]);
  });

  it("has a first screen of at most 24 rows, the prompt included, with five things to type", () => {
    const text = welcome(PROGRAM, layout);
    expect(text.split("\n").length).toBeLessThanOrEqual(24);
    expect(text.match(/^ {2}openclaw (?:doctor|models list|models set|chat)\b/gm)).toHaveLength(7);
  });

  it("names in its overview every command and every topic", () => {
    const text = overview(PROGRAM, layout);
    for (const { path } of leavesOf(PROGRAM)) expect(text).toContain(`\n  ${path} `);
    for (const name of Object.keys(TOPICS)) expect(text).toContain(`\n  ${name} `);
  });
});
