import { readFileSync } from "node:fs";
import path from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import JSON5 from "json5";
import { expect, test } from "vitest";
import { listSettings } from "../../src/config/find-setting.ts";
import { settingsSchema } from "../../src/config/schema.ts";
import { validate } from "../../src/config/validate.ts";

const accepts = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(settingsSchema());

test("the seed's configuration file fits the schema", () => {
  const file = path.join(import.meta.dirname, "../fixtures/seed-config.json5");
  expect(accepts(JSON5.parse(readFileSync(file, "utf8")))).toBe(true);
});

test("every setting has a description, and its default fits", () => {
  for (const { segments, field } of listSettings()) {
    expect(field.description, segments.join(".")).toMatch(/\.$/);
    if (field.default !== undefined)
      expect(validate(field.default, field.type), segments.join(".")).toEqual([]);
    if (field.example !== undefined) {
      const isText = ["string", "choice", "either"].includes(field.type.kind);
      const example: unknown = isText ? field.example : JSON.parse(field.example);
      expect(validate(example, field.type), segments.join(".")).toEqual([]);
    }
  }
});

const discovery = (values: object): object => ({ models: { bedrockDiscovery: values } });
const TOOL = { description: "d", command: ["x"], input: { type: "object" } };
const tool = (values: object): object => JSON.parse(JSON.stringify({ tools: { t: { ...TOOL, ...values } } }));
const provider = (values: object): object => ({ models: { providers: { p: values } } });

test.each([
  {},
  { other: 1 },
  discovery({ enabled: true, region: "us-east-1", providerFilter: ["a"], refreshInterval: 0 }),
  discovery({ region: "${R}" }),
  discovery({ enabled: "yes" }),
  discovery({ region: "nowhere" }),
  { models: { regions: ["us-east-1", "us-west-2"] } },
  { models: { regions: ["us-east-1", "nowhere"] } },
  discovery({ providerFilter: [""] }),
  discovery({ refreshInterval: 1.5 }),
  discovery({ defaultMaxTokens: 0 }),
  provider({ baseUrl: "ftp://x" }),
  provider({ baseUrl: "https://x" }),
  provider({ api: "other" }),
  provider({ api: "${API}" }),
  provider({ headers: { a: 1 } }),
  provider({ models: [{}] }),
  provider({ models: [{ id: "x", input: ["text"] }] }),
  { agents: { defaults: { model: "a" } } },
  { agents: { defaults: { model: { fallbacks: [] } } } },
  { agents: { defaults: { params: { temperature: 2.1 } } } },
  tool({}),
  tool({ command: [] }),
  tool({ command: [1] }),
  tool({ input: { type: "string" } }),
  tool({ input: { type: "object", oneOf: [{}] } }),
  tool({ input: undefined }),
  tool({ env: { A: 1 } }),
  tool({ env: { "A=B": "" } }),
  tool({ allow: "maybe" }),
  { tools: { shell: TOOL } },
  { tools: { "a b": TOOL } },
  { tools: { profile: "coding", "a b": {}, exec: { allow: 1 } } },
  { mcpServers: { files: { command: "npx", args: [1] } } },
  { mcpServers: { files: { url: "ftp://h" } } },
  { mcp: { servers: { files: { url: "https://h", headers: { A: true } } } } },
])("schema and validation agree on %j", (value) => {
  expect(accepts(value)).toBe(validate(value).length === 0);
});
