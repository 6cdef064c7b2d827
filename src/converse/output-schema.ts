import { readFile } from "node:fs/promises";
import path from "node:path";
import type { ErrorObject, ValidateFunction } from "ajv";
import { usageError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";

/** A JSON Schema that an answer must fit. */
export interface OutputSchema {
  schema: JsonSchema;
  /** What is wrong with a value, each as `/path what it must be`; empty when it fits. */
  problemsOf: (value: unknown) => string[];
  /** Whether an answer that stopped for this reason is handed on although it does not fit. Never, unless told otherwise. */
  mayMisfit?: ((stopReason: string) => boolean) | undefined;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** More problems than these say nothing more. */
const MOST_PROBLEMS = 10;

/**
 * Reads the schema of `--schema`: JSON as it stands, or the path of a file. Drafts 07, 2019-09 and 2020-12 by its
 * `$schema`, 2020-12 without one; `format` is not checked. Throws `usage` for what is no valid JSON Schema object.
 */
export async function readOutputSchema(text: string, runtime: Runtime): Promise<OutputSchema> {
  const isInline = /^\s*[{[]/.test(text);
  const label = isInline ? "--schema" : `--schema '${text}'`;
  const json = isInline ? text : await readSchemaFile(text, runtime);
  let schema: unknown;
  try {
    schema = JSON.parse(json.replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw usageError(
      `${label} is not JSON: ${(cause as Error).message}.`,
      "Name a file, or quote a JSON Schema.",
    );
  }
  if (typeof schema !== "object" || schema === null || Array.isArray(schema))
    throw usageError(
      `${label} is not a JSON Schema: it must be an object.`,
      'For example: \'{"type":"object"}\'',
    );
  return compileOutputSchema(schema as JsonSchema, label);
}

/** Makes a schema ready to check answers by. Throws `usage`, naming it by `label`, for what is no valid JSON Schema. */
export async function compileOutputSchema(schema: JsonSchema, label: string): Promise<OutputSchema> {
  const validate = await compile(schema, label);
  return {
    schema,
    problemsOf: (value) =>
      validate(value) ? [] : (validate.errors ?? []).slice(0, MOST_PROBLEMS).map(describe),
  };
}

async function readSchemaFile(name: string, runtime: Runtime): Promise<string> {
  try {
    return await readFile(path.resolve(runtime.currentFolder, name), "utf8");
  } catch (cause) {
    throw usageError(
      `--schema '${name}' cannot be read: ${(cause as Error).message}.`,
      "Name a file, or quote a JSON Schema.",
    );
  }
}

async function compile(schema: JsonSchema, label: string): Promise<ValidateFunction> {
  const options = { allErrors: true, strict: false, validateFormats: false } as const;
  try {
    return (await validatorFor(schema["$schema"], options)).compile(schema);
  } catch (cause) {
    throw usageError(
      `${label} is not a valid JSON Schema: ${(cause as Error).message.replace(/^schema is invalid: data/, "").split(", data")[0]}.`,
      "Correct the schema; https://json-schema.org/learn shows how.",
    );
  }
}

async function validatorFor(draft: unknown, options: object) {
  const name = String(draft ?? "");
  if (/draft-0[67]/.test(name)) return new (await import("ajv")).default(options);
  if (name.includes("2019-09")) return new (await import("ajv/dist/2019.js")).default(options);
  return new (await import("ajv/dist/2020.js")).default(options);
}

function describe({ instancePath, message, params }: ErrorObject): string {
  const extra = (params as { additionalProperty?: string }).additionalProperty;
  return `${instancePath || "/"} ${message ?? "does not fit"}${extra === undefined ? "" : ` ('${extra}')`}`;
}
