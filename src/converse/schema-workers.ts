import { type ChildProcess, fork } from "node:child_process";
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
  signal: AbortSignal | undefined;
  since: number;
  resolve: (answer: SchemaAnswer | Unanswered) => void;
  reject: (reason: unknown) => void;
}

const waiting: Asked[] = [];
const idle: SchemaWorker[] = [];
let running = 0;

/**
 * Has a worker judge a schema, or a value by it. What takes longer than a second or more memory than its share has no
 * answer, and its worker is replaced; no other question notices. Rejects with `service-unavailable` when every worker is
 * taken for too long, with the signal's reason, and with a bug of the worker's.
 */
export async function askSchemaWorker(
  question: SchemaQuestion,
  signal?: AbortSignal,
): Promise<SchemaAnswer | Unanswered> {
  return new Promise((resolve, reject) => {
    waiting.push({ question, signal, since: performance.now(), resolve, reject });
    next();
  });
}

/** Gives the questions that wait to workers that are free. */
function next(): void {
  for (let asked = taken(); asked; asked = taken()) {
    const { signal, since, reject } = asked;
    if (signal?.aborted) reject(signal.reason);
    else if (performance.now() - since > WAIT_MS) reject(tooBusy());
    else (idle.pop() ?? new SchemaWorker()).answer(asked);
  }
}

/** The question that waits longest, where there is a worker for it. */
function taken(): Asked | undefined {
  return idle.length > 0 || running < MOST_WORKERS ? waiting.shift() : undefined;
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
    this.#child.on("message", (message) => this.#hear(message as SchemaAnswer | { bug: string } | "ready"));
    this.#child.on("error", (error) => this.#end(error));
    this.#child.on("exit", (code) =>
      // Node ends itself so when its heap is full, and the system does when its memory is.
      this.#end(this.#isReady ? { unanswered: "large" } : new Error(`The schema worker ended with ${code}.`)),
    );
  }

  answer(asked: Asked): void {
    this.#asked = asked;
    // The program waits for an answer, and not for a worker that nobody asks.
    this.#child.ref();
    this.#child.channel?.ref();
    if (this.#isReady) this.#send();
  }

  #hear(message: SchemaAnswer | { bug: string } | "ready"): void {
    if (message === "ready") {
      this.#isReady = true;
      this.#send();
      return;
    }
    const asked = this.#asked;
    this.#asked = undefined;
    if ("bug" in message) asked?.reject(withStack(message.bug));
    else asked?.resolve(message);
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
    this.#child.send(this.#asked?.question ?? {});
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
    if (why instanceof Error) this.#asked?.reject(why);
    else if (why) this.#asked?.resolve(why);
    this.#asked = undefined;
    next();
  }
}

function withStack(stack: string): Error {
  return Object.assign(new Error(stack.split("\n", 1)[0]), { stack });
}
