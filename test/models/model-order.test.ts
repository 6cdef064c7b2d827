import { expect, it } from "vitest";
import { orderModels } from "../../src/models/model-order.ts";

function order(...names: string[]): string[] {
  return orderModels(names, (name) => ({ provider: "Anthropic", baseName: name, id: name }));
}

it("puts the newest version of a family first, wherever the name carries it", () => {
  expect(order("Claude 3.7 Sonnet", "Claude Sonnet 4.5", "Claude Sonnet 5", "Claude Sonnet 4")).toEqual([
    "Claude Sonnet 5",
    "Claude Sonnet 4.5",
    "Claude Sonnet 4",
    "Claude 3.7 Sonnet",
  ]);
});

it("keeps families together", () => {
  expect(order("Claude Sonnet 4.5", "Claude Haiku 4.5", "Claude 3 Haiku")).toEqual([
    "Claude Haiku 4.5",
    "Claude 3 Haiku",
    "Claude Sonnet 4.5",
  ]);
});

it("compares versions as numbers, not as text", () => {
  expect(order("Llama 3.9", "Llama 3.10")).toEqual(["Llama 3.10", "Llama 3.9"]);
});

it("sorts by provider before anything else, ignoring case", () => {
  const models = [
    { provider: "Meta", baseName: "A 9", id: "a" },
    { provider: "amazon", baseName: "Z 1", id: "z" },
  ];
  expect(orderModels(models, (model) => model).map(({ provider }) => provider)).toEqual(["amazon", "Meta"]);
});
