import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { expect, it, vi } from "vitest";
import { decideCredentials } from "../../src/credentials/order.ts";
import { loadSharedConfig } from "../../src/credentials/shared-config.ts";
import { holdLock } from "../../src/disk/lock.ts";
import { Budget } from "../../src/ledger/budget.ts";
import { entryLine, type LedgerEntry, NOTHING } from "../../src/ledger/entry.ts";
import { Ledger } from "../../src/ledger/ledger.ts";
import { LARGEST_FILE } from "../../src/ledger/ledger-files.ts";
import { readLedger, sumsHead } from "../../src/ledger/read-ledger.ts";
import { forgetOld, sumUp } from "../../src/ledger/sum-up.ts";
import { namedModel } from "../../src/models/resolve-model.ts";
import { createHome } from "../helpers/openclaw.ts";
import { testRuntime } from "../helpers/test-runtime.ts";

const entry = (at: string, more: Partial<LedgerEntry> = {}): LedgerEntry => ({
  ...NOTHING,
  at,
  command: "chat",
  model: "m",
  calls: 1,
  inputTokens: 1,
  usd: 0.5,
  ...more,
});

const MODEL = namedModel("amazon.nova-lite-v1:0", {});
function ledger(): { folder: string; home: string } {
  const home = createHome();
  const folder = path.join(home, ".openclaw", "usage");
  mkdirSync(folder, { recursive: true });
  return { folder, home };
}

async function callsIn(folder: string, since = 0): Promise<number> {
  const sum = await readLedger(
    folder,
    since,
    () => ({ calls: 0 }),
    (made, { calls }) => (made.calls += calls),
  );
  return sum.calls;
}

/** So many lines that the file of the month is full. */
function fill(file: string, at: string): number {
  const line = entryLine(entry(at));
  const count = Math.ceil(LARGEST_FILE / line.length) + 1;
  appendFileSync(file, line.repeat(count));
  return count;
}

it("reads from the moment on that is asked for, whole months and hours before it left out", async () => {
  const { folder } = ledger();
  writeFileSync(path.join(folder, "2026-10.jsonl"), entryLine(entry("2026-10-31T23:59:59.000Z")));
  const lines = ["2026-11-01T00:00:00.000Z", "2026-11-05T10:20:00.000Z", "2026-11-05T10:40:00.000Z"];
  writeFileSync(path.join(folder, "2026-11.jsonl"), lines.map((at) => entryLine(entry(at))).join(""));
  const since = (at: string): Promise<number> => callsIn(folder, Date.parse(at));
  expect(await since("2026-10-01T00:00:00Z")).toBe(4);
  expect(await since("2026-11-01T00:00:00Z")).toBe(3);
  expect(await since("2026-11-05T10:30:00Z")).toBe(1);
  expect(await since("2026-12-01T00:00:00Z")).toBe(0);
});

it("has nothing where there is no folder", async () => {
  expect(await callsIn(path.join(createHome(), "none"))).toBe(0);
});

it("loses no call and counts none twice, however often a month is summed up", async () => {
  const { folder, home } = ledger();
  const file = path.join(folder, "2026-11.jsonl");
  const runtime = testRuntime({ home });
  let calls = 0;
  for (const hour of ["01", "02", "03"]) {
    calls += fill(file, `2026-11-03T${hour}:10:00.000Z`);
    await sumUp(folder, "2026-11", runtime);
    expect(await callsIn(folder)).toBe(calls);
  }
  // What was taken out of use last is not summed up yet: somebody may still be writing to it.
  const names = readdirSync(folder);
  expect(names.filter((name) => name.includes(".part-"))).toHaveLength(1);
  expect(statSync(path.join(folder, "2026-11.sums.jsonl")).size).toBeLessThan(1000);
  expect(statSync(path.join(folder, "2026-11.sums.jsonl")).mode & 0o777).toBe(0o600);
});

it("writes the calls of a server together, at its end those that still wait, and at once where a budget counts them", async () => {
  for (const [config, before] of [
    [{}, 0],
    [{ usage: { budget: { daily: 10 } } }, 2],
  ] as const) {
    const { folder, home } = ledger();
    const decision = decideCredentials({ env: {}, shared: await loadSharedConfig({}, home) });
    const runtime = testRuntime({ home });
    const written = new Ledger(runtime, config, { command: "serve", gathersMs: 3_600_000 });
    const atOnce = new Ledger(testRuntime({ home: createHome() }), config, { command: "chat" });
    for (const each of [written, written, atOnce]) {
      const meter = each.meter(MODEL, decision);
      meter.take({ type: "start", model: "m", region: "us-east-1", requestId: "r", attempts: 1 });
      meter.end();
    }
    await atOnce.settle();
    await vi.waitFor(async () => expect(await callsIn(folder)).toBe(before));
    await written.settle();
    expect(await callsIn(folder)).toBe(2);
  }
});

