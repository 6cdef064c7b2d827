// Turns what models.dev and pi-ai know of Bedrock's models, and the overrides, into the catalog. Pure: no files, no process, no clock.

/**
 * @typedef {import("./transform.js").Row} Row
 * @typedef {import("./transform.js").Source} Source
 * @typedef {import("./transform.js").Sources} Sources
 * @typedef {import("./transform.js").Overrides} Overrides
 * @typedef {import("./transform.js").Prices} Prices
 * @typedef {import("./transform.js").Tier} Tier
 * @typedef {Map<string, Row>} Rows
 * @typedef {{ input: number, output: number, cache_read?: number, cache_write?: number }} ExportedPrices
 * @typedef {object} ExportedModel
 * @property {string} [name]
 * @property {string} [last_updated]
 * @property {ExportedPrices} [cost]
 * @property {{ context?: number, output?: number }} [limit]
 * @property {{ input?: string[] }} [modalities]
 * @property {boolean} [reasoning]
 * @typedef {{ models?: Record<string, ExportedModel>, source?: string, "amazon-bedrock"?: { models: Record<string, ExportedModel> } }} Exported
 * @typedef {{ inputTokensAbove: number, input: number, output: number, cacheRead: number, cacheWrite: number }} PackagedTier
 * @typedef {object} PackagedModel
 * @property {string} id
 * @property {string} name
 * @property {boolean} reasoning
 * @property {string[]} input
 * @property {{ input: number, output: number, cacheRead: number, cacheWrite: number, tiers?: PackagedTier[] }} cost
 * @property {number} contextWindow
 * @property {number} maxTokens
 * @typedef {Record<string, Record<string, PackagedModel>>} Packaged
 */

/** What Bedrock's Converse calls the kinds that models.dev lists; audio and video are not offered by this program. */
const INPUT_KINDS = { text: "text", image: "image", pdf: "document" };

/** The order in which a row's fields are written, so that a diff shows only what changed. @type {(keyof Row)[]} */
const FIELDS = ["name", "contextWindow", "maxTokens", "cost", "reasoning", "input"];
/** The order of prices. @type {(keyof Prices)[]} */
const PRICES = ["input", "output", "cacheRead", "cacheWrite", "tiers"];

/**
 * Where both sources have a field, whose it is: pi-ai's, which is newer, but for the names, which it writes with their
 * geography. What takes images is pi-ai's, what takes documents models.dev's: pi-ai knows of none.
 * @type {Record<"name" | "contextWindow" | "maxTokens" | "cost" | "reasoning", keyof Sources>}
 */
const WINNERS = {
  name: "modelsDev",
  contextWindow: "piAi",
  maxTokens: "piAi",
  cost: "piAi",
  reasoning: "piAi",
};

/**
 * Builds the catalog document. Prices are USD per million tokens, limits are tokens.
 * Throws one error that lists every override that no longer fits the sources, and every row that cannot be true.
 * @param {Sources} sources
 * @param {Overrides} overrides
 * @returns {import("./transform.js").CatalogDocument}
 */
export function buildCatalog(sources, overrides) {
  /** @type {string[]} */
  const problems = [];
  const rows = merge(sources);
  for (const correction of overrides.corrections) correct(rows, correction, problems);
  for (const addition of overrides.additions) add(rows, addition, problems);
  for (const flat of overrides.flatPrices) addFlatPrices(rows, flat, problems);
  for (const premium of overrides.premiums) addPremium(rows, premium, problems);
  for (const [id, row] of rows) problems.push(...implausibilities(id, row));
  if (problems.length > 0) throw new Error(`The catalog was not built:\n${problems.join("\n")}`);
  const dates = Object.values(sources).map(({ date }) => date);
  return {
    date: dates.sort().at(-1) ?? "",
    sources: Object.values(sources).map(({ source }) => source),
    corrections: "scripts/catalog/overrides.json5, each with its source",
    licence: overrides.licence,
    units: "limits in tokens, prices in USD per million tokens (estimates)",
    providers: overrides.providers,
    models: collapseProfiles(rows),
  };
}

/**
 * What the sources say differently and no override decides, a line each, and which models only one of them has.
 * @param {Sources} sources
 * @param {Overrides} overrides
 */
