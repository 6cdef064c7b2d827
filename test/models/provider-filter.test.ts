import { expect, it } from "vitest";
import { matchesProvider } from "../../src/models/provider-filter.ts";

it.each([
  ["mistral", true],
  ["Mistral AI", true],
  ["mistralai", true],
  ["MISTRAL-AI", true],
  ["mist", false],
  ["anthropic", false],
])("the filter %s finds a model of Mistral AI: %s", (wanted, isFound) => {
  expect(matchesProvider([wanted], "Mistral AI", "mistral")).toBe(isFound);
});

it("lets everything through when empty", () => expect(matchesProvider([], "Amazon", "amazon")).toBe(true));

it("finds what any of several names finds", () => {
  expect(matchesProvider(["anthropic", "amazon"], "Amazon", "amazon")).toBe(true);
});
