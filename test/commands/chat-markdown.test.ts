import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { StreamStep } from "../../src/emulator/script.ts";
import { type Emulated, emulate } from "../helpers/emulated.ts";
import { binary, nodeBinary } from "../helpers/openclaw.ts";
import { openPty, openTerminal, type Sight } from "../helpers/pty.ts";

const ANSWER =
  "See [the docs](https://a.b/c), ~~never~~ &amp; now 👩‍👧.\n\n" +
  "```ts\n/* one\n   two */ const three = 'four';\n```\n\n" +
  "- [x] done\n\n| a | b |\n|---|---|\n| 1 | 2 |";
const SHOWN = [
  "See the docs (https://a.b/c), never & now 👩‍👧.",
  "",
  "```ts",
  "/* one",
  "   two */ const three = 'four';",
  "```",
  "",
  "☑ done",
  "",
  "a  b",
  "─  ─",
  "1  2",
];

/** A machine whose model says these pieces, and then does something else. */
async function saying(pieces: readonly string[], ...then: StreamStep[]): Promise<Emulated> {
  return emulate({
    script: ({ route }) =>
      route === "ConverseStream"
        ? {
            stream: [
              { event: "messageStart", payload: { role: "assistant" } },
              ...pieces.map((text) => ({
                event: "contentBlockDelta",
                payload: { contentBlockIndex: 0, delta: { text } },
              })),
              ...then,
              { event: "contentBlockStop", payload: { contentBlockIndex: 0 } },
              { event: "messageStop", payload: { stopReason: "end_turn" } },
            ],
          }
        : undefined,
  });
}

const ASK = ["chat", "-m", "amazon.nova-lite-v1:0", "hi"];

function ask({ home, env }: Emulated, more: Record<string, string | undefined> = {}, args = ASK): Sight {
  return openTerminal(args, home, { env: { ...env, ...more }, rows: 40 });
}

describe("Markdown on a terminal", () => {
  it.each([
    ["whole", [ANSWER]],
    ["letter by letter", [...ANSWER]],
  ])("is shown as it comes, %s", async (_, pieces) => {
    const terminal = ask(await saying(pieces));
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines()).toEqual(SHOWN);
    expect(terminal.output()).not.toContain("\u001B]8");
    for (const comment of ["/* one", "two */"])
      expect(terminal.lookOf(comment)).toMatchObject({ isDim: true });
    expect(terminal.lookOf("const")).toMatchObject({ isDim: false, color: 5 });
    expect(terminal.lookOf("'four'")).toMatchObject({ color: 2 });
    expect(terminal.lookOf("three")).toMatchObject({ color: terminal.lookOf("done").color });
  });

  it("has links where the terminal has them", async () => {
    const machine = await saying([ANSWER]);
    const terminal = ask(machine, { TERM_PROGRAM_VERSION: "1.105.0" });
    expect(await terminal.exit).toBe(0);
    expect(terminal.output()).toContain("\u001B]8;;https://a.b/c\u001B\\");
    expect(terminal.lines()[0]).toBe("See the docs, never & now 👩‍👧.");
    const none = ask(machine, { TERM_PROGRAM_VERSION: "1.105.0", FORCE_HYPERLINK: "0" });
    expect(await none.exit).toBe(0);
    expect(none.lines()).toEqual(SHOWN);
  });

  it.each([
    ["NO_COLOR", { NO_COLOR: "1" }, ASK],
    ["--no-color", {}, [...ASK, "--no-color"]],
  ])("is laid out without looks with %s, and its marks stand for them", async (_, env, args) => {
    const terminal = ask(await saying([...ANSWER]), env, args);
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines()).toEqual(SHOWN.map((line) => line.replace("never", "~~never~~")));
    expect(terminal.output()).not.toMatch(/\u001B\[[\d;]*m/);
  });

  it.each([
    ["TERM=dumb", ["env", "TERM=dumb", nodeBinary, binary, ...ASK]],
    ["--raw", [nodeBinary, binary, ...ASK, "--raw"]],
  ] as const)("is what the model wrote with %s", async (_, command) => {
    const { home, env } = await saying([...ANSWER]);
    const terminal = openPty([], home, { command, env: { ...env, FORCE_HYPERLINK: "1" }, rows: 40 });
    expect(await terminal.exit).toBe(0);
    expect(terminal.lines()).toEqual(ANSWER.split("\n"));
    expect(terminal.output()).not.toContain("\u001B]8");
  });

  it("is what the model wrote in a pipe", async () => {
    const machine = await saying([...ANSWER]);
    const env = { FORCE_HYPERLINK: "1", FORCE_COLOR: "3", WT_SESSION: "x" };
    expect(await machine.run(ASK, { env })).toMatchObject({ code: 0, stdout: `${ANSWER}\n` });
  });

  it("shows what came of a line of code when it is stopped there", async () => {
    const terminal = ask(await saying(["So:\n```js\nlet a;\n", "/* begun"], { end: "stall" }));
    await terminal.see("let a;");
    terminal.type("\u0003");
    expect(await terminal.exit).toBe(130);
    // The terminal itself shows what was typed.
    expect(terminal.lines().slice(0, 4)).toEqual(["So:", "```js", "let a;", "^C/* begun"]);
  });

  it("loads what colours code when code comes, for its language alone", async () => {
    const loadedBy = async (answer: string): Promise<string[]> => {
      const machine = await saying([answer]);
      const [hook, report] = ["hook.cjs", "loaded.json"].map((name) => path.join(machine.home, name));
      writeFileSync(
        hook ?? "",
        `process.on("exit", () => require("node:fs").writeFileSync(${JSON.stringify(report)}, JSON.stringify(Object.keys(require.cache))));`,
      );
      const terminal = ask(machine, { NODE_OPTIONS: `--require ${hook}` });
      expect(await terminal.exit).toBe(0);
      const files = JSON.parse(readFileSync(report ?? "", "utf8")) as string[];
      return files
        .map((file) => path.basename(file, ".js"))
        .filter((name) => /ace|code-colors|character/.test(name));
    };
    expect(await loadedBy("**No** code, `but` this.\n\n```\nand that\n```\n")).toEqual([]);
    const loaded = await loadedBy("```python\nx = 1\n```\n");
    expect(loaded).toContain("terminal-code-colors");
    expect(loaded.filter((name) => name.includes("python"))).toHaveLength(1);
    expect(loaded.filter((name) => /javascript|php|css/.test(name))).toEqual([]);
  });
});
