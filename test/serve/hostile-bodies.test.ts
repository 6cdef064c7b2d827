import { readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";
import { expect, it } from "vitest";
import { HOSTILE_BODIES } from "../helpers/hostile-bodies.ts";
import { serve } from "../helpers/served.ts";
import { isThorough } from "../helpers/thorough.ts";
import { watchHealth } from "../helpers/watch-health.ts";

/** What nobody waits longer for, on a machine that does much else; without bounds some of these take many seconds. */
const LONGEST_MS = 1500;
/** Further routes by the same readers are for who has the time. */
const BODIES = HOSTILE_BODIES.filter(({ path }) => isThorough || !/count[-_]tokens$|invoke$/.test(path));

/** How much is sent of what is large, and what is whole all the same: the longest text, by OpenAI's reader and AWS's. */
const PART = 0.1;
/** What a part may hold others up for: less than that of LONGEST_MS, as what takes longer may grow with its square. */
const PART_MS = 100;
const WHOLE = /^a text of 31 MB, at .*(?:chat\/completions|converse)$/;

/** What a process has taken of a core, in ms: proc_pid_stat(5) has it in hundredths of a second. */
function cpuOf(pid: number | undefined): number {
  const behindName = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(behindName[11]) + Number(behindName[12])) * 10;
}

it("answers others while somebody sends the worst that is taken", async () => {
  const { origin, child } = await serve({ isAlone: true, args: ["--max-streams", "4"] });
  const watched = watchHealth(origin);
  /** How long others wait while somebody sends this, in ms, the status that it is answered with, and the CPU it takes. */
  const send = async (path: string, body: Buffer): Promise<[ms: number, status: number, cpuMs: number]> => {
    await wait(20);
    const begun = cpuOf(child.pid);
    const { ms, result } = await watched(async () => {
      const response = await fetch(`${origin}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body,
      });
      await response.arrayBuffer();
      return response.status;
    });
    return [ms, result, cpuOf(child.pid) - begun];
  };
  const waits: [what: string, ms: number, status: number][] = [];
  for (const { path, what, make } of BODIES) {
    const name = `${what}, at ${path}`;
    const part = isThorough || WHOLE.test(name) ? 1 : PART;
    let [ms, status, cpuMs] = await send(path, Buffer.from(make(part)));
    // What holds others up has to be sent whole to tell for how long. Where they wait for more than it has taken of a core,
    // the machine does much else: that holds up one request, and seldom the next.
    for (const next of part < 1 ? [part, 1] : [])
      if (Math.min(ms, cpuMs) > PART_MS) [ms, status, cpuMs] = await send(path, Buffer.from(make(next)));
    waits.push([name, ms, status]);
  }
  const told = waits.toSorted((one, other) => other[1] - one[1]);
  console.log(told.map(([what, ms, status]) => `${ms} ms, ${status}: ${what}`).join("\n"));
  expect(told.filter(([, , status]) => status >= 500)).toEqual([]);
  expect(told.filter(([, ms]) => ms > LONGEST_MS)).toEqual([]);
}, 600_000);
