import { expect, it } from "vitest";
import { secondsToWait } from "../../src/network/retry-after.ts";

it.each([
  [{ "retry-after": "2" }, 2],
  [{ "retry-after": " 0.5 " }, 0.5],
  [{ "retry-after": "9", "retry-after-ms": "250" }, 0.25],
  [{ "retry-after": "Thu, 01 Jan 1970 00:20:00 GMT" }, 200],
  [{ "retry-after": "Thu, 01 Jan 1970 00:10:00 GMT" }, 0],
  [{ "retry-after": "soon" }, undefined],
  [{ "retry-after": "" }, undefined],
  [{}, undefined],
])("reads %j as %s seconds", (headers, expected) => {
  expect(secondsToWait(headers, 1000_000)).toBe(expected);
});
