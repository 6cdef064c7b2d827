import type { Query } from "../../chat/run-turn.ts";
import type { ChatEvents } from "../../converse/chat-event.ts";
import { OpenclawError } from "../../errors.ts";
import type { ResolvedModel } from "../../models/resolve-model.ts";
import type { CallCost, TokenUsage } from "../../models/usage.ts";
import type { Runtime } from "../../runtime.ts";
import { untilAborted } from "../../until-aborted.ts";
import type { BatchLine, LineKind } from "../lines/batch-line.ts";
import type { BatchInput } from "../lines/open-input.ts";
import { type OutputForm, toLine } from "../lines/output-forms.ts";
import { readLine } from "../lines/read-line.ts";
import type { AnswerLength } from "./answer-length.ts";
import type { DeadlineTier, RunTier } from "./choose-tier.ts";
import { Concurrency } from "./concurrency.ts";
import { type CostBound, CostBoundReached } from "./cost-bound.ts";
import { isLinesOwn, judgeFailure } from "./judge-failure.ts";
import type { LineCounts, LineOutcome } from "./line-result.ts";
import type { ResultOutput } from "./ordered-output.ts";

/** Lines that are read ahead, so that one model that has to wait does not hold up those of another. */
const MOST_QUEUED = 500;
/** Lines that are queued or asked, together, in bytes of the input. */
const MOST_BYTES = 64 * 1024 * 1024;
/** So many lines of a model may fail one after the other before the next one waits for what becomes of them. */
const MOST_FAILURES = 5;
/** So many tokens tell the price of one without what rounding makes of it. */
const SAMPLE = 1_000_000;
/** What floating point may make too much of a quotient is taken off it. */
const EXACT = 1 - 1e-9;
/** A model that answers nothing and throttles everything is given up after so long, in ms. */
const GIVEN_UP_MS = 15 * 60_000;

/** Asks a model by a name, as `Upstream` does. */
export interface ModelService {
  askByName(
    name: string,
    query: Omit<Query, "bounds">,
    runtime: Runtime,
    caller: {
      onCounted: (usage: TokenUsage, cost: CallCost | null) => void;
      onThrottled: () => void;
      onWaiting: () => void;
      onQueued: () => void;
    },
  ): ChatEvents;
}

export interface RunModel {
  /** By which it is asked. */
  name: string;
  model: ResolvedModel;
  /** What the tokens of an answer cost; null where nobody knows. */
  costOf: (usage: TokenUsage, model: string) => CallCost | null;
  /** What a line costs at most, in USD, with an answer of so many tokens; where there is a bound of the cost. */
  mostUsd: (line: BatchLine, maxTokens: number | undefined) => number;
  /** What a line reserves of the quota when it is asked first, in tokens, as far as that can be told. */
  reserved: (line: BatchLine) => { inputTokens: number; maxTokens: number };
  /** No answer to a line that does not say how long is longer than this at first, in tokens. */
  usualLength: number;
  /** How long answers may be to lines that do not say; undefined where something else says it. */
  answerLength: AnswerLength | undefined;
  /** The most that are asked at once. */
  concurrency: number;
  /** Whether it is asked in the tier `flex`, too. */
  hasFlex: boolean;
}

export interface RunSettings {
  input: BatchInput;
  kind: LineKind;
  form: OutputForm;
  output: ResultOutput;
  service: ModelService;
  modelFor: (line: BatchLine) => RunModel;
  /** Of each answer whose line names none. */
  maxTokens: number | undefined;
  cost: CostBound | undefined;
  /** Chooses the tier of lines that name none; undefined where there is no deadline. */
  deadline: DeadlineTier | undefined;
}

/** A line that is queued or asked. */
interface Job {
  /** Which of the lines that ask something, from 1. */
  number: number;
  line: BatchLine;
  /** Of the line, in bytes. */
  length: number;
  tries: number;
  /** How often any line had been asked when this one was asked last, and when it failed first. */
  askedAs: number;
  failedAt: number | undefined;
  /** Tokens at which its answer was cut, which nobody wanted: it is asked for all that the model can. 0 where it was not. */
  cutAt: number;
  /** In which it was asked last, where that was chosen for it. */
  tier: RunTier | undefined;
  counts: LineCounts;
}

