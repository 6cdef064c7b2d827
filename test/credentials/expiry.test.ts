import { expect, it } from "vitest";
import { readExpiry } from "../../src/credentials/expiry.ts";

it.each([
  "2026-11-26T08:00:00Z",
  "2026-11-26T08:00:00UTC",
  "2026-11-26T08:00:00+00:00",
  "2026-11-26T09:00:00+0100",
  "2026-11-26T00:30:00-07:30",
  "2026-11-26T08:00:00.000000+00:00",
  "2026-11-26T08:00:00.000123Z",
  "2026-11-26 08:00:00+00:00",
  "Thu, 26 Nov 2026 08:00:00 GMT",
])("reads %s", (text) => {
  expect(readExpiry(text)?.toISOString()).toBe("2026-11-26T08:00:00.000Z");
});

it.each([
  undefined,
  null,
  "",
  "soon",
  1_795_680_000,
  "2026-13-40T08:00:00Z",
  "2026-11-26T08:00:00EST5",
  "2026-11-26T08:00:00",
])("reads nothing of %s", (text) => {
  expect(readExpiry(text)).toBeUndefined();
});
