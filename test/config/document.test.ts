import { describe, expect, test } from "vitest";
import { editDocument } from "../../src/config/document.ts";
import type { Edit } from "../../src/config/edit-value.ts";
import { parsePath } from "../../src/config/path.ts";

const set = (path: string, value: unknown): Edit => ({ op: "set", path: parsePath(path), value });
const merge = (path: string, value: unknown): Edit => ({ op: "merge", path: parsePath(path), value });
const unset = (path: string): Edit => ({ op: "unset", path: parsePath(path) });

type Row = [what: string, before: string, edit: Edit, after: string];

describe("a new document is plain JSON that every tool reads", () => {
  const table: Row[] = [
    ["no text", "", set("a.b", true), '{\n  "a": {\n    "b": true\n  }\n}\n'],
    ["a byte order mark only", "\uFEFF", set("a", 1), '\uFEFF{\n  "a": 1\n}\n'],
    ["comments only", "// mine\n", set("a", 1), '// mine\n{\n  "a": 1\n}\n'],
    ["a comment without a line end", "// mine", set("a", 1), '// mine\n{\n  "a": 1\n}\n'],
    ["a comment with CRLF", "// mine\r\n", set("a", 1), '// mine\r\n{\r\n  "a": 1\r\n}\r\n'],
    ["an empty object", "{}", set("a.b", ["x"]), '{\n  "a": {\n    "b": ["x"]\n  }\n}'],
    ["an empty object over two lines", "{\n}\n", set("a", {}), '{\n  "a": {}\n}\n'],
    [
      "an empty object with a comment",
      "{\n\t// soon\n}\n",
      set("a", { b: 1 }),
      '{\n\t// soon\n\t"a": {\n\t\t"b": 1\n\t}\n}\n',
    ],
  ];
  test.each(table)("%s", (_, before, edit, after) => {
    expect(editDocument(before, edit).text).toBe(after);
  });
});

describe("a new key looks like those beside it", () => {
  const table: Row[] = [
    ["two blanks, no trailing comma", "{\n  a: 1\n}\n", set("b", 2), "{\n  a: 1,\n  b: 2\n}\n"],
    [
      "four blanks, trailing comma",
      "{\n    a: 1,\n}\n",
      set("b", { c: 1 }),
      "{\n    a: 1,\n    b: {\n        c: 1,\n    },\n}\n",
    ],
    ["tabs and CRLF", "{\r\n\ta: {},\r\n}\r\n", set("a.b", 1), "{\r\n\ta: {\r\n\t\tb: 1,\r\n\t},\r\n}\r\n"],
    ["old line ends", "{\r  a: 1,\r}", set("b", 2), "{\r  a: 1,\r  b: 2,\r}"],
    ["single quotes", "{\n  'a': 'x',\n}", set("b", "it's"), "{\n  'a': 'x',\n  'b': 'it\\'s',\n}"],
    ["quoted keys", '{\n  "a": 1, // c\n}', set("b", 2), '{\n  "a": 1, // c\n  "b": 2,\n}'],
    ["a key that needs quotes", "{\n  a: 1,\n}", set('["x.y"]', 2), '{\n  a: 1,\n  "x.y": 2,\n}'],
    ["on one line", "{ a: 1 }", set("b", { c: [1] }), "{ a: 1, b: { c: [1] } }"],
    ["on one line with a trailing comma", "{ a: 1, }", set("b", 2), "{ a: 1, b: 2, }"],
    ["minified", '{"a":{"b":1}}', set("a.c", { d: [1, 2], e: {} }), '{"a":{"b":1,"c":{"d":[1,2],"e":{}}}}'],
    ["an empty object on the line of others", "{ a: {}, b: 1 }", set("a.c", 2), "{ a: { c: 2 }, b: 1 }"],
    ["blanks before the colon", "{\n  a : 1,\n}", set("b", 2), "{\n  a : 1,\n  b : 2,\n}"],
    [
      "strict JSON stays strict",
      '{\n  "a": [],\n  "b": 1\n}',
      set("c", [{ d: 1 }]),
      '{\n  "a": [],\n  "b": 1,\n  "c": [\n    {\n      "d": 1\n    }\n  ]\n}',
    ],
  ];
  test.each(table)("%s", (_, before, edit, after) => {
    expect(editDocument(before, edit).text).toBe(after);
  });
});

describe("comments keep their places", () => {
  const table: Row[] = [
    [
      "behind the last value",
      "{\n  a: 1 // x\n  // tail\n}",
      set("b", 2),
      "{\n  a: 1, // x\n  b: 2\n  // tail\n}",
    ],
    ["over two lines", "{\n  a: 1 /* x\n  y */\n}", set("b", 2), "{\n  a: 1, /* x\n  y */\n  b: 2\n}"],
    [
      "around a changed value",
      "{ /*1*/ a /*2*/ : /*3*/ 1 /*4*/ , // 5\n}",
      set("a", 2),
      "{ /*1*/ a /*2*/ : /*3*/ 2 /*4*/ , // 5\n}",
    ],
    [
      "above and behind a removed key",
      "{\n  // above\n  a: 1, // behind\n  b: 2,\n}",
      unset("a"),
      "{\n  // above\n  // behind\n  b: 2,\n}",
    ],
    [
      "inside what surrounds a removed value",
      "{ a /*1*/ : // 2\n 1 /*3*/, b: 2 }",
      unset("a"),
      "{ /*1*/ // 2\n/*3*/ b: 2 }",
    ],
    [
      "of neighbours of the last key",
      "{\n  a: 1, // about a\n  // about b\n  b: 2 // tail\n}",
      unset("b"),
      "{\n  a: 1 // about a\n  // about b\n  // tail\n}",
    ],
    [
      "in an object that is replaced key by key",
      "{\n  a: {\n    b: 1, // one\n    c: 2, // two\n  },\n}",
      set("a", { b: 3, c: 2 }),
      "{\n  a: {\n    b: 3, // one\n    c: 2, // two\n  },\n}",
    ],
    [
      "in a list that loses an item",
      "{ a: ['x', // ex\n'y', 'z'] }",
      set("a", ["x", "z"]),
      "{ a: ['x', // ex\n'z'] }",
    ],
  ];
  test.each(table)("%s", (_, before, edit, after) => {
    expect(editDocument(before, edit).text).toBe(after);
  });
});