export function differences({ modelsDev, piAi }, { corrections, confirmed, premiums }) {
  const isDecided = (/** @type {string} */ id, /** @type {string} */ field) =>
    corrections.some(({ ids, set }) => ids.includes(id) && Object.hasOwn(set, field)) ||
    confirmed.some(({ ids, fields }) => ids.includes(id) && fields.includes(field)) ||
    (field === "cost" && premiums.some(({ models }) => models.includes(modelOf(id))));
  const undecided = Object.entries(modelsDev.models).flatMap(([id, one]) => {
    const other = piAi.models[id];
    if (!other) return [];
    return compared(one, other).flatMap(([name, field, left, right]) =>
      isDecided(id, field) ? [] : [`${id}: ${name} is ${left} in models.dev, ${right} in pi-ai`],
    );
  });
  const only = (/** @type {Source} */ one, /** @type {Source} */ other) =>
    Object.keys(one.models).filter((id) => !Object.hasOwn(other.models, id));
  return { undecided, onlyModelsDev: only(modelsDev, piAi), onlyPiAi: only(piAi, modelsDev) };
}

/**
 * The facts that both rows have, and differently: name, field, and the two values.
 * @param {Row} one
 * @param {Row} other
 * @returns {(readonly [name: string, field: keyof Row, left: unknown, right: unknown])[]}
 */
function compared(one, other) {
  const takesImages = (/** @type {Row} */ row) =>
    row.input?.includes("image") ? "with images" : "without images";
  /** @type {(readonly [string, keyof Row, unknown, unknown])[]} */
  const facts = [
    ["contextWindow", "contextWindow", one.contextWindow, other.contextWindow],
    ["maxTokens", "maxTokens", one.maxTokens, other.maxTokens],
    ["reasoning", "reasoning", one.reasoning, other.reasoning],
    ["input", "input", takesImages(one), takesImages(other)],
    ...PRICES.map(
      (kind) => /** @type {const} */ ([`cost.${kind}`, "cost", one.cost?.[kind], other.cost?.[kind]]),
    ),
  ];
  return facts.filter(
    ([, , left, right]) => left !== undefined && right !== undefined && !isSame(left, right),
  );
}

/**
 * Writes a document as JSON with one model per line and a final newline.
 * @param {Source | import("./transform.js").CatalogDocument} document
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
 * What is read of a models.dev export: its api.json, or this provider's part alone with a `source` that names its date.
 * @param {Exported} exported
 * @returns {Source}
 */
export function readModelsDev(exported) {
  const models = exported["amazon-bedrock"]?.models ?? exported.models;
  if (!models)
    throw new Error('The export has neither "models" nor "amazon-bedrock": is it a models.dev export?');
  const newest = Object.values(models)
    .map((model) => model.last_updated ?? "")
    .sort()
    .at(-1);
  const source = exported.source ?? `models.dev (MIT), providers/amazon-bedrock, newest entry of ${newest}`;
  return toSource(source, Object.entries(models), toRow);
}

/**
 * What is read of pi-ai's data for this provider, dist/providers/data/amazon-bedrock.json in the npm package.
 * @param {Packaged} packaged
 * @param {string} source names version and date
 * @returns {Source}
 */
export function readPiAi(packaged, source) {
  const models = Object.values(packaged).flatMap((ofApi) => Object.values(ofApi));
  if (models.some(({ id, contextWindow }) => !id || !contextWindow))
    throw new Error("A model has no id or no context window: is it pi-ai's data for amazon-bedrock?");
  return toSource(
    source,
    models.map((model) => [model.id, model]),
    packagedRow,
  );
}

/**
 * @template T
 * @param {string} source
 * @param {[id: string, model: T][]} models
 * @param {(model: T) => Row} read
 * @returns {Source}
 */
function toSource(source, models, read) {
  const date = source.match(/\d{4}-\d{2}-\d{2}/g)?.at(-1);
  if (date === undefined) throw new Error(`No date is in the source: ${source}`);
  const rows = models.map(([id, model]) => /** @type {const} */ ([id, read(model)]));
  return {
    source,
    date,
    models: Object.fromEntries(rows.sort(([left], [right]) => (left < right ? -1 : 1))),
  };
}