/** The lines of one model. */
class Lane {
  readonly of: RunModel;
  readonly concurrency: Concurrency;
  /** Lines to be asked again come first. */
  readonly again: Job[] = [];
  readonly queue: Job[] = [];
  /** Index of the first in `queue`. */
  head = 0;
  running = 0;
  /** `askedAs` of the newest line that was answered; 0 where none was. */
  newestAnswered = 0;
  /** Since it has answered last, or was asked first. */
  quietSince: number;
  throttles = 0;
  /** Lines that failed since one was answered. */
  failuresInRow = 0;
  /** No line is asked before this one is, at a time in ms; undefined where there is no pause. */
  #rest: { until: number; job: Job } | undefined;

  constructor(of: RunModel, now: () => number) {
    this.of = of;
    this.concurrency = new Concurrency(of.concurrency, now);
    this.quietSince = now();
  }

  next(): Job | undefined {
    const first = this.again.shift();
    if (first) return first;
    const job = this.queue[this.head];
    if (!job) return undefined;
    this.head += 1;
    // In one go, so that a long queue is not moved for each.
    if (this.head > 1000 || this.head === this.queue.length) {
      this.queue.splice(0, this.head);
      this.head = 0;
    }
    return job;
  }

  putBack(job: Job): void {
    this.again.unshift(job);
  }

  get isResting(): boolean {
    return this.#rest !== undefined;
  }

