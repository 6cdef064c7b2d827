import { PARAMETER_ROWS, type ParameterName } from "../config/parameters.ts";
import { OpenclawError, shorten } from "../errors.ts";
import { isRecord, type JsonObject, numberOf } from "../json.ts";
import { toJson } from "../json-numbers.ts";
import { LONGEST_ID } from "../models/resolve-model.ts";

/** The error for a request that cannot be taken as it is; `param` names the field at fault as OpenAI's errors do. */
export function refused(message: string, param: string, code?: string): OpenclawError {
  return new OpenclawError("invalid-request", {
    message,
    details: { param: shorten(param), openaiCode: code },
  });
}

/** Names of a body: no API has more than a few dozen, and each is looked for and copied. */
const MOST_FIELDS = 1000;

/** The body of a request. Throws `invalid-request` for one that is no object, or has very many fields. */
export function requestOf(body: unknown): RequestField {
  if (!isRecord(body)) throw refused("The body must be a JSON object.", "body");
  const count = Object.keys(body).length;
  if (count > MOST_FIELDS)
    throw refused(`The body has ${count} fields, and may have ${MOST_FIELDS}.`, "body");
  return new RequestField(body, "");
}

/**
 * The first field that was sent of those that the words of a refusal may be about: services name what they refuse in words
 * of their own, `inferenceConfig.topP`, `top_p`. `fields` has what carries a parameter here, `others` what refusals call
 * other fields. Undefined where there is none.
 */
export function sentFieldOf(
  refusal: string,
  body: JsonObject,
  fields: Readonly<Partial<Record<ParameterName, string | readonly string[]>>>,
  others: readonly (readonly [RegExp, string])[],
): string | undefined {
  const isSent = (field: string): boolean => (body[field] ?? null) !== null;
  for (const [name] of PARAMETER_ROWS) {
    const inSnakeCase = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    if (!new RegExp(`\\b(?:${name}|${inSnakeCase})\\b`).test(refusal)) continue;
    const field = [fields[name] ?? []].flat().find(isSent);
    if (field !== undefined) return field;
  }
  return others.find(([pattern, field]) => pattern.test(refusal) && isSent(field))?.[1];
}

/** Of one list, or names of one object that is read name by name. */
export const MOST_ITEMS = 10_000;

/** Of a tool, or of what holds some of them: the longest that a service takes are of 128 characters, and more are mended. */
const LONGEST_NAME = 1000;

/** A value in the body of a request, and its place there. All that reads throws `invalid-request`. */
export class RequestField {
  readonly value: unknown;
  readonly #place: string;
  readonly #parent: RequestField | undefined;

  /** `place` is the name of a field, or `[0]` in a list. */
  constructor(value: unknown, place: string, parent?: RequestField) {
    this.value = value;
    this.#place = place;
    this.#parent = parent;
  }

  /** The place: `messages[0].content`. Put together when an error needs it, and never for the thousands that are fine. */
  get param(): string {
    const above = this.#parent?.param ?? "";
    const place = shorten(this.#place);
    return above === "" || place.startsWith("[") ? above + place : `${above}.${place}`;
  }

  /** This field; undefined where it is not given. OpenAI's clients send null for what they leave open. */
  get given(): RequestField | undefined {
    return this.value === undefined || this.value === null ? undefined : this;
  }

  at(name: string): RequestField {
    const object = this.object();
    return new RequestField(Object.hasOwn(object, name) ? object[name] : undefined, name, this);
  }

  object(): JsonObject {
    return isRecord(this.value) ? this.value : this.#refuseType("an object");
  }

  /** At most ten thousand: what is made of each takes its time, and others wait for it. */
  items(): RequestField[] {
    return this.#items("an array");
  }

  /** The items of what may be a text as well, and is none. */
  parts(): RequestField[] {
    return this.#items("a string or an array");
  }

  /** One text, or several. */
  texts(): readonly string[] {
    return typeof this.value === "string" ? [this.value] : this.parts().map((text) => text.text());
  }

  #items(expected: string): RequestField[] {
    if (!Array.isArray(this.value)) throw this.mustBe(expected);
    if (this.value.length > MOST_ITEMS)
      throw this.refused(`'${this.param}' has ${this.value.length} items, and may have ${MOST_ITEMS}.`);
    return this.value.map((item: unknown, index) => new RequestField(item, `[${index}]`, this));
  }

  text(): string {
    return typeof this.value === "string" ? this.value : this.#refuseType("a string");
  }

  /** A text by which something is called, which is put before others and looked for. */
  name(): string {
    const name = this.text();
    if (name.length <= LONGEST_NAME) return name;
    throw this.refused(`'${this.param}' has ${name.length} characters, and a name may have ${LONGEST_NAME}.`);
  }

  number(): number {
    const number = numberOf(this.value);
    return number !== undefined && Number.isFinite(number) ? number : this.#refuseType("a number");
  }

  /** A whole number of at least 1. */
  count(): number {
    const number = this.number();
    if (Number.isSafeInteger(number) && number >= 1) return number;
    throw this.mustBe("a whole number of at least 1");
  }

  flag(): boolean {
    return typeof this.value === "boolean" ? this.value : this.#refuseType("a boolean");
  }

  /** One of some texts. */
  choice<T extends string>(choices: readonly T[]): T {
    const found = choices.find((choice) => choice === this.value);
    if (found !== undefined) return found;
    throw this.mustBe(`one of ${choices.join(", ")}`);
  }

  /** The error for a value that is none of those expected. */
  mustBe(expected: string): OpenclawError {
    const found = this.given ? show(this.value) : "missing";
    return this.refused(`'${this.param}' is ${found}, and must be ${expected}.`);
  }

  /** The error for this field. */
  refused(message: string, code?: string): OpenclawError {
    return refused(message, this.param, code);
  }

  #refuseType(expected: string): never {
    throw this.mustBe(expected);
  }
}

/** The name of a model, refused by its length before anybody looks for it. */
export function readModelName(field: RequestField): string {
  const name = field.text();
  if (name.length <= LONGEST_ID) return name;
  throw field.refused(
    `'${field.param}' has ${name.length} characters, and a model's name has at most ${LONGEST_ID}.`,
  );
}

/** A whole number of a query, or what is usual where it has none. Throws `invalid-request`. */
export function readQueryNumber(
  query: URLSearchParams,
  name: string,
  most: number,
  least: number,
  usual = most,
): number {
  const text = query.get(name);
  if (text === null) return usual;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw refused(`'${name}' ${show(text)} must be a whole number from ${least} to ${most}.`, name);
}

/** A value in a message: short, and never the whole of what somebody sent. */
export function show(value: unknown): string {
  const text =
    toJson(value, (_, item) => (typeof item === "string" ? item.slice(0, SHOWN) : item)) ?? "undefined";
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

/** In characters. */
const SHOWN = 60;
