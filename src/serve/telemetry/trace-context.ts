import { randomBytes } from "node:crypto";
import type { TraceHeaders } from "../../trace-headers.ts";

export interface TraceContext {
  /** 32 hexadecimal digits. */
  traceId: string;
  /** Of the span that it was made in: 16 hexadecimal digits. */
  spanId: string;
  isSampled: boolean;
  /** What other vendors want to be handed on. */
  state?: string | undefined;
}

/** Of versions to come the beginning is as in this one. */
const PARENT = /^(?!ff)([\da-f]{2})-(?!0{32})([\da-f]{32})-(?!0{16})([\da-f]{16})-([\da-f]{2})(-.*)?$/;
const STATE_ENTRY =
  /^[\da-z][\w\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const MOST_STATES = 32;
/** In characters. */
const LONGEST_STATE = 512;
const SAMPLED = 1;

/**
 * Reads `traceparent` and `tracestate` (https://www.w3.org/TR/trace-context/); undefined where they are missing, not well
 * formed, or there are several. A `tracestate` that cannot be taken is dropped alone.
 */
export function readTraceContext(headers: Headers): TraceContext | undefined {
  const [, version, traceId, spanId, flags = "", more] = PARENT.exec(headers.get("traceparent") ?? "") ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  if (version === "00" && more !== undefined) return undefined;
  const isSampled = (Number.parseInt(flags, 16) & SAMPLED) !== 0;
  return { traceId, spanId, isSampled, state: readState(headers.get("tracestate") ?? "") };
}

function readState(text: string): string | undefined {
  if (text.length > LONGEST_STATE) return undefined;
  const entries = text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  const names = new Set(entries.map((entry) => entry.slice(0, entry.indexOf("="))));
  const isGood = entries.every((entry) => STATE_ENTRY.test(entry) && !/^[^=]*[A-Z]/.test(entry));
  if (!isGood || entries.length === 0 || entries.length > MOST_STATES || names.size < entries.length)
    return undefined;
  return entries.join(",");
}

/** A new place in the trace of `parent`, or in a trace of its own. */
export function newSpan(parent: TraceContext | undefined, isSampled: boolean): TraceContext {
  return {
    traceId: parent?.traceId ?? randomBytes(16).toString("hex"),
    spanId: randomBytes(8).toString("hex"),
    isSampled,
    state: parent?.state,
  };
}

/** The headers that hand a place in a trace on. */
export function toTraceHeaders({ traceId, spanId, isSampled, state }: TraceContext): TraceHeaders {
  const traceparent = `00-${traceId}-${spanId}-0${isSampled ? SAMPLED : 0}`;
  return state === undefined ? { traceparent } : { traceparent, tracestate: state };
}
