import * as fc from "fast-check";
import JSON5 from "json5";
import { expect, test } from "vitest";
import { editDocument } from "../../src/config/document.ts";
import { applyEdit, valueAt, type Edit } from "../../src/config/edit-value.ts";
import { isWithin, type PathSegment } from "../../src/config/path.ts";
import { isThorough } from "../helpers/thorough.ts";

/** A generated document, and for each comment in it the container that it stands in. */
interface Generated {
  text: string;
  owners: Map<string, readonly PathSegment[]>;
}

const KEYS = ["a", "b", "amazon-bedrock", "x.y", "$id", "'", "\u00e9", "", "0"];

/** Writes JSON5 with every freedom the format has: comments everywhere, both quotes, hex, continuations, odd white space. */
class Writer {
  readonly owners: Generated["owners"] = new Map();
  readonly #pick: <T>(choices: readonly T[]) => T;
  readonly #newline: string;
  #comments = 0;

  constructor(pick: <T>(choices: readonly T[]) => T) {
    this.#pick = pick;
    this.#newline = pick(["\n", "\r\n", "\n", "\r"]);
  }

  document(): string {
    const before = this.#pick(["", "\uFEFF"]) + this.#trivia([]);
    const value = this.#object([], 0);
    return before + value + this.#trivia([]);
  }

  #value(path: readonly PathSegment[], depth: number): string {
    const kind = this.#pick(
      depth > 2 ? (["scalar"] as const) : (["scalar", "scalar", "object", "list"] as const),
    );
    if (kind === "object") return this.#object(path, depth);
    if (kind === "list") return this.#list(path, depth);
    return this.#pick([
      "1",
      "-2.5",
      "+3",
      "0xFF",
      ".5",
      "1e3",
      "Infinity",
      "true",
      "false",
      "null",
      '"plain"',
      "'single'",
      `"it's"`,
      `'say "x"'`,
      `"a \\${this.#newline}b"`,
      '"// no comment"',
      "'/* none */'",
      '"{[,:]}"',
      '"\\u0041\\x42\\n"',
    ]);
  }

  #object(path: readonly PathSegment[], depth: number): string {
    const keys = KEYS.filter(() => this.#pick([true, false, false]));
    const members = keys.map((key) => {
      const written = /^[a-z$]+$/.test(key) ? this.#pick([key, `"${key}"`, `'${key}'`]) : this.#quoted(key);
      const colon = `${this.#trivia(path, 0.2)}:${this.#trivia(path, 0.3)}`;
      return `${this.#trivia(path)}${written}${colon}${this.#value([...path, key], depth + 1)}${this.#trivia(path, 0.3)}`;
    });
    return this.#close("{", members, "}", path);
  }

  #list(path: readonly PathSegment[], depth: number): string {
    const items = [0, 1, 2].slice(0, this.#pick([0, 1, 2, 3])).map((index) => {
      return `${this.#trivia(path)}${this.#value([...path, index], depth + 1)}${this.#trivia(path, 0.3)}`;
    });
    return this.#close("[", items, "]", path);
  }

  #close(open: string, members: readonly string[], close: string, path: readonly PathSegment[]): string {
    const last = members.length > 0 ? this.#pick(["", ","]) : "";
    return open + members.join(",") + last + this.#trivia(path) + close;
  }

  #quoted(key: string): string {
    return key.includes("'") ? JSON.stringify(key) : this.#pick([JSON.stringify(key), `'${key}'`]);
  }

  #trivia(owner: readonly PathSegment[], share = 1): string {
    const pieces = Array.from({ length: this.#pick([0, 1, 1, 2, 3]) }, () =>
      this.#pick([
        " ",
        "\t",
        this.#newline,
        `${this.#newline}  `,
        `${this.#newline}\t\t`,
        "block",
        "line",
        "lines",
      ]),
    );
    return pieces
      .filter(() => share === 1 || this.#pick([true, false, false]))
      .map((piece) => {
        if (!/[a-z]/.test(piece)) return piece;
        this.#comments += 1;
        const name = `<${this.#comments}>`;
        this.owners.set(name, owner);
        if (piece === "block") return `/* ${name} */`;
        return piece === "line" ? `// ${name}${this.#newline}` : `/* ${name}${this.#newline} * } */`;
      })
      .join("");
  }
}

