import type { TabledModel } from "./model-table.ts";

/**
 * The lines of `models list` in a pipe: one a model, fields separated by tabs, numbers in full, no title, so that other
 * programs can read them. Prices in USD per million tokens; access last, where it was asked for.
 */
export function modelLines(models: readonly TabledModel[]): string[] {
  return models.map((model) =>
    [
      oneField(model.key),
      oneField(model.name),
      model.input,
      model.contextWindow,
      model.maxTokens ?? "",
      model.cost?.input ?? "",
      model.cost?.output ?? "",
      model.reasoning ? "reasoning" : "",
      oneField(model.tags.join(",")),
      ...(model.access ? [model.access.status] : []),
    ].join("\t"),
  );
}

/** The lines of `models list --plain`: one key each. */
export function keyLines(models: readonly Pick<TabledModel, "key">[]): string[] {
  return models.map(({ key }) => oneField(key));
}

/** A name of the configuration or of an odd answer may hold anything; a field holds no tab and no line end. */
function oneField(text: string): string {
  return text.replaceAll(/[\t\n\v\f\r\u0085\u2028\u2029]/g, " ");
}
