// Turns a models.dev export and the overrides into the catalog. Pure: no files, no process, no clock.

/**
 * @typedef {import("./transform.js").Row} Row
 * @typedef {import("./transform.js").Overrides} Overrides
 * @typedef {Map<string, Row>} Rows
 * @typedef {NonNullable<Row["cost"]>} Prices
 * @typedef {{ input: number, output: number, cache_read?: number, cache_write?: number }} ExportedPrices
 * @typedef {object} ExportedModel
 * @property {string} [name]
 * @property {string} [last_updated]
 * @property {ExportedPrices} [cost]
 * @property {{ context?: number, output?: number }} [limit]
 * @property {{ input?: string[] }} [modalities]
 * @property {boolean} [reasoning]
 * @property {{ type: string, values?: string[] }[]} [reasoning_options]
 * @typedef {{ models?: Record<string, ExportedModel>, source?: string, "amazon-bedrock"?: { models: Record<string, ExportedModel> } }} Exported
 */

/** What Bedrock's Converse calls the kinds that models.dev lists; audio and video are not offered by this program. */
const INPUT_KINDS = { text: "text", image: "image", pdf: "document" };

/** The order in which a row's fields are written, so that a diff shows only what changed. @type {(keyof Row)[]} */
const FIELDS = ["name", "contextWindow", "maxTokens", "cost", "reasoning", "reasoningOptions", "input"];

/**
 * Builds the catalog document. Prices are USD per million tokens, limits are tokens.
 * Throws one error that lists every override that no longer fits the export, and every row that cannot be true.
 * @param {Exported} exported
 * @param {import("./transform.js").Overrides} overrides
 * @returns {import("./transform.js").CatalogDocument}
 */
export function buildCatalog(exported, overrides) {
  /** @type {string[]} */
  const problems = [];
  const rows = new Map(Object.entries(modelsOf(exported)).map(([id, model]) => [id, toRow(model)]));
  for (const correction of overrides.corrections) correct(rows, correction, problems);
  for (const addition of overrides.additions) add(rows, addition, problems);
  for (const profile of overrides.profiles) addProfiles(rows, profile, problems);
  for (const premium of overrides.premiums) addPremium(rows, premium, problems);
  for (const [id, row] of rows) problems.push(...implausibilities(id, row));
  if (problems.length > 0) throw new Error(`The catalog was not built:\n${problems.join("\n")}`);
  return {
    source: sourceOf(exported),
    corrections: "scripts/catalog/overrides.json5, each with its source",
    licence: overrides.licence,
    units: "limits in tokens, prices in USD per million tokens (estimates)",
    providers: overrides.providers,
    models: collapseProfiles(rows),
  };
}

/**
 * Writes the document as JSON with one model per line and a final newline.
 * @param {import("./transform.js").CatalogDocument} document
 */
export function formatCatalog(document) {
  const { models, ...header } = document;
  const head = JSON.stringify(header, null, 2).slice(0, -2);
  const lines = Object.entries(models).map(
    ([id, row]) => `    ${JSON.stringify(id)}: ${JSON.stringify(row)}`,
  );
  return `${head},\n  "models": {\n${lines.join(",\n")}\n  }\n}\n`;
}

/**
 * Takes this provider's part of models.dev's api.json, or a file that holds that part alone.
 * @param {Exported} exported
 */
function modelsOf(exported) {
  const models = exported["amazon-bedrock"]?.models ?? exported.models;
  if (!models)
    throw new Error('The export has neither "models" nor "amazon-bedrock": is it a models.dev export?');
  return models;
}

/** @param {Exported} exported */
function sourceOf(exported) {
  if (exported.source) return exported.source;
  const newest = Object.values(modelsOf(exported))
    .map((model) => model.last_updated ?? "")
    .sort()
    .at(-1);
  return `models.dev (MIT), providers/amazon-bedrock, newest entry of ${newest}`;
}

