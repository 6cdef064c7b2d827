import type { Instrument, Series } from "../instruments.ts";
import { VERSION } from "../../../version.ts";

/** What an attribute may be: a bare number is a whole one. */
export type AttributeValue = string | number | boolean | { double: number } | readonly string[];
export type Attributes = Readonly<Record<string, AttributeValue | undefined>>;

export interface Span {
  traceId: string;
  spanId: string;
  parentId: string | undefined;
  state: string | undefined;
  name: string;
  kind: "server" | "client";
  /** Milliseconds since 1970. */
  startedAt: number;
  endedAt: number;
  attributes: Attributes;
  /** Why it failed; undefined where it did not. */
  failure: string | undefined;
}

/** https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto */
const KINDS = { server: 2, client: 3 } as const;
const FAILED = 2;
/** Since the process began: https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/metrics/v1/metrics.proto */
const CUMULATIVE = 2;
const SCOPE = { name: "openclaw", version: VERSION };

/** The message that hands spans over, in the form of OTLP's JSON. */
export function tracesMessage(resource: Attributes, spans: readonly Span[]): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: toAttributes(resource) },
        scopeSpans: [{ scope: SCOPE, spans: spans.map(toSpan) }],
      },
    ],
  };
}

function toSpan({ traceId, spanId, parentId, state, name, kind, startedAt, endedAt, ...rest }: Span): object {
  const { attributes, failure } = rest;
  return {
    traceId,
    spanId,
    ...(state !== undefined && { traceState: state }),
    ...(parentId !== undefined && { parentSpanId: parentId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: toNanoseconds(startedAt),
    endTimeUnixNano: toNanoseconds(endedAt),
    attributes: toAttributes(attributes),
    status: failure === undefined ? {} : { message: failure, code: FAILED },
  };
}

/** The message that tells metrics, counted since `startedAt`, in the form of OTLP's JSON. */
export function metricsMessage(
  resource: Attributes,
  metrics: Iterable<readonly [Instrument, readonly Series[]]>,
  { startedAt, now }: { startedAt: number; now: number },
): object {
  const since = { startTimeUnixNano: toNanoseconds(startedAt), timeUnixNano: toNanoseconds(now) };
  const all = [...metrics].map(([{ name, help, unit = "1", buckets = [] }, series]) => ({
    name,
    description: help,
    unit,
    histogram: {
      dataPoints: series.map(({ labels, value, counts = [] }) => ({
        ...since,
        count: String(counts.reduce((sum, count) => sum + count, 0)),
        sum: value,
        bucketCounts: counts.map(String),
        explicitBounds: buckets,
        attributes: toAttributes(withNumbers(labels)),
      })),
      aggregationTemporality: CUMULATIVE,
    },
  }));
  return {
    resourceMetrics: [
      {
        resource: { attributes: toAttributes(resource) },
        scopeMetrics: [{ scope: SCOPE, metrics: all }],
      },
    ],
  };
}

/** Labels are texts; the one that is a number by the conventions is told as one. */
function withNumbers(labels: Series["labels"]): Attributes {
  const port = labels["server.port"];
  return port === undefined || port === "" ? labels : { ...labels, "server.port": Number(port) };
}

/** Attributes that have a value. */
function toAttributes(attributes: Attributes): object[] {
  return Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined || value === "" ? [] : [{ key, value: toValue(value) }],
  );
}

function toValue(value: AttributeValue): object {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return { intValue: String(value) };
  if ("double" in value) return { doubleValue: value.double };
  return { arrayValue: { values: value.map(toValue) } };
}

function toNanoseconds(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n);
}
