import { expect, it } from "vitest";
import { readTime, readTimeToCome } from "../../src/command-line/read-time.ts";

const NOW = Date.parse("2026-03-05T14:30:00.500Z");

it.each([
  ["30d", "2026-02-03T14:30:00.500Z"],
  ["12h", "2026-03-05T02:30:00.500Z"],
  ["90m", "2026-03-05T13:00:00.500Z"],
  ["10s", "2026-03-05T14:29:50.500Z"],
  ["2w", "2026-02-19T14:30:00.500Z"],
  ["1y", "2025-03-05T14:30:00.500Z"],
  ["0d", "2026-03-05T14:30:00.500Z"],
  [" 7D ", "2026-02-26T14:30:00.500Z"],
  ["today", "2026-03-05T00:00:00.000Z"],
  ["yesterday", "2026-03-04T00:00:00.000Z"],
  ["month", "2026-03-01T00:00:00.000Z"],
  ["2026-01-31", "2026-01-31T00:00:00.000Z"],
  ["2026-01", "2026-01-01T00:00:00.000Z"],
  ["2026-01-31T10:00", "2026-01-31T10:00:00.000Z"],
  ["2026-01-31 10:00", "2026-01-31T10:00:00.000Z"],
  ["2026-01-31T10:00:00Z", "2026-01-31T10:00:00.000Z"],
  ["2026-01-31T10:00:00+02:00", "2026-01-31T08:00:00.000Z"],
])("takes %s for %s", (text, time) => {
  expect(new Date(readTime(text, "--since", NOW)).toISOString()).toBe(time);
});

it.each([
  "",
  "soon",
  "-3d",
  "3",
  "3 fortnights",
  "1.5d",
  "99999999999999999999d",
  "2026-13-01",
  "2026-02-31x",
  "2026-02-29",
  "2026-04-31T10:00",
  "d",
])("refuses %j", (text) => {
  expect(() => readTime(text, "--since", NOW)).toThrow(`--since '${text}' is no time.`);
});

it.each([
  ["90d", "2026-06-03T14:30:00.500Z"],
  ["2028-02-29", "2028-02-29T00:00:00.000Z"],
  ["9999-12-31", "9999-12-31T00:00:00.000Z"],
])("takes %s, to come, for %s", (text, time) => {
  expect(new Date(readTimeToCome(text, "--expires", NOW, { like: "90d" })).toISOString()).toBe(time);
});

it.each(["2027-02-30", "99999999d", "100000000d", "8000y", "soon"])("refuses %j, to come", (text) => {
  expect(() => readTimeToCome(text, "--expires", NOW, { like: "90d" })).toThrow(
    `--expires '${text}' is no time.`,
  );
});
