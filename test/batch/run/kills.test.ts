import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { journalOf } from "../../../src/batch/run/ordered-output.ts";
import type { StreamStep } from "../../../src/emulator/emulator.ts";
import { promptOf, textAnswerSteps } from "../../helpers/answer-steps.ts";
import { emulate } from "../../helpers/emulated.ts";
import { isThorough } from "../../helpers/thorough.ts";

/** Each costs the beginning of a process. */
const KILLS = isThorough ? 400 : 40;
/** Runs beside each other: most of a round is the beginning of a process. */
const RUNS = 4;
/** Lines that are asked between two kills, at most on average. */
const LINES_PER_KILL = 15;
/** A run is killed after at most so many calls and ms more, or after so many ms since it began, whatever it does then. */
const [MOST_CALLS, MOST_MS, MOST_MS_TO_BEGIN] = [10, 20, 350];
/** Lines that are asked at once. */
const CONCURRENCY = 4;
/**
 * With so many calls one answer is kept: no more lines are asked than have a place, and of those that have left theirs at
 * most every third has failed, and one more.
 */
const CALLS_TO_KEEP = 2 * CONCURRENCY;
/** Without a quota that would hold it up. */
const ARGS = ["batch", "run", "in.jsonl", "-m", "amazon.nova-lite-v1:0", "--rpm", "1000000"];

function* afterAWait(steps: Iterable<StreamStep>, ms: number): Generator<StreamStep> {
  yield { wait: ms };
  yield* steps;
}

/** Lines of a file that have an end; none where there is no file. */
function wholeLines(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").slice(0, -1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

interface Killed {
  kills: number;
  /** Whether every third prompt fails when it is asked first, and is asked again by the next run. */
  retries: boolean;
}

/** Kills a run again and again, and lets it come to its end. */
async function killAgainAndAgain({ kills, retries }: Killed): Promise<void> {
  const count = kills * LINES_PER_KILL;
  const args = retries ? [...ARGS, "--retry-failed"] : ARGS;
  let answerMs = 10;
  let calls = 0;
  let onCall = (): void => undefined;
  /** Prompts whose answer was kept when the run was killed last. */
  let kept = new Set<string>();
  const askedTwice: string[] = [];
  const asked = new Map<string, number>();
  const machine = await emulate({
    script: (call) => {
      if (call.route !== "ConverseStream") return undefined;
      calls += 1;
      onCall();
      const prompt = promptOf(call);
      if (kept.has(prompt)) askedTwice.push(prompt);
      const times = (asked.get(prompt) ?? 0) + 1;
      asked.set(prompt, times);
      if (retries && times === 1 && Number(prompt.slice(1)) % 3 === 0)
        return { error: { name: "ValidationException", message: "Not now." } };
      const steps = textAnswerSteps([`answer to ${prompt}`]);
      return { stream: answerMs > 0 ? afterAWait(steps, answerMs) : steps };
    },
  });
  const at = (name: string): string => path.join(machine.home, name);
  const lines = Array.from({ length: count }, (_, index) =>
    JSON.stringify({ recordId: `r${index}`, prompt: `p${index}`, maxTokens: 50 }),
  );
  writeFileSync(at("in.jsonl"), lines.join("\n"));

  for (let nth = 0; nth < kills; nth += 1) {
    const child = machine.start([
      ...args,
      "-o",
      "out.jsonl",
      "--resume",
      "--concurrency",
      String(CONCURRENCY),
      "-q",
    ]);
    child.stdout.resume();
    child.stderr.resume();
    const closed = once(child, "close");
    // Mostly when lines are being asked, each second time with an answer that is kept, and now and then before they are.
    const isKept = nth % 2 === 1;
    const isBegun = isKept || Math.random() < 0.5;
    const until = calls + (isKept ? CALLS_TO_KEEP : 1) + Math.floor(Math.random() * MOST_CALLS);
    const called = new Promise<void>((resolve) => {
      onCall = () => {
        if (calls >= until) resolve();
      };
    });
    if (isBegun) await Promise.race([called, closed]);
    const timer = setTimeout(
      () => child.kill("SIGKILL"),
      Math.random() * (isBegun ? MOST_MS : MOST_MS_TO_BEGIN),
    );
    const [, signal] = (await closed) as [number | null, string | null];
    clearTimeout(timer);
    expect(signal, "ended before it was killed: there are too few lines").toBe("SIGKILL");
    const results = [...wholeLines(at("out.jsonl")), ...wholeLines(journalOf(at("out.jsonl")))];
    const now = new Set(results.flatMap((line) => /"text":"answer to (p\d+)"/.exec(line)?.[1] ?? []));
    for (const prompt of kept) if (!now.has(prompt)) expect.fail(`the result of ${prompt} is lost`);
    kept = now;
  }
  expect(kept.size).toBeGreaterThanOrEqual(Math.floor(kills / 2));
  answerMs = 0;
  let last = await machine.run([...args, "-o", "out.jsonl", "--resume"], { isAlone: true });
  // Those that were asked first have failed, and it has an end all the same.
  if (retries && last.code === 6)
    last = await machine.run([...args, "-o", "out.jsonl", "--resume"], { isAlone: true });
  expect(last.code, last.stderr).toBe(0);
  expect(askedTwice).toEqual([]);
  expect(asked.size).toBe(count);
  // What was on its way when the run was killed was asked for again, and nothing else.
  const failed = retries ? Math.ceil(count / 3) : 0;
  const all = [...asked.values()].reduce((sum, times) => sum + times, 0);
  expect(all).toBeLessThanOrEqual(count + failed + kills * 4);
  const written = wholeLines(at("out.jsonl")).map((line) => JSON.parse(line) as object);
  expect(written).toEqual(
    Array.from({ length: count }, (_, index) =>
      expect.objectContaining({ recordId: `r${index}`, text: `answer to p${index}` }),
    ),
  );
}

it(`asks nothing twice and loses nothing, killed ${KILLS} times`, { timeout: KILLS * 4000 }, async () => {
  const runs = Array.from({ length: RUNS }, (_, nth) =>
    killAgainAndAgain({ kills: KILLS / RUNS, retries: nth % 2 === 1 }),
  );
  await Promise.all(runs);
});
