import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect } from "vitest";

const folder = fileURLToPath(new URL("../../docs/schemas/", import.meta.url));

const read = (name: string): object =>
  JSON.parse(readFileSync(path.join(folder, `${name}.schema.json`), "utf8")) as object;

/** Keeps what it has compiled: that takes longer than hundreds of documents. */
const ajv = new Ajv2020({ allErrors: true, strict: true, allowUnionTypes: true, schemas: [read("error")] });

/** Asserts that a `--json` document is what its schema in docs/schemas/ says. */
export function expectSchema(name: string, document: unknown): void {
  const validate = ajv.getSchema(`${name}.schema.json`) ?? ajv.compile(read(name));
  validate(document);
  expect(validate.errors ?? []).toEqual([]);
}
