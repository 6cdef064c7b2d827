import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Runtime } from "../../runtime.ts";
import { VERSION } from "../../version.ts";
import type { Call } from "../call.ts";
import type { RequestEntry } from "../serve-log.ts";
import {
  counter,
  gauge,
  histogram,
  type Instrument,
  Instruments,
  OTHER,
  type Series,
} from "./instruments.ts";
import { prometheusText } from "./prometheus-text.ts";

/** Who asked for what: dialects, regions and statuses are few, models and keys any number. */
const WHOSE = { labels: ["dialect", "region"], openLabels: ["model", "key"] } as const;

const secondsIn = (name: string, help: string, buckets: readonly number[]): Instrument =>
  histogram(name, help, { unit: "s", buckets, ...WHOSE });
const labelledBy = (label: string) => ({ ...WHOSE, labels: [...WHOSE.labels, label] });

const REQUESTS = counter(
  "openclaw_requests_total",
  "Requests that were answered, by status; 499 is a client that went away.",
  labelledBy("status"),
);
const REFUSALS = counter(
  "openclaw_refusals_total",
  "Requests that were answered with an error, by its code.",
  labelledBy("code"),
);
const TOKENS = counter(
  "openclaw_tokens_total",
  "Tokens of answers. Those read from and written to the prompt cache are not among the input.",
  labelledBy("type"),
);
const COST = counter(
  "openclaw_cost_usd_total",
  "Estimated cost from list prices, in USD, of the answers whose price is known.",
  WHOSE,
);
const UNPRICED = counter(
  "openclaw_unpriced_answers_total",
  "Answers whose price is not known, which the cost lacks.",
  WHOSE,
);
const DURATION = secondsIn(
  "openclaw_request_duration_seconds",
  "From the first byte of a request to the last of its answer.",
  [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600],
);
const FIRST_TOKEN = secondsIn(
  "openclaw_time_to_first_token_seconds",
  "From the first byte of a request until the model begins to answer.",
  [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 20, 30, 60, 120],
);
const PER_TOKEN = secondsIn(
  "openclaw_time_per_output_token_seconds",
  "Between the first and the last token of a streamed answer, for each token after the first.",
  [0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.2, 0.5, 1],
);
const QUEUED = secondsIn(
  "openclaw_queue_wait_seconds",
  "How long requests waited for their turn before they went out.",
  [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60],
);
const RUNNING = gauge("openclaw_requests_in_flight", "Requests that are not answered whole.", WHOSE);
const ANSWERS = gauge(
  "openclaw_answers_in_flight",
  "Answers of models that are running, which --max-streams bounds.",
  WHOSE,
);
const WAITING = gauge("openclaw_queue_length", "Requests that wait for room below a quota.", WHOSE);

/** What the process itself uses, under the names of Prometheus' own clients. */
const BUILD = gauge("openclaw_build_info", "Which version runs.", { labels: ["version", "node_version"] });
const CPU = counter("process_cpu_seconds_total", "Time of all cores together.", { unit: "s" });
const MEMORY = gauge("process_resident_memory_bytes", "Memory that the process takes.", { unit: "By" });
const STARTED = gauge("process_start_time_seconds", "When the process began, since 1970.", { unit: "s" });
const HEAP = gauge("nodejs_heap_size_used_bytes", "Memory of JavaScript's values.", { unit: "By" });
const LAG = ["mean", "p50", "p99", "max"] as const;
const LAGS = LAG.map((which) =>
  gauge(
    `nodejs_eventloop_lag_${which}_seconds`,
    `How late the event loop was since the last look at it (${which}).`,
    { unit: "s" },
  ),
);

/**
 * How often the event loop is looked at, in ms; what is measured is at least that, and it is taken off again. A hundred
 * times a second no server wakes up for nobody: it begins with the first who asks.
 */
const LAG_RESOLUTION_MS = 10;

/** A request, as far as metrics tell of it. */
export type MeasuredCall = Pick<Call, "entry" | "region">;

/** Requests of the moment. */
export interface ServerState {
  running: readonly MeasuredCall[];
  /** Those that have a model answer. */
  answers: readonly MeasuredCall[];
  /** Those that wait for room below a quota. */
  waiting: readonly MeasuredCall[];
}

/** Counts what the requests of a server came to, for whoever scrapes it. */
export class ServerMetrics {
  readonly #instruments = new Instruments();
  readonly #lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  readonly #runtime: Pick<Runtime, "processUse" | "nodeVersion">;

