import { parseArn } from "../aws/arn.ts";
import { once } from "../once.ts";
import catalog from "./catalog.json";

/** Prices in USD per million tokens. */
export interface TokenPrices {
  input: number;
  output: number;
  cacheRead?: number;
  cacheWrite?: number;
}

/** The prices of prompts up to the first tier. */
export interface Cost extends TokenPrices {
  /**
   * What every token costs with a prompt of more than so many tokens, cached ones included, shortest first; empty where
   * prompts of any length cost the same, and undefined where nobody says so.
   */
  tiers?: ({ inputTokensAbove: number } & TokenPrices)[];
}

export interface CatalogEntry {
  name?: string | undefined;
  /** The vendor, as AWS spells it. */
  provider?: string | undefined;
  /** Tokens, input and output together. */
  contextWindow?: number | undefined;
  /** The most output tokens. */
  maxTokens?: number | undefined;
  /** USD per million tokens, on demand, standard tier: estimates. */
  cost?: Cost | undefined;
  reasoning?: boolean | undefined;
  input?: ("text" | "image" | "document")[] | undefined;
}

type InputKind = NonNullable<CatalogEntry["input"]>[number];

/** A model's row; a profile has one only for what differs from its model, such as the price. */
type Row = Omit<CatalogEntry, "input" | "provider"> & { input?: string[] };

interface Version {
  /** The id up to its version. */
  stem: string;
  /** `1:0` of `-v1:0`, `-v1` and `-1:0`; undefined when the id ends without a version. */
  number: string | undefined;
}

/** The day of the newest source that the catalog was made from, YYYY-MM-DD. */
export const CATALOG_DATE: string = catalog.date;

const rows: Readonly<Record<string, Row>> = catalog.models;
const providers: Readonly<Record<string, string>> = catalog.providers;

/** The models of each stem. Made when a model is first asked for by another spelling of its version. */
let idsByStem: Map<string, string[]> | undefined;

/**
 * What the built-in catalog knows of a model id, a profile id behind any prefix (`us.`, `global.`, one that AWS adds
 * tomorrow), or the ARN of a foundation model or inference profile; undefined when it knows nothing. A price of the
 * profile's own wins over the model's. Facts are from models.dev and pi-ai, corrected by AWS's model cards and price page:
 * scripts/catalog/overrides.json5 has the page for each.
 */
export function lookUpCatalog(id: string): CatalogEntry | undefined {
  const { id: plainId, contextWindow } = splitContextVariant(resourceOf(id));
  const model = findModel(plainId);
  if (!model) return undefined;
  const own = model.prefix === undefined ? undefined : rows[`${model.prefix}.${model.id}`];
  const row: Row = own ? { ...rows[model.id], ...own } : (rows[model.id] ?? {});
  return {
    ...row,
    provider: providers[model.id.slice(0, model.id.indexOf("."))],
    contextWindow: contextWindow ?? row.contextWindow,
    maxTokens: row.maxTokens && Math.min(row.maxTokens, contextWindow ?? row.maxTokens),
    cost: row.cost && copyCost(row.cost),
    input: row.input?.filter(isInputKind),
  };
}

/** How many tokens a model takes and puts out, by its settings, else by the catalog, which knows it as `id`. */
export function knownLimits(
  { configured }: { configured: Pick<CatalogEntry, "contextWindow" | "maxTokens"> | undefined },
  id: string | undefined,
): Pick<CatalogEntry, "contextWindow" | "maxTokens"> {
  const known = id === undefined ? undefined : lookUpCatalog(id);
  return {
    contextWindow: configured?.contextWindow ?? known?.contextWindow,
    maxTokens: configured?.maxTokens ?? known?.maxTokens,
  };
}

function copyCost({ tiers, ...prices }: Cost): Cost {
  return tiers ? { ...prices, tiers: tiers.map((tier) => ({ ...tier })) } : prices;
}

