import type { Runtime } from "../runtime.ts";
import { countDown } from "../terminal/spinner.ts";
import { Pace, paceClock, type PaceTerms } from "./pace.ts";

/**
 * How a call that was throttled waits for room in its quota, for at most so many ms, and says so: on a terminal until when,
 * else once for each refusal. The quota of a day is waited for, too. What the quota is nobody asks for it: who has used it up
 * is mostly somebody else.
 */
export function waitForRoom(mostMs: number, runtime: Runtime): PaceTerms {
  const { terminal, elapsed } = runtime;
  return {
    pace: new Pace(paceClock(elapsed), async () => ({})),
    mostMs,
    isPatient: true,
    onWaiting: ({ modelId, ms, refusal }) => {
      const text = `Quota full for ${modelId}: next try`;
      countDown(runtime, { text, brief: "Quota full: next try" }, ms);
      const why = refusal?.message ?? `There is no room in the quota of ${modelId}.`;
      if (!terminal.isStderrTTY) terminal.note(`openclaw: ${why} Asking again in ${Math.ceil(ms / 1000)} s.`);
    },
  };
}
