/** USD per million tokens, for every token of a prompt that is longer than `inputTokensAbove`. */
export interface Tier {
  inputTokensAbove: number;
  input: number;
  output: number;
  cacheRead?: number;
  cacheWrite?: number;
}

/** USD per million tokens, for prompts up to the first tier; without any tier for prompts of any length. */
export interface Prices extends Omit<Tier, "inputTokensAbove"> {
  /** Undefined where nobody knows what long prompts cost. */
  tiers?: Tier[];
}

/** One model as the catalog file holds it. A profile's row holds only what differs from its model's. */
export interface Row {
  name?: string;
  contextWindow?: number;
  maxTokens?: number;
  cost?: Prices;
  reasoning?: boolean;
  input?: string[];
}

/** What is read of a source, as it is kept in scripts/catalog/. */
export interface Source {
  /** What it is, its licence and its version or commit. */
  source: string;
  /** YYYY-MM-DD */
  date: string;
  models: Record<string, Row>;
}

export interface Sources {
  modelsDev: Source;
  piAi: Source;
}

interface Reason {
  source: string;
  why: string;
}

/** A row of which prices are named one by one. */
type Part = Omit<Row, "cost"> & { cost?: Partial<Prices> };

export interface Overrides {
  licence: string;
  providers: Record<string, string>;
  corrections: ({ ids: string[]; was: Part; set: Part } & Reason)[];
  additions: ({ id: string; like?: string } & Reason & Row)[];
  confirmed: ({ ids: string[]; fields: string[] } & Reason)[];
  flatPrices: ({ models: string[] } & Reason)[];
  premiums: ({ models: string[]; than: string; times: number } & Reason)[];
}

export interface CatalogDocument {
  /** The newest source's, YYYY-MM-DD. */
  date: string;
  sources: string[];
  corrections: string;
  licence: string;
  units: string;
  providers: Record<string, string>;
  models: Record<string, Row>;
}

export function buildCatalog(sources: Sources, overrides: Overrides): CatalogDocument;
export function differences(
  sources: Sources,
  overrides: Overrides,
): { undecided: string[]; onlyModelsDev: string[]; onlyPiAi: string[] };
export function readModelsDev(exported: object): Source;
export function readPiAi(packaged: object, source: string): Source;
export function formatCatalog(document: Source | CatalogDocument): string;
