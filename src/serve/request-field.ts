import { OpenclawError } from "../errors.ts";
import { isRecord, type JsonObject } from "../json.ts";

/** The error for a request that cannot be taken as it is; `param` names the field at fault as OpenAI's errors do. */
export function refused(message: string, param: string, code?: string): OpenclawError {
  return new OpenclawError("invalid-request", { message, details: { param, openaiCode: code } });
}

/** A value in the body of a request, and its place there: `messages[0].content`. All that reads throws `invalid-request`. */
export class RequestField {
  readonly value: unknown;
  readonly param: string;

  constructor(value: unknown, param: string) {
    this.value = value;
    this.param = param;
  }

  /** This field; undefined where it is not given. OpenAI's clients send null for what they leave open. */
  get given(): RequestField | undefined {
    return this.value === undefined || this.value === null ? undefined : this;
  }

  /** A field of this object. */
  at(name: string): RequestField {
    return new RequestField(this.object()[name], this.param === "" ? name : `${this.param}.${name}`);
  }

  object(): JsonObject {
    return isRecord(this.value) ? this.value : this.#refuseType("an object");
  }

  items(): RequestField[] {
    if (!Array.isArray(this.value)) return this.#refuseType("an array");
    return this.value.map((item: unknown, index) => new RequestField(item, `${this.param}[${index}]`));
  }

  text(): string {
    return typeof this.value === "string" ? this.value : this.#refuseType("a string");
  }

  number(): number {
    return typeof this.value === "number" && Number.isFinite(this.value)
      ? this.value
      : this.#refuseType("a number");
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
    return this.refused(`'${this.param}' is ${show(this.value)}, and must be ${expected}.`);
  }

  /** The error for this field. */
  refused(message: string, code?: string): OpenclawError {
    return refused(message, this.param, code);
  }

  #refuseType(expected: string): never {
    if (this.given) throw this.mustBe(expected);
    throw this.refused(`'${this.param}' is missing, and must be ${expected}.`);
  }
}

/** A value in a message: short, and never the whole of what somebody sent. */
export function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
