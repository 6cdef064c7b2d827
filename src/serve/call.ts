import type { ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { hideSecrets, shareSecrets } from "../credentials/hide-secrets.ts";
import { type ErrorCode, LONGEST_MESSAGE, OpenclawError, shorten } from "../errors.ts";
import { whenTime } from "../next-turn.ts";
import type { ChatParameters } from "../config/parameters.ts";
import type { Configuration } from "../config/settings.ts";
import type { Guardrail } from "../converse/guardrail.ts";
import type { ResolvedModel } from "../models/resolve-model.ts";
import type { Runtime } from "../runtime.ts";
import { withSources } from "../source-stack.ts";
import { type TracedWork, traced, tracedWork } from "../trace-headers.ts";
import type { ApiKey } from "./keys/key-file.ts";
import type { BudgetState, RateState } from "./keys/limit-store.ts";
import { listeningTerminal, type RequestEntry, type ServeLog } from "./serve-log.ts";

/** What nginx writes into its log for a client that went away. */
export const CLIENT_CLOSED = 499;

/** One storage carries both: on Node 20 each costs every promise its time. */
const calls = new WeakMap<TracedWork, Call>();

/** The call that the code which asks runs for, through whatever it waited for; undefined for work of the server's own. */
export function runningCall(): Call | undefined {
  const work = tracedWork();
  return work && calls.get(work);
}

/** What a request asks of a model, as far as traces tell of it. */
export interface AskedOf {
  /** None where the body goes to the model as it came. */
  parameters?: ChatParameters | undefined;
  /** What counts where the request says nothing, of the model that was asked last. */
  config?: Configuration | undefined;
  model?: Pick<ResolvedModel, "id" | "key"> | undefined;
  guardrail?: Guardrail | undefined;
  isJson?: boolean | undefined;
  /** Of vectors. */
  dimensions?: number | undefined;
  encoding?: string | undefined;
}

interface Begun {
  model: string;
  region?: string | null | undefined;
  requestId?: string | undefined;
}

/** Where an answer goes: on HTTP/1.1 its head waits for the first of its body, unless it is flushed. */
export type Outgoing = Writable & Partial<Pick<ServerResponse, "flushHeaders">>;

/**
 * What goes out as it is with status 200, past the responses and streams of the Web, which cost more than all else of a short
 * answer.
 */
interface Answer {
  headers: Readonly<Record<string, string>>;
  /** One that goes on when its handler has returned is a function: it sends the body and ends the call. */
  body: string | readonly Uint8Array[] | ((outgoing: Outgoing) => Promise<void>);
}

/** What is noted of one call beyond these is of thousands of the same kind. */
const MOST_NOTICES = 100;

/** One request on its way: what can stop it, and what the log will say of it. */
export class Call {
  readonly entry: RequestEntry;
  readonly #abort = new AbortController();
  readonly #startedAt: number;
  readonly #log: ServeLog;
  readonly #runtime: Runtime;
  readonly #onEnd: (() => void)[];
  readonly #waiting = new Set<(failure: unknown) => void>();
  #isOver = false;
  #askedRegion: string | undefined;
  /** Beside the host in its entry. */
  calledPort: number | undefined;
  /** What was asked of the model, beside its messages. */
  asked: AskedOf | undefined;
  /** Whose model was asked last, where it is none of Amazon Bedrock's. */
  otherProvider: string | undefined;
  key: ApiKey | undefined;
  /** What is left of what the key may ask in a minute. */
  rate: RateState | undefined;
  /** What of the key's budgets was left before it; none where it has none. */
  budgets: readonly BudgetState[] = [];
  /** What was counted of its answers. */
  used: { tokens: number; usd: number } | undefined;
  /** How much of an answer has come, in bytes. */
  answeredBytes = 0;
  /** Of the request's body. */
  bodyBytes = 0;
  #bug: { failure: unknown } | undefined;
  /** What its calls of models belong to. */
  readonly traced: TracedWork = {
    onCall: (host, port) => {
      this.entry.calledHost = host;
      this.calledPort = port;
    },
    onAsk: (region, providerId) => {
      this.#askedRegion = region ?? undefined;
      this.otherProvider = region === null ? providerId : undefined;
    },
  };
  /** The path of its route, with names for what differs. */
  route: string | undefined;
  #isQueued = false;
  #mayNotWait: OpenclawError | undefined;
  /** What it is answered with, where that is no response of hono's. */
  answer: Answer | undefined;

  constructor(entry: RequestEntry, runtime: Runtime, log: ServeLog, onEnd: () => void) {
    this.entry = entry;
    this.#runtime = runtime;
    this.#log = log;
    this.#onEnd = [onEnd];
    this.#startedAt = runtime.elapsed();
    calls.set(this.traced, this);
  }

  /** Aborted when the client has gone away, or the server gives up on it. */
  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What work for this call is done with: its own signal, and what is noted goes to its line of the log. */
  runtime(): Runtime {
    const terminal = listeningTerminal((line) => this.note(line));
    const runtime = { ...this.#runtime, signal: this.signal, terminal };
    shareSecrets(this.#runtime, runtime);
    return runtime;
  }

  note(line: string): void {
    const notices = (this.entry.notices ??= []);
    if (notices.length < MOST_NOTICES) notices.push(shorten(line, LONGEST_MESSAGE));
  }

  /** Has `work` done when the call is over. */
  onEnd(work: () => void): void {
    this.#onEnd.push(work);
  }

  /** Has the call answered so; for its handler to return. */
  answerWith(headers: Answer["headers"], body: Answer["body"]): Response {
    this.answer = { headers, body };
    return RESPONSE_ALREADY_SENT;
  }

  ask(): void {
    this.entry.askedMs = this.since();
  }

  begin({ model, region, requestId }: Begun): void {
    this.entry.calledModel = model;
    if (region) this.entry.region = region;
    this.entry.firstTokenMs = this.since();
    if (requestId !== undefined) this.entry.requestId = requestId;
  }

  /** That it was answered by, or asked last. */
  get region(): string | undefined {
    return this.entry.region ?? this.#askedRegion;
  }

  /** The client has gone away. */
  leave(): void {
    if (this.#isOver) return;
    this.entry.isAborted = true;
    // Thousands may go at once, and Node tells of all of them one right after the other.
    whenTime(() => this.stop(new OpenclawError("interrupted", { message: "The client went away." })));
  }

  stop(reason: OpenclawError): void {
    this.#abort.abort(reason);
  }

  /** Whether it waits for its place below a quota: no model is at work for it. */
  get isQueued(): boolean {
    return this.#isQueued;
  }

  set isQueued(isQueued: boolean) {
    this.#isQueued = isQueued;
    if (isQueued && this.#mayNotWait) this.stop(this.#mayNotWait);
  }

  /** Stops it where it waits for its place, and as soon as it would: what is throttled goes back into the queue. */
  stopWaiting(reason: OpenclawError): void {
    this.#mayNotWait = reason;
    if (this.#isQueued) this.stop(reason);
  }

  /** Ends the waiting of a stopped call for what others wait for, too, and is not stopped with it. */
  giveUp(reason: OpenclawError): void {
    for (const onEnd of this.#waiting) onEnd(reason);
  }

  /**
   * Does work for the call. Rejects as the work does, and as soon as something of the call is thrown where nobody waits for
   * it: then the work may never end.
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#bug) throw this.#bug.failure;
    let onBug = (_failure: unknown): void => undefined;
    const broken = new Promise<never>((_, reject) => {
      onBug = reject;
    });
    this.#waiting.add(onBug);
    try {
      return await Promise.race([traced(this.traced, work), broken]);
    } finally {
      this.#waiting.delete(onBug);
    }
  }

  /** Fails the call for what was thrown where nobody waits for it. */
  breakOff(failure: unknown): void {
    if (this.#isOver || this.#bug) return;
    this.#bug = { failure };
    for (const onBug of this.#waiting) onBug(failure);
    this.stop(
      new OpenclawError("internal", { message: "This server met a bug of its own.", cause: failure }),
    );
  }

  /** Whether something of it was thrown where nobody waits for it. */
  get isBroken(): boolean {
    return this.#bug !== undefined;
  }

  /** Notes what went wrong, for whoever runs the server. */
  fail(failure: unknown): void {
    if (this.entry.isAborted) return;
    const known = failure instanceof OpenclawError ? failure : undefined;
    const message =
      known?.message ?? (failure instanceof Error ? withSources(failure.stack ?? "") : String(failure));
    const code: ErrorCode = known?.code ?? "internal";
    this.entry.error = { code, message: hideSecrets(message, this.#runtime), hint: known?.hint };
  }

  /** Notes why a request goes no further than this server. Its code is spelt there as those of `OpenclawError` are. */
  refuse(code: string, message: string): void {
    this.entry.error = { code: code.replaceAll("_", "-"), message };
  }

  /** Time since the request came, in ms. */
  since(): number {
    return Math.round((this.#runtime.elapsed() - this.#startedAt) * 10) / 10;
  }

  /** The call is over: writes its line of the log, once. */
  end(status: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.entry.status = status;
    this.entry.durationMs = this.since();
    for (const work of this.#onEnd) work();
    this.#log.request(this.entry);
  }
}
