import { expect, it } from "vitest";
import { parseRequestMetadata, withKeyMark } from "../../src/converse/request-metadata.ts";

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

it("marks a call with the name of the key, which its client cannot say", () => {
  expect(withKeyMark(undefined, "team-a")).toEqual({ metadata: { "openclaw-key": "team-a" }, notices: [] });
  expect(withKeyMark({ run: "7", "openclaw-key": "team-b" }, "team-a")).toEqual({
    metadata: { run: "7", "openclaw-key": "team-a" },
    notices: [],
  });
  expect(withKeyMark({ run: "7" }, undefined)).toEqual({ metadata: { run: "7" }, notices: [] });
});

it("leaves out of a client's own marks what there is no room for, and says which", () => {
  const own = Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`key${index}`, "x"]));
  const { metadata, notices } = withKeyMark(own, "k".repeat(300));
  expect(Object.keys(metadata ?? {})).toHaveLength(16);
  expect(metadata).toMatchObject({ key14: "x", "openclaw-key": "k".repeat(256) });
  expect(notices).toEqual(["'key15' of the metadata is left out: the key's name is told there"]);
});
