import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatPath, isUnsafeKey, parsePath, type PathSegment } from "../../src/config/path.ts";
import { OpenclawError } from "../../src/errors.ts";

describe("a path is read", () => {
  const table: [string, PathSegment[]][] = [
    ["a", ["a"]],
    ["a.b.c", ["a", "b", "c"]],
    ["a.b[0].c", ["a", "b", 0, "c"]],
    ["a[10][2]", ["a", 10, 2]],
    ['models.providers["amazon-bedrock"].baseUrl', ["models", "providers", "amazon-bedrock", "baseUrl"]],
    ["models.providers['amazon-bedrock'].baseUrl", ["models", "providers", "amazon-bedrock", "baseUrl"]],
    ["models.providers[amazon-bedrock].baseUrl", ["models", "providers", "amazon-bedrock", "baseUrl"]],
    ["models.providers.amazon-bedrock.baseUrl", ["models", "providers", "amazon-bedrock", "baseUrl"]],
    [
      'agents.defaults.models["amazon-bedrock/us.x-v1:0"].alias',
      ["agents", "defaults", "models", "amazon-bedrock/us.x-v1:0", "alias"],
    ],
    [
      "agents.defaults.models[amazon-bedrock/us.x-v1:0].alias",
      ["agents", "defaults", "models", "amazon-bedrock/us.x-v1:0", "alias"],
    ],
    ['["a"].b', ["a", "b"]],
    ['a["0"]', ["a", "0"]],
    ['a[""]', ["a", ""]],
    ['a["x\\"y\\\\z\\n\\u0041"]', ["a", 'x"y\\z\nA']],
    ["a['it\\'s']", ["a", "it's"]],
    ["a.0", ["a", "0"]],
    ["a.ключ", ["a", "ключ"]],
  ];
  test.each(table)("%s", (text, segments) => {
    expect(parsePath(text)).toEqual(segments);
  });
});

test("a path leads as deep as a configuration may be nested, and no deeper", () => {
  expect(parsePath("a.".repeat(499) + "a")).toHaveLength(500);
  expect(() => parsePath(`a${"[0]".repeat(5000)}`)).toThrow("leads more than 500 deep");
});

describe("a malformed path is refused with its place", () => {
  const table: [string, number, string][] = [
    ["a..b", 3, "a key is missing before the dot"],
    [".a", 1, "a key is missing before the dot"],
    ["a.", 3, 'a key must follow the "."'],
    ["a.[0]", 3, "a key is missing before the bracket"],
    ["a[0]b", 5, 'a "." or "["'],
    ["a[", 3, "never closed"],
    ["a[0", 4, "never closed"],
    ["a[]", 3, "the brackets are empty"],
    ["a[-1]", 3, "-1 is not an index"],
    ["a[01]", 3, "01 is not an index"],
    ["a[99999999999999999999]", 3, "is not an index"],
    ['a["b]', 3, "never closed"],
    ['a["b"c]', 6, '"]" must follow'],
    ['a["\\q"]', 4, "backslash"],
    ["a]", 2, '"]" closes nothing'],
    ["a b", 2, '" " must be inside'],
    ['a."b"', 3, "must be inside"],
  ];
  test.each(table)("%s", (text, place, words) => {
    expect(() => parsePath(text)).toThrow(
      expect.objectContaining({
        code: "usage",
        exitCode: 2,
        message: expect.stringContaining(`at character ${place}: `),
      }),
    );
    expect(() => parsePath(text)).toThrow(words);
  });

  test.each(["", "   "])("%j is empty", (text) => {
    expect(() => parsePath(text)).toThrow(
      expect.objectContaining({ code: "usage", message: "The path is empty." }),
    );
  });
});

test.each([
  "__proto__.polluted",
  "a.constructor",
  'a["prototype"].b',
  "[__proto__]",
  'models["\\u005f_proto__"]',
])("%s is refused: it reaches into JavaScript", (text) => {
  expect(() => parsePath(text)).toThrow(expect.objectContaining({ code: "usage", exitCode: 2 }));
  expect(() => parsePath(text)).toThrow("a part of JavaScript itself");
});

const segments = fc.array(
  fc.oneof(fc.string({ unit: "binary" }), fc.nat(), fc.constantFrom("a.b", "x[0]", '"', "\\", "0")),
  {
    minLength: 1,
    maxLength: 5,
  },
);

test("every path is read back as it was written", () => {
  fc.assert(
    fc.property(segments, (path) => {
      fc.pre(!path.some(isUnsafeKey));
      expect(parsePath(formatPath(path))).toEqual(path);
    }),
  );
});

test("any text is either a path or a usage error", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", ".", "[", "]", '"', "'", "0", "\\", " ", "-") }),
      (text) => {
        try {
          expect(parsePath(formatPath(parsePath(text)))).toEqual(parsePath(text));
        } catch (error) {
          expect(error).toBeInstanceOf(OpenclawError);
          expect(error).toMatchObject({ code: "usage" });
        }
      },
    ),
  );
});
