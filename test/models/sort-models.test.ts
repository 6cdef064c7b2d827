import { describe, expect, it } from "vitest";
import type { ListedModel } from "../../src/models/list.ts";
import { type SortField, sortModels } from "../../src/models/sort-models.ts";

function model(id: string, more: Partial<ListedModel>): ListedModel {
  return {
    key: `amazon-bedrock/${id}`,
    id,
    name: id,
    provider: "Amazon",
    kind: "foundation-model",
    api: "converse",
    input: "text",
    contextWindow: 1,
    maxTokens: 1,
    limitsSource: "catalog",
    reasoning: false,
    cost: null,
    regions: [],
    available: true,
    missing: false,
    tags: [],
    ...more,
  };
}

const models = [
  model("a", { name: "beta", provider: "meta", contextWindow: 10, maxTokens: 3, cost: null }),
  model("b", {
    name: "Alpha",
    provider: "Amazon",
    contextWindow: 30,
    maxTokens: 1,
    cost: { input: 2, output: 1 },
  }),
  model("c", {
    name: "gamma",
    provider: "Cohere",
    contextWindow: 10,
    maxTokens: 2,
    cost: { input: 1, output: 9 },
  }),
  model("d", {
    name: "alpha",
    provider: "amazon",
    contextWindow: 20,
    maxTokens: 2,
    cost: { input: 1, output: 5 },
  }),
];

describe("sortModels", () => {
  it.each<[SortField, string, string]>([
    ["name", "bdac", "from A to Z whatever the case, equals as they were"],
    ["provider", "bdca", "from A to Z"],
    ["context", "bdac", "the largest first"],
    ["max-output", "acdb", "the largest first"],
    ["price-in", "cdba", "the cheapest first, unknown last"],
    ["price-out", "bdca", "the cheapest first, unknown last"],
  ])("by %s: %s, %s", (field, expected) => {
    const before = models.map(({ id }) => id).join("");
    expect(
      sortModels(models, field)
        .map(({ id }) => id)
        .join(""),
    ).toBe(expected);
    expect(models.map(({ id }) => id).join("")).toBe(before);
  });
});
