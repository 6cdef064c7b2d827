import type { TimedHandler } from "../../../network/timed-handler.ts";
import { rememberSecrets } from "../../../credentials/hide-secrets.ts";
import { createRequestHandler } from "../../../network/request-handler.ts";
import { nextTurn } from "../../../next-turn.ts";
import type { Runtime } from "../../../runtime.ts";
import type { ServeLog } from "../../serve-log.ts";
import { Instruments } from "../instruments.ts";
import { newSpan, type TraceContext } from "../trace-context.ts";
import { recordGenAi, type RequestTrace, spansOf, type TracedRequest } from "./gen-ai.ts";
import { metricsMessage, type Span, tracesMessage } from "./otlp-message.ts";
import { OtlpSender } from "./otlp-sender.ts";
import { count } from "../../../terminal/numbers.ts";
import { type OtlpSettings, type OtlpTarget, readOtlpSettings } from "./otlp-settings.ts";

/** Spans that wait to be sent, and how many go at once: the defaults of OpenTelemetry's batch processor. */
const MOST_WAITING = 2048;
const MOST_AT_ONCE = 512;
const BATCH_MS = 5000;

/**
 * Sends traces and metrics to an OpenTelemetry collector. No request ever waits for it: spans wait in a queue that is
 * bounded, and what finds no room or no receiver is dropped, and counted in the log.
 */
export class OtlpExporter {
  readonly #settings: OtlpSettings;
  readonly #runtime: Runtime;
  readonly #handler: TimedHandler;
  readonly #traces: OtlpSender | undefined;
  readonly #metrics: OtlpSender | undefined;
  readonly #instruments = new Instruments();
  readonly #startedAt: number;
  readonly #losses: { spans: Losses; metrics: Losses };
  readonly #timers: NodeJS.Timeout[];
  readonly #stop = new AbortController();
  #waiting: Span[] = [];
  #sending: Promise<void> = Promise.resolve();
  #isSending = false;
  #sendingMetrics: Promise<void> | undefined;

  /** Starts an exporter by the variables of the environment. Throws `config-invalid`, also for certificates. */
  static async start(runtime: Runtime, log: ServeLog): Promise<OtlpExporter> {
    const settings = readOtlpSettings(runtime.env);
    const targets = [settings.traces, settings.metrics].filter((target) => target !== undefined);
    rememberSecrets(
      runtime,
      targets.flatMap(({ headers }) => Object.values(headers)),
    );
    return new OtlpExporter(settings, await createRequestHandler(runtime), runtime, log);
  }

  private constructor(settings: OtlpSettings, handler: TimedHandler, runtime: Runtime, log: ServeLog) {
    const to = (target: OtlpTarget | undefined, name: "Trace" | "Metrics"): OtlpSender | undefined =>
      target && new OtlpSender(target, `Export${name}ServiceRequest`, handler, runtime);
    this.#settings = settings;
    this.#handler = handler;
    this.#runtime = runtime;
    this.#startedAt = runtime.now();
    this.#traces = to(settings.traces, "Trace");
    this.#metrics = to(settings.metrics, "Metrics");
    this.#losses = {
      spans: new Losses("Spans", settings.traces, log),
      metrics: new Losses("Metrics", settings.metrics, log),
    };
    this.#timers = [
      setInterval(() => this.#sendSpans(), BATCH_MS).unref(),
      setInterval(() => this.#sendMetrics(), settings.intervalMs).unref(),
    ];
  }

  /** The place in a trace of a request that begins. */
  begin(parent: TraceContext | undefined): RequestTrace | undefined {
    if (!this.#traces) return undefined;
    const own = newSpan(parent, false);
    const isSampled = this.#settings.samples(own.traceId, parent);
    return {
      traceId: own.traceId,
      state: own.state,
      spanId: own.spanId,
      parentId: parent?.spanId,
      askSpanId: newSpan(parent, isSampled).spanId,
      isSampled,
    };
  }

  /** Takes a request that is over. */
  take(request: TracedRequest, trace: RequestTrace | undefined): void {
    if (this.#metrics && request.entry.askedMs !== undefined) recordGenAi(this.#instruments, request);
    if (!this.#traces || trace?.isSampled !== true) return;
    const spans = spansOf(request, trace);
    if (this.#waiting.length + spans.length > MOST_WAITING) {
      this.#losses.spans.count(spans.length, "nobody takes them as fast as they come");
      return;
    }
    this.#waiting.push(...spans);
    if (this.#waiting.length >= MOST_AT_ONCE) this.#sendSpans();
  }

  /** Sends what is left, within so many ms, and closes the connections. */
  async close(ms: number): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    const ending = setTimeout(() => this.#stop.abort(), ms);
    this.#sendSpans();
    // What is on its way is older than the last requests.
    await Promise.all([this.#sending, this.#sendingMetrics]);
    this.#sendMetrics();
    await this.#sendingMetrics;
    clearTimeout(ending);
    this.#stop.abort();
    this.#handler.destroy();
    for (const losses of Object.values(this.#losses)) losses.tell();
  }

  #sendSpans(): void {
    if (!this.#isSending) this.#sending = this.#sendAllSpans();
  }

  /** Sends what waits, and what comes meanwhile, one batch after the other. */
  async #sendAllSpans(): Promise<void> {
    const { signal } = this.#stop;
    this.#isSending = true;
    try {
      while (this.#traces && this.#waiting.length > 0) {
        const batch = this.#waiting.slice(0, MOST_AT_ONCE);
        const failed = await this.#traces.send(tracesMessage(this.#settings.resource, batch), signal);
        this.#waiting.splice(0, batch.length);
        if (failed === undefined) this.#losses.spans.arrived();
        else this.#losses.spans.count(batch.length, failed);
        await nextTurn();
      }
    } finally {
      this.#isSending = false;
    }
  }

  #sendMetrics(): void {
    this.#sendingMetrics ??= this.#sendAllMetrics().finally(() => {
      this.#sendingMetrics = undefined;
    });
  }

  async #sendAllMetrics(): Promise<void> {
    const all = [...this.#instruments.read()];
    if (!this.#metrics || all.length === 0) return;
    const times = { startedAt: this.#startedAt, now: this.#runtime.now() };
    const message = metricsMessage(this.#settings.resource, all, times);
    const failed = await this.#metrics.send(message, this.#stop.signal);
    // What was not taken is in the next message, too: they count from the beginning.
    if (failed === undefined) this.#losses.metrics.arrived();
    else this.#losses.metrics.count(0, failed);
  }
}

/** What did not arrive: told when it begins, and how much it was when it is over. */
class Losses {
  readonly #what: string;
  readonly #where: string;
  readonly #log: ServeLog;
  #isLosing = false;
  #lost = 0;

  constructor(what: string, target: OtlpTarget | undefined, log: ServeLog) {
    this.#what = what;
    this.#where = target === undefined ? "" : `${target.url.origin}${target.url.pathname}`;
    this.#log = log;
  }

  count(lost: number, reason: string): void {
    this.#lost += lost;
    if (this.#isLosing) return;
    this.#isLosing = true;
    this.#log.note(`${this.#what} do not get to ${this.#where} (${reason}). Requests go on without them.`);
  }

  arrived(): void {
    if (!this.#isLosing) return;
    this.#log.note(`${this.#what} get to ${this.#where} again.`);
    this.tell();
    this.#isLosing = false;
  }

  /** Says how many were lost. */
  tell(): void {
    if (this.#lost > 0) this.#log.note(`${count(this.#lost, "span was", "spans were")} lost.`);
    this.#lost = 0;
  }
}
