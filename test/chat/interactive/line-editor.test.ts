import * as fc from "fast-check";
import headless from "@xterm/headless";
import { describe, expect, it } from "vitest";
import { layOut } from "../../../src/chat/interactive/screen-layout.ts";
import { LineEditor } from "../../../src/chat/interactive/line-editor.ts";
import type { Key } from "../../../src/chat/interactive/line-buffer.ts";
import { styleFor } from "../../../src/terminal/color.ts";
import { Terminal } from "../../../src/terminal/terminal.ts";

const HISTORY = [
  "first apple",
  "Second pear",
  "third apple pie",
  "third apple pie",
  "two\nlines of it",
  "日本 apple",
];
const ENTER: Key = { name: "return", text: "\r", ctrl: false, meta: false };

const char = (text: string): Key => ({ name: text, text, ctrl: false, meta: false });
const named = (name: string): Key => ({ name, text: "\u001B[", ctrl: false, meta: false });
const ctrl = (name: string): Key => ({ name, text: "\u0001", ctrl: true, meta: false });

const anyKey = fc.oneof(
  fc.constantFrom(..."aeplt S日".split("")).map(char),
  fc.constantFrom("up", "down", "left", "right", "home", "end", "backspace", "delete", "escape").map(named),
  fc.constantFrom("r", "r", "s", "g", "k", "u", "w", "y", "a", "e", "x", "p", "n", "l").map(ctrl),
  fc
    .constantFrom("apple", "two\nlines", "pe")
    .map((text): Key => ({ name: "paste", text, ctrl: false, meta: false })),
);

/** Presses keys, and Enter until a text is sent; drawn after each of them. */
async function press(keys: readonly Key[], columns: number) {
  const emulator = new headless.Terminal({ cols: columns, rows: 60, allowProposedApi: true });
  const sink = {
    isTTY: true,
    columns,
    rows: 60,
    write: (text: string | Uint8Array) => (emulator.write(text), true),
    once: () => undefined,
  };
  const { screen } = new Terminal(sink, sink, { TERM: "xterm" });
  if (!screen) throw new Error("There is no screen.");
  const waiting = [...keys];
  const editor = new LineEditor({
    keyboard: { isIdle: true, next: async () => waiting.shift() ?? ENTER },
    screen,
    style: await styleFor(0),
    history: () => HISTORY,
    complete: async (typed) => ({ from: typed.length, candidates: [] }),
    readPaste: async () => undefined,
    edit: async (text) => `${text}!`,
    reflows: false,
  });
  const entry = await editor.read();
  await new Promise<void>((resolve) => emulator.write("", resolve));
  const { active } = emulator.buffer;
  const rows = Array.from(
    { length: active.length },
    (_, y) => active.getLine(y)?.translateToString(true).trimEnd() ?? "",
  );
  while (rows.at(-1) === "") rows.pop();
  return { entry, rows };
}

describe("the line editor, whatever is pressed in it", () => {
  it("sends the text that is seen, and leaves nothing else on the screen", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyKey, { maxLength: 40 }),
        fc.constantFrom(34, 60, 80),
        async (keys, columns) => {
          const { entry, rows } = await press(keys, columns);
          if (entry.kind !== "text") throw new Error(`It ended by ${entry.kind}.`);
          const expected = layOut(entry.text, 0, "> ", columns).rows.map(({ text }) => text.trimEnd());
          while (expected.at(-1) === "") expected.pop();
          expect(rows).toEqual(expected);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("gives back what stood there when a search is left by Ctrl-G", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom("", "draft", "two words"),
        fc.array(fc.constantFrom(..."aple r".split("")), { maxLength: 8 }),
        async (draft, query) => {
          const keys = [...draft].map(char).concat(ctrl("r"), query.map(char), ctrl("r"), ctrl("g"));
          expect((await press(keys, 80)).entry).toEqual({ kind: "text", text: draft });
        },
      ),
      { numRuns: 60 },
    );
  });
});
