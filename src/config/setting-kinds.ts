/** What a setting may be, and the words that the table of settings is written in. */

import type { JsonObject } from "../json.ts";

/** What a value may be. `TValue` is carried for inference only. */
export type Kind<TValue = unknown> = (
  | { kind: "boolean" }
  | { kind: "scalar" }
  | { kind: "anything" }
  | { kind: "string"; format?: "url" | "region"; minLength?: number }
  | { kind: "number"; minimum: number; maximum?: number; unit?: string }
  | { kind: "integer"; minimum: number; maximum?: number; unit: string }
  | { kind: "choice"; values: readonly string[] }
  | { kind: "list"; of: Kind; minItems?: number }
  | ({ kind: "map"; of: Kind; keyName: string } & MapRules)
  | ({ kind: "object"; fields: Fields; required: readonly string[] } & ObjectRules)
  | { kind: "either"; of: readonly [Kind, Kind] }
) & { readonly value?: TValue };

export interface MapRules {
  /** A regular expression that is the same in a JSON Schema. */
  keyPattern?: string;
  /** The same in words: "a name of …". */
  keyExpected?: string;
}

/** What holds of an object beyond its fields. */
export interface ObjectRules {
  /** Without this key it is an object of another program, which is left alone. */
  ownBy?: string;
  /** Whether it may have any other keys, which are settings, too. */
  isOpen?: boolean;
  /** What is wrong with it though each field is right. */
  check?: (value: JsonObject) => readonly Fault[];
}

export interface Fault {
  path: readonly (string | number)[];
  /** What is taken there, in words. */
  expected: string;
  /** What the sentence says of it in place of what is taken and what stands there. */
  says?: string;
  /** It is likely another program's: worth a warning, not more. */
  isForeign?: boolean;
}

/** A kind with its place in the table. */
export interface Field<TValue = unknown> {
  type: Kind<TValue>;
  description: string;
  default?: TValue;
  /** The default in words, where it depends on the surroundings. */
  defaultText?: string;
  /** Never printed, logged or cached. */
  secret?: boolean;
  /** A text with placeholders of its own, in which `${NAME}` is no variable of the environment; so are all below it. */
  hasPlaceholders?: boolean;
  /** Kept as it is written when the file is read, as are all below it: it is judged, and `${NAME}` gets its value, where it is used. */
  isExpandedInUse?: boolean;
  example?: string;
}

export type KindValue<K> = K extends Kind<infer V> ? V : never;

type Fields = Readonly<Record<string, Field>>;
type ValueOf<F> = F extends Field<infer V> ? V : never;
type Simplify<T> = { [K in keyof T]: T[K] } & {};
type ObjectOf<F extends Fields, R extends keyof F> = Simplify<
  { [K in R]: ValueOf<F[K]> } & { [K in Exclude<keyof F, R>]?: ValueOf<F[K]> }
>;

export const boolean: Kind<boolean> = { kind: "boolean" };
/** What other programs take where a text is meant. */
export const scalar: Kind<string | number | boolean> = { kind: "scalar" };
export const anything: Kind = { kind: "anything" };
export const string: Kind<string> = { kind: "string", minLength: 1 };
export const anyString: Kind<string> = { kind: "string" };
export const url: Kind<string> = { kind: "string", format: "url" };
export const region: Kind<string> = { kind: "string", format: "region" };

export const integer = (minimum: number, unit: string): Kind<number> => ({ kind: "integer", minimum, unit });

export const number = (bounds: { minimum: number; maximum?: number; unit?: string }): Kind<number> => ({
  kind: "number",
  ...bounds,
});

export const choice = <const T extends string>(...values: readonly T[]): Kind<T> => ({
  kind: "choice",
  values,
});

export const list = <T>(of: Kind<T>, minItems = 0): Kind<T[]> => ({
  kind: "list",
  of,
  ...(minItems > 0 ? { minItems } : {}),
});

export const map = <T>(keyName: string, of: Kind<T>, rules: MapRules = {}): Kind<Record<string, T>> => ({
  kind: "map",
  keyName,
  of,
  ...rules,
});

export const object = <const F extends Fields, const R extends keyof F & string = never>(
  fields: F,
  required: readonly R[] = [],
  rules: ObjectRules = {},
): Kind<ObjectOf<F, R>> => ({ kind: "object", fields, required, ...rules }) as Kind<ObjectOf<F, R>>;

export const either = <A, B>(first: Kind<A>, second: Kind<B>): Kind<A | B> => ({
  kind: "either",
  of: [first, second],
});

export const field = <T>(
  type: Kind<T>,
  description: string,
  more: Omit<Field<T>, "type" | "description"> = {},
): Field<T> => ({ type, description, ...more });
