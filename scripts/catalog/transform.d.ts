/** One model as the catalog file holds it. A profile's row holds only what differs from its model's. */
export interface Row {
  name?: string;
  contextWindow?: number;
  maxTokens?: number;
  cost?: { input: number; output: number; cacheRead?: number; cacheWrite?: number };
  reasoning?: boolean;
  reasoningOptions?: string[];
  input?: string[];
}

export interface Overrides {
  licence: string;
  providers: Record<string, string>;
  corrections: { ids: string[]; was: Row; set: Row; source: string; why: string }[];
  additions: ({ id: string; like?: string; source: string; why: string } & Row)[];
  profiles: { prefixes: string[]; models: string[]; source: string; why: string }[];
  premiums: { models: string[]; than: string; times: number; source: string; why: string }[];
}

export interface CatalogDocument {
  source: string;
  corrections: string;
  licence: string;
  units: string;
  providers: Record<string, string>;
  models: Record<string, Row>;
}

export function buildCatalog(exported: object, overrides: Overrides): CatalogDocument;
export function formatCatalog(document: CatalogDocument): string;
