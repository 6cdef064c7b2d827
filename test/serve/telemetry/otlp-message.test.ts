import {
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import { describe, expect, it } from "vitest";
import { type Instrument, Instruments } from "../../../src/serve/telemetry/instruments.ts";
import { metricsMessage, type Span, tracesMessage } from "../../../src/serve/telemetry/otlp/otlp-message.ts";
import { toProtobuf } from "../../../src/serve/telemetry/otlp/protobuf.ts";
import { VERSION } from "../../../src/version.ts";

const RESOURCE = { "service.name": "openclaw", "host.name": "höst" };
const SCOPE = { name: "openclaw", version: VERSION };
const AT = 1_795_000_000_123;
const SPAN: Span = {
  traceId: "4bf92f3577b34da6a3ce929d0e0e4736",
  spanId: "00f067aa0ba902b7",
  parentId: "a3ce929d0e0e4736",
  state: "rojo=1",
  name: "chat amazon.nova-lite-v1:0",
  kind: "client",
  startedAt: AT,
  endedAt: AT + 1500.25,
  attributes: {
    text: "x".repeat(300),
    count: 412,
    many: 5_000_000_000,
    none: 0,
    share: { double: 0.25 },
    isTrue: true,
    reasons: ["stop", "length"],
    unknown: undefined,
    empty: "",
  },
  failure: "It broke off.",
};

/** What OpenTelemetry's own serializers take in place of a span. */
function official(span: Span): object {
  const time = (ms: number): [number, number] => [
    Math.floor(ms / 1000),
    Math.round((ms - Math.floor(ms / 1000) * 1000) * 1000) * 1000,
  ];
  const { traceId, spanId, attributes, failure } = span;
  return {
    name: span.name,
    kind: span.kind === "server" ? 1 : 2,
    spanContext: () => ({
      traceId,
      spanId,
      traceFlags: 1,
      traceState: span.state === undefined ? undefined : { serialize: () => span.state },
    }),
    parentSpanContext:
      span.parentId === undefined ? undefined : { traceId, spanId: span.parentId, traceFlags: 1 },
    startTime: time(span.startedAt),
    endTime: time(span.endedAt),
    status: failure === undefined ? { code: 0 } : { code: 2, message: failure },
    attributes: Object.fromEntries(
      Object.entries(attributes).flatMap(([name, value]) => {
        if (value === undefined || value === "") return [];
        return [[name, typeof value === "object" && "double" in value ? value.double : value]];
      }),
    ),
    links: [],
    events: [],
    duration: [0, 0],
    ended: true,
    resource: officialResource,
    instrumentationScope: SCOPE,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

const officialResource = {
  attributes: RESOURCE,
  asyncAttributesPending: false,
  merge: () => officialResource,
  getRawAttributes: () => [],
};

const TOOK: Instrument = {
  name: "took",
  help: "How long it took.",
  unit: "s",
  kind: "histogram",
  buckets: [0.1, 1],
  labels: ["kind"],
};

describe("OTLP's messages", () => {
  it("of spans are read as those of OpenTelemetry's own exporter, in JSON and in protocol buffers", () => {
    const spans = [
      SPAN,
      { ...SPAN, kind: "server" as const, parentId: undefined, state: undefined, failure: undefined },
    ];
    const message = tracesMessage(RESOURCE, spans);
    const theirs = spans.map(official) as never;
    expect(inCommon(message)).toEqual(
      inCommon(JSON.parse(new TextDecoder().decode(JsonTraceSerializer.serializeRequest(theirs)))),
    );
    expect(fieldsOf(toProtobuf("ExportTraceServiceRequest", message))).toEqual(
      fieldsOf(Buffer.from(ProtobufTraceSerializer.serializeRequest(theirs) ?? [])),
    );
  });

  it("of metrics are read as those of OpenTelemetry's own exporter, in JSON and in protocol buffers", () => {
    const instruments = new Instruments();
    for (const value of [0.1, 0.25, 3, 0]) instruments.record(TOOK, value, { kind: "a" });
    instruments.record(TOOK, 2, { kind: "b" });
    const message = metricsMessage(RESOURCE, instruments.read(), { startedAt: AT, now: AT + 60_000 });
    const theirs = {
      resource: officialResource,
      scopeMetrics: [
        {
          scope: SCOPE,
          metrics: [
            {
              descriptor: {
                name: "took",
                description: TOOK.help,
                unit: "s",
                valueType: 1,
                type: "HISTOGRAM",
                advice: {},
              },
              dataPointType: 0,
              aggregationTemporality: 1,
              dataPoints: [
                { kind: "a", counts: [2, 1, 1], sum: 3.35 },
                { kind: "b", counts: [0, 0, 1], sum: 2 },
              ].map(({ kind, counts, sum }) => ({
                attributes: { kind },
                startTime: [AT / 1000 - 0.123, 123_000_000].map(Math.round),
                endTime: [AT / 1000 + 60 - 0.123, 123_000_000].map(Math.round),
                value: {
                  buckets: { boundaries: [0.1, 1], counts },
                  count: counts.reduce((all, one) => all + one),
                  sum,
                },
              })),
            },
          ],
        },
      ],
    } as never;
    expect(inCommon(message)).toEqual(
      inCommon(JSON.parse(new TextDecoder().decode(JsonMetricsSerializer.serializeRequest(theirs)))),
    );
    expect(fieldsOf(toProtobuf("ExportMetricsServiceRequest", message))).toEqual(
      fieldsOf(Buffer.from(ProtobufMetricsSerializer.serializeRequest(theirs) ?? [])),
    );
  });
});

/** JSON with numbers as texts, as JSON of protocol buffers allows both, and without what says nothing. */
function inCommon(value: unknown): unknown {
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return value.map(inCommon);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, value]) => [name, inCommon(value)] as const)
      .filter(([name, value]) => !NOTHING.has(JSON.stringify(value)) && name !== "flags"),
  );
}

const NOTHING: ReadonlySet<string | undefined> = new Set([undefined, '"0"', "[]", "{}"]);

/**
 * What bytes are as protocol buffers, by nothing but the wire format: each field with its number and its value; what can
 * be a message is read as one. Fields that say nothing are left out.
 */
function fieldsOf(bytes: Buffer): unknown {
  const fields: [number, unknown][] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new RangeError("The bytes end.");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = tag >> 3;
    const wireType = tag & 7;
    if (number === 0) throw new RangeError("No field has the number 0.");
    if (wireType === 0) fields.push([number, String(varint())]);
    else if (wireType === 1 || wireType === 5) {
      const length = wireType === 1 ? 8 : 4;
      if (at + length > bytes.length) throw new RangeError("The bytes end.");
      fields.push([number, bytes.toString("hex", at, (at += length))]);
    } else if (wireType === 2) {
      const length = Number(varint());
      if (at + length > bytes.length) throw new RangeError("The bytes end.");
      fields.push([number, inside(bytes.subarray(at, (at += length)))]);
    } else throw new RangeError(`No wire type is ${wireType}.`);
  }
  // The flags of a span and of its parent, which tell a collector that it knows how to count.
  return fields
    .filter(
      ([number, value]) =>
        !(value === "0" || value === "" || (Array.isArray(value) && value.length === 0) || number === 16),
    )
    .toSorted(([a], [b]) => a - b);
}

function inside(bytes: Buffer): unknown {
  try {
    return bytes.length > 1 ? fieldsOf(bytes) : bytes.toString("latin1");
  } catch (error) {
    if (error instanceof RangeError) return bytes.toString("latin1");
    throw error;
  }
}
