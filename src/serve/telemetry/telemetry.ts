import type { Runtime } from "../../runtime.ts";
import type { Call } from "../call.ts";
import type { ServeLog } from "../serve-log.ts";
import type { OtlpExporter } from "./otlp/otlp-exporter.ts";
import { ServerMetrics } from "./server-metrics.ts";
import { readTraceContext, toTraceHeaders } from "./trace-context.ts";

/** What is seen of the server from outside: what its requests came to, counted and traced. */
export class Telemetry {
  readonly metrics: ServerMetrics;
  readonly #otlp: OtlpExporter | undefined;
  readonly #now: () => number;

  constructor(runtime: Runtime, otlp: OtlpExporter | undefined) {
    this.metrics = new ServerMetrics(runtime);
    this.#otlp = otlp;
    this.#now = runtime.now;
  }

  /**
   * Follows a request until it is over, in the trace that its headers name. Where no traces are sent, the headers are
   * handed on as they came.
   */
  follow(call: Call, { url, headers }: Request): void {
    const parent = readTraceContext(headers);
    const trace = this.#otlp?.begin(parent);
    const handedOn = trace ? { ...trace, spanId: trace.askSpanId } : parent;
    if (handedOn) call.traced.headers = toTraceHeaders(handedOn);
    call.onEnd(() => {
      const { entry, route, calledPort, otherProvider, asked } = call;
      this.metrics.count(call);
      // Who asks for nothing, or was not let in, leaves no trace.
      if (!this.#otlp || route === undefined || entry.method !== "POST") return;
      const endedAt = this.#now();
      const startedAt = endedAt - (entry.durationMs ?? 0);
      const scheme = url.slice(0, url.indexOf(":"));
      this.#otlp.take({ entry, route, scheme, calledPort, otherProvider, asked, startedAt, endedAt }, trace);
    });
  }

  /** Sends what was not sent yet, within so many ms. */
  async close(ms: number): Promise<void> {
    this.metrics.close();
    await this.#otlp?.close(ms);
  }
}

/** Starts what the environment asks for. Throws `config-invalid` for a variable of OpenTelemetry's that cannot be used. */
export async function startTelemetry(runtime: Runtime, log: ServeLog): Promise<Telemetry> {
  const { wantsOtlp } = await import("./otlp/otlp-settings.ts");
  if (!wantsOtlp(runtime.env)) return new Telemetry(runtime, undefined);
  const { OtlpExporter } = await import("./otlp/otlp-exporter.ts");
  return new Telemetry(runtime, await OtlpExporter.start(runtime, log));
}