// models.dev's `attachment` is left aside: it is set for models that take images and no documents.
/** @param {ExportedModel} model */
function toRow(model) {
  const { cost, limit, modalities } = model;
  return order({
    name: model.name,
    contextWindow: limit?.context || undefined,
    maxTokens: limit?.output || undefined,
    cost: cost && !isFree(cost) ? toPrices(cost) : undefined,
    reasoning: model.reasoning,
    reasoningOptions: toReasoningOptions(model.reasoning_options),
    input: modalities?.input && toInputKinds(modalities.input),
  });
}

/**
 * A price of zero for everything means that nobody filled it in.
 * @param {ExportedPrices} cost
 */
function isFree(cost) {
  return !cost.input && !cost.output;
}

/** @param {ExportedPrices} prices */
function toPrices({ input, output, cache_read: cacheRead, cache_write: cacheWrite }) {
  return roundPrices({ input, output, cacheRead, cacheWrite });
}

/**
 * The export holds sums like 0.049999999999999996; six decimals are a millionth of a cent per thousand tokens.
 * @param {Record<string, number | undefined>} cost
 * @returns {Prices}
 */
function roundPrices(cost) {
  const known = Object.entries(cost).flatMap(([kind, price]) =>
    price === undefined ? [] : [[kind, Number(price.toFixed(6))]],
  );
  return Object.fromEntries(known);
}

/** @param {string[]} modalities */
function toInputKinds(modalities) {
  return Object.entries(INPUT_KINDS)
    .filter(([modality]) => modalities.includes(modality))
    .map(([, kind]) => kind);
}

/**
 * One list of words: `toggle` (can be switched off), the effort levels, `budget` (takes a budget of tokens).
 * @param {ExportedModel["reasoning_options"]} options
 */
function toReasoningOptions(options) {
  if (!options || options.length === 0) return undefined;
  return options.flatMap((option) =>
    option.type === "effort"
      ? (option.values ?? [])
      : [option.type === "budget_tokens" ? "budget" : option.type],
  );
}

/**
 * Sets fields that the export has wrong. `was` holds the wrong values: when a newer export has others, somebody has
 * to look again, so that is a problem and not a silent overwrite.
 * @param {Rows} rows
 * @param {Overrides["corrections"][number]} correction
 * @param {string[]} problems
 */
function correct(rows, { ids, was, set, source, why }, problems) {
  const name = `correction of ${ids.join(", ")}`;
  if (!source || !why) problems.push(`${name}: has no source or no reason`);
  for (const id of ids) {
    const row = rows.get(id);
    if (!row) {
      problems.push(`${name}: ${id} is not in the export`);
      continue;
    }
    for (const field of FIELDS.filter((name) => Object.hasOwn(set, name))) {
      if (!isSame(row[field], was[field])) {
        problems.push(
          `${name}: ${id}.${field} is ${JSON.stringify(row[field])} in the export, not ${JSON.stringify(was[field])}`,
        );
      }
    }
    rows.set(id, order({ ...row, ...set }));
  }
}

/**
 * Adds a model that the export lacks; `like` names a row to take the missing fields from.
 * @param {Rows} rows
 * @param {Overrides["additions"][number]} addition
 * @param {string[]} problems
 */
function add(rows, { id, like, source, why, ...fields }, problems) {
  if (!source || !why) problems.push(`addition of ${id}: has no source or no reason`);
  if (rows.has(id)) problems.push(`addition of ${id}: the export has it now`);
  if (like !== undefined && !rows.has(like)) problems.push(`addition of ${id}: ${like} is not known`);
  rows.set(id, order({ ...(like === undefined ? {} : rows.get(like)), ...fields }));
}

/**
 * Adds profiles that the export lacks, equal to their models.
 * @param {Rows} rows
 * @param {Overrides["profiles"][number]} profile
 * @param {string[]} problems
 */
