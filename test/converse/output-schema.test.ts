import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import {
  compileOutputSchema as compile,
  type JsonSchema,
  type OutputSchema,
  readOutputSchema,
} from "../../src/converse/output-schema.ts";
import { createHome } from "../helpers/openclaw.ts";
import { testRuntime } from "../helpers/test-runtime.ts";

/** A schema that is known to be usable. */
async function compileOutputSchema(
  schema: JsonSchema,
  source: Parameters<typeof compile>[1],
): Promise<OutputSchema> {
  const compiled = compile(schema, source);
  await compiled.checked;
  return compiled;
}

const person = {
  type: "object",
  required: ["name"],
  properties: { name: { type: "string" }, age: { type: "integer" } },
  additionalProperties: false,
};

describe("--schema", () => {
  it("is compiled once for all who ask by it", async () => {
    const schema = { ...person, $id: "https://example.test/once" };
    const signal = AbortSignal.abort(new Error("Nobody is to be asked any more."));
    await expect(compileOutputSchema(schema, { label: "'it'", signal })).rejects.toThrow("Nobody");
    await compileOutputSchema(schema, { label: "'it'" });
    await expect(compileOutputSchema(schema, { label: "'it'", signal })).resolves.toMatchObject({ schema });
  });

  it("is JSON as it stands, or a file of it", async () => {
    const home = createHome();
    writeFileSync(path.join(home, "person.json"), `\uFEFF${JSON.stringify(person)}`);
    const runtime = testRuntime({ home });
    expect((await readOutputSchema(` ${JSON.stringify(person)}`, runtime)).schema).toEqual(person);
    expect((await readOutputSchema("person.json", runtime)).schema).toEqual(person);
  });

  it.each([
    ["missing.json", "'missing.json' cannot be read"],
    ['{"type":', "is not JSON"],
    ["[]", "must be an object"],
    ['{"type":"strin"}', "not a valid JSON Schema: /type must be"],
    ['{"$ref":"https://example.com/schema.json"}', "not a valid JSON Schema"],
  ])("%s is a usage error", async (text, words) => {
    const read = readOutputSchema(text, testRuntime({ home: createHome() }));
    await expect(read.then(({ checked }) => checked)).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(words),
    });
  });

  it("says what is wrong with a value, with its place", async () => {
    const { problemsOf } = await readOutputSchema(
      JSON.stringify(person),
      testRuntime({ home: createHome() }),
    );
    expect(await problemsOf('{"name":"Ada","age":36}')).toEqual([]);
    expect(await problemsOf('{"age":"old","x":1}')).toEqual([
      "/ must have required property 'name'",
      "/ must NOT have additional properties ('x')",
      "/age must be integer",
    ]);
  });

  it.each([
    ["http://json-schema.org/draft-07/schema#", { items: [{ type: "string" }], additionalItems: false }],
    ["https://json-schema.org/draft/2019-09/schema", { items: [{ type: "string" }], additionalItems: false }],
    ["https://json-schema.org/draft/2020-12/schema", { prefixItems: [{ type: "string" }], items: false }],
  ])("is read by the rules of its draft: %s", async ($schema, rest) => {
    const text = JSON.stringify({ $schema, type: "array", ...rest });
    const { problemsOf } = await readOutputSchema(text, testRuntime({ home: createHome() }));
    expect(await problemsOf('["a"]')).toEqual([]);
    expect(await problemsOf('["a","b"]')).toHaveLength(1);
  });
});

/** A schema with so many others in each other. */
function nested(levels: number, around: (inner: object) => object): object {
  let schema: object = {};
  for (let level = 0; level < levels; level += 1) schema = around(schema);
  return schema;
}

const doubling = (levels: number): object => ({
  $ref: `#/$defs/a${levels}`,
  $defs: Object.fromEntries(
    Array.from({ length: levels + 1 }, (_, level) => {
      const inner = level === 0 ? { type: "string" } : { $ref: `#/$defs/a${level - 1}` };
      return [`a${level}`, { anyOf: [inner, inner] }];
    }),
  ),
});