it("leaves summing up to another process that is at it", async () => {
  const { folder, home } = ledger();
  const calls = fill(path.join(folder, "2026-11.jsonl"), "2026-11-03T01:10:00.000Z");
  const runtime = testRuntime({ home });
  const lock = await holdLock(path.join(folder, "2026-11.sums.jsonl"), runtime, 0);
  await sumUp(folder, "2026-11", runtime);
  await lock.release();
  expect(readdirSync(folder)).toEqual(["2026-11.jsonl"]);
  expect(await callsIn(folder)).toBe(calls);
});

it("counts what was summed up once, where the program was killed before it was removed", async () => {
  const { folder, home } = ledger();
  writeFileSync(path.join(folder, "2026-11.part-a.jsonl"), entryLine(entry("2026-11-03T01:10:00.000Z")));
  const sum = entryLine(entry("2026-11-03T01:00:00.000Z"));
  writeFileSync(path.join(folder, "2026-11.sums.jsonl"), sumsHead(["2026-11.part-a.jsonl"]) + sum);
  expect(await callsIn(folder)).toBe(1);
  fill(path.join(folder, "2026-11.jsonl"), "2026-11-03T02:10:00.000Z");
  const before = await callsIn(folder);
  await sumUp(folder, "2026-11", testRuntime({ home }));
  expect(await callsIn(folder)).toBe(before);
  expect(readFileSync(path.join(folder, "2026-11.sums.jsonl"), "utf8")).toContain("2026-11-03T00:00");
});

it("leaves a file alone that is not large, and forgets what is older than two years", async () => {
  const { folder, home } = ledger();
  for (const month of ["2024-10", "2024-11", "2026-11"])
    writeFileSync(path.join(folder, `${month}.jsonl`), entryLine(entry(`${month}-03T01:10:00.000Z`)));
  await sumUp(folder, "2026-11", testRuntime({ home }));
  await forgetOld(folder, "2026-11");
  expect(readdirSync(folder).toSorted()).toEqual(["2024-11.jsonl", "2026-11.jsonl"]);
});

it("counts what has come once for the budget, however many calls ask at the same time", async () => {
  const { folder, home } = ledger();
  const file = path.join(folder, "2026-11.jsonl");
  const line = entryLine(entry("2026-11-26T10:00:00.000Z", { usd: 1 }));
  const runtime = testRuntime({ home, now: () => Date.parse("2026-11-26T11:00:00.000Z") });
  const budget = new Budget(runtime, { daily: 2.5 }, true);
  writeFileSync(file, line);
  await budget.check();
  appendFileSync(file, line);
  await Promise.all([budget.check(), budget.check(), budget.check()]);
  await budget.check();
  appendFileSync(file, line);
  await expect(budget.check()).rejects.toMatchObject({ code: "budget-exceeded" });
});

it("leaves a line out that no call has written, however long it is", async () => {
  const { folder } = ledger();
  const line = entryLine(entry("2026-11-26T10:00:00.000Z"));
  const file = path.join(folder, "2026-11.jsonl");
  writeFileSync(file, `${line}${"x".repeat(3_000_000)}\r\n${line}${line.trimEnd()}`);
  expect(await callsIn(folder)).toBe(3);
  await new Budget(testRuntime({ home: path.dirname(folder) }), { daily: 1 }, true).check();
});

it("names the file that cannot be read, and one thing to do", async () => {
  const { folder, home } = ledger();
  const file = path.join(folder, "2026-11.jsonl");
  mkdirSync(file);
  const error = {
    code: "internal",
    message: `The ledger in ${file} cannot be read: it is a folder.`,
    hint: `ls -ld ${file}`,
  };
  await expect(callsIn(folder)).rejects.toMatchObject(error);
  const runtime = testRuntime({ home, now: () => Date.parse("2026-11-26T11:00:00.000Z") });
  await expect(new Budget(runtime, { daily: 1 }, true).check()).rejects.toMatchObject(error);
});

it("begins anew where a month is summed up while it is read", async () => {
  const { folder } = ledger();
  const file = path.join(folder, "2026-11.jsonl");
  writeFileSync(file, entryLine(entry("2026-11-26T10:00:00.000Z")));
  let begun = 0;
  const begin = (): { calls: number } => {
    begun += 1;
    return { calls: 0 };
  };
  const read = await readLedger(folder, 0, begin, (made, { calls }) => {
    made.calls += calls;
    if (begun === 1) renameSync(file, path.join(folder, "2026-11.part-a.jsonl"));
  });
  expect([begun, read.calls]).toEqual([2, 1]);
});