function addProfiles(rows, { prefixes, models, source, why }, problems) {
  for (const id of prefixes.flatMap((prefix) => models.map((model) => `${prefix}.${model}`))) {
    if (!source || !why) problems.push(`profile ${id}: has no source or no reason`);
    if (rows.has(id)) problems.push(`profile ${id}: the export has it now`);
    const base = rows.get(id.slice(id.indexOf(".") + 1));
    if (!base) problems.push(`profile ${id}: its model is not known`);
    rows.set(id, { ...base });
  }
}

/**
 * Gives a model and its profiles `times` the price of its `than` profile, that profile excepted. The model itself is
 * included because a call inside one Region costs the premium too, and so do geographies that have no row.
 * @param {Rows} rows
 * @param {Overrides["premiums"][number]} premium
 * @param {string[]} problems
 */
function addPremium(rows, { models, than, times, source, why }, problems) {
  if (!source || !why) problems.push(`premium over ${than}: has no source or no reason`);
  for (const model of models) {
    const reference = rows.get(`${than}.${model}`)?.cost;
    if (!reference || !rows.has(model)) {
      problems.push(`premium over ${than}: ${model} or ${than}.${model} is not known or has no price`);
      continue;
    }
    const cost = roundPrices(
      Object.fromEntries(Object.entries(reference).map(([kind, price]) => [kind, price * times])),
    );
    let isNews = false;
    for (const id of [model, ...profilesOf(rows, model)]) {
      if (id === `${than}.${model}`) continue;
      isNews ||= !isSame(rows.get(id)?.cost, cost);
      rows.set(id, order({ ...rows.get(id), cost }));
    }
    if (!isNews) problems.push(`premium over ${than}: ${model} has it already`);
  }
}

/**
 * @param {Rows} rows
 * @param {string} model
 */
function profilesOf(rows, model) {
  return [...rows.keys()].filter(
    (id) => id.endsWith(`.${model}`) && !id.slice(0, -model.length - 1).includes("."),
  );
}

/**
 * @param {string} id
 * @param {Row} row
 */
function implausibilities(id, { contextWindow, maxTokens, cost }) {
  const found = [];
  if (contextWindow !== undefined && !(contextWindow >= 1000 && contextWindow <= 10_000_000)) {
    found.push(`${id}: a context window of ${contextWindow} tokens`);
  }
  if (maxTokens !== undefined && contextWindow !== undefined && maxTokens > contextWindow)
    found.push(`${id}: puts out ${maxTokens} of ${contextWindow} tokens`);
  for (const [kind, price] of Object.entries(cost ?? {})) {
    if (!(price >= 0 && price <= 200)) found.push(`${id}: ${kind} costs ${price} USD per million tokens`);
  }
  if (cost && cost.output < cost.input) found.push(`${id}: output is cheaper than input`);
  if (cost?.cacheRead !== undefined && cost.cacheRead > cost.input)
    found.push(`${id}: reading the cache costs more than input`);
  return found;
}

/**
 * Profiles keep only the fields in which they differ from their model, often none: their ids are worth a suggestion.
 * The name is the model's: the export writes the geography behind it, AWS's lists before it.
 * @param {Rows} rows
 */
function collapseProfiles(rows) {
  /** @type {Record<string, Row>} */
  const models = {};
  for (const [id, row] of [...rows].sort(([left], [right]) => (left < right ? -1 : 1))) {
    const base = rows.get(id.slice(id.indexOf(".") + 1));
    const own = FIELDS.filter((field) => field !== "name" && !isSame(row[field], base?.[field]));
    models[id] = base ? Object.fromEntries(own.map((field) => [field, row[field]])) : row;
  }
  return models;
}

/**
 * @param {{ [K in keyof Row]?: Row[K] | undefined }} row
 * @returns {Row}
 */
function order(row) {
  return Object.fromEntries(
    FIELDS.filter((field) => row[field] !== undefined).map((field) => [field, row[field]]),
  );
}

/**
 * @param {unknown} one
 * @param {unknown} other
 */
function isSame(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
