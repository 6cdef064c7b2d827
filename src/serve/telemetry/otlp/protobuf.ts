import { isRecord } from "../../../json.ts";

/** How a field is written: its number, and what it is. A name of another message stands for that. */
type Field = readonly [number: number, kind: string];
type Message = Readonly<Record<string, Field>>;

/**
 * The fields of OTLP's messages that are sent, under the names of its JSON
 * (https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto). A list is a repeated field.
 */
const MESSAGES = {
  ExportTraceServiceRequest: { resourceSpans: [1, "ResourceSpans"] },
  ResourceSpans: { resource: [1, "Resource"], scopeSpans: [2, "ScopeSpans"] },
  ScopeSpans: { scope: [1, "InstrumentationScope"], spans: [2, "Span"] },
  Span: {
    traceId: [1, "hex"],
    spanId: [2, "hex"],
    traceState: [3, "string"],
    parentSpanId: [4, "hex"],
    name: [5, "string"],
    kind: [6, "varint"],
    startTimeUnixNano: [7, "fixed64"],
    endTimeUnixNano: [8, "fixed64"],
    attributes: [9, "KeyValue"],
    status: [15, "Status"],
  },
  Status: { message: [2, "string"], code: [3, "varint"] },
  ExportMetricsServiceRequest: { resourceMetrics: [1, "ResourceMetrics"] },
  ResourceMetrics: { resource: [1, "Resource"], scopeMetrics: [2, "ScopeMetrics"] },
  ScopeMetrics: { scope: [1, "InstrumentationScope"], metrics: [2, "Metric"] },
  Metric: {
    name: [1, "string"],
    description: [2, "string"],
    unit: [3, "string"],
    histogram: [9, "Histogram"],
  },
  Histogram: { dataPoints: [1, "HistogramDataPoint"], aggregationTemporality: [2, "varint"] },
  HistogramDataPoint: {
    startTimeUnixNano: [2, "fixed64"],
    timeUnixNano: [3, "fixed64"],
    count: [4, "fixed64"],
    sum: [5, "double"],
    bucketCounts: [6, "packed fixed64"],
    explicitBounds: [7, "packed double"],
    attributes: [9, "KeyValue"],
  },
  Resource: { attributes: [1, "KeyValue"] },
  InstrumentationScope: { name: [1, "string"], version: [2, "string"] },
  KeyValue: { key: [1, "string"], value: [2, "AnyValue"] },
  AnyValue: {
    stringValue: [1, "string"],
    boolValue: [2, "varint"],
    intValue: [3, "varint"],
    doubleValue: [4, "double"],
    arrayValue: [5, "ArrayValue"],
  },
  ArrayValue: { values: [1, "AnyValue"] },
} as const satisfies Readonly<Record<string, Message>>;

/** The wire types of protocol buffers: https://protobuf.dev/programming-guides/encoding/ */
const VARINT = 0;
const SIXTY_FOUR = 1;
const LENGTH = 2;

/** Writes a message, given in the form of OTLP's JSON, as protocol buffers. Numbers must not be below zero. */
export function toProtobuf(name: keyof typeof MESSAGES, message: object): Buffer {
  const parts: Buffer[] = [];
  const messages: Readonly<Record<string, Message>> = MESSAGES;
  for (const [key, [number, kind]] of Object.entries(messages[name] ?? {})) {
    const value = isRecord(message) ? message[key] : undefined;
    if (value === undefined) continue;
    const items: readonly unknown[] = Array.isArray(value) ? value : [value];
    const [, packed] = /^packed (.+)$/.exec(kind) ?? [];
    if (packed !== undefined) {
      parts.push(...delimited(number, Buffer.concat(items.map((item) => scalar(packed, item)))));
      continue;
    }
    for (const item of items) {
      if (isMessage(kind)) parts.push(...delimited(number, toProtobuf(kind, item as object)));
      else if (kind === "string") parts.push(...delimited(number, Buffer.from(String(item))));
      else if (kind === "hex") parts.push(...delimited(number, Buffer.from(String(item), "hex")));
      else parts.push(tag(number, kind === "varint" ? VARINT : SIXTY_FOUR), scalar(kind, item));
    }
  }
  return Buffer.concat(parts);
}

function isMessage(kind: string): kind is keyof typeof MESSAGES {
  return Object.hasOwn(MESSAGES, kind);
}

function delimited(number: number, bytes: Buffer): Buffer[] {
  return [tag(number, LENGTH), varint(BigInt(bytes.length)), bytes];
}

function tag(number: number, wireType: number): Buffer {
  return varint(BigInt(number * 8 + wireType));
}

function scalar(kind: string, value: unknown): Buffer {
  if (kind === "varint") return varint(BigInt(value as string | number | boolean));
  const bytes = Buffer.alloc(8);
  if (kind === "double") bytes.writeDoubleLE(Number(value));
  else bytes.writeBigUInt64LE(BigInt(value as string | number));
  return bytes;
}

function varint(value: bigint): Buffer {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  bytes.push(Number(left));
  return Buffer.from(bytes);
}