// models.dev's `attachment` is left aside: it is set for models that take images and no documents.
/** @param {ExportedModel} model */
function toRow(model) {
  const { cost, limit, modalities } = model;
  return order({
    name: model.name,
    contextWindow: limit?.context || undefined,
    maxTokens: limit?.output || undefined,
    cost: cost && toPrices({ ...cost, cacheRead: cost.cache_read, cacheWrite: cost.cache_write }),
    reasoning: model.reasoning,
    input: modalities?.input && toInputKinds(modalities.input),
  });
}

/** @param {PackagedModel} model */
function packagedRow({ name, contextWindow, maxTokens, cost, reasoning, input }) {
  return order({
    name: name.replace(/ \((?:US|EU|AU|JP|CA|APAC|India|Global|GovCloud)\)$/, ""),
    contextWindow,
    // A limit as large as the window stands where nobody knows one.
    maxTokens: maxTokens < contextWindow ? maxTokens : undefined,
    cost: toPrices({ ...knownPrices(cost), tiers: cost.tiers?.map(knownPrices) }),
    reasoning,
    input: toInputKinds(input),
  });
}

/**
 * A price of nothing for the cache, and one of input for writing to it, stand where nobody knows one.
 * @template {{ input: number, cacheRead: number, cacheWrite: number }} T
 * @param {T} prices
 */
function knownPrices(prices) {
  const { input, cacheRead, cacheWrite } = prices;
  return {
    ...prices,
    cacheRead: cacheRead || undefined,
    cacheWrite: cacheWrite === input ? undefined : cacheWrite || undefined,
  };
}

/** @typedef {{ [K in keyof Tier]?: Tier[K] | undefined }} LooseTier */

/**
 * A price of zero for everything means that nobody filled it in.
 * @param {Omit<LooseTier, "inputTokensAbove"> & { tiers?: LooseTier[] | undefined }} cost
 * @returns {Prices | undefined}
 */
function toPrices(cost) {
  return cost.input || cost.output ? changePrices(cost, 1) : undefined;
}

/**
 * Prices times a factor. The sources hold sums like 0.049999999999999996; six decimals are a millionth of a cent per
 * thousand tokens.
 * @param {LooseTier & { tiers?: LooseTier[] | undefined }} cost
 * @param {number} times
 * @returns {Prices}
 */
function changePrices({ inputTokensAbove, tiers, ...prices }, times) {
  const known = ["input", "output", "cacheRead", "cacheWrite"].flatMap((kind) => {
    const price = prices[/** @type {keyof typeof prices} */ (kind)];
    return price === undefined ? [] : [[kind, Number((price * times).toFixed(6))]];
  });
  return {
    ...(inputTokensAbove === undefined ? {} : { inputTokensAbove }),
    ...Object.fromEntries(known),
    ...(tiers && { tiers: tiers.map((tier) => changePrices(tier, times)) }),
  };
}

/** @param {string[]} modalities */
function toInputKinds(modalities) {
  return Object.entries(INPUT_KINDS)
    .filter(([modality]) => modalities.includes(modality))
    .map(([, kind]) => kind);
}

/** What the ids of AWS's own profiles begin with; a model of which only profiles are known is like the first of these. */
const GEOGRAPHIES = ["us", "eu", "apac", "jp", "au", "ca", "in", "global", "us-gov"];

/**
 * The id of a profile's model; of a model's own id the same.
 * @param {string} id
 */
function modelOf(id) {
  const [prefix = "", ...rest] = id.split(".");
  return GEOGRAPHIES.includes(prefix) ? rest.join(".") : id;
}

/**
 * One row for each model of either source, each field from the one that `WINNERS` says, else from the other.
 * @param {Sources} sources
 * @returns {Rows}
 */
function merge({ modelsDev, piAi }) {
  const ids = new Set([...Object.keys(modelsDev.models), ...Object.keys(piAi.models)]);
  /** @type {Rows} */
  const rows = new Map(
    [...ids].map((id) => {
      const rows = { modelsDev: modelsDev.models[id] ?? {}, piAi: piAi.models[id] ?? {} };
      const row = Object.fromEntries(
        Object.entries(WINNERS).map(([field, winner]) => {
          const name = /** @type {keyof typeof WINNERS} */ (field);
          return [name, rows[winner][name] ?? rows.modelsDev[name] ?? rows.piAi[name]];
        }),
      );
      return [id, order({ ...row, input: mergeInput(rows.modelsDev, rows.piAi) })];
    }),
  );
  for (const geography of GEOGRAPHIES) {
    for (const id of ids) {
      const model = modelOf(id);
      if (id === `${geography}.${model}` && !rows.has(model)) rows.set(model, { ...rows.get(id) });
    }
  }
  return rows;
}

