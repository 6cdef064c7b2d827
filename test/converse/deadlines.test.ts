import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { boundsFor, Deadlines } from "../../src/converse/deadlines.ts";

describe("the bounds of a call", () => {
  it.each([
    [undefined, false, 2 * 60_000],
    [undefined, true, 15 * 60_000],
    [100, false, 100],
    [100, true, 100],
  ])(
    "with %j ms asked for until the model says something, reasoning %j",
    (asked, isReasoning, firstEventMs) => {
      const wanted = { firstEventMs: asked, silenceMs: 50, totalMs: 1000, spentMs: 10 };
      expect(boundsFor(wanted, isReasoning)).toEqual({ ...wanted, firstEventMs });
    },
  );
});

describe("Deadlines", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const bounds = { firstEventMs: 100, silenceMs: 50, totalMs: 1000 };
  const create = (outer = new AbortController().signal) =>
    new Deadlines(bounds, outer, () => performance.now());

  it("expires when the first event does not come", () => {
    const deadlines = create();
    vi.advanceTimersByTime(99);
    expect(deadlines.signal.aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(deadlines.signal.reason).toMatchObject({
      code: "timeout",
      message: "The model sent nothing for 0.1 s.",
    });
  });

  it("expires when the stream falls silent, counted from the last event", () => {
    const deadlines = create();
    for (let event = 0; event < 5; event++) {
      deadlines.heard();
      vi.advanceTimersByTime(40);
    }
    expect(deadlines.signal.aborted).toBe(false);
    vi.advanceTimersByTime(10);
    expect(deadlines.signal.reason).toMatchObject({
      code: "timeout",
      message: "The stream was silent for 0.05 s.",
      // No flag allows more of it.
      hint: "Try again.",
    });
  });

  it("expires when the whole takes too long, however lively the stream", () => {
    const deadlines = create();
    for (let event = 0; event < 50; event++) {
      deadlines.heard();
      vi.advanceTimersByTime(20);
    }
    expect(deadlines.signal.reason).toMatchObject({ message: "The answer took longer than 1 s." });
  });

  it("passes an outer abort on with its reason, also one from before", () => {
    const reason = new Error("interrupted");
    const outer = new AbortController();
    const deadlines = create(outer.signal);
    outer.abort(reason);
    expect(deadlines.signal.reason).toBe(reason);
    expect(create(outer.signal).signal.reason).toBe(reason);
  });

  it("leaves no timer behind", () => {
    const deadlines = create();
    deadlines.heard();
    deadlines.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