  constructor(runtime: Pick<Runtime, "processUse" | "nodeVersion">) {
    this.#runtime = runtime;
  }

  count(call: MeasuredCall): void {
    const { entry } = call;
    const { status = 0, error, costUsd, firstTokenMs, durationMs, queuedMs } = entry;
    const labels = labelsOf(call);
    const record = (instrument: Instrument, value: number | undefined, more: object = {}): void => {
      if (value === undefined) return;
      this.#instruments.record(instrument, value, { ...labels, ...more });
    };
    record(REQUESTS, 1, { status: String(status) });
    if (error) record(REFUSALS, 1, { code: error.code });
    // Who only looks at the state of the server would hide how long the models take.
    if (entry.askedMs === undefined) return;
    for (const [type, tokens] of Object.entries(tokensOf(entry))) record(TOKENS, tokens, { type });
    if (costUsd === null) record(UNPRICED, 1);
    else record(COST, costUsd);
    record(DURATION, seconds(durationMs));
    record(FIRST_TOKEN, seconds(firstTokenMs));
    record(PER_TOKEN, seconds(msPerToken(entry)));
    record(QUEUED, seconds(queuedMs));
  }

  /** What was counted, with the numbers of the moment, as the text that an `Accept` asks for. */
  text(state: ServerState, accept?: string): { contentType: string; text: string } {
    this.#lag.enable();
    for (const [instrument, calls] of [
      [RUNNING, state.running],
      [ANSWERS, state.answers],
      [WAITING, state.waiting],
    ] as const)
      this.#instruments.tally(instrument, calls.map(labelsOf));
    return prometheusText([...this.#instruments.read(), ...this.#ofTheMoment()], accept);
  }

  /** Looks at the event loop no longer. */
  close(): void {
    this.#lag.disable();
  }

  *#ofTheMoment(): Generator<[Instrument, readonly Series[]]> {
    const { nodeVersion, processUse } = this.#runtime;
    const { residentBytes, heapBytes, cpuSeconds, startedAt } = processUse();
    const single = (instrument: Instrument, value: number): [Instrument, Series[]] => [
      instrument,
      [{ labels: {}, value }],
    ];
    yield [BUILD, [{ labels: { version: VERSION, node_version: nodeVersion }, value: 1 }]];
    yield single(CPU, cpuSeconds);
    yield single(MEMORY, residentBytes);
    yield single(HEAP, heapBytes);
    yield single(STARTED, startedAt / 1000);
    const lag = this.#lag;
    const ns = { mean: lag.mean, p50: lag.percentile(50), p99: lag.percentile(99), max: lag.max };
    for (const [at, which] of LAG.entries()) {
      const instrument = LAGS[at];
      const late = Math.max(0, ns[which] / 1e9 - LAG_RESOLUTION_MS / 1000);
      // Nothing was measured since the last look.
      if (instrument) yield single(instrument, Number.isFinite(late) ? late : 0);
    }
    lag.reset();
  }
}

function labelsOf({ entry, region }: MeasuredCall): Record<string, string | undefined> {
  return { dialect: entry.dialect, region, model: modelLabel(entry), key: entry.key };
}

/**
 * The model of a request by a name that is not of the client's making: that which answered, or one that is listed; empty
 * where none was asked for.
 */
export function modelLabel({ calledModel, resolvedModel, model }: RequestEntry): string | undefined {
  return calledModel ?? resolvedModel ?? (model === undefined ? undefined : OTHER);
}

/** The tokens of a request by kind, each token once. */
export function tokensOf({
  promptTokens,
  cachedTokens = 0,
  cacheWriteTokens = 0,
  completionTokens,
}: RequestEntry): Record<"input" | "output" | "cache_read" | "cache_write", number | undefined> {
  const isCounted = promptTokens !== undefined;
  return {
    input: isCounted ? Math.max(0, promptTokens - cachedTokens - cacheWriteTokens) : undefined,
    output: completionTokens,
    cache_read: isCounted ? cachedTokens : undefined,
    cache_write: isCounted ? cacheWriteTokens : undefined,
  };
}

/** Time for each token after the first of a streamed answer that is whole, in ms. */
export function msPerToken({
  isStreamed,
  isAborted,
  error,
  completionTokens = 0,
  firstTokenMs,
  durationMs,
}: RequestEntry): number | undefined {
  if (isStreamed !== true || isAborted === true || error || completionTokens < 2) return undefined;
  if (firstTokenMs === undefined || durationMs === undefined) return undefined;
  return (durationMs - firstTokenMs) / (completionTokens - 1);
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
