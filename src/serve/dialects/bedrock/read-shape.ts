import { JsonBoundsError } from "../../../json-bounds.ts";
import { mapInTurns } from "../../../next-turn.ts";
import { MOST_NAMED } from "../../field-rules.ts";
import type { RequestField } from "../../request-field.ts";
import { readBase64 } from "../../../wires/data-url.ts";

/** What the members of a request need to know of each other, and of the server. */
export interface ShapeContext {
  /** Whether a request may name files in Amazon S3, which are read with the rights of the server. */
  readsS3: boolean;
  /** How many documents there were so far. Grows. */
  documents: number;
  /** The places of members that nobody knows, which are left out. Grows. */
  unknown: string[];
}

/** Reads a member of a request, at once or in turns; what it comes to as undefined is left out. Throws `invalid-request`. */
export type Reader = (field: RequestField, context: ShapeContext) => unknown;

/** How each member of a type of the SDK's is read, so that one which AWS adds does not compile until somebody decides. */
export type Members<T> = { readonly [Name in Exclude<keyof Required<T>, "$unknown">]: Reader };

/** Reads an object; of those members that must be there a missing one is refused. */
export function object<T>(members: Members<T>, ...needed: readonly (keyof Members<T> & string)[]): Reader {
  const readers = new Map(Object.entries<Reader>(members));
  return async (field, context) => {
    const read: Record<string, unknown> = {};
    for (const name of Object.keys(field.object())) {
      const reader = readers.get(name);
      if (!reader) {
        if (context.unknown.length < MOST_NAMED) context.unknown.push(field.at(name).param);
        continue;
      }
      const member = field.at(name).given;
      const value = member && (await reader(member, context));
      if (value !== undefined) read[name] = value;
    }
    // Whoever reads one that is not there says so.
    for (const name of needed) if (read[name] === undefined) await members[name](field.at(name), context);
    return read;
  };
}

/** Reads an object of which exactly one member is set, as AWS has its unions. */
export function union<T>(members: Members<T>): Reader {
  const read = object<T>(members);
  const names = Object.keys(members);
  return async (field, context) => {
    const value = (await read(field, context)) as object;
    if (Object.keys(value).length === 1) return value;
    throw field.refused(`'${field.param}' must have one of ${names.join(", ")}.`);
  };
}

/** What is read by itself. */
export const readApart: Reader = () => undefined;

/** Reads a list, of which others have their turn in between. */
export function list(read: Reader): Reader {
  return (field, context) => mapInTurns(field.items(), (item) => read(item, context));
}

export const text: Reader = (field) => field.text();
export const name: Reader = (field) => field.name();
export const flag: Reader = (field) => field.flag();
export const count: Reader = (field) => field.count();
export const number: Reader = (field) => field.number();

/** One of a few words. */
export function choice(...words: readonly string[]): Reader {
  return (field) => field.choice(words);
}

/** JSON of any kind. */
export const anything: Reader = (field) => {
  if (field.given) return field.value;
  throw field.mustBe("JSON");
};

/** An object of any kind. */
export const anyObject: Reader = (field) => field.object();

/** What only answers have, and what has no say in one. */
export const ignored: Reader = () => undefined;

/** What this server has no counterpart of. */
export function refusedBecause(why: string): Reader {
  return (field) => {
    throw field.refused(`'${field.param}' is not supported: ${why}.`);
  };
}

/** Bytes, which JSON has as base64. */
export const bytes: Reader = (field) => readBytes(field);

/** The same by itself. Throws `invalid-request`. */
export async function readBytes(field: RequestField): Promise<Uint8Array> {
  const read = await readBase64(field.text());
  if (read) return read;
  throw field.mustBe("base64");
}

/** The JSON of a field that is a text, by what parses it within bounds. Throws `invalid-request`. */
export async function readJson(field: RequestField, parse: () => unknown): Promise<unknown> {
  try {
    return await parse();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const why = error instanceof JsonBoundsError ? `cannot be taken: ${error.message}` : "is no JSON";
    throw field.refused(`'${field.param}' ${why}.`);
  }
}
