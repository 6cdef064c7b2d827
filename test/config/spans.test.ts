import { expect, it } from "vitest";
import { type Container, findMember, scanDocument } from "../../src/config/spans.ts";

/** Milliseconds of a core that `work` takes. */
function cpuOf(work: () => void): number {
  const begun = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

it("finds each of 50,000 members without looking through the others", () => {
  const keys = Array.from({ length: 50_000 }, (_, index) => `key-${index}`);
  const text = `{${keys.map((key) => `"${key}":1`).join(",")}}`;
  const root = scanDocument(text).root as Container;
  expect(cpuOf(() => keys.forEach((key) => findMember(root, key)))).toBeLessThan(2000);
  expect(findMember(root, "key-49999")?.start).toBe(text.lastIndexOf('"key-49999"'));
});

it("takes the last of members with one key, as JSON5 does", () => {
  const root = scanDocument("{ a: 1, b: 2, a: 3 }").root as Container;
  expect(findMember(root, "a")?.start).toBe(14);
  expect(findMember(root, "c")).toBeUndefined();
  expect(findMember(scanDocument("[1, 2]").root as Container, 1)?.start).toBe(4);
});
