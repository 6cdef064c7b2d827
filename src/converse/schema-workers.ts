import { type ChildProcess, fork } from "node:child_process";
import { createHash } from "node:crypto";
import path from "node:path";
import { OpenclawError } from "../errors.ts";
import { isSingleFile } from "../package-file.ts";
import type { SchemaAnswer, SchemaQuestion } from "./schema-worker.ts";

/** The workers' program: beside this file in the package; in dist/ for who runs the sources. */
const PROGRAM = path.join(
  import.meta.dirname,
  import.meta.filename.endsWith(".ts") ? "../../dist" : "",
  "schema-worker.js",
);

/** Workers at once. */
const MOST_WORKERS = 4;
/** Of them with schemas that were slow, or that nobody knows; the others are there for those that are quick. */
const MOST_HARD = 3;
/** Of them with schemas that were slow. */
const MOST_SLOW = 2;
/** What takes longer than this is slow, in ms: many times what most take. It is put off, and begins anew in its turn. */
const SLOW_MS = 150;
/** So long is remembered how a schema did, in ms. */
const REMEMBER_MS = 60_000;
/** Schemas that are remembered. */
const MOST_REMEMBERED = 1000;
/** Until a worker has started, in ms. */
const START_MS = 20_000;
/** For one answer, in ms. */
export const ANSWER_MS = 1000;
/** For a worker to be free, in ms. */
const WAIT_MS = 10_000;
/** A worker that is asked nothing ends after so long, in ms. */
const IDLE_MS = 30_000;
/** Of one worker's heap, in megabytes. */
const MOST_MEMORY = 128;

/** Why a question has no answer: `late` took too long, `large` too much memory. Its worker is gone. */
export type Unanswered = { unanswered: "late" | "large" };

interface Asked {
  question: SchemaQuestion;
  /** Digests of the schema, and of all of the question. */
  schema: string;
  whole: string;
  /** What its schema was known to be when a worker took it. */
  pace: keyof typeof waiting;
  signal: AbortSignal | undefined;
  since: number;
  resolve: (answer: SchemaAnswer | Unanswered) => void;
  reject: (reason: unknown) => void;
}

/** By who goes first: schemas that are quick, those that nobody knows, and those that were slow. */
const waiting = { quick: [] as Asked[], unknown: [] as Asked[], slow: [] as Asked[] };
const idle: SchemaWorker[] = [];
/** Workers by the pace of what they are asked. */
const busy = { quick: 0, unknown: 0, slow: 0 };
let running = 0;

/** What was learnt of late, by digest. */
class Memory<Value> {
  readonly #known = new Map<string, { value: Value; until: number }>();

  get(digest: string): Value | undefined {
    const known = this.#known.get(digest);
    return known && performance.now() < known.until ? known.value : undefined;
  }

  set(digest: string, value: Value): void {
    this.#known.delete(digest);
    this.#known.set(digest, { value, until: performance.now() + REMEMBER_MS });
    const [oldest] = this.#known.keys();
    if (this.#known.size > MOST_REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
  }
}

/** How schemas did. */
const paces = new Memory<"quick" | "slow">();
/** Questions that had no answer, and would have none again. */
const hopeless = new Memory<Unanswered>();

/**
 * Has a worker judge a schema, or a value by it. What takes longer than a second or more memory than its share has no
 * answer, and its worker is replaced; the same question is then refused at once for a minute. Quick schemas go first, and
 * slow ones have half of the workers at most. Rejects with `service-unavailable` when every worker is taken for too long,
 * with the signal's reason, and with a bug of the worker's.
 */
export async function askSchemaWorker(
  question: SchemaQuestion,
  signal?: AbortSignal,
): Promise<SchemaAnswer | Unanswered> {
  const schema = digestOf(question.schema);
  const whole = question.value === undefined ? schema : digestOf(schema + question.value);
  return new Promise((resolve, reject) => {
    const since = performance.now();
    const pace = paceOf(question.schema, schema);
    waiting[pace].push({ question, schema, whole, pace, signal, since, resolve, reject });
    next();
  });
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}

/** Keywords by which a short schema may take long; all others take time by their length and that of the value. */
const MAY_TAKE_LONG = /"(?:pattern|patternProperties|uniqueItems|\$ref|\$dynamicRef|\$recursiveRef)":/;
/** In characters. */
const SHORT = 10_000;

function paceOf(schema: string, digest: string): keyof typeof waiting {
  const isPlain = schema.length <= SHORT && !MAY_TAKE_LONG.test(schema);
  return paces.get(digest) ?? (isPlain ? "quick" : "unknown");
}

/** Gives the questions that wait to workers that are free, and refuses those that need none. */
function next(): void {
  for (let asked = taken(); asked; asked = taken()) {
    const { whole, signal, since, resolve, reject } = asked;
    const known = hopeless.get(whole);
    if (signal?.aborted) reject(signal.reason);
    else if (known) resolve(known);
    else if (performance.now() - since > WAIT_MS) reject(tooBusy());
    // What is known by now to be slow has waited with others so far.
    else if (asked.pace !== "slow" && paces.get(asked.schema) === "slow") putOff(asked);
    else (idle.pop() ?? new SchemaWorker()).answer(asked);
  }
}

function putOff(asked: Asked): void {
  waiting.slow.push({ ...asked, pace: "slow" });
}

/** The question that comes next, where there is a worker for it. */
function taken(): Asked | undefined {
  if (idle.length === 0 && running >= MOST_WORKERS) return undefined;
  if (waiting.quick.length > 0) return waiting.quick.shift();
  if (busy.unknown + busy.slow >= MOST_HARD) return undefined;
  // One worker is always theirs: slow ones wait, but not for ever.
  if (busy.slow === 0 && waiting.slow.length > 0) return waiting.slow.shift();
  return waiting.unknown.shift() ?? (busy.slow < MOST_SLOW ? waiting.slow.shift() : undefined);
}

function tooBusy(): OpenclawError {
  return new OpenclawError("service-unavailable", { message: "Too many schemas are being checked at once." });
}

/** A process: a thread that runs out of memory takes its whole process with it. */
class SchemaWorker {
  readonly #child: ChildProcess;
  #asked: Asked | undefined;
  #isReady = false;
  #clock: NodeJS.Timeout;
  #begun = 0;

