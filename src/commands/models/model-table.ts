import { parseArn } from "../../aws/arn.ts";
import type { AccessStatus, AccessVerdict } from "../../discovery/judge-access.ts";
import type { ListedModel } from "../../models/list.ts";
import { BEDROCK, shortKey } from "../../models/provider-api.ts";
import type { Style } from "../../terminal/color.ts";
import { neutralise } from "../../terminal/neutralise.ts";
import { formatPriceColumn, formatTokenColumn } from "../../terminal/numbers.ts";
import { type Cell, type Column, layoutTable, type OwnLine, tableWidth } from "../../terminal/table.ts";
import { hang, wrapText } from "../../terminal/word-wrap.ts";

/** A listed model; where access was asked for, with its verdict. */
export type TabledModel = ListedModel & { access?: AccessVerdict };

/** What all models of a table have to do with how each is shown. */
interface Look {
  style: Style;
  /** Whether a title above says the provider. */
  isGrouped: boolean;
  /** Whether kinds of input are letters, which a line below explains. */
  hasLetters: boolean;
  /** Whether it is a letter, too, that a model reasons: beside access there is no room for more. */
  isTight: boolean;
  tokens: Record<"contextWindow" | "maxTokens", (tokens: number) => string>;
  price: Record<"input" | "output", (price: number) => string>;
}

interface ModelColumn extends Column {
  cell: (model: TabledModel, look: Look) => Cell;
}

/** From so many columns of a terminal on all there is to a model has its column. */
const ALL_FROM = 120;

const REASONING = "Reasoning";

