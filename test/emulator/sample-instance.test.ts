import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, it } from "vitest";
import { sampleInstance } from "../../src/emulator/sample-instance.ts";

it.each<[object]>([
  [
    {
      type: "object",
      required: ["a", "b"],
      properties: { a: { type: "string" }, b: { type: "integer", minimum: 3 } },
    },
  ],
  [{ type: "object", properties: { a: { type: "string" } } }],
  [{ type: "array", items: { enum: ["x", "y"] }, minItems: 2 }],
  [{ type: "string", minLength: 20 }],
  [{ type: "string", maxLength: 3 }],
  [{ type: "number", maximum: -5 }],
  [{ type: ["boolean", "null"] }],
  [{ const: { a: 1 } }],
  [{ anyOf: [{ type: "null" }, { type: "string" }] }],
  [
    {
      type: "object",
      required: ["a"],
      properties: { a: { $ref: "#/$defs/name" } },
      $defs: { name: { type: "string" } },
    },
  ],
  [{ properties: { a: { type: "boolean" } }, required: ["a"] }],
])("makes up a value that %j accepts", (schema) => {
  const validate = new Ajv2020({ strict: false }).compile(schema);
  validate(sampleInstance(schema));
  expect(validate.errors ?? []).toEqual([]);
});

it("comes to an end in a schema that contains itself", () => {
  const tree = { type: "object", required: ["child"], properties: { child: { $ref: "#" } } };
  expect(JSON.stringify(sampleInstance(tree))).toContain("null");
});

it.each([
  ["items", { type: "array", minItems: 1e9, items: {} }],
  [
    "items in items",
    JSON.parse('{"type":"array","minItems":1000,"items":'.repeat(10) + "{}" + "}".repeat(10)),
  ],
  ["characters", { type: "string", minLength: 1e9 }],
  ["no items at all", { type: "array", minItems: -1 }],
  ["a loop", { $ref: "#" }],
  [
    "loops that branch",
    {
      type: "object",
      required: ["a", "b", "c"],
      properties: { a: { $ref: "#" }, b: { $ref: "#" }, c: { $ref: "#" } },
    },
  ],
])("makes no more of %s than anybody needs", (_, schema: unknown) => {
  expect((JSON.stringify(sampleInstance(schema)) ?? "").length).toBeLessThan(200_000);
});