/** Schemas that cannot be used, and where and why. */
const UNUSABLE: readonly (readonly [what: string, schema: object, words: string])[] = [
  ["$async at the root", { $async: true }, "/$async is not supported"],
  ["$async of any kind", { $async: { a: 1 } }, "/$async is not supported"],
  ["$async in a property", { properties: { a: { $async: 1 } } }, "/properties/a/$async is not supported"],
  ["$async in a list", { allOf: [{}, { $async: "x" }] }, "/allOf/1/$async is not supported"],
  [
    "$async by a dependency",
    { dependentSchemas: { a: { $async: true } } },
    "/dependentSchemas/a/$async is not supported",
  ],
  ["a type that is none", { properties: { a: { type: "strin" } } }, "/properties/a/type must be"],
  ["a keyword of a wrong type", { required: "a" }, "/required must be array"],
  ["a pattern that is none", { items: { pattern: "(" } }, "/items/pattern is not a regular expression"],
  ["a pattern that is none with the u flag", { pattern: "\\-" }, "/pattern is not a regular expression"],
  [
    "a name that is no pattern",
    { patternProperties: { "a/[": {} } },
    "/patternProperties/a~1[ is not a regular expression",
  ],
  ["a pattern of too many groups", { pattern: "()".repeat(40_000) }, "/pattern is not a regular expression"],
  [
    "an older draft",
    { $schema: "http://json-schema.org/draft-04/schema#" },
    "/$schema names none of the drafts",
  ],
  ["an unknown draft", { $schema: "https://example.com/mine" }, "/$schema names none of the drafts"],
  ["a draft that is no text", { $schema: 7 }, "/$schema names none of the drafts"],
  [
    "a reference to a host",
    { properties: { a: { $ref: "https://127.0.0.1:1/a.json" } } },
    "/properties/a/$ref refers to 'https://127.0.0.1:1/a.json', which is not in the schema",
  ],
  ["a reference to a file", { $ref: "file:///etc/passwd" }, "/$ref refers to 'file:///etc/passwd'"],
  ["a reference to nothing", { items: { $ref: "#/$defs/x" } }, "/items/$ref refers to '#/$defs/x'"],
  ...["__proto__", "constructor", "toString", "$defs/hasOwnProperty", "allOf/map"].map(
    (name) =>
      [
        `a reference to what every object has: ${name}`,
        { $defs: {}, allOf: [{}], items: { $ref: `#/${name}` } },
        `/items/$ref refers to '#/${name}', which is not in the schema`,
      ] as const,
  ),
  ["a reference that is no URI", { $ref: "#/%zz" }, "malformed"],
  ["a circle of one", { $ref: "#" }, "/ refers to itself without an end"],
  ["a circle by a list", { anyOf: [{ type: "string" }, { $ref: "#" }] }, "/ refers to itself"],
  [
    "a circle of a property",
    { properties: { a: { $ref: "#/properties/a" } } },
    "/properties/a refers to itself",
  ],
  [
    "a circle of several",
    { $defs: { a: { $ref: "#/$defs/b" }, b: { not: { $ref: "#/$defs/a" } } } },
    "/$defs/a refers to itself",
  ],
  ["a circle by an anchor", { $anchor: "x", if: { $ref: "#x" } }, "/ refers to itself"],
  ["a dynamic circle", { $dynamicAnchor: "n", $dynamicRef: "#n" }, "/ refers to itself"],
  [
    "an anchor that stands twice",
    { $defs: { a: { $anchor: "x" }, b: { $anchor: "x", type: "string" } } },
    '/$defs/a/$anchor reference "#x" resolves to more than one schema',
  ],
  [
    "an id of a draft's own",
    { $id: "https://json-schema.org/draft/2020-12/schema" },
    "/$id schema with key or id",
  ],
  ["the id of an older draft", { items: { id: "x" } }, "/items/id NOT SUPPORTED"],
  ["schemas nested deeply", nested(300, (not) => ({ not })), "/ is nested deeper than 200 levels"],
  ["schemas nested without an end", nested(50_000, (not) => ({ not })), "/ is nested too deeply"],
  [
    "a list of very many",
    { anyOf: Array.from({ length: 60_000 }, () => ({ type: "string" })) },
    "takes longer than 1 s",
  ],
];

describe("a schema that cannot be used", () => {
  it.each(UNUSABLE)("is refused with its place: %s", async (_, schema, words) => {
    await expect(compileOutputSchema(schema as never, { label: "'it'" })).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(words),
    });
  });
});

