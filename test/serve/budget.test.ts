import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { emulate } from "../helpers/emulated.ts";
import { keyLine } from "../helpers/key-line.ts";
import { MODEL, serve, serveEmulated } from "../helpers/served.ts";

const ask = { model: MODEL, messages: [{ role: "user" as const, content: "hi" }] };

const ledgerOf = (home: string): string =>
  path.join(home, ".openclaw", "usage", `${new Date().toISOString().slice(0, 7)}.jsonl`);

/** Writes down that so much was spent today. */
function spend(home: string, usd: number): void {
  mkdirSync(path.dirname(ledgerOf(home)), { recursive: true });
  const line = { at: new Date().toISOString(), command: "chat", model: MODEL, usd };
  writeFileSync(ledgerOf(home), `${JSON.stringify(line)}\n`, { flag: "a" });
}

it("writes each answer into the ledger, with the name of the client's key", async () => {
  const emulated = await emulate();
  const keys = path.join(emulated.home, "keys.txt");
  writeFileSync(keys, "team-a:not-a-secret-0123456789\n", { mode: 0o600 });
  const served = await serveEmulated(emulated, { args: ["--api-key-file", keys] });
  const client = served.client.withOptions({ apiKey: "not-a-secret-0123456789" });
  const answers = Array.from({ length: 5 }, () => client.chat.completions.create(ask));
  await Promise.all(answers);
  for await (const _ of await client.chat.completions.create({ ...ask, stream: true }));
  await served.end();
  const lines = readFileSync(ledgerOf(served.home), "utf8").trimEnd().split("\n");
  expect(lines).toHaveLength(6);
  for (const line of lines) {
    expect(JSON.parse(line)).toMatchObject({ command: "serve", key: "team-a", model: MODEL });
    expect(line).not.toContain("not-a-secret");
  }
});

it("refuses when the budget is spent, in words for a client, and takes up work when it is raised for", async () => {
  const served = await serve({ config: "{ usage: { budget: { daily: 1 } } }" });
  expect((await served.client.chat.completions.create(ask)).choices).toHaveLength(1);
  spend(served.home, 0.9);
  await served.client.chat.completions.create(ask);
  await served.client.chat.completions.create(ask);
  const warned = await served.logged(({ message }) => message?.includes("of the daily budget") === true);
  expect(warned.message).toContain("(90 %)");
  spend(served.home, 0.2);
  const refused = served.client.chat.completions.create(ask);
  await expect(refused).rejects.toMatchObject({ status: 429, code: "insufficient_quota" });
  await expect(refused).rejects.toThrow("The budget of this server is spent.");
  await expect(refused).rejects.not.toThrow("--ignore-budget");
  const { error } = await served.logged((line) => line.error !== undefined);
  expect(error).toMatchObject({ code: "budget-exceeded" });
  expect(served.log.filter(({ message }) => message?.includes("of the daily budget"))).toHaveLength(1);
});

it("answers all the same with --ignore-budget", async () => {
  const served = await serve({ config: "{ usage: { budget: { daily: 0 } } }", args: ["--ignore-budget"] });
  expect((await served.client.chat.completions.create(ask)).choices).toHaveLength(1);
});

it.each([
  [{ dailyBudgetUsd: 1 }, 1],
  [{ monthlyBudgetUsd: 1 }, 1],
  [{ rpm: 100 }, 0],
])(
  "says where nothing can be kept that what keys of %j spend is forgotten: %i times",
  async (limits, times) => {
    const emulated = await emulate();
    const keys = path.join(emulated.home, "keys.txt");
    writeFileSync(keys, keyLine("team-a", "not-a-secret-0123456789", limits), { mode: 0o600 });
    const usage = path.dirname(ledgerOf(emulated.home));
    mkdirSync(path.dirname(usage), { recursive: true });
    writeFileSync(usage, "");
    const served = await serveEmulated(emulated, { args: ["--api-key-file", keys] });
    const client = served.client.withOptions({ apiKey: "not-a-secret-0123456789" });
    for (let index = 0; index < 3; index += 1) await client.chat.completions.create(ask);
    await served.end();
    const told = served.log.filter(({ message }) => message?.includes("is not written down"));
    expect(told).toHaveLength(times);
  },
);

it("answers though the ledger cannot be written, and says so in the log", async () => {
  const emulated = await emulate();
  mkdirSync(ledgerOf(emulated.home), { recursive: true });
  const served = await serveEmulated(emulated);
  for (let index = 0; index < 3; index += 1) await served.client.chat.completions.create(ask);
  await served.logged(({ message }) => message?.includes("is not written down") === true);
  await served.end();
  expect(served.log.filter(({ message }) => message?.includes("is not written down"))).toHaveLength(1);
});
