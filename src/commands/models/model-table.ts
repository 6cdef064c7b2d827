import type { AccessStatus, AccessVerdict } from "../../discovery/judge-access.ts";
import type { ListedModel } from "../../models/list.ts";
import type { Style } from "../../terminal/color.ts";
import { neutralise } from "../../terminal/neutralise.ts";
import { formatPrice, formatTokens } from "../../terminal/numbers.ts";
import { type Cell, type Column, layoutTable } from "../../terminal/table.ts";
import { wrapText } from "../../terminal/word-wrap.ts";

/** A listed model; where access was asked for, with its verdict. */
export type TabledModel = ListedModel & { access?: AccessVerdict };

/** Each column and what stands in it; one without a model that fills it is left out. */
const COLUMNS: readonly (Column & { cell: (model: TabledModel, style: Style) => Cell })[] = [
  {
    title: "Key",
    cell: ({ key, available }, style) => ({
      text: key,
      look: available ? (text) => quietPrefix(text, style) : style.dim,
    }),
  },
  { title: "Access", cell: ({ access }, style) => accessCell(access, style) },
  { title: "Name", dropOrder: 8, cell: ({ name }) => name },
  { title: "Input", dropOrder: 5, cell: ({ input }) => input },
  {
    title: "Context",
    align: "right",
    dropOrder: 1,
    cell: (model, style) => limitCell(model.contextWindow, model, style),
  },
  {
    title: "Max out",
    align: "right",
    dropOrder: 6,
    cell: (model, style) => limitCell(model.maxTokens, model, style),
  },
  { title: "$ in", align: "right", dropOrder: 3, cell: ({ cost }) => (cost ? formatPrice(cost.input) : "") },
  {
    title: "$ out",
    align: "right",
    dropOrder: 2,
    cell: ({ cost }) => (cost ? formatPrice(cost.output) : ""),
  },
  { title: "Reasoning", dropOrder: 7, cell: ({ reasoning }) => (reasoning ? "yes" : "") },
  {
    title: "Tags",
    dropOrder: 4,
    cell: ({ tags, missing }, style) => ({ text: tags.join(","), look: missing ? style.yellow : style.cyan }),
  },
];

const DEFAULT_MARK = "*";

/** Words for the column, none longer than its place beside a key in 80 columns. */
const ACCESS_WORDS: Readonly<Record<AccessStatus, string>> = {
  available: "yes",
  "on-first-call": "on first call",
  pending: "pending",
  "not-in-region": "not in region",
  "not-authorized": "not authorized",
  "form-missing": "form missing",
  "not-entitled": "no entitlement",
  "agreement-failed": "no agreement",
  unknown: "unknown",
};

/**
 * The lines of `models list` on a terminal: aligned columns that fit its width, whole columns dropped and keys never
 * cut; prices in USD per million tokens.
 */
export function modelTable(models: readonly TabledModel[], columns: number, style: Style): string[] {
  const rows = models.map(shownOnTerminal).map((model) => COLUMNS.map(({ cell }) => cell(model, style)));
  if (!models.some(isDefault)) return layoutTable(COLUMNS, rows, columns, style.bold);
  const marked = rows.map((cells, index) => markRow(cells, models[index], style));
  const [key, ...others] = COLUMNS;
  return layoutTable([{ title: `  ${key?.title}` }, ...others], marked, columns, style.bold);
}

function isDefault({ tags }: TabledModel): boolean {
  return tags.includes("default");
}

/** Puts the default's mark in front of the key, where no terminal is too narrow for it. */
function markRow(
  [key = "", ...cells]: readonly Cell[],
  model: TabledModel | undefined,
  style: Style,
): Cell[] {
  const { text, look } = typeof key === "string" ? { text: key, look: (own: string) => own } : key;
  const mark = model && isDefault(model) ? DEFAULT_MARK : " ";
  return [{ text: `${mark} ${text}`, look: () => `${style.green(mark)} ${look(text)}` }, ...cells];
}

/** What keeps listed models from being called: each reason once, with what to do about it, within `columns`. */
export function accessLines(models: readonly TabledModel[], columns: number, style: Style): string[] {
  const reasons = new Map<string, { hint: string | null; ids: string[] }>();
  for (const { id, access } of models) {
    if (access?.status === "unknown" || !access?.reason) continue;
    const known = reasons.get(access.reason);
    if (known) known.ids.push(id);
    else reasons.set(access.reason, { hint: access.hint, ids: [id] });
  }
  const lines: string[] = [];
  for (const [reason, { hint, ids }] of reasons) {
    lines.push("", ...wrapText(`${ids.length === 1 ? ids[0] : `${ids.length} models`}: ${reason}.`, columns));
    if (hint !== null) lines.push(...wrapText(hint, columns).map(style.dim));
  }
  return lines;
}

/** Ids and names come from AWS's answer and the config, and may hold anything. A cell is one line. */
function shownOnTerminal(model: TabledModel): TabledModel {
  const harmless = (text: string): string => neutralise(text.replaceAll(/[\t\n]/g, " "));
  return { ...model, key: harmless(model.key), name: harmless(model.name), tags: model.tags.map(harmless) };
}

function accessCell(access: AccessVerdict | undefined, style: Style): Cell {
  if (!access) return "";
  const look = access.callable === null ? style.dim : access.callable ? style.green : style.red;
  return { text: ACCESS_WORDS[access.status], look };
}

/** The provider is the same in most rows; the id is what people look for. */
function quietPrefix(key: string, style: Style): string {
  const slash = key.indexOf("/") + 1;
  return style.dim(key.slice(0, slash)) + key.slice(slash);
}

/** A limit in tokens. A default stands where nobody knows better: shown, but quietly. */
function limitCell(tokens: number, { limitsSource }: TabledModel, style: Style): Cell {
  const text = formatTokens(tokens);
  return limitsSource === "default" ? { text, look: style.dim } : text;
}