  constructor() {
    running += 1;
    const bound = `--max-old-space-size=${MOST_MEMORY}`;
    this.#child = fork(PROGRAM, {
      // It needs nothing of this process, and has nothing to say on its streams. A single file takes what stands before
      // the program for arguments of its own, and options of Node from the environment.
      ...(isSingleFile ? { env: { NODE_OPTIONS: bound }, execArgv: [] } : { env: {}, execArgv: [bound] }),
      stdio: ["ignore", "ignore", "ignore", "ipc"],
    });
    this.#clock = setTimeout(() => this.#end(new Error("The schema worker does not start.")), START_MS);
    this.#child.on("message", (message) =>
      this.#hear(message as SchemaAnswer | { bug: string } | "ready" | "put off"),
    );
    this.#child.on("error", (error) => this.#end(error));
    this.#child.on("exit", (code) =>
      // Node ends itself so when its heap is full, and the system does when its memory is.
      this.#end(this.#isReady ? { unanswered: "large" } : new Error(`The schema worker ended with ${code}.`)),
    );
  }

  answer(asked: Asked): void {
    this.#asked = asked;
    busy[asked.pace] += 1;
    // The program waits for an answer, and not for a worker that nobody asks.
    this.#child.ref();
    this.#child.channel?.ref();
    if (this.#isReady) this.#send();
  }

  #hear(message: SchemaAnswer | { bug: string } | "ready" | "put off"): void {
    if (message === "ready") {
      this.#isReady = true;
      this.#send();
      return;
    }
    const asked = this.#release();
    if (asked && message === "put off") {
      paces.set(asked.schema, "slow");
      putOff(asked);
    } else if (asked && typeof message === "object") {
      // A schema is not known by being compiled. One that was slow may have been so by the machine's other work.
      if (asked.question.value !== undefined && performance.now() - this.#begun < SLOW_MS)
        paces.set(asked.schema, "quick");
      if ("bug" in message) asked.reject(withStack(message.bug));
      else asked.resolve(message);
    }
    clearTimeout(this.#clock);
    this.#clock = setTimeout(() => this.#end(undefined), IDLE_MS).unref();
    this.#child.unref();
    this.#child.channel?.unref();
    idle.push(this);
    next();
  }

  /** The clock of a question starts when somebody is there to answer it. */
  #send(): void {
    clearTimeout(this.#clock);
    this.#clock = setTimeout(() => this.#end({ unanswered: "late" }), ANSWER_MS);
    this.#begun = performance.now();
    const { question, pace } = this.#asked ?? {};
    this.#child.send({ ...question, ...(pace === "slow" ? {} : { ms: SLOW_MS }) });
  }

  /** What it was asked, which it is no longer. */
  #release(): Asked | undefined {
    const asked = this.#asked;
    if (asked) busy[asked.pace] -= 1;
    this.#asked = undefined;
    return asked;
  }

  /** Stops the worker, whatever it does. */
  #end(why: Unanswered | Error | undefined): void {
    clearTimeout(this.#clock);
    this.#child.removeAllListeners();
    // What it still says of its end is of no interest.
    this.#child.on("error", () => undefined);
    this.#child.kill("SIGKILL");
    running -= 1;
    if (idle.includes(this)) idle.splice(idle.indexOf(this), 1);
    const asked = this.#release();
    if (why instanceof Error) asked?.reject(why);
    else if (why && asked) {
      hopeless.set(asked.whole, why);
      paces.set(asked.schema, "slow");
      asked.resolve(why);
    }
    next();
  }
}

function withStack(stack: string): Error {
  return Object.assign(new Error(stack.split("\n", 1)[0]), { stack });
}