  /** Lets nobody be asked before a line that is asked again at a time, in ms. */
  restFor(job: Job, until: number): void {
    if (!this.#rest || until > this.#rest.until) this.#rest = { until, job };
  }

  /** Ends that, where it is this line's turn, whatever the clock says: timers come early where the process is busy. */
  endRest(job: Job): void {
    if (this.#rest?.job === job) this.#rest = undefined;
  }

  get hasNext(): boolean {
    return this.again.length > 0 || this.head < this.queue.length;
  }
}

export interface RunState {
  running: number;
  throttles: number;
  /** Lines that were asked again because their answers were cut. */
  askedWhole: number;
  /** Whether all lines that are asked wait for their place below the quota. */
  isWaiting: boolean;
  /** Why no lines are asked at the moment, in words. */
  pause: string | undefined;
}

/**
 * Asks the lines of a file that are not done, each of its model, many at once, and puts down what becomes of each. What is
 * the line's own fault is what became of it; what would happen to every line ends the run, and what was put down stays.
 */
export class LineRunner {
  readonly #settings: RunSettings;
  readonly #runtime: Runtime;
  readonly #lanes = new Map<RunModel, Lane>();
  readonly #noted = new Set<string>();
  /** Aborted when no more lines are to be asked. */
  readonly #enough = new AbortController();
  #isRead = false;
  #queued = 0;
  #delayed = 0;
  #running = 0;
  #bytes = 0;
  #askedWhole = 0;
  #throttles = 0;
  /** Lines that are asked, and wait for their place below the quota. */
  readonly #waiting = new Set<Job>();
  #askings = 0;
  #newestAnswered = 0;
  /** Whether what is on its way may cost all that is left. */
  #isCostCommitted = false;
  #pause: string | undefined;
  #failure: unknown;
  #wake: (() => void)[] = [];
  readonly #delays = new Set<NodeJS.Timeout>();

  /** `runtime` is what lines are asked with: its signal cuts them off. */
  constructor(settings: RunSettings, runtime: Runtime) {
    this.#settings = settings;
    this.#runtime = runtime;
  }

  get state(): RunState {
    return {
      running: this.#running,
      throttles: this.#throttles,
      askedWhole: this.#askedWhole,
      isWaiting: this.#running > 0 && this.#waiting.size === this.#running,
      pause: this.#pause,
    };
  }

  /**
   * No more lines are asked; those that are on their way are waited for, but not those that wait for their place. The run
   * then ends with the reason, and whoever runs it cuts those off.
   */
  end(reason: unknown): void {
    if (this.#enough.signal.aborted) return;
    this.#failure = reason;
    this.#enough.abort(reason);
    this.#changed();
  }

  /** No lines are asked for as long as there is a reason, in words. */
  pauseFor(reason: string | undefined): void {
    this.#pause = reason;
    if (reason === undefined) this.#pumpAll();
  }

  /** Resolves when every line is done. Throws why some are not: the reason of `end`, or the failure that every line would have. */
  async run(): Promise<void> {
    const watch = setInterval(() => this.#giveUpSilent(), 5000).unref();
    try {
      const reading = this.#read().catch((failure: unknown) => this.end(failure));
      await reading;
      this.#isRead = true;
      while (this.#enough.signal.aborted ? this.#running > this.#waiting.size : this.#left > 0)
        await this.#change();
      await this.#settings.output.settle();
      if (this.#enough.signal.aborted) throw this.#failure;
    } finally {
      clearInterval(watch);
      for (const timer of this.#delays) clearTimeout(timer);
    }
  }

  get #left(): number {
    return this.#running + this.#queued + this.#delayed;
  }

  async #read(): Promise<void> {
    const { input, output, kind } = this.#settings;
    const { signal } = this.#enough;
    let number = 0;
    for await (const raw of input.lines(signal)) {
      number += 1;
      if (output.has(number)) continue;
      await untilAborted(output.roomFor(number), signal);
      while (this.#queued >= MOST_QUEUED || (this.#bytes + raw.length > MOST_BYTES && this.#left > 0)) {
        // A run that has ended changes nothing more, so nobody would wake this.
        signal.throwIfAborted();
        await this.#change();
      }
      const line = await readLine(raw, { kind, signal });
      this.#take({
        number,
        line,
        length: raw.length,
        tries: 0,
        askedAs: 0,
        failedAt: undefined,
        cutAt: 0,
        tier: undefined,
        counts: { inputTokens: 0, outputTokens: 0, usd: 0, unpriced: 0 },
      });
    }
  }

  #take(job: Job): void {
    const model = this.#settings.modelFor(job.line);
    const lane = this.#lanes.get(model) ?? new Lane(model, this.#runtime.elapsed);
    this.#lanes.set(model, lane);
    lane.queue.push(job);
    this.#queued += 1;
    this.#bytes += job.length;
    this.#pump(lane);
  }

  #pumpAll(): void {
    for (const lane of this.#lanes.values()) this.#pump(lane);
  }

  /** Asks as many of a model's lines as may be asked at once. */
  #pump(lane: Lane): void {
    while (
      lane.hasNext &&
      lane.running < lane.concurrency.limit &&
      this.#pause === undefined &&
      !this.#isCostCommitted &&
      !this.#enough.signal.aborted &&
      !lane.isResting
    ) {
      const job = lane.next();
      if (!job) return;
      this.#queued -= 1;
      lane.running += 1;
      this.#running += 1;
      void this.#ask(job, lane)
        .catch((failure: unknown) => this.end(failure))
        .finally(() => {
          this.#waiting.delete(job);
          lane.running -= 1;
          this.#running -= 1;
          this.#pumpAll();
          this.#changed();
        });
    }
  }

  async #ask(job: Job, lane: Lane): Promise<void> {
    const { maxTokens: given, cost } = this.#settings;
    const { line, counts } = job;
    const { answerLength } = lane.of;
    const { ask } = line.asked;
    const isOpen = ask.parameters.maxTokens === undefined && ask.invocation === undefined;
    const chosen = isOpen && given === undefined ? answerLength : undefined;
    const wanted = isOpen
      ? (given ?? (job.cutAt > 0 ? chosen?.most : chosen?.allowedFor(ask)))
      : ask.parameters.maxTokens;
    const terms = cost ? this.#admit(cost, job, lane, { wanted, chosen }) : { maxTokens: wanted, usd: 0 };
    if (!terms) {
      // What those on their way leave of it may be enough.
      this.#isCostCommitted = true;
      return this.#putBack(job, lane);
    }
    const { maxTokens, usd: admitted } = terms;
    job.tries += 1;
    this.#askings += 1;
    job.askedAs = this.#askings;
    const before = counts.usd;
    const answered = await this.#answer(job, lane, maxTokens).finally(() => {
      cost?.settle(admitted, counts.usd - before);
      this.#isCostCommitted = false;
    });
    if (answered instanceof OpenclawError) return this.#fail(job, lane, answered);
    lane.newestAnswered = Math.max(lane.newestAnswered, job.askedAs);
    this.#newestAnswered = Math.max(this.#newestAnswered, job.askedAs);
    lane.quietSince = this.#runtime.elapsed();
    lane.failuresInRow = 0;
    lane.concurrency.answered();
    if (isOpen && given === undefined) answerLength?.learn(answered.outputTokens);
    const { most = Number.POSITIVE_INFINITY } = answerLength ?? {};
    if (answered.isCut && chosen && maxTokens !== undefined && maxTokens < most) {
      // What was chosen here cut it, so nobody wanted it so short.
      job.cutAt = maxTokens;
      this.#askedWhole += 1;
      return this.#putBack(job, lane);
    }
    await this.#put(job, answered.isCut ? "cut" : "ok", answered.json);
  }

  /**
   * Lets a line pass below the bound of the cost, which it never passes. Where money is short, and nobody has said how long its
   * answer may be, that is as long as answers are that were there, or as long as what is left pays for. Undefined where it has
   * to wait for what others leave. Throws CostBoundReached.
   */
  #admit(
    cost: CostBound,
    { line, cutAt }: Job,
    { of: { mostUsd } }: Lane,
    { wanted, chosen }: { wanted: number | undefined; chosen: AnswerLength | undefined },
  ): { maxTokens: number | undefined; usd: number } | undefined {
    const { ask } = line.asked;
    const admit = (
      maxTokens: number | undefined,
    ): { maxTokens: number | undefined; usd: number } | undefined => {
      const usd = mostUsd(line, maxTokens);
      return cost.admit(usd) ? { maxTokens, usd } : undefined;
    };
    const passed =
      admit(wanted) ?? (chosen && cutAt === 0 ? admit(chosen.allowedFor(ask, { isShort: true })) : undefined);
    if (passed || cost.hasPending) return passed;
    const usd = mostUsd(line, 0);
    const affordable = Math.floor(((cost.left - usd) * SAMPLE * EXACT) / (mostUsd(line, SAMPLE) - usd));
    const least = cutAt > 0 ? cutAt * 2 : chosen?.leastFor(ask);
    const last = least !== undefined && affordable >= Math.max(1, least) && admit(affordable);
    if (!last) throw new CostBoundReached(cost, mostUsd(line, wanted));
    return last;
  }

  /** The answer to a line as it is put down, or why there is none. */
  async #answer(
    job: Job,
    lane: Lane,
    maxTokens: number | undefined,
  ): Promise<{ json: string; isCut: boolean; outputTokens: number } | OpenclawError> {
    const { service, form } = this.#settings;
    const { line, counts } = job;
    const runtime = this.#runtime;
    const { ask } = line.asked;
    const startedAt = runtime.elapsed();
    job.tier = this.#tierFor(job, lane);
    const query = {
      ...ask,
      parameters: {
        ...ask.parameters,
        ...(maxTokens === undefined ? {} : { maxTokens }),
        ...(job.tier === "flex" ? { serviceTier: job.tier } : {}),
      },
      noted: this.#noted,
      passesSignatures: true,
      // An answer without anything in it would be asked for again, and cost as much once more.
      asksOnce: this.#settings.cost !== undefined,
    };
    let stopReason = "";
    let outputTokens = 0;
    const events = service.askByName(lane.of.name, query, runtime, {
      onCounted: (usage, cost) => {
        outputTokens = usage.outputTokens;
        const { inputTokens, cacheReadInputTokens = 0, cacheWriteInputTokens = 0 } = usage;
        counts.inputTokens += inputTokens + cacheReadInputTokens + cacheWriteInputTokens;
        counts.outputTokens += usage.outputTokens;
        counts.usd += cost?.usd ?? 0;
        if (!cost) counts.unpriced += usage.askings ?? 1;
      },
      onThrottled: () => this.#noteThrottle(lane),
      onWaiting: () => {
        this.#waiting.add(job);
        this.#changed();
      },
      onQueued: () => this.#waiting.delete(job),
    });
    const watched = (async function* (): ChatEvents {
      for await (const event of events) {
        if (event.type === "stop") ({ stopReason } = event);
        yield event;
      }
    })();
    try {
      const answer = await form.answer(line, watched, {
        requestId: this.#newId(),
        created: Math.floor(runtime.now() / 1000),
        since: () => Math.round(runtime.elapsed() - startedAt),
        costOf: lane.of.costOf,
      });
      return { json: toLine(answer).trimEnd(), isCut: stopReason === "max_tokens", outputTokens };
    } catch (error) {
      if (error instanceof OpenclawError) return error;
      throw error;
    }
  }

  /** The tier in which the deadline is made; undefined where a line, or who asks, says it. */
  #tierFor({ line }: Job, { of }: Lane): RunTier | undefined {
    const { ask } = line.asked;
    if (ask.parameters.serviceTier !== undefined || ask.invocation) return undefined;
    const tier = this.#settings.deadline?.next();
    return tier && (of.hasFlex ? tier : "default");
  }

  async #fail(job: Job, lane: Lane, error: OpenclawError): Promise<void> {
    if (error.code === "interrupted") throw error;
    if (error.code === "throttled") this.#noteThrottle(lane);
    // What ends a run is no line's own: all that fail beside it are asked when the run goes on.
    if (this.#enough.signal.aborted && !isLinesOwn(error)) return;
    job.failedAt ??= this.#askings;
    lane.failuresInRow += 1;
    const { form } = this.#settings;
    const verdict = judgeFailure(
      error,
      {
        tries: job.tries,
        othersAreAnswered: this.#hasAnsweredSince(job.failedAt, lane),
        othersFail: lane.failuresInRow >= MOST_FAILURES,
        hasOthers: !this.#isRead || this.#left > 1,
      },
      this.#runtime.random(),
    );
    if (verdict === "end") throw error;
    if (verdict === "result")
      return this.#put(job, error.code, toLine(form.failure(job.line, error, this.#newId())).trimEnd());
    // What the client says of its own tries would be all that is known of them.
    if (error.code !== "throttled")
      this.#runtime.terminal.note(
        "openclaw: a line for which no try helps is asked again a while later, others meanwhile.",
      );
    this.#runtime.terminal.verbose(
      () => `line ${job.line.number}: ${error.message} Asked again in ${Math.round(verdict.again)} ms.`,
    );
    // A service that asks for a pause asks it of all, and where nothing is answered, all wait to see whether something is.
    if (error.code === "throttled" || lane.failuresInRow >= MOST_FAILURES)
      lane.restFor(job, this.#runtime.elapsed() + verdict.again);
    this.#delayed += 1;
    const timer = setTimeout(() => {
      this.#delays.delete(timer);
      this.#delayed -= 1;
      this.#putBack(job, lane);
      lane.endRest(job);
      this.#pump(lane);
      this.#changed();
    }, verdict.again);
    this.#delays.add(timer);
    return undefined;
  }

  /** Whether a line of the model was asked after so many askings and answered, or one of another model where it never answers. */
  #hasAnsweredSince(askings: number, { newestAnswered }: Lane): boolean {
    return (newestAnswered === 0 ? this.#newestAnswered : newestAnswered) > askings;
  }

  #putBack(job: Job, lane: Lane): void {
    lane.putBack(job);
    this.#queued += 1;
  }

  async #put(job: Job, outcome: LineOutcome, json: string): Promise<void> {
    const { output, deadline } = this.#settings;
    await output.put({ number: job.number, outcome, json, ...job.counts });
    deadline?.done(job.tier);
    this.#bytes -= job.length;
  }

  #noteThrottle(lane: Lane): void {
    this.#throttles += 1;
    lane.throttles += 1;
    lane.concurrency.throttled();
  }

  /** Ends a run that gets nothing but throttles. */
  #giveUpSilent(): void {
    const { elapsed } = this.#runtime;
    for (const lane of this.#lanes.values()) {
      if (lane.throttles === 0 || elapsed() - lane.quietSince < GIVEN_UP_MS) continue;
      this.end(
        new OpenclawError("throttled", {
          message: `'${lane.of.name}' has answered nothing for ${GIVEN_UP_MS / 60_000} minutes: every call is throttled.`,
          hint: "See what the quota is: openclaw quota",
        }),
      );
    }
  }

  #newId(): string {
    const digits = (): string =>
      Math.floor(this.#runtime.random() * 2 ** 48)
        .toString(16)
        .padStart(12, "0");
    return digits() + digits();
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => this.#wake.push(resolve));
  }
}