/** Each column and what stands in it; one without a model that fills it is left out. */
const COLUMNS: readonly ModelColumn[] = [
  {
    title: "Model",
    cell: (model, { style }) => {
      const text = shownName(model);
      return { text, look: model.available ? (text) => quietPrefix(text, style) : style.dim };
    },
  },
  { title: "Access", cell: ({ access }, { style }) => accessCell(access, style) },
  {
    title: "Name",
    dropOrder: 4,
    from: 100,
    // `Claude Sonnet 4.6` and its like are told apart by their last character.
    least: 17,
    cell: (model, { isGrouped }) => (parseArn(model.id) ? "" : ownName(model, isGrouped)),
  },
  {
    title: "Input",
    dropOrder: 5,
    from: ALL_FROM,
    cell: ({ input }, { hasLetters }) => (hasLetters ? inLetters(input) : input),
  },
  { title: "Context", align: "right", dropOrder: 1, cell: limitCell("contextWindow") },
  { title: "Max out", align: "right", dropOrder: 6, from: ALL_FROM, cell: limitCell("maxTokens") },
  { title: "$ in", align: "right", dropOrder: 3, cell: priceCell("input") },
  { title: "$ out", align: "right", dropOrder: 2, cell: priceCell("output") },
  {
    title: REASONING,
    dropOrder: 7,
    from: ALL_FROM,
    cell: ({ reasoning }, { isTight }) => (reasoning ? (isTight ? letterOf(REASONING) : "yes") : ""),
  },
  {
    title: "Tags",
    dropOrder: 8,
    from: 140,
    least: 24,
    isBelow: true,
    cell: ({ tags, missing }, { style }) => ({
      text: tags.filter((tag) => markOf([tag]) === "").join(","),
      look: missing ? style.yellow : style.cyan,
    }),
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
  "retention-refused": "data retention",
  unknown: "unknown",
};

/**
 * The lines of `models list` on a terminal: aligned columns that fit its width, whole columns dropped and no model cut;
 * prices in USD per million tokens. `isGrouped` puts each provider's models under its name, that of the first model first.
 * Kinds of input are words where all of the table has room beside them, else letters.
 */
export function modelTable(
  models: readonly TabledModel[],
  columns: number,
  style: Style,
  isGrouped = true,
): string[] {
  const shown = models.map(shownOnTerminal);
  const costs = shown.flatMap(({ cost }) => cost ?? []);
  const look: Look = {
    style,
    isGrouped,
    hasLetters: false,
    isTight: false,
    tokens: {
      contextWindow: formatTokenColumn(shown.map((model) => model.contextWindow)),
      maxTokens: formatTokenColumn(shown.flatMap((model) => model.maxTokens ?? [])),
    },
    price: {
      input: formatPriceColumn(costs.map(({ input }) => input)),
      output: formatPriceColumn(costs.map(({ output }) => output)),
    },
  };
  const markWidth = Math.max(...shown.map(({ tags }) => markOf(tags).length));
  const titled = (isTight: boolean): Column[] =>
    COLUMNS.map((column, index) => {
      if (index === 0) return { ...column, title: `${indent(markWidth)}${column.title}` };
      return isTight && column.title === REASONING ? { ...column, title: letterOf(REASONING) } : column;
    });
  const rowOf = (model: TabledModel, own: Look): Cell[] => {
    const cells = COLUMNS.map(({ cell }) => cell(model, own));
    return markWidth > 0 ? markRow(cells, model, markWidth, style) : cells;
  };
  const widthInWords = (): number =>
    tableWidth(
      titled(false),
      shown.map((model) => rowOf(model, look)),
    );
  const hasLetters = columns >= ALL_FROM && widthInWords() > columns;
  const isTight = hasLetters && shown.some(({ access }) => access);
  const rowsOf = (model: TabledModel): TableRow[] => [
    rowOf(model, { ...look, hasLetters, isTight }),
    ...arnBelow(model, markWidth, style),
  ];
  const rows = isGrouped
    ? byProvider(shown).flatMap(({ provider, models: own }) =>
        [titleOf(provider, style)].concat(own.flatMap(rowsOf)),
      )
    : shown.flatMap(rowsOf);
  const lines = layoutTable(titled(isTight), rows, columns, style.bold);
  const reasons =
    isTight && shown.some(({ reasoning }) => reasoning) ? `; ${letterOf(REASONING)} reasons` : "";
  return hasLetters && lines[0]?.includes("Input")
    ? lines.concat(wrapText(explainLetters(shown) + reasons, columns).map(style.dim))
    : lines;
}

function letterOf(kind: string): string {
  return kind.charAt(0).toUpperCase();
}

function inLetters(input: string): string {
  return input.split("+").map(letterOf).join("");
}

function explainLetters(models: readonly TabledModel[]): string {
  const kinds = new Set(models.flatMap(({ input }) => input.split("+")));
  return `Input: ${[...kinds].map((kind) => `${letterOf(kind)} ${kind}`).join(", ")}`;
}

type TableRow = readonly Cell[] | OwnLine;

function titleOf(provider: string, { dim }: Style): TableRow {
  return { alone: { text: provider, look: dim }, isTitle: true };
}

/** What stands in front of the models that are asked first: the default, and its fallbacks by their turn. */
function markOf(tags: readonly string[]): string {
  if (tags.includes("default")) return DEFAULT_MARK;
  return tags.flatMap((tag) => /^fallback#(\d+)$/.exec(tag)?.[1] ?? [])[0] ?? "";
}

/** What the marks in front of listed models mean; empty where none has one. */
export function explainMarks(models: readonly Pick<TabledModel, "tags">[]): string {
  const marks = models.map(({ tags }) => markOf(tags));
  const hasDefault = marks.includes(DEFAULT_MARK);
  const turns = marks.filter((mark) => mark !== "" && mark !== DEFAULT_MARK);
  const named =
    turns.length < 2 ? turns[0] : `${turns[0]} ${turns.length === 2 ? "and" : "to"} ${turns.at(-1)}`;
  const order = turns.length < 2 ? "" : ", in their order";
  const its = `its ${turns.length < 2 ? "fallback" : "fallbacks"}`;
  const alone = turns.length < 2 ? "is a fallback" : "are fallbacks";
  return [
    ...(hasDefault ? [`${DEFAULT_MARK} is the default model`] : []),
    ...(named === undefined
      ? []
      : [`${named} ${hasDefault ? its : `${alone} of the default model`}${order}`]),
  ].join(", ");
}

function indent(markWidth: number): string {
  return markWidth > 0 ? " ".repeat(markWidth + 1) : "";
}

/** Puts the mark in front of the model, where no terminal is too narrow for it. */
function markRow(
  [first = "", ...cells]: readonly Cell[],
  model: TabledModel,
  width: number,
  style: Style,
): Cell[] {
  const { text, look } = typeof first === "string" ? { text: first, look: (own: string) => own } : first;
  const mark = markOf(model.tags).padStart(width);
  return [{ text: `${mark} ${text}`, look: () => `${style.green(mark)} ${look(text)}` }, ...cells];
}

/** What a model is called on a terminal: an id of Bedrock's alone, an ARN by its name, else the key. */
function shownName({ key, id, name }: TabledModel): string {
  const arn = key.startsWith(`${BEDROCK}/`) ? parseArn(id) : undefined;
  if (!arn) return shortKey(key);
  return name === id ? `${arn.resourceType}/${arn.resourceId}` : name;
}

/** The ARN of a model that is shown by its name, to be copied. */
function arnBelow({ key, id }: TabledModel, markWidth: number, style: Style): OwnLine[] {
  if (!key.startsWith(`${BEDROCK}/`) || !parseArn(id)) return [];
  return [{ alone: { text: `${indent(markWidth)}  ${id}`, look: style.dim } }];
}

/** `US Anthropic Claude Opus 4.8` is `Claude Opus 4.8` beside its id `us.…` and under the title `Anthropic`. */
function ownName({ id, name, provider }: TabledModel, isGrouped: boolean): string {
  const [, area = "", rest = ""] = /^(\S+) (.+)$/.exec(name) ?? [];
  const placeless = id.startsWith(`${area.toLowerCase()}.`) ? rest : name;
  return (isGrouped && ` ${placeless} `.replace(` ${provider} `, " ").trim()) || placeless;
}

interface ProviderGroup {
  provider: string;
  models: TabledModel[];
}

/** The models of each provider, that of the first model first. What AWS did not list is written in small letters. */
function byProvider(models: readonly TabledModel[]): ProviderGroup[] {
  const groups = new Map<string, ProviderGroup>();
  for (const model of models) {
    const word = model.provider.toLowerCase();
    const group = groups.get(word) ?? { provider: word, models: [] };
    if (group.provider === word) group.provider = model.provider;
    group.models.push(model);
    groups.set(word, group);
  }
  return [...groups.values()];
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
    if (hint !== null) lines.push(...hang("", hint, columns).map(style.dim));
  }
  return lines;
}

/** Ids and names come from AWS's answer and the config, and may hold anything. A cell is one line. */
function shownOnTerminal(model: TabledModel): TabledModel {
  const harmless = (text: string): string => neutralise(text.replaceAll(/[\t\n]/g, " "));
  const { key, id, name, provider, tags } = model;
  return {
    ...model,
    key: harmless(key),
    id: harmless(id),
    name: harmless(name),
    provider: harmless(provider),
    tags: tags.map(harmless),
  };
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
function limitCell(kind: "contextWindow" | "maxTokens"): ModelColumn["cell"] {
  return (model, { tokens, style }) => {
    const limit = model[kind];
    const text = limit === null ? "" : tokens[kind](limit);
    return model.limitsSource === "default" ? { text, look: style.dim } : text;
  };
}

function priceCell(kind: "input" | "output"): ModelColumn["cell"] {
  return ({ cost }, { price }) => (cost ? price[kind](cost[kind]) : "");
}
