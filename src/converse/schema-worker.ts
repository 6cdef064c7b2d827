// Runs in a process of its own: what a caller's schema makes it do may take for ever and all memory, and ends with it.
import process from "node:process";
import vm from "node:vm";
import { Ajv, type ErrorObject, MissingRefError, type Options, type ValidateFunction } from "ajv";
import { Ajv2019 } from "ajv/dist/2019.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import { isDeeperThan, isRecord, type JsonObject } from "../json.ts";
import { oncePer } from "../once.ts";
import { dropNullable, findFault, type SchemaFault, whereNamed } from "./schema-fault.ts";

/** What the worker is asked: whether a schema can be used; with a value, whether that fits it, too. Both are JSON. */
export interface SchemaQuestion {
  schema: string;
  value?: string;
  /** What takes longer than so many ms is put off: the answer is `put off`, and it may be asked again. */
  ms?: number;
}

/** What it answers: what makes the schema unusable, or what is wrong with the value, each as `/path what it must be`. */
export type SchemaAnswer = { fault: SchemaFault } | { problems: string[] };

/** Levels of a schema: more than anybody writes, and less than a compiler that calls itself has room for. */
const MOST_LEVELS = 200;
/** More problems than these say nothing more. */
const MOST_PROBLEMS = 10;
/** Of one problem, in characters: names and paths in it are the model's. */
const LONGEST_PROBLEM = 300;

const OPTIONS: Options = {
  allErrors: true,
  strict: false,
  validateFormats: false,
  logger: false,
  // Every object has a `toString` and a `constructor` that nobody gave it.
  ownProperties: true,
};

const DRAFTS: readonly [pattern: RegExp, make: (options: Options) => Ajv][] = [
  [/\/draft-0[67]\/schema#?$/, (options) => new Ajv(options)],
  [/\/draft\/2019-09\/schema#?$/, (options) => new Ajv2019(options)],
  [/\/draft\/2020-12\/schema#?$/, (options) => new Ajv2020(options)],
];
const NEWEST = "https://json-schema.org/draft/2020-12/schema";

/** Checks schemas against that of their draft: made once, since it takes longer to make than to use. */
let checkerOf = makeCheckers();
let isChecking = false;

function makeCheckers(): (make: (options: Options) => Ajv) => Ajv {
  return oncePer((make: (options: Options) => Ajv) => make({ ...OPTIONS, allErrors: false }));
}

function answer({ schema: text, value }: SchemaQuestion): SchemaAnswer {
  const schema = parse(text);
  if (!isRecord(schema)) return fault("", "must be an object");
  if (isDeeperThan(schema, MOST_LEVELS)) return fault("", `is nested deeper than ${MOST_LEVELS} levels`);
  const draft = schema["$schema"] ?? NEWEST;
  const make = DRAFTS.find(([pattern]) => typeof draft === "string" && pattern.test(draft))?.[1];
  if (!make)
    return fault("/$schema", "names none of the drafts that are known: draft-07, 2019-09 and 2020-12");
  const found = invalidAt(schema, make) ?? findFault(schema);
  if (found) return { fault: found };
  dropNullable(schema);
  let validate: ValidateFunction;
  try {
    // One of its own for each schema: ids that one schema gives are none of another's business.
    validate = make({ ...OPTIONS, validateSchema: false }).compile(schema);
  } catch (error) {
    if (isOverflow(error)) throw error;
    return complaint(schema, error as Error);
  }
  if (value === undefined) return { problems: [] };
  try {
    if (validate(parse(value))) return { problems: [] };
  } catch (error) {
    if (isOverflow(error)) return { problems: ["/ is nested too deeply to be checked"] };
    throw error;
  }
  return { problems: (validate.errors ?? []).slice(0, MOST_PROBLEMS).map(describe) };
}

/** Reads JSON, with another name for `__proto__`: the compiler leaves properties of that name out. */
function parse(text: string): unknown {
  return JSON.parse(text.replaceAll('"__proto__"', '"__proto__ "'));
}

/** What the compiler says against a schema. */
function complaint(schema: JsonObject, error: Error): SchemaAnswer {
  if (error instanceof MissingRefError)
    return fault(
      whereNamed(schema, error.missingRef),
      `refers to '${cut(error.missingRef)}', which is not in the schema`,
    );
  const [, quoted = ""] = /"([^"]+)"/.exec(error.message) ?? [];
  return fault(whereNamed(schema, quoted), cut(error.message).replace(/\.$/, ""));
}

function fault(at: string, problem: string): SchemaAnswer {
  return { fault: { at, problem } };
}

/** The first thing in which a schema is not as its draft has it. */
function invalidAt(schema: object, make: (options: Options) => Ajv): SchemaFault | undefined {
  const checker = checkerOf(make);
  // Its `$schema` may be an older one's, or written in another way: the draft is known already.
  const { $schema: _, ...rest } = schema as { $schema?: unknown };
  isChecking = true;
  const isValid = checker.validateSchema(rest);
  isChecking = false;
  if (isValid) return undefined;
  const { instancePath = "", message = "is not valid" } = checker.errors?.[0] ?? {};
  return { at: instancePath, problem: message };
}

function isOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes("call stack");
}

function describe({ instancePath, message, params }: ErrorObject): string {
  const extra = (params as { additionalProperty?: string }).additionalProperty;
  return cut(
    `${instancePath || "/"} ${message ?? "does not fit"}${extra === undefined ? "" : ` ('${extra}')`}`,
  );
}

function cut(text: string): string {
  return text.length > LONGEST_PROBLEM ? `${text.slice(0, LONGEST_PROBLEM)}…` : text;
}

/** A question takes no longer than this where nobody is left to stop it, in ms. */
const LEFT_ALONE_MS = 5000;

/** Answers within bounds of its own: whoever asked may be gone, and then nobody ends this process. */
function answerInTime(question: SchemaQuestion): SchemaAnswer | "put off" {
  const context = vm.createContext({ answer: () => answer(question) });
  try {
    return vm.runInContext("answer()", context, { timeout: question.ms ?? LEFT_ALONE_MS }) as SchemaAnswer;
  } catch (error) {
    // It is an error of that context's own, and no instance of this one's.
    const { code } = error as { code?: unknown };
    if (question.ms === undefined || code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    // It may have been stopped in the middle of what it makes for the next.
    if (isChecking) checkerOf = makeCheckers();
    isChecking = false;
    return "put off";
  }
}

process.on("message", (question: SchemaQuestion) => {
  try {
    process.send?.(answerInTime(question));
  } catch (error) {
    process.send?.(
      isOverflow(error)
        ? fault("", "is nested, or refers to itself, too deeply")
        : { bug: error instanceof Error ? error.stack : String(error) },
    );
  }
});
process.on("disconnect", () => process.exit());
// Ctrl-C reaches every process of a terminal: this one ends when the program does.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);
// Nobody's clock runs yet.
answer({ schema: "{}", value: "{}" });
process.send?.("ready");
