import { describe, expect, it, vi } from "vitest";
import { countDown, startSpinner, tellUpload, withSpinner } from "../../src/terminal/spinner.ts";
import { type Sink, Terminal } from "../../src/terminal/terminal.ts";

/** A terminal that keeps what is written to it. */
function open(columns: number | undefined, env: Record<string, string> = {}) {
  const stop = new AbortController();
  const exits = new Set<() => void>();
  const sink = {
    isTTY: true,
    columns,
    written: "",
    write(text: string | Uint8Array) {
      this.written += text.toString();
      return true;
    },
    once: () => undefined,
  } satisfies Sink & { written: string };
  const terminal = new Terminal(sink, sink, env);
  const holder = {
    terminal,
    signal: stop.signal,
    elapsed: () => performance.now(),
    onExit: (work: () => void) => {
      exits.add(work);
      return () => exits.delete(work);
    },
  };
  return { sink, terminal, holder, stop, exits };
}

const WAIT = { text: "Waiting for a-model", brief: "Waiting" };
const WHOLE = /^⠋ Waiting for a-model …  \(Ctrl-C to stop\)\r/;

async function shownAfter(ms: number, columns: number | undefined, env = {}): Promise<string> {
  vi.useFakeTimers();
  try {
    const { sink, holder } = open(columns, env);
    startSpinner(holder, WAIT);
    await vi.advanceTimersByTimeAsync(ms);
    return sink.written;
  } finally {
    vi.useRealTimers();
  }
}

