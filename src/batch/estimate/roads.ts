import { BATCH_SHARE, FLEX_SHARE } from "../../models/price.ts";
import { type LineTally, sum } from "./line-tally.ts";

/** What a model may be asked in a minute; undefined where nobody knows. */
export interface Rate {
  requests?: number | undefined;
  tokens?: number | undefined;
}

export interface ModelEstimate {
  tally: LineTally;
  rate: Rate;
  /** Whether it is asked in the tier `flex`, too. */
  hasFlex: boolean;
  hasBatch: boolean;
}

export type RoadName = "run" | "run-flex" | "submit";

/** One way to have the lines answered. */
export interface Road {
  name: RoadName;
  /** As answers mostly are, in USD; null where nobody knows a price. */
  usd: number | null;
  /** If every answer were as long as it may be, in USD. */
  mostUsd: number | null;
  /** At least so many, by the quotas; null where they are not known. Of a job the most that it mostly takes. */
  seconds: number | null;
}

/** What Bedrock lets a job take at least before it expires: it is done within that mostly, and nobody knows it better. */
const JOB_SECONDS = 24 * 3600;

/** The ways that are open to all of the models, each model's lines asked beside the others'. */
export function roadsFor(models: readonly ModelEstimate[]): Road[] {
  const tallies = models.map(({ tally }) => tally);
  const usd = tallies.reduce<number | null>((total, tally) => sum(total, tally.usd), 0);
  const mostUsd = tallies.reduce<number | null>((total, tally) => sum(total, tally.mostUsd), 0);
  const seconds = models.map(secondsAt);
  const slowest = seconds.includes(null) ? null : Math.max(...seconds.map(Number));
  const road = (name: RoadName, share: number, takes: number | null): Road => ({
    name,
    usd: usd === null ? null : usd * share,
    mostUsd: mostUsd === null ? null : mostUsd * share,
    seconds: takes,
  });
  return [
    road("run", 1, slowest),
    ...(models.every(({ hasFlex }) => hasFlex) ? [road("run-flex", FLEX_SHARE, slowest)] : []),
    ...(models.length === 1 && models.every(({ hasBatch }) => hasBatch)
      ? [road("submit", BATCH_SHARE, JOB_SECONDS)]
      : []),
  ];
}

/** How long lines take at least below the quotas, in seconds; null where neither quota is known. */
export function secondsAt({ tally, rate }: Pick<ModelEstimate, "tally" | "rate">): number | null {
  const minutes = [
    ...(rate.requests === undefined ? [] : [tally.lines / rate.requests]),
    ...(rate.tokens === undefined ? [] : [tally.quotaTokens / rate.tokens]),
  ];
  return minutes.length === 0 ? null : Math.max(...minutes) * 60;
}
