import type { ListedModel } from "./list.ts";
import { compareText } from "./model-order.ts";

/** What `models list --sort` takes. */
export type SortField = "name" | "provider" | "context" | "max-output" | "price-in" | "price-out";

type Compare = (left: ListedModel, right: ListedModel) => number;

const byText =
  (textOf: (model: ListedModel) => string): Compare =>
  (left, right) =>
    compareText(textOf(left).toLowerCase(), textOf(right).toLowerCase());
const largestFirst =
  (valueOf: (model: ListedModel) => number): Compare =>
  (left, right) =>
    valueOf(right) - valueOf(left);
/** A price that nobody knows is not the lowest one. */
const cheapestFirst =
  (kind: "input" | "output"): Compare =>
  ({ cost: left }, { cost: right }) => {
    if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1;
    return left[kind] - right[kind];
  };

const COMPARE: Readonly<Record<SortField, Compare>> = {
  name: byText(({ name }) => name),
  provider: byText(({ provider }) => provider),
  context: largestFirst(({ contextWindow }) => contextWindow),
  "max-output": largestFirst(({ maxTokens }) => maxTokens ?? 0),
  "price-in": cheapestFirst("input"),
  "price-out": cheapestFirst("output"),
};

/** Sorts by a field: names from A to Z, the largest limit first, the lowest price first. Equals keep their order. */
export function sortModels(models: readonly ListedModel[], field: SortField): ListedModel[] {
  return [...models].sort(COMPARE[field]);
}
