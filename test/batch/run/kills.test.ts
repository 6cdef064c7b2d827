import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { journalOf } from "../../../src/batch/run/ordered-output.ts";
import type { StreamStep } from "../../../src/emulator/emulator.ts";
import { promptOf, textAnswerSteps } from "../../helpers/answer-steps.ts";
import { emulate } from "../../helpers/emulated.ts";
import { isThorough } from "../../helpers/thorough.ts";

const KILLS = isThorough ? 200 : 50;
const LINES = KILLS * 30;
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

it(`asks nothing twice and loses nothing, killed ${KILLS} times`, { timeout: KILLS * 8000 }, async () => {
  let answerMs = 40;
  let onCall = (): void => undefined;
  /** Prompts whose result was kept when the run was killed last. */
  let kept = new Set<string>();
  const askedTwice: string[] = [];
  const asked = new Map<string, number>();
  const machine = await emulate({
    script: (call) => {
      if (call.route !== "ConverseStream") return undefined;
      onCall();
      const prompt = promptOf(call);
      if (kept.has(prompt)) askedTwice.push(prompt);
      asked.set(prompt, (asked.get(prompt) ?? 0) + 1);
      const steps = textAnswerSteps([`answer to ${prompt}`]);
      return { stream: answerMs > 0 ? afterAWait(steps, answerMs) : steps };
    },
  });
  const at = (name: string): string => path.join(machine.home, name);
  const lines = Array.from({ length: LINES }, (_, index) =>
    JSON.stringify({ recordId: `r${index}`, prompt: `p${index}`, maxTokens: 50 }),
  );
  writeFileSync(at("in.jsonl"), lines.join("\n"));

  let kills = 0;
  while (kills < KILLS) {
    const child = machine.start([...ARGS, "-o", "out.jsonl", "--resume", "--concurrency", "4", "-q"]);
    child.stdout.resume();
    child.stderr.resume();
    const closed = once(child, "close");
    // Mostly when lines are being asked, and now and then before: a busy machine takes its time to begin.
    if (Math.random() < 0.75)
      await Promise.race([new Promise<void>((resolve) => (onCall = resolve)), closed]);
    const timer = setTimeout(() => child.kill("SIGKILL"), Math.random() * 500);
    const [, signal] = (await closed) as [number | null, string | null];
    clearTimeout(timer);
    expect(signal, "ended before it was killed: there are too few lines").toBe("SIGKILL");
    kills += 1;
    const results = [...wholeLines(at("out.jsonl")), ...wholeLines(journalOf(at("out.jsonl")))];
    const now = new Set(results.flatMap((line) => /"text":"answer to (p\d+)"/.exec(line)?.[1] ?? []));
    for (const prompt of kept) if (!now.has(prompt)) expect.fail(`the result of ${prompt} is lost`);
    kept = now;
  }
  expect(kept.size).toBeGreaterThan(KILLS);
  answerMs = 0;
  const last = await machine.run([...ARGS, "-o", "out.jsonl", "--resume"], { isAlone: true });
  expect(last.code, last.stderr).toBe(0);
  expect(askedTwice).toEqual([]);
  expect(asked.size).toBe(LINES);
  // What was on its way when the run was killed was asked for again, and nothing else.
  expect([...asked.values()].reduce((sum, times) => sum + times, 0)).toBeLessThanOrEqual(LINES + KILLS * 4);
  kept = new Set();
  const whole = await machine.run([...ARGS, "-o", "whole.jsonl"], { isAlone: true });
  expect(whole.code, whole.stderr).toBe(0);
  expect(readFileSync(at("out.jsonl"), "utf8")).toBe(readFileSync(at("whole.jsonl"), "utf8"));
});
