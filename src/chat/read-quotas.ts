import { COMMON_FAILURES, quotaOfCall } from "../discovery/survey-quotas.ts";
import { OpenclawError } from "../errors.ts";
import type { Discovered } from "../models/discovered.ts";
import { listedBase } from "../models/listed-id.ts";
import type { Runtime } from "../runtime.ts";
import type { AwsSession } from "../session/session.ts";
import { settlesWithin } from "../settles-within.ts";
import type { PacedModel } from "./pace.ts";
import type { PaceLimits } from "./pacer.ts";

/** Quotas are asked for again after so long: AWS may have raised them. In ms. */
const KEPT_MS = 600_000;
/** How long a call waits for its quota to be told: what is not known is learnt. In ms. */
const PATIENCE_MS = 3000;

/** Where the quotas of a region are asked for: a session of its own, and what AWS lists there. */
export interface QuotaSource {
  session: AwsSession;
  discovered: Discovered | undefined;
}

interface Reading {
  at: number;
  limits: PaceLimits;
  /** Settles when it is known what can be known. */
  done: Promise<void>;
}

/**
 * Tells the quotas of models: those that somebody named, else those of Service Quotas, where it may be asked, through the
 * session that `open` opens for a region. A call waits for them for at most `patienceMs`. What they do not tell is
 * undefined, and `note` is told why, once.
 */
export function quotaReader(
  given: PaceLimits,
  open: (region: string) => Promise<QuotaSource | undefined>,
  { elapsed }: Pick<Runtime, "elapsed">,
  { note, patienceMs = PATIENCE_MS }: { note: (text: string) => void; patienceMs?: number },
): (model: PacedModel) => Promise<PaceLimits> {
  if (given.tokens !== undefined || given.requests !== undefined) return async () => given;
  const sources = new Map<string, { at: number; source: Promise<QuotaSource | undefined> }>();
  const readings = new Map<string, Reading>();
  const noted = new Set<string>();
  const sourceIn = (region: string): Promise<QuotaSource | undefined> => {
    const kept = sources.get(region);
    if (kept && elapsed() - kept.at < KEPT_MS) return kept.source;
    // The quotas of a session are read once, so a new one is for reading them anew.
    const source = open(region);
    sources.set(region, { at: elapsed(), source });
    return source;
  };
  const read = async ({ modelId }: PacedModel, region: string): Promise<PaceLimits> => {
    const source = await sourceIn(region);
    if (!source) return {};
    const { session, discovered } = source;
    const base = discovered && listedBase(modelId, discovered);
    const quota = await quotaOfCall(session, { id: modelId, base, discovered });
    return { tokens: quota.tokensPerMinute?.value, requests: quota.requestsPerMinute?.value };
  };
  const finish = async (reading: Reading, model: PacedModel, region: string): Promise<void> => {
    try {
      reading.limits = await read(model, region);
    } catch (error) {
      if (!(error instanceof OpenclawError)) throw error;
      // What is wrong with the credentials the call itself tells.
      if (!noted.has(error.code) && !COMMON_FAILURES.has(error.code))
        note(`The quotas are not known, so they are learnt from being throttled: ${error.message}`);
      noted.add(error.code);
    }
  };
  const begin = (model: PacedModel, region: string, limits: PaceLimits): Reading => {
    const reading: Reading = { at: elapsed(), limits, done: Promise.resolve() };
    reading.done = finish(reading, model, region);
    return reading;
  };
  return async (model) => {
    const { region, modelId } = model;
    if (region === null) return {};
    const key = `${region} ${modelId}`;
    const kept = readings.get(key);
    const isFresh = kept !== undefined && elapsed() - kept.at < KEPT_MS;
    const reading = isFresh ? kept : begin(model, region, kept?.limits ?? {});
    readings.set(key, reading);
    await settlesWithin(reading.at + patienceMs - elapsed(), reading.done);
    return reading.limits;
  };
}
