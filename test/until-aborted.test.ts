import { setTimeout as wait } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { anySignal, untilAborted } from "../src/until-aborted.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Collects what nobody holds, again and again, until then. */
async function collectFor(ms: number): Promise<void> {
  for (const end = performance.now() + ms; performance.now() < end; await wait(20)) collect();
}

/** Aborted after a moment; who has it holds nothing else. */
function abortedSoon(): AbortSignal {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new Error("late")), 50);
  return controller.signal;
}

const SOURCES = [
  ["a time-out", () => AbortSignal.timeout(50), "aborted due to timeout"],
  ["a controller's", abortedSoon, "late"],
  ["one that is made of others itself", () => anySignal(abortedSoon(), new AbortController().signal), "late"],
] as const;

describe("a signal of several", () => {
  it.each(SOURCES)("ends what waits, though nobody else holds %s", async (_, source, reason) => {
    const waits = untilAborted(
      new Promise(() => undefined),
      anySignal(new AbortController().signal, source()),
    );
    const outcome = Promise.race([waits.catch(String), wait(2000, "waits for ever")]);
    await collectFor(200);
    expect(await outcome).toContain(reason);
  });

  it.each(SOURCES)("is known to be aborted by whoever asks later: %s", async (_, source, reason) => {
    const signal = anySignal(new AbortController().signal, source());
    await collectFor(200);
    expect(signal.aborted).toBe(true);
    expect(String(signal.reason)).toContain(reason);
  });
});
