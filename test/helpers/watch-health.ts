import { setTimeout as wait } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { onTestFinished } from "vitest";

/** In a thread of its own: that of the test plays servers meanwhile, and makes what they send. */
const PINGS = `
const { origin, longest } = require("node:worker_threads").workerData;
(async () => {
  for (;;) {
    const since = performance.now();
    await (await fetch(origin + "/health")).text();
    longest[0] = Math.max(longest[0], performance.now() - since);
    await new Promise((go) => setTimeout(go, 40));
  }
})();`;

/** Does some work, and resolves with what came of it and the longest time that others have waited meanwhile, in ms. */
export type Watching = <T>(work: () => Promise<T>) => Promise<{ ms: number; result: T }>;

/** Asks a server for /health every 40 ms, until the test ends. */
export function watchHealth(origin: string): Watching {
  const longest = new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT));
  const pings = new Worker(PINGS, { eval: true, workerData: { origin, longest } });
  onTestFinished(async () => void (await pings.terminate()));
  return async (work) => {
    longest[0] = 0;
    const result = await work();
    // Whoever asked last has been answered, too.
    await wait(50);
    return { ms: Math.round(longest[0] ?? 0), result };
  };
}
