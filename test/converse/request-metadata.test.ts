import { expect, it } from "vitest";
import { parseRequestMetadata } from "../../src/converse/request-metadata.ts";

it("takes KEY=VALUE, the value up to the end", () => {
  expect(parseRequestMetadata(["team=search", "run=a=b:1", "empty="])).toEqual({
    team: "search",
    run: "a=b:1",
    empty: "",
  });
});

it.each([["team"], ["=x"], ["a=é"], [`a=${"x".repeat(257)}`], ["a!=b"]])("refuses %j by name", (entry) => {
  expect(() => parseRequestMetadata([entry])).toThrow(expect.objectContaining({ code: "usage" }));
});

it("refuses more entries than AWS takes", () => {
  const entries = Array.from({ length: 17 }, (_, index) => `key${index}=x`);
  expect(() => parseRequestMetadata(entries)).toThrow(expect.objectContaining({ code: "usage" }));
  expect(Object.keys(parseRequestMetadata(entries.slice(1)))).toHaveLength(16);
});