/** What the catalog knows of a model of Mantle's, whose ids lack the date that those of Bedrock have. */
export function lookUpUndated(id: string): CatalogEntry | undefined {
  const exact = lookUpCatalog(id);
  if (exact) return exact;
  const [dated, ...others] = catalogIds().filter(
    (known) => known.startsWith(`${id}-20`) && /^-20\d{6}\b/.test(known.slice(id.length)),
  );
  return dated === undefined || others.length > 0 ? undefined : lookUpCatalog(dated);
}

/** Who made a model, as AWS spells it, where the catalog has another of theirs; else as its id does. */
export function vendorName(id: string): string {
  const vendor = id.split(".", 1)[0] ?? id;
  return providers[vendor] ?? vendor;
}

/** The ids that the catalog knows: models and some of their profiles. For suggestions where AWS has not been asked. */
export const catalogIds: () => readonly string[] = once(() => Object.keys(rows));

function resourceOf(id: string): string {
  const arn = parseArn(id);
  return arn && (arn.resourceType === "foundation-model" || arn.resourceType === "inference-profile")
    ? arn.resourceId
    : id;
}

/**
 * Takes `:48k` from `anthropic.claude-3-haiku-20240307-v1:0:48k`, the form of models for provisioned throughput. The
 * number is the context window in thousands of tokens: 200k of Claude and 300k of Nova are 200,000 and 300,000
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/prov-thru-supported.html).
 */
function splitContextVariant(id: string): { id: string; contextWindow?: number } {
  const match = /^(.+:\d+):(\d+)k$/.exec(id);
  return match?.[1] === undefined ? { id } : { id: match[1], contextWindow: Number(match[2]) * 1000 };
}

/** Finds the model itself, else the model behind one leading segment: a profile's id is that segment and the model's id. */
function findModel(id: string): { id: string; prefix?: string } | undefined {
  const dot = id.indexOf(".");
  if (isModelKey(id)) return { id };
  const prefix = id.slice(0, Math.max(dot, 0));
  const behind = id.slice(dot + 1);
  if (prefix !== "" && isModelKey(behind)) return { id: behind, prefix };
  const model = findOtherSpelling(id);
  if (model !== undefined) return { id: model };
  const modelBehind = prefix === "" ? undefined : findOtherSpelling(behind);
  return modelBehind === undefined ? undefined : { id: modelBehind, prefix };
}

/** The model's key that is this id with another way to write the same version. */
function findOtherSpelling(id: string): string | undefined {
  const wanted = splitVersion(id);
  const compatible = (stems().get(wanted.stem) ?? []).filter((key) =>
    isSameVersion(splitVersion(key), wanted),
  );
  // More than one means that the id leaves open which version is meant, and the catalog does not guess.
  return compatible.length === 1 ? compatible[0] : undefined;
}

function isModelKey(id: string): boolean {
  return Object.hasOwn(rows, id) && !isProfileKey(id);
}

function isProfileKey(id: string): boolean {
  return Object.hasOwn(rows, id.slice(id.indexOf(".") + 1));
}

function stems(): Map<string, string[]> {
  if (idsByStem) return idsByStem;
  idsByStem = new Map();
  for (const id of Object.keys(rows)) {
    if (isProfileKey(id)) continue;
    const { stem } = splitVersion(id);
    const ids = idsByStem.get(stem);
    if (ids) ids.push(id);
    else idsByStem.set(stem, [id]);
  }
  return idsByStem;
}

/** A version is `-v1`, `-v1:0` or `-1:0`; the `-5` of `claude-sonnet-5` and the date before a version are the name's. */
function splitVersion(id: string): Version {
  const match = /^(.+?)-(?:v(\d+)(?::(\d+))?|(\d+):(\d+))$/.exec(id);
  if (match?.[1] === undefined) return { stem: id, number: undefined };
  return { stem: match[1], number: `${match[2] ?? match[4]}:${match[3] ?? match[5] ?? "0"}` };
}

function isSameVersion(one: Version, other: Version): boolean {
  return one.number === undefined || other.number === undefined || one.number === other.number;
}

function isInputKind(kind: string): kind is InputKind {
  return kind === "text" || kind === "image" || kind === "document";
}
