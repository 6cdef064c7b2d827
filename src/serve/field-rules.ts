import { shorten } from "../errors.ts";
import { numberOf } from "../json.ts";
import { refused, type RequestField, show } from "./request-field.ts";
import type { ServeLog } from "./serve-log.ts";

/** What becomes of a field: it is read; it has no say in the answer; or why a value of it cannot be honoured. */
export type FieldRule = "read" | "ignored" | ((value: unknown) => string | undefined);

/** The rule of a field that has no say in the answer where its value is harmless, and else cannot be honoured. */
export const unless =
  (isHarmless: (value: unknown) => boolean, why: string): FieldRule =>
  (value) =>
    isHarmless(value) ? undefined : why;

/** Of names that are remembered: a client can make up as many as it likes. */
export const MOST_NAMED = 200;

/**
 * Refuses the fields of an object that cannot be honoured, and returns the places of those that nobody knows. Throws
 * `invalid-request`.
 */
export function judgeFields(object: RequestField, rules: Readonly<Record<string, FieldRule>>): string[] {
  const unknown: string[] = [];
  for (const name of Object.keys(object.object())) {
    const field = object.at(name);
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    // More are not named, and whoever makes up thousands is not to take the time of others.
    if (rule === undefined && unknown.length < MOST_NAMED) unknown.push(field.param);
    if (typeof rule !== "function" || !field.given) continue;
    const why = rule(numberOf(field.value) ?? field.value);
    if (why !== undefined)
      throw field.refused(
        `'${field.param}' ${show(field.value)} is not supported: ${why}.`,
        "unsupported_parameter",
      );
  }
  return unknown;
}

/**
 * What becomes of fields that nobody knows: clients send more with each release, and nearly all of it changes no answer.
 * Each is named in the log once; with `isStrict` it is refused.
 */
export class UnknownFields {
  readonly #isStrict: boolean;
  readonly #log: Pick<ServeLog, "note">;
  readonly #named = new Set<string>();

  constructor(isStrict: boolean, log: Pick<ServeLog, "note">) {
    this.#isStrict = isStrict;
    this.#log = log;
  }

  /** Takes the fields of one request by their places. Throws `invalid-request` where they are refused. */
  judge(path: string, places: readonly string[]): void {
    const [first] = places;
    if (first === undefined) return;
    if (this.#isStrict)
      throw refused(`Unrecognized request argument supplied: ${first}`, first, "unknown_parameter");
    // Places in lists are those of one request.
    const names = new Set(places.map((place) => place.replace(/\[\d+\]/g, "[]")));
    const added = [...names].filter((name) => !this.#named.has(`${path} ${name}`));
    const told = added.slice(0, Math.max(0, MOST_NAMED - this.#named.size));
    for (const name of told) this.#named.add(`${path} ${name}`);
    if (told.length === 0) return;
    const those = told.map((name) => `'${shorten(name)}'`).join(", ");
    this.#log.note(`Fields that this server does not know are ignored, at ${path}: ${those}.`);
  }
}