describe("only the bytes of the value change", () => {
  const table: Row[] = [
    ["a hexadecimal number of the same value stays", "{a: 0xE10}", set("a", 3600), "{a: 0xE10}"],
    ["a line continuation elsewhere stays", "{a: 'x\\\ny', b: 1}", set("b", 2), "{a: 'x\\\ny', b: 2}"],
    ["an escaped key is found", "{ \\u0061b: 1 }", set("ab", 2), "{ \\u0061b: 2 }"],
    [
      "quotes of the value replaced",
      '{ a: \'x\', b: "y", c: "z" }',
      set("a", "w"),
      '{ a: \'w\', b: "y", c: "z" }',
    ],
    ["the byte order mark stays", "\uFEFF{ a: 1 }", set("a", 2), "\uFEFF{ a: 2 }"],
    ["of two equal keys the one that counts", "{a:1,a:2,b:3}", set("a", 9), "{a:1,a:9,b:3}"],
    ["an item of a list", "{ a: [1, 2, 3] }", set("a[1]", 9), "{ a: [1, 9, 3] }"],
    [
      "an item behind the last",
      "{\n  a: [\n    1,\n    2,\n  ],\n}",
      set("a[2]", 3),
      "{\n  a: [\n    1,\n    2,\n    3,\n  ],\n}",
    ],
    [
      "a default model in its short form",
      "{\n  agents: { defaults: { model: 'x' } }, // c\n}",
      set("agents.defaults.model.fallbacks", ["y"]),
      "{\n  agents: { defaults: { model: { primary: 'x', fallbacks: ['y'] } } }, // c\n}",
    ],
    [
      "the text that a default model may be, merged",
      '{"agents":{"defaults":{"model":{"primary":"a","fallbacks":["b"]}}}}',
      merge("agents.defaults.model", "c"),
      '{"agents":{"defaults":{"model":{"primary":"c","fallbacks":["b"]}}}}',
    ],
    [
      "entries merged",
      "{ a: { b: 1, c: { d: 1 } } }",
      merge("a", { c: { e: 2 } }),
      "{ a: { b: 1, c: { d: 1, e: 2 } } }",
    ],
  ];
  test.each(table)("%s", (_, before, edit, after) => {
    expect(editDocument(before, edit).text).toBe(after);
  });
});

describe("a removal takes what it leaves hanging", () => {
  const table: Row[] = [
    ["its line", "{\n  a: 1,\n  b: { c: 1 },\n  d: 2,\n}", unset("b"), "{\n  a: 1,\n  d: 2,\n}"],
    ["the comma before the last", '{\n  "a": 1,\n  "b": 2\n}', unset("b"), '{\n  "a": 1\n}'],
    ["the blank on its line", "{ a: 1, b: 2, c: 3 }", unset("b"), "{ a: 1, c: 3 }"],
    ["the white space of what is now empty", "{\n  a: {\n    b: 1,\n  },\n}", unset("a.b"), "{\n  a: {},\n}"],
    ["every one of equal keys", "{a:1,a:2,b:3}", unset("a"), "{b:3}"],
    ["an item", "{ a: [1, 2, 3] }", unset("a[0]"), "{ a: [2, 3] }"],
  ];
  test.each(table)("%s", (_, before, edit, after) => {
    expect(editDocument(before, edit).text).toBe(after);
  });
});

describe("an edit that cannot be made says why", () => {
  const table: [string, Edit, string, string][] = [
    ["{a: 1}", set("a.b", 2), "config-invalid", "a.b cannot be set: a is the number 1, not an object."],
    ["{a: [1]}", set("a.b", 2), "config-invalid", "a.b cannot be set: a is a list, not an object."],
    ["{a: {}}", set("a[0]", 2), "config-invalid", "a[0] cannot be set: a is an object, not a list."],
    [
      "{a: [1]}",
      set("a[5]", 2),
      "config-invalid",
      "a[5] is beyond the end: a has 1 item, so the next one is [1].",
    ],
    [
      "{}",
      set("a[1]", 2),
      "config-invalid",
      "a[1] is beyond the end: a has 0 items, so the next one is [0].",
    ],
    ["{a: 1}", unset("b"), "config-not-set", "b is not set."],
    ["{a: 1}", unset("a.b"), "config-not-set", "a.b is not set."],
    ["{a: [1]}", unset("a[1]"), "config-not-set", "a[1] is not set."],
    [
      `{a: ${"[".repeat(600)}${"]".repeat(600)}}`,
      set("b", 1),
      "config-invalid",
      "The configuration is nested more than 500 deep.",
    ],
  ];
  test.each(table)("%.40s", (text, edit, code, message) => {
    expect(() => editDocument(text, edit)).toThrow(expect.objectContaining({ code, message }));
  });
});