/**
 * @param {Row} modelsDev
 * @param {Row} piAi
 */
function mergeInput({ input: known }, { input: newer = known }) {
  return known?.includes("document") && newer ? [...new Set([...newer, "document"])] : newer;
}

/**
 * Sets fields that the sources have wrong. `was` holds the wrong values: when a newer source has others, somebody has
 * to look again, so that is a problem and not a silent overwrite. Of prices only those named are set.
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
      problems.push(`${name}: ${id} is in no source`);
      continue;
    }
    const { cost = {}, ...fields } = set;
    for (const field of FIELDS.filter((name) => Object.hasOwn(fields, name))) {
      problems.push(...unexpected(name, `${id}.${field}`, row[field], was[field]));
    }
    for (const kind of PRICES.filter((name) => Object.hasOwn(cost, name))) {
      problems.push(...unexpected(name, `${id}.cost.${kind}`, row.cost?.[kind], was.cost?.[kind]));
    }
    rows.set(id, order({ ...row, ...fields, cost: toPrices({ ...row.cost, ...cost }) }));
  }
}

/**
 * @param {string} name
 * @param {string} place
 * @param {unknown} found
 * @param {unknown} expected
 */
function unexpected(name, place, found, expected) {
  if (isSame(found, expected)) return [];
  return [`${name}: ${place} is ${JSON.stringify(found)} in the sources, not ${JSON.stringify(expected)}`];
}

/**
 * Adds a model that no source has; `like` names a row to take the missing fields from.
 * @param {Rows} rows
 * @param {Overrides["additions"][number]} addition
 * @param {string[]} problems
 */
function add(rows, { id, like, source, why, ...fields }, problems) {
  if (!source || !why) problems.push(`addition of ${id}: has no source or no reason`);
  if (rows.has(id)) problems.push(`addition of ${id}: a source has it now`);
  if (like !== undefined && !rows.has(like)) problems.push(`addition of ${id}: ${like} is not known`);
  rows.set(id, order({ ...(like === undefined ? {} : rows.get(like)), ...fields }));
}

/**
 * Says that the prices of models and of their profiles hold for prompts of any length.
 * @param {Rows} rows
 * @param {Overrides["flatPrices"][number]} flat
 * @param {string[]} problems
 */
function addFlatPrices(rows, { models, source, why }, problems) {
  if (!source || !why) problems.push("flat prices: have no source or no reason");
  for (const model of models) {
    const ids = [model, ...profilesOf(rows, model)].filter((id) => rows.get(id)?.cost);
    if (ids.length === 0) problems.push(`flat prices: ${model} is not known or has no price`);
    for (const id of ids) {
      const row = rows.get(id);
      if (row?.cost?.tiers) problems.push(`flat prices: ${id} has tiers`);
      rows.set(id, order({ ...row, cost: toPrices({ ...row?.cost, tiers: [] }) }));
    }
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
    const cost = changePrices(reference, times);
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
  return [...rows.keys()].filter((id) => id !== model && modelOf(id) === model);
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
  for (const prices of cost ? [cost, ...(cost.tiers ?? [])] : [])
    found.push(...implausiblePrices(id, prices));
  const steps = (cost?.tiers ?? []).map((tier) => tier.inputTokensAbove);
  const most = contextWindow ?? Number.POSITIVE_INFINITY;
  if (steps.some((step, index) => step >= (steps[index + 1] ?? most)))
    found.push(`${id}: has tiers that do not rise, or that begin above its context window`);
  return found;
}

/**
 * @param {string} id
 * @param {Omit<Prices, "tiers">} prices
 */
function implausiblePrices(id, { input, output, cacheRead = 0, cacheWrite = 0 }) {
  const found = Object.entries({ input, output, cacheRead, cacheWrite }).flatMap(([kind, price]) =>
    price >= 0 && price <= 200 ? [] : [`${id}: ${kind} costs ${price} USD per million tokens`],
  );
  if (output < input) found.push(`${id}: output is cheaper than input`);
  if (cacheRead > input) found.push(`${id}: reading the cache costs more than input`);
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
    const base = modelOf(id) === id ? undefined : rows.get(modelOf(id));
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
