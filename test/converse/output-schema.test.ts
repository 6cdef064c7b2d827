import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { readOutputSchema } from "../../src/converse/output-schema.ts";
import { createHome } from "../helpers/openclaw.ts";
import { testRuntime } from "../helpers/test-runtime.ts";

const person = {
  type: "object",
  required: ["name"],
  properties: { name: { type: "string" }, age: { type: "integer" } },
  additionalProperties: false,
};

describe("--schema", () => {
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
    await expect(readOutputSchema(text, testRuntime({ home: createHome() }))).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(words),
    });
  });

  it("says what is wrong with a value, with its place", async () => {
    const { problemsOf } = await readOutputSchema(
      JSON.stringify(person),
      testRuntime({ home: createHome() }),
    );
    expect(problemsOf({ name: "Ada", age: 36 })).toEqual([]);
    expect(problemsOf({ age: "old", x: 1 })).toEqual([
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
    expect(problemsOf(["a"])).toEqual([]);
    expect(problemsOf(["a", "b"])).toHaveLength(1);
  });
});
