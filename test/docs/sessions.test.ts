import { describe, expect, test } from "vitest";
import { fencedBlocks, readPages } from "../helpers/documents.ts";
import { createHome, emptyEnvironment, pathWithOpenclaw } from "../helpers/openclaw.ts";
import { showOnScreen, textOf } from "../helpers/screen.ts";

interface Step {
  command: string;
  shown: string[];
}

/** The commands of a `console` block, each with the lines shown under it. */
function stepsOf(block: string): Step[] {
  const steps: Step[] = [];
  for (const line of block.trimEnd().split("\n")) {
    const command = /^\$ (.*)$/.exec(line)?.[1];
    if (command !== undefined) steps.push({ command, shown: [] });
    else steps.at(-1)?.shown.push(line);
  }
  return steps.map(({ command, shown }) => ({
    command,
    shown: shown.slice(0, shown.findLastIndex((line) => line !== "") + 1),
  }));
}

/** A line in a page stands for itself; `…` in it stands for anything. A line of nothing but `…` stands for any lines. */
function toPattern(shown: readonly string[]): RegExp {
  const lines = shown.map((line) =>
    line === "…" ? "(?:.*\\n)*?" : `${line.split("…").map(escape).join(".*")}\\n`,
  );
  return new RegExp(`^${lines.join("")}$`);
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

const pages = readPages()
  .map(({ page, text }) => ({ page, steps: fencedBlocks(text, "console").flatMap(stepsOf) }))
  .filter(({ steps }) => steps.length > 0);

describe("the sessions in the pages are what a terminal of 100 columns shows", () => {
  test.each(pages)("$page", async ({ steps }) => {
    const home = createHome();
    const env = { ...emptyEnvironment(home), NO_COLOR: "1", PATH: pathWithOpenclaw(home) };
    for (const { command: line, shown } of steps) {
      // A block that ends with ^C shows a program that runs until it is told to stop.
      const interruptAt = shown.at(-1) === "^C" ? toPattern(shown.slice(0, -1)) : undefined;
      const { lines } = await showOnScreen(line, { env, cwd: home, interruptAt });
      expect(textOf(lines).replaceAll(home, "~"), line).toMatch(toPattern(shown));
    }
  });
});
