import * as fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { newSpan, readTraceContext, toTraceHeaders } from "../../../src/serve/telemetry/trace-context.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN = "00f067aa0ba902b7";

function read(traceparent: string, tracestate?: string): ReturnType<typeof readTraceContext> {
  return readTraceContext(new Headers({ traceparent, ...(tracestate === undefined ? {} : { tracestate }) }));
}

describe("the trace of a request", () => {
  test.each([
    [`00-${TRACE}-${SPAN}-01`, true],
    [`00-${TRACE}-${SPAN}-00`, false],
    // Flags that are not known, and what a later version has behind them.
    [`00-${TRACE}-${SPAN}-ff`, true],
    [`00-${TRACE}-${SPAN}-02`, false],
    [`cc-${TRACE}-${SPAN}-01`, true],
    [`cc-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, true],
  ])("is read from %s", (traceparent, isSampled) => {
    expect(read(traceparent)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled, state: undefined });
  });

  // The cases of https://github.com/w3c/trace-context/tree/main/test, in our words.
  test.each([
    "",
    "garbage",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-0`,
    `00-${TRACE}-${SPAN}-001`,
    `00-${TRACE}-${SPAN}-01-more`,
    `cc-${TRACE}-${SPAN}-01.more`,
    `00-${TRACE}a-${SPAN}-01`,
    `00_${TRACE}_${SPAN}_01`,
    // Two headers.
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
  ])("is not read from '%s'", (traceparent) => {
    expect(read(traceparent, "a=1")).toBeUndefined();
  });

  test.each([
    ["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"],
    [" a=1 ,, b@vendor=2\t", "a=1,b@vendor=2"],
    ["a=1,a=2", undefined],
    ["A=1", undefined],
    ["a", undefined],
    ["a=", undefined],
    ["a=b=c", undefined],
    ["a=ü", undefined],
    [Array.from({ length: 33 }, (_, at) => `k${at}=1`).join(","), undefined],
    [`a=${"x".repeat(513)}`, undefined],
    ["", undefined],
  ])("hands the state '%s' on as %s, and goes on without it", (tracestate, state) => {
    expect(read(`00-${TRACE}-${SPAN}-01`, tracestate)).toMatchObject({ traceId: TRACE, state });
  });

  it("never throws, and what it reads it writes so that others read it", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("0", "f", "-", "1", "G") }),
        fc.string({ unit: fc.constantFrom("a", "=", ",", " ", "Z", "~") }),
        (traceparent, tracestate) => {
          const parent = readTraceContext(new Headers({ traceparent, tracestate }));
          const own = newSpan(parent ?? read(`00-${TRACE}-${SPAN}-01`, tracestate), true);
          expect(readTraceContext(new Headers({ ...toTraceHeaders(own) }))).toEqual(own);
        },
      ),
    );
  });
});