const documents = fc.gen().map((gen): Generated => {
  const writer = new Writer((choices) => choices[gen(fc.nat, { max: choices.length - 1 })] as never);
  return { text: writer.document(), owners: writer.owners };
});

const values = fc.oneof(
  fc.constantFrom<unknown>(
    true,
    null,
    0,
    -0,
    -1.5,
    1e21,
    "",
    "text",
    'it\'s "both"',
    "line\nbreak \u2028",
    [],
    {},
  ),
  fc.constantFrom<unknown>(["a", "b"], [{ id: "m" }], { a: 1, "x.y": { z: [1] } }, { b: "new", "": 0 }),
);

/** Picks an edit that is possible: an existing place, or a new key or item beside what is there. */
function pickEdit(value: unknown, choices: { walk: number[]; op: number; value: unknown }): Edit | undefined {
  const path: PathSegment[] = [];
  let current: unknown = value;
  for (const choice of choices.walk) {
    if (typeof current !== "object" || current === null) break;
    const segments: PathSegment[] = Array.isArray(current)
      ? [...current.keys(), current.length]
      : [...Object.keys(current), "fresh"];
    path.push(segments[choice % segments.length]!);
    current = valueAt(value, path);
  }
  if (path.length === 0) return undefined;
  if (choices.op === 0) return current === undefined ? undefined : { op: "unset", path };
  return { op: choices.op === 1 ? "merge" : "set", path, value: choices.value };
}

/** The comments that an edit may take away are those inside the value it touches; items behind a removed one move up. */
function survivors(owners: Generated["owners"], edit: Edit): Generated["owners"] {
  const last = edit.path.at(-1);
  const list = edit.path.slice(0, -1);
  const kept = [...owners].filter(([, owner]) => !isWithin(owner, edit.path));
  if (edit.op !== "unset" || typeof last !== "number") return new Map(kept);
  return new Map(
    kept.map(([name, owner]) => {
      const index = owner[list.length];
      const moves = isWithin(owner, list) && typeof index === "number" && index > last;
      return [name, moves ? [...list, index - 1, ...owner.slice(list.length + 1)] : owner];
    }),
  );
}

const edits = fc.array(
  fc.record({
    walk: fc.array(fc.nat({ max: 9 }), { minLength: 1, maxLength: 4 }),
    op: fc.nat({ max: 3 }),
    value: values,
  }),
  { minLength: 1, maxLength: 6 },
);

test("any sequence of edits of any document leaves the edited value and every comment outside what was removed", () => {
  fc.assert(
    fc.property(documents, edits, (generated, picks) => {
      let { text, owners } = generated;
      let value: unknown = JSON5.parse(text);
      for (const pick of picks) {
        const edit = pickEdit(value, pick);
        if (edit === undefined) continue;
        const expected = applyEdit(value, edit);
        text = editDocument(text, edit).text;
        owners = survivors(owners, edit);
        expect(JSON5.parse(text)).toStrictEqual(expected);
        for (const name of owners.keys()) expect(text.split(name)).toHaveLength(2);
        value = expected;
      }
    }),
    { numRuns: isThorough ? 1500 : 500, interruptAfterTimeLimit: 20_000 },
  );
});

test("setting what is there and taking it away again leaves the text of a new key's neighbours as it was", () => {
  fc.assert(
    fc.property(documents, values, ({ text }, value) => {
      const added = editDocument(text, { op: "set", path: ["never before"], value }).text;
      const removed = editDocument(added, { op: "unset", path: ["never before"] }).text;
      const strip = (source: string): string => source.replaceAll(/[\s,]/g, "");
      expect(strip(removed)).toBe(strip(text));
    }),
    { numRuns: 500 },
  );
});

test("a value that is set to what it is already leaves every byte", () => {
  fc.assert(
    fc.property(documents, ({ text }) => {
      for (const [key, value] of Object.entries(JSON5.parse<Record<string, unknown>>(text))) {
        expect(editDocument(text, { op: "set", path: [key], value }).text).toBe(text);
      }
    }),
    { numRuns: 300 },
  );
});
