import { isUtf8 } from "node:buffer";
import type { RawLine } from "../../disk/line-cutter.ts";
import { asSentence, OpenclawError, shorten } from "../../errors.ts";
import { isRecord, numberOf } from "../../json.ts";
import { JsonScan, MOST_DEPTH } from "../../json-bounds.ts";
import { parseExactly } from "../../json-numbers.ts";
import { refused, RequestField } from "../../serve/request-field.ts";
import type { BatchLine, LineKind } from "./batch-line.ts";
import { askText, JSON_KINDS, kindOf } from "./line-kinds.ts";
import type { BatchInput } from "./open-input.ts";
import { LONGEST_LINE } from "./split-lines.ts";

/** How lines of each kind are recognised, as a person is told. */
const SHAPES: Readonly<Record<LineKind, string>> = {
  bedrock: '{"recordId","modelInput"}',
  openai: '{"custom_id","method","url","body"}',
  messages: '{"custom_id","params"}',
  plain: '{"prompt"}',
  text: "text",
};

/** In characters: OpenAI's own bound of a `custom_id` is less, and Bedrock names none. */
const LONGEST_RECORD_ID = 512;

export interface LineReading {
  /** Of the file; undefined until a line says it. */
  kind: LineKind | undefined;
  signal: AbortSignal;
}

/**
 * Reads a line. Throws `invalid-request` with what is wrong with it: the message is a sentence to stand behind the number of
 * the line.
 */
export async function readLine(raw: RawLine, { kind, signal }: LineReading): Promise<BatchLine> {
  const { number } = raw;
  const text = textOf(raw);
  if (kind === "text")
    return { number, recordId: String(number), hasId: false, kind, model: undefined, ...askText(text) };
  const line = parse(text, raw.bytes);
  const own = kindOf(line.object());
  if (own === undefined) throw noKind(Object.keys(line.object()), kind);
  if (kind !== undefined && own !== kind)
    throw refused(
      `It is a line like ${SHAPES[own]}, and the file began with lines like ${SHAPES[kind]}: give each kind a file of its own.`,
      "",
    );
  const { ids, read } = JSON_KINDS[own];
  const told = await read(line, signal).catch((error: unknown) => {
    throw inWordsOfBatch(error);
  });
  const { model } = told.asked;
  const id = readId(line, ids);
  return {
    number,
    recordId: id ?? String(number),
    hasId: id !== undefined,
    kind: own,
    model: model === "" ? undefined : model,
    ...told,
  };
}

/**
 * The lines of a file that was checked, in their order, each read when it is wanted. Throws `usage` when the file has been
 * changed since it was opened.
 */
export async function* batchLines(
  input: BatchInput,
  kind: LineKind,
  signal: AbortSignal,
): AsyncGenerator<BatchLine, void, undefined> {
  for await (const raw of input.lines(signal)) yield await readLine(raw, { kind, signal });
}

function textOf({ bytes, length, isTooLong }: RawLine): string {
  if (isTooLong)
    throw refused(
      `It has ${Math.ceil(length / 1024 / 1024)} MB, and a line may have ${LONGEST_LINE / 1024 / 1024} MB.`,
      "",
    );
  if (!isUtf8(bytes)) throw refused("It is not valid UTF-8.", "");
  const text = bytes.toString("utf8");
  if (text.includes("\0")) throw refused("It has a zero byte.", "");
  return text;
}

function parse(text: string, bytes: Buffer): RequestField {
  let value: unknown;
  try {
    // So little cannot be out of bounds.
    if (bytes.length > MOST_DEPTH) new JsonScan().take(bytes);
    value = parseExactly(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw refused(`It is not JSON: ${asSentence(shorten(error.message))}`, "");
  }
  if (isRecord(value)) return new RequestField(value, "");
  throw refused(`It is ${describe(value)}, and must be an object.`, "");
}

function describe(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  return typeof value === "string" ? "a text in quotes" : `${value as number | boolean | null}`;
}

function noKind(names: readonly string[], kind: LineKind | undefined): OpenclawError {
  const kinds = kind === undefined ? (["bedrock", "openai", "messages", "plain"] as const) : [kind];
  const shapes = kinds.map((each) => SHAPES[each]).join(", ");
  const found = names.slice(0, 5).map((name) => JSON.stringify(shorten(name)));
  const has = found.length === 0 ? "It is empty" : `It has ${found.join(", ")}`;
  return refused(`${has}, and must be like ${shapes}.`, "");
}

/** The first of the fields for an id that is given. Numbers are ids, too: many files have them. */
function readId(line: RequestField, names: readonly string[]): string | undefined {
  const field = names.flatMap((name) => line.at(name).given ?? [])[0];
  if (!field) return undefined;
  const id = numberOf(field.value) === undefined ? field.text() : String(field.value);
  if (id === "") throw field.refused(`'${field.param}' is empty.`);
  if (id.length <= LONGEST_RECORD_ID) return id;
  throw field.refused(`'${field.param}' has ${id.length} characters, and may have ${LONGEST_RECORD_ID}.`);
}

/** The dialects speak as a server does. */
function inWordsOfBatch(error: unknown): unknown {
  if (!(error instanceof OpenclawError)) return error;
  const message = error.message.replace(/\b[Tt]his server\b/g, "batch");
  return new OpenclawError(error.code, { message, details: error.details, cause: error });
}
