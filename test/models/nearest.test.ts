import { expect, it } from "vitest";
import { nearestIds } from "../../src/models/nearest.ts";

const ids = [
  "us.anthropic.claude-opus-4-6-v1",
  "eu.anthropic.claude-opus-4-6-v1",
  "anthropic.claude-opus-4-6-v1",
  "us.anthropic.claude-sonnet-4-6",
  "amazon.nova-lite-v1:0",
];

it("finds the id that older documents print with a version suffix it never had", () => {
  expect(nearestIds("us.anthropic.claude-opus-4-6-v1:0", ids)[0]).toBe("us.anthropic.claude-opus-4-6-v1");
});

it("finds the full id behind a part of it", () => {
  expect(nearestIds("claude-sonnet-4-6", ids)[0]).toBe("us.anthropic.claude-sonnet-4-6");
});

it("finds a misspelt id", () =>
  expect(nearestIds("amazon.nova-lit-v1:0", ids)[0]).toBe("amazon.nova-lite-v1:0"));

it("offers nothing for a text that is like none", () => expect(nearestIds("zebra", ids)).toEqual([]));

it("finds none for a short word that has little in common with any", () => {
  expect(nearestIds("foo", ["Z.AI", "meta", "qwen"])).toEqual([]);
  expect(nearestIds("mata", ["Z.AI", "meta", "qwen"])).toEqual(["meta"]);
});
