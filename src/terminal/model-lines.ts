import type { ListedModel } from "../discovery/list.ts";

/**
 * The lines of `models list` in a pipe: one a model, fields separated by tabs, numbers in full, no title, so that other
 * programs can read them. Prices in USD per million tokens.
 */
export function modelLines(models: readonly ListedModel[]): string[] {
  return models.map((model) =>
    [
      model.key,
      model.name,
      model.input,
      model.contextWindow,
      model.maxTokens,
      model.cost?.input ?? "",
      model.cost?.output ?? "",
      model.reasoning ? "reasoning" : "",
      model.tags.join(","),
    ].join("\t"),
  );
}