/** Schemas with a value, and what is wrong with it. */
const USABLE: readonly (readonly [
  what: string,
  schema: string,
  value: string,
  problems: readonly string[],
])[] = [
  [
    "a property $async",
    '{"properties":{"$async":{"type":"string"}}}',
    '{"$async":1}',
    ["/$async must be string"],
  ],
  ["$async in a value", '{"const":{"$async":true}}', '{"$async":true}', []],
  ["$async that says no", '{"$async":false,"type":"string"}', "1", ["/ must be string"]],
  [
    "names that every object has",
    '{"properties":{"constructor":{"type":"string"},"toString":{"type":"string"}}}',
    "{}",
    [],
  ],
  [
    "such names where they are needed",
    '{"required":["toString"]}',
    "{}",
    ["/ must have required property 'toString'"],
  ],
  [
    "__proto__",
    '{"properties":{"__proto__":{"type":"string"}},"required":["__proto__"],"additionalProperties":false}',
    '{"__proto__":"x"}',
    [],
  ],
  [
    "__proto__ of a wrong type",
    '{"properties":{"__proto__":{"type":"string"}}}',
    '{"__proto__":1}',
    ["/__proto__  must be string"],
  ],
  [
    "schemas that are yes or no",
    '{"properties":{"a":true,"b":false}}',
    '{"a":1,"b":1}',
    ["/b boolean schema is false"],
  ],
  ["unknown keywords and formats", '{"x-a":{"b":1},"format":"nothing","$comment":"c"}', "1", []],
  [
    "draft-06",
    '{"$schema":"http://json-schema.org/draft-06/schema#","type":"string"}',
    "1",
    ["/ must be string"],
  ],
  ["nullable without a type", '{"nullable":true,"items":{"nullable":false,"type":"null"}}', "[null]", []],
  ["nullable with a type", '{"type":"string","nullable":true}', "null", []],
  [
    "a property nullable",
    '{"properties":{"nullable":{"type":"string"}}}',
    '{"nullable":1}',
    ["/nullable must be string"],
  ],
  ["a default", '{"properties":{"a":{"default":{"__proto__":{"x":1}}}}}', "{}", []],
  ["a tree", '{"$defs":{},"properties":{"c":{"$ref":"#"}}}', '{"c":{"c":{}}}', []],
  [
    "a tree of one draft's own",
    '{"$dynamicAnchor":"n","properties":{"c":{"$dynamicRef":"#n"}}}',
    '{"c":{"c":{}}}',
    [],
  ],
  [
    "a value that is nested without an end",
    '{"properties":{"c":{"$ref":"#"}}}',
    `${'{"c":'.repeat(100_000)}{}${"}".repeat(100_000)}`,
    ["/ is nested too deeply to be checked"],
  ],
];

describe("a schema that can be used", () => {
  it.each(USABLE)("may have %s", async (_, schema, value, problems) => {
    const { problemsOf } = await compileOutputSchema(JSON.parse(schema) as never, { label: "'it'" });
    expect(await problemsOf(value)).toEqual(problems);
  });
});

const text = JSON.stringify(`${"a".repeat(60)}!`);

describe("a value that cannot be checked in a second", () => {
  it.each<[what: string, schema: object, value: string]>([
    ["a pattern", { pattern: "^(a+)+$" }, text],
    ["patterns of names", { patternProperties: { "^(a|a)*$": {} } }, `{${text}:1}`],
    ["a pattern in a choice", { oneOf: [{ pattern: "^(.*a){30}$" }] }, JSON.stringify("a".repeat(500) + "!")],
    ["references that double", doubling(60), "1"],
    [
      "a list of objects that must differ",
      { items: { type: "object" }, uniqueItems: true },
      JSON.stringify(Array.from({ length: 30_000 }, (_, index) => ({ a: 1, b: { index } }))),
    ],
    ["more mistakes than the memory holds", { items: { type: "string" } }, `[${"1,".repeat(1e6)}1]`],
  ])("is given up, and nobody else waits: %s", async (what, schema, value) => {
    // Both are new, so that two workers have started when they are asked.
    const [hard, easy] = await Promise.all(
      [schema, { title: what, type: "string" }].map((each) =>
        compileOutputSchema(each as never, { label: "'it'", param: "p" }),
      ),
    );
    const given = hard?.problemsOf(value).catch((error: unknown) => error);
    const isFirst = await Promise.race([given?.then(() => "hard"), easy?.problemsOf("1").then(() => "easy")]);
    expect(isFirst).toBe("easy");
    expect(await given).toMatchObject({
      code: "invalid-request",
      message: expect.stringMatching(/'it' takes (longer than 1 s|too much memory) for it/),
      details: { param: "p" },
    });
    expect(await easy?.problemsOf("1")).toEqual(["/ must be string"]);
  });
});

it("drops the questions of calls that are over, and answers the others in turn", async () => {
  const slow = await compileOutputSchema({ title: "in turn", pattern: "^(a+)+$" }, { label: "'it'" });
  const hard = Array.from({ length: 8 }, () => slow.problemsOf(text).catch((error: Error) => error));
  const gone = new AbortController();
  // One of those that go first would have an answer already.
  const left = compileOutputSchema({ pattern: "b" }, { label: "'it'", signal: gone.signal });
  const stayed = compileOutputSchema({ type: "string" }, { label: "'it'" });
  gone.abort(new Error("gone"));
  await expect(left).rejects.toThrow("gone");
  expect(await (await stayed).problemsOf("1")).toHaveLength(1);
  expect(await Promise.all(hard)).toEqual(Array.from({ length: 8 }, () => expect.any(Error)));
});