describe("a spinner", () => {
  it.each([0, undefined, Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY])(
    "is not there on a terminal of %s columns",
    async (columns) => expect(await shownAfter(60_000, columns)).toBe(""),
  );

  it.each([{ TERM: "dumb" }, { CI: "true" }])("is not there with %j", async (env) =>
    expect(await shownAfter(60_000, 80, env)).toBe(""),
  );

  it("is not there in the first 150 ms", async () => {
    expect(await shownAfter(149, 80)).toBe("");
    expect(await shownAfter(151, 80)).toMatch(WHOLE);
  });

  it.each([
    [80, "Waiting for a-model … 12 s  (Ctrl-C to stop)"],
    [40, "Waiting … 12 s  (Ctrl-C to stop)"],
    [20, "Waiting … 12 s"],
    [10, "Waiting"],
    [2, ""],
  ])("says in %i columns: %s", async (columns, line) => {
    const frames = (await shownAfter(12_500, columns)).split("\u001B[J").map((frame) => frame.slice(2));
    expect(frames.at(-1)?.trim()).toBe(line);
    for (const frame of frames) expect(frame.length + 2).toBeLessThanOrEqual(columns);
  });

  it("gives way to what is written, comes back on the next line, and leaves no trace", async () => {
    vi.useFakeTimers();
    const { sink, terminal, holder } = open(80);
    const spinner = startSpinner(holder, WAIT);
    await vi.advanceTimersByTimeAsync(151);
    terminal.note("a note");
    expect(sink.written).toMatch(/\r\u001B\[Ja note\n$/);
    await vi.advanceTimersByTimeAsync(80);
    expect(sink.written).toMatch(/a note\n⠙ Waiting[^\n]*\r$/);
    terminal.writeAside("half a li");
    const { length } = sink.written;
    await vi.advanceTimersByTimeAsync(800);
    expect(sink.written.slice(length)).toBe("");
    terminal.writeAside("ne\n");
    await vi.advanceTimersByTimeAsync(80);
    spinner?.stop();
    expect(sink.written.endsWith("\r\u001B[J")).toBe(true);
    vi.useRealTimers();
  });

  it("goes when the terminal has no width any more, and comes back with it", async () => {
    vi.useFakeTimers();
    const { sink, holder } = open(80);
    const spinner = startSpinner(holder, WAIT);
    await vi.advanceTimersByTimeAsync(151);
    sink.columns = 0;
    await vi.advanceTimersByTimeAsync(80);
    expect(sink.written).toMatch(/\u001B\[J$/);
    const { length } = sink.written;
    await vi.advanceTimersByTimeAsync(60_000);
    expect(sink.written.length).toBe(length);
    sink.columns = 80;
    await vi.advanceTimersByTimeAsync(80);
    expect(sink.written.slice(length)).toContain("Waiting");
    spinner?.stop();
    vi.useRealTimers();
  });

  it("goes with the signal, while the work still ends, and with the process", async () => {
    vi.useFakeTimers();
    const { sink, holder, stop, exits } = open(80);
    startSpinner(holder, WAIT);
    await vi.advanceTimersByTimeAsync(151);
    for (const onExit of exits) onExit();
    expect(sink.written.endsWith("\r\u001B[J")).toBe(true);
    await vi.advanceTimersByTimeAsync(80);
    stop.abort();
    const { length } = sink.written;
    expect(sink.written.endsWith("\r\u001B[J")).toBe(true);
    await vi.advanceTimersByTimeAsync(1000);
    expect(sink.written.length).toBe(length);
    expect(exits.size).toBe(0);
    vi.useRealTimers();
  });

  it("counts down to the next try, and then goes on waiting", async () => {
    vi.useFakeTimers();
    const { sink, holder } = open(80);
    startSpinner(holder, WAIT, { stopKey: "Esc" });
    await vi.advanceTimersByTimeAsync(200);
    countDown(holder, { text: "Throttled: next try (2 of 3)", brief: "Next try" }, 2500);
    await vi.advanceTimersByTimeAsync(100);
    expect(sink.written).toMatch(/Throttled: next try \(2 of 3\) in 3 s {2}\(Esc to stop\)\r$/);
    await vi.advanceTimersByTimeAsync(1500);
    expect(sink.written).toMatch(/Throttled: next try \(2 of 3\) in 1 s {2}\(Esc to stop\)\r$/);
    await vi.advanceTimersByTimeAsync(1000);
    expect(sink.written).toMatch(/Waiting for a-model … 2 s {2}\(Esc to stop\)\r$/);
    vi.useRealTimers();
  });

  it("says how much of a long body is out, and nothing of a short one", async () => {
    vi.useFakeTimers();
    const { sink, terminal, holder } = open(80);
    startSpinner(holder, WAIT);
    tellUpload(terminal, 3_210_000, 12_400_000);
    await vi.advanceTimersByTimeAsync(200);
    expect(sink.written).toMatch(/Sending 3\.2 of 12\.4 MB … {2}\(Ctrl-C to stop\)\r$/);
    tellUpload(terminal, 12_400_000, 12_400_000);
    await vi.advanceTimersByTimeAsync(100);
    expect(sink.written).toMatch(/Waiting for a-model … {2}\(Ctrl-C to stop\)\r$/);
    tellUpload(terminal, 10, 900_000);
    await vi.advanceTimersByTimeAsync(100);
    expect(sink.written).not.toContain("0.9 MB");
    vi.useRealTimers();
  });

  it("names the steps within, where it is one that does, and stays itself elsewhere", async () => {
    vi.useFakeTimers();
    for (const namesSteps of [true, false]) {
      const { sink, holder } = open(80);
      const spinner = startSpinner(holder, WAIT, { namesSteps });
      await withSpinner(holder, "A step", () => vi.advanceTimersByTimeAsync(200));
      expect(sink.written.includes("A step")).toBe(namesSteps);
      await vi.advanceTimersByTimeAsync(80);
      expect(sink.written).toMatch(/Waiting[^\n]*\r$/);
      spinner?.stop();
    }
    vi.useRealTimers();
  });

  it("shows nothing of a name that a terminal would obey", async () => {
    vi.useFakeTimers();
    const { sink, holder } = open(80);
    const spinner = startSpinner(holder, { text: "Waiting for \u001B]52;c;x\u0007", brief: "Waiting" });
    await vi.advanceTimersByTimeAsync(151);
    spinner?.stop();
    expect(sink.written).toContain("Waiting for ␛]52;c;x␇");
    vi.useRealTimers();
  });
});

describe("the width of a terminal", () => {
  it.each([0, undefined, Number.NaN, -1, 0.5, Number.POSITIVE_INFINITY])("of %s columns is 80", (columns) => {
    const { terminal } = open(columns);
    expect([terminal.columns, terminal.screen?.columns, terminal.screen?.rows]).toEqual([80, 80, 24]);
  });

  it.each([1, 2, 20, 80, 200, 65_535])("of %i columns is so many", (columns) => {
    const { terminal } = open(columns);
    expect([terminal.columns, terminal.screen?.columns]).toEqual([columns, columns]);
  });
});
