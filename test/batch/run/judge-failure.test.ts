import { describe, expect, it } from "vitest";
import { judgeFailure, type Verdict } from "../../../src/batch/run/judge-failure.ts";
import { EXIT_CODES, type ErrorCode, OpenclawError } from "../../../src/errors.ts";

function judge(
  code: ErrorCode,
  {
    tries = 1,
    answered = false,
    others = true,
    fail = true,
    details,
  }: {
    tries?: number;
    answered?: boolean;
    others?: boolean;
    fail?: boolean;
    details?: Record<string, unknown>;
  } = {},
): Verdict {
  const error = new OpenclawError(code, { message: "No.", details });
  const context = { tries, othersAreAnswered: answered, othersFail: fail, hasOthers: others };
  return judgeFailure(error, context, 0.5);
}

/** How often a line is asked before something is decided, at most 20 times. */
function triesOf(code: ErrorCode, answered: boolean): [number, Verdict] {
  for (let tries = 1; tries < 20; tries += 1) {
    const verdict = judge(code, { tries, answered });
    if (typeof verdict === "string") return [tries, verdict];
  }
  return [20, { again: 0 }];
}

describe("a failure of a line", () => {
  it.each([
    ["invalid-request", [1, "result"], [1, "result"]],
    ["input-too-long", [1, "result"], [1, "result"]],
    ["bad-attachment", [1, "result"], [1, "result"]],
    ["blocked", [1, "result"], [1, "result"]],
    ["model-error", [2, "result"], [2, "result"]],
    ["timeout", [2, "result"], [2, "end"]],
    ["stream-broken", [3, "result"], [3, "end"]],
    ["bad-response", [3, "result"], [3, "end"]],
    ["service-unavailable", [4, "result"], [4, "end"]],
    ["network", [4, "result"], [4, "end"]],
    ["access-denied", [2, "result"], [2, "end"]],
    ["model-access", [2, "result"], [2, "end"]],
    ["model-not-found", [2, "result"], [2, "end"]],
    ["needs-inference-profile", [2, "result"], [2, "end"]],
    ["throttled", [20, { again: 0 }], [20, { again: 0 }]],
    ["quota-exceeded", [1, "end"], [1, "end"]],
    ["no-credentials", [1, "end"], [1, "end"]],
    ["credentials-expired", [1, "end"], [1, "end"]],
    ["credentials-rejected", [1, "end"], [1, "end"]],
    ["budget-exceeded", [1, "end"], [1, "end"]],
    ["interrupted", [1, "end"], [1, "end"]],
    ["internal", [1, "end"], [1, "end"]],
  ] as const)("with %s, where others are answered: %j, where none is: %j", (code, beside, alone) => {
    expect(triesOf(code, true)).toEqual(beside);
    expect(triesOf(code, false)).toEqual(alone);
  });

  it("has a verdict for every code", () => {
    for (const code of Object.keys(EXIT_CODES) as ErrorCode[]) expect(judge(code)).toBeDefined();
  });

  it("is the line's own where no other is left and a service has answered", () => {
    expect(judge("service-unavailable", { tries: 4, others: false })).toBe("result");
    expect(judge("timeout", { tries: 2, others: false })).toBe("result");
    expect(judge("network", { tries: 4, others: false })).toBe("end");
    expect(judge("access-denied", { tries: 2, others: false })).toBe("end");
  });

  it("is asked again for as long as nobody knows whether it is the line", () => {
    const unclear = { tries: 9, fail: false };
    expect(judge("network", unclear)).toEqual({ again: 45_000 });
    expect(judge("network", { ...unclear, answered: true })).toBe("result");
    expect(judge("network", { ...unclear, others: false })).toBe("end");
  });

  it("is the line's own where it never fits below the quota", () => {
    expect(judge("quota-exceeded", { details: { isPaced: true } })).toBe("result");
  });

  it.each([
    [1, undefined, 750],
    [2, undefined, 1500],
    [3, undefined, 3000],
    [9, undefined, 45_000],
    [1, 7, 7000],
    [1, 0.25, 750],
  ])("after try %i, where the service asks for %s, waits %i ms", (tries, retryAfter, expected) => {
    expect(judge("throttled", { tries, details: { retryAfter } })).toEqual({ again: expected });
  });
});
