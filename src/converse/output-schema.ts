import { readTextInput } from "../disk/read-input.ts";
import { OpenclawError, usageError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { ANSWER_MS, askSchemaWorker } from "./schema-workers.ts";
import { parseExactly, toJson } from "../json-numbers.ts";

export interface OutputSchema {
  schema: JsonSchema;
  /** What its caller calls it; undefined where it has no name, or one that not every API takes. */
  name?: string | undefined;
  /** What its caller tells the model of it. */
  description?: string | undefined;
  /**
   * Resolves when the schema is known to be usable, which is awaited before anything is asked by it. Rejects with `usage`,
   * naming the schema and the place in it, for what is no valid JSON Schema or cannot be compiled within a second, and with
   * `service-unavailable` when too many are.
   */
  checked: Promise<void>;
  /**
   * What is wrong with a value, given as JSON, each as `/path what it must be`; empty when it fits. Rejects with
   * `invalid-request` when that cannot be told within a second.
   */
  problemsOf: (json: string) => Promise<string[]>;
  /** Whether an answer that stopped for this reason is handed on although it does not fit. Never, unless told otherwise. */
  mayMisfit?: ((stopReason: string) => boolean) | undefined;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** How a schema is called where it was given, and whose call it belongs to. */
export interface SchemaSource {
  label: string;
  /** The field of a request. */
  param?: string;
  /** Characters of it that are taken. */
  most?: number;
  signal?: AbortSignal | undefined;
}

/**
 * Reads the schema of `--schema`: JSON as it stands, or the path of a file. Drafts 07, 2019-09 and 2020-12 by its
 * `$schema`, 2020-12 without one; `format` is not checked. Throws `usage` for what is no JSON object; whether it is a schema
 * is still being checked.
 */
export async function readOutputSchema(text: string, runtime: Runtime): Promise<OutputSchema> {
  const isInline = /^\s*[{[]/.test(text);
  const label = isInline ? "--schema" : `--schema '${text}'`;
  const json = isInline
    ? text
    : await readTextInput(text, "--schema", "Name a file, or quote a JSON Schema.", runtime);
  let schema: unknown;
  try {
    schema = parseExactly(json);
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
  return compileOutputSchema(schema as JsonSchema, { label, signal: runtime.signal });
}

/**
 * Has a schema compiled in a process of its own, which begins at once: whatever it makes a validator do, nobody else
 * waits. Throws `usage` for one that is longer than its source allows.
 */
export function compileOutputSchema(schema: JsonSchema, source: SchemaSource): OutputSchema {
  const { label, param, most = Number.POSITIVE_INFINITY, signal } = source;
  const text = textOf(schema, label);
  if (text.length > most)
    throw usageError(
      `${label} is longer than ${most} characters.`,
      "Leave out what the answer does not need.",
    );
  const checked = check(text, source);
  // Whoever never gets as far as to ask is not told.
  checked.catch(() => undefined);
  return {
    schema,
    checked,
    problemsOf: async (value) => {
      const judged = await askSchemaWorker({ schema: text, value }, signal);
      if ("problems" in judged) return judged.problems;
      const why = "fault" in judged ? judged.fault.problem : `takes ${tooMuch(judged.unanswered)}`;
      throw new OpenclawError("invalid-request", {
        message: `The answer cannot be checked: ${label} ${why} for it.`,
        hint: SIMPLIFY,
        details: param === undefined ? {} : { param },
      });
    },
  };
}

/** Schemas that could be compiled, the last ones of a usual length: a batch has the same one in each of its lines. */
const usable = new Set<string>();
const MOST_USABLE = 50;
/** In characters. */
const LONGEST_USABLE = 20_000;

async function check(schema: string, { label, signal }: SchemaSource): Promise<void> {
  if (usable.has(schema)) return;
  const compiled = await askSchemaWorker({ schema }, signal);
  if ("unanswered" in compiled)
    throw usageError(`${label} takes ${tooMuch(compiled.unanswered)} to compile.`, SIMPLIFY);
  if ("problems" in compiled) {
    const [oldest] = usable;
    if (usable.size >= MOST_USABLE && oldest !== undefined) usable.delete(oldest);
    if (schema.length <= LONGEST_USABLE) usable.add(schema);
    return;
  }
  const { at, problem } = compiled.fault;
  throw usageError(`${label} is not a valid JSON Schema: ${at || "/"} ${problem}.`, CORRECT);
}

const CORRECT = "Correct the schema; https://json-schema.org/learn shows how.";
const SIMPLIFY = "Simplify the schema: patterns that repeat a repetition and long chains take the most.";

function tooMuch(what: "late" | "large"): string {
  return what === "late" ? `longer than ${ANSWER_MS / 1000} s` : "too much memory";
}

function textOf(schema: JsonSchema, label: string): string {
  try {
    return toJson(schema);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw usageError(`${label} is not a valid JSON Schema: / is nested too deeply.`, CORRECT);
  }
}
