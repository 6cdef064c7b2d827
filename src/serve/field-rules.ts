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

/** The names of the fields that any of some kinds of objects has. */
export type KeyOfAny<T> = T extends T ? keyof T : never;

export type FieldRules = Readonly<Record<string, FieldRule>>;

/**
 * The places of the fields of one request that nobody knows. Of objects with the same rules, such as all messages, each
 * name is taken once, and no more than are remembered: whoever makes up thousands is not to take the time of others.
 */
export class UnknownPlaces {
  readonly places: string[] = [];
  readonly #taken = new Map<FieldRules, Set<string>>();

  add(object: RequestField, name: string, rules: FieldRules): void {
    if (this.places.length >= MOST_NAMED) return;
    const taken = this.#taken.get(rules) ?? new Set();
    if (taken.has(name)) return;
    this.#taken.set(rules, taken.add(name));
    this.places.push(object.at(name).param);
  }
}

/**
 * Refuses the fields of an object that cannot be honoured, and takes those that nobody knows, whose places it returns with
 * those taken before. Throws `invalid-request`.
 */
export function judgeFields(
  object: RequestField,
  rules: FieldRules,
  unknown = new UnknownPlaces(),
): readonly string[] {
  for (const name of Object.keys(object.object())) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
    if (rule === undefined) unknown.add(object, name, rules);
    if (typeof rule !== "function") continue;
    const field = object.at(name);
    if (!field.given) continue;
    const why = rule(numberOf(field.value) ?? field.value);
    if (why !== undefined)
      throw field.refused(
        `'${field.param}' ${show(field.value)} is not supported: ${why}.`,
        "unsupported_parameter",
      );
  }
  return unknown.places;
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
