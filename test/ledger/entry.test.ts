import { expect, it } from "vitest";
import { entryLine, type LedgerEntry, NOTHING, parseEntry } from "../../src/ledger/entry.ts";
import { EntrySums } from "../../src/ledger/sum-up.ts";

const call: LedgerEntry = {
  ...NOTHING,
  at: "2026-11-26T11:17:19.123Z",
  command: "chat",
  model: "amazon.nova-lite-v1:0",
  profile: "work",
  key: undefined,
  calls: 1,
  inputTokens: 3,
  outputTokens: 5,
  usd: 0.0012,
};

it.each([
  call,
  { ...call, usd: 0, unpriced: 1 },
  { ...call, profile: undefined, key: "team-a", cacheReadInputTokens: 7, cacheWriteInputTokens: 9 },
  { ...call, calls: 4, unpriced: 4, usd: 0 },
  { ...call, calls: 4, unpriced: 1 },
])("reads what it writes: %j", (entry) => {
  const line = entryLine(entry);
  expect(line.indexOf("\n")).toBe(line.length - 1);
  expect(parseEntry(line)).toEqual(entry);
});

it("takes a line that was cut off anywhere for none", () => {
  const line = entryLine(call).trimEnd();
  for (let length = 0; length < line.length; length += 1)
    expect(parseEntry(line.slice(0, length)), line.slice(0, length)).toBeUndefined();
});

it.each([
  "null",
  "[]",
  "{}",
  '{"at":"soon","command":"chat","model":"m"}',
  '{"at":1,"command":"c","model":"m"}',
  "\0",
])("takes %j for no entry", (line) => {
  expect(parseEntry(line)).toBeUndefined();
});

it("sums up by hour and all that names a call", () => {
  const later = { ...call, at: "2026-11-26T11:59:59.999Z", usd: 0.1, unpriced: 0 };
  const now = Date.parse("2026-11-27T00:00:00.000Z");
  const next = { ...call, at: "2026-11-26T12:00:00.000Z" };
  const summed = (entries: readonly LedgerEntry[], at: number): LedgerEntry[] => {
    const sums = new EntrySums(at);
    for (const entry of entries) sums.add(entry);
    return [...sums.entries()];
  };
  const inHours = summed([call, later, next, { ...call, key: "a" }], now);
  expect(inHours).toEqual([
    { ...call, at: "2026-11-26T11:00:00.000Z", calls: 2, inputTokens: 6, outputTokens: 10, usd: 0.1012 },
    { ...call, at: "2026-11-26T12:00:00.000Z" },
    { ...call, at: "2026-11-26T11:00:00.000Z", key: "a" },
  ]);
  const inDays = summed(inHours, now + 7 * 86_400_000);
  expect(inDays.map(({ at, calls }) => [at, calls])).toEqual([
    ["2026-11-26T00:00:00.000Z", 3],
    ["2026-11-26T00:00:00.000Z", 1],
  ]);
});
