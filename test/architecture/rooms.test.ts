import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../helpers/documents.ts";

/** An import of one file of src/ by another, types and `import()` included. Paths from src/. */
interface Arrow {
  from: string;
  to: string;
}

/** The sources of the program by their paths from src/. */
function readSources(): Map<string, string> {
  const folder = path.join(root, "src");
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return new Map(
    names
      .filter((name) => name.endsWith(".ts"))
      .map((name) => [name.split(path.sep).join("/"), readFileSync(path.join(folder, name), "utf8")]),
  );
}

/** Every arrow that a source draws. */
function arrowsOf(from: string, text: string): Arrow[] {
  const code = text.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, "");
  const names = [...code.matchAll(/(?:\bfrom|\bimport\(|\bimport)\s*"(\.{1,2}\/[^"]+)"/g)];
  return names.map(([, name = ""]) => ({ from, to: path.posix.join(path.posix.dirname(from), name) }));
}

/** The rooms as docs/architecture.md lists them, from the top of the house down. */
function readOrder(): string[] {
  const page = readFileSync(path.join(root, "docs", "architecture.md"), "utf8");
  return [...page.matchAll(/^\| `([\w/-]+?)\/?(?:\.ts)?` \| \S/gm)].map(([, name = ""]) => name);
}

/** The room of a file: the longest name of the order that its path begins with. */
function roomOf(file: string, order: readonly string[]): string | undefined {
  const place = file.replace(/\.ts$/, "");
  const rooms = order.filter((room) => place === room || place.startsWith(`${room}/`));
  return rooms.toSorted((left, right) => right.length - left.length)[0];
}

/** Arrows to a room that does not stand below the one they come from. */
function rising(arrows: readonly Arrow[], order: readonly string[]): string[] {
  return arrows.flatMap(({ from, to }) => {
    const [start, end] = [roomOf(from, order), roomOf(to, order)];
    if (start === undefined || end === undefined)
      return [`${from} -> ${to}: a room that the page does not list`];
    return start === end || order.indexOf(start) < order.indexOf(end) ? [] : [`${from} -> ${to}`];
  });
}

/** Files that lead back to themselves, each circle once by the arrow that closes it. */
function circles(arrows: readonly Arrow[]): string[] {
  const next = new Map<string, Arrow[]>();
  for (const arrow of arrows) next.set(arrow.from, [...(next.get(arrow.from) ?? []), arrow]);
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (file: string, trail: readonly string[]): void => {
    if (trail.includes(file)) found.push([...trail.slice(trail.indexOf(file)), file].join(" -> "));
    if (done.has(file) || trail.includes(file)) return;
    for (const { to } of next.get(file) ?? []) walk(to, [...trail, file]);
    done.add(file);
  };
  for (const file of next.keys()) walk(file, []);
  return found;
}

const sources = readSources();
const arrows = [...sources].flatMap(([name, text]) => arrowsOf(name, text));
const order = readOrder();

describe("the house", () => {
  test("has a line in the page for every room and every file outside of one", () => {
    const rooms = new Set([...sources.keys()].map((file) => roomOf(file, order)));
    expect(rooms).not.toContain(undefined);
    expect(order.filter((room) => !rooms.has(room))).toEqual([]);
  });

  test("has arrows that run down only, types included", () => {
    expect(arrows.length).toBeGreaterThan(1000);
    expect(rising(arrows, order)).toEqual([]);
  });

  test("has no circle of files, types included", () => {
    expect(circles(arrows)).toEqual([]);
  });
});

/** What the emulator may know: it plays AWS, and would share the mistakes of the rooms that it is there to judge. */
const KNOWN_TO_EMULATOR = new Set([
  "emulator",
  "aws",
  "json",
  "json-bounds",
  "json-numbers",
  "parse-in-turns",
  "loopback",
  "errors",
  "http-port",
  "read-bytes",
]);

/** Arrows from the emulator to what it may not know. */
function betrayals(all: readonly Arrow[]): string[] {
  return all.flatMap(({ from, to }) =>
    roomOf(from, order) === "emulator" && !KNOWN_TO_EMULATOR.has(roomOf(to, order) ?? "")
      ? [`${from} -> ${to}`]
      : [],
  );
}

describe("the emulator", () => {
  test("knows nothing of the program that it is there to judge", () => {
    expect(betrayals(arrows)).toEqual([]);
    const borrowed = { from: "emulator/listener.ts", to: "converse/frame-reader.ts" };
    expect(betrayals([borrowed])).toHaveLength(1);
  });
});

describe("the rules", () => {
  test("see imports of every kind", () => {
    const text = [
      'import { a } from "../models/list.ts";',
      'import type { B } from "./b.ts";',
      'import "./c.ts";',
      'export { d } from "./d.ts";',
      'const e = await import("./e.ts");',
      '// import { f } from "./f.ts";',
      'import g from "node:path";',
    ].join("\n");
    expect(arrowsOf("chat/a.ts", text).map(({ to }) => to)).toEqual([
      "models/list.ts",
      "chat/b.ts",
      "chat/c.ts",
      "chat/d.ts",
      "chat/e.ts",
    ]);
  });

  test("refuse an arrow that runs up, between rooms that the other already uses, and to a room without a line", () => {
    const up = { from: "models/list.ts", to: "chat/ask-model.ts" };
    const inner = { from: "chat/sessions/session-id.ts", to: "chat/ask-model.ts" };
    const unknown = { from: "models/list.ts", to: "attic/box.ts" };
    expect(rising([up], order)).toEqual(["models/list.ts -> chat/ask-model.ts"]);
    expect(rising([inner], order)).toHaveLength(1);
    expect(rising([unknown], order)).toHaveLength(1);
    expect(rising([{ from: up.to, to: up.from }], order)).toEqual([]);
  });

  test("refuse a circle, however long", () => {
    const ring = ["a.ts", "b.ts", "c.ts"].map((from, index, all) => ({
      from,
      to: all[(index + 1) % 3] ?? "",
    }));
    expect(circles(ring)).toEqual(["a.ts -> b.ts -> c.ts -> a.ts"]);
    expect(circles(ring.slice(1))).toEqual([]);
  });
});
