import type { ListedModel } from "../discovery/list.ts";
import type { Style } from "./color.ts";
import { formatPrice, formatTokens } from "./numbers.ts";
import { type Cell, type Column, layoutTable } from "./table.ts";

const COLUMNS: readonly Column[] = [
  { title: "Key" },
  { title: "Name", dropOrder: 7 },
  { title: "Input", dropOrder: 4 },
  { title: "Context", align: "right", dropOrder: 1 },
  { title: "Max out", align: "right", dropOrder: 5 },
  { title: "$ in", align: "right", dropOrder: 3 },
  { title: "$ out", align: "right", dropOrder: 3 },
  { title: "Reasoning", dropOrder: 6 },
  { title: "Tags", dropOrder: 2 },
];

/**
 * The lines of `models list`. On a terminal: aligned columns that fit its width, whole columns dropped and keys never
 * cut; prices in USD per million tokens. In a pipe (`columns` is Infinity): one line a model, separated by tabs,
 * numbers in full, no title, so that other programs can read it.
 */
export function modelLines(models: readonly ListedModel[], columns: number, style: Style): string[] {
  if (columns === Number.POSITIVE_INFINITY) return models.map(tabLine);
  const rows = models.map((model): Cell[] => [
    { text: model.key, look: model.available ? (key) => quietPrefix(key, style) : style.dim },
    model.name,
    model.input,
    quiet(formatTokens(model.contextWindow), model.limitsSource === "default", style),
    quiet(formatTokens(model.maxTokens), model.limitsSource === "default", style),
    model.cost ? formatPrice(model.cost.input) : "",
    model.cost ? formatPrice(model.cost.output) : "",
    model.reasoning ? "yes" : "",
    { text: model.tags.join(","), look: model.missing ? style.yellow : style.cyan },
  ]);
  return layoutTable(COLUMNS, rows, columns, style.bold);
}

/** The provider is the same in most rows; the id is what people look for. */
function quietPrefix(key: string, style: Style): string {
  const slash = key.indexOf("/") + 1;
  return style.dim(key.slice(0, slash)) + key.slice(slash);
}

/** A default stands where nobody knows better: shown, but quietly. */
function quiet(text: string, isDefault: boolean, style: Style): Cell {
  return isDefault ? { text, look: style.dim } : text;
}

function tabLine(model: ListedModel): string {
  return [
    model.key,
    model.name,
    model.input,
    model.contextWindow,
    model.maxTokens,
    model.cost?.input ?? "",
    model.cost?.output ?? "",
    model.reasoning ? "reasoning" : "",
    model.tags.join(","),
  ].join("\t");
}
