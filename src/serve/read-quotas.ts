import type { PacedModel } from "../chat/pace.ts";
import type { PaceLimits } from "../chat/pacer.ts";
import { quotaOfCall } from "../discovery/survey-quotas.ts";
import { OpenclawError } from "../errors.ts";
import { listedBase } from "../models/listed-id.ts";
import type { Runtime } from "../runtime.ts";
import type { AwsSession } from "../session/session.ts";
import type { Place } from "./candidates.ts";
import { settlesWithin } from "./settles-within.ts";

/** Quotas are asked for again after so long: AWS may have raised them. In ms. */
const KEPT_MS = 600_000;
/** How long a call waits for its quota to be told: what is not known is learnt. In ms. */
const PATIENCE_MS = 3000;

/**
 * Tells the quotas of models: those that somebody named, else those of Service Quotas, where it may be asked. What it does
 * not tell is noted once, and undefined.
 */
export function quotaReader(
  given: PaceLimits,
  placesNow: () => Promise<readonly Place[]>,
  runtime: Runtime,
): (model: PacedModel) => Promise<PaceLimits> {
  if (given.tokens !== undefined || given.requests !== undefined) return async () => given;
  const sessions = new Map<string, { at: number; session: Promise<AwsSession> }>();
  const known = new Map<string, PaceLimits>();
  const noted = new Set<string>();
  const sessionIn = (place: Place, region: string): Promise<AwsSession> => {
    const kept = sessions.get(region);
    if (kept && runtime.elapsed() - kept.at < KEPT_MS) return kept.session;
    // The quotas of a session are read once, so a new one is for reading them anew.
    const session = place.pool.open(place.setup, { kind: "discovery" });
    sessions.set(region, { at: runtime.elapsed(), session });
    return session;
  };
  const read = async ({ region, modelId }: PacedModel): Promise<PaceLimits> => {
    const places = await placesNow();
    const place = places.find((other) => other.region === region) ?? places[0];
    if (!place) return {};
    const session = await sessionIn(place, region);
    const { discovered } = (await place.modelList.current()).load;
    const base = discovered && listedBase(modelId, discovered);
    const quota = await quotaOfCall(session, { id: modelId, base, discovered });
    return { tokens: quota.tokensPerMinute?.value, requests: quota.requestsPerMinute?.value };
  };
  const readOnce = async (model: PacedModel, key: string): Promise<void> => {
    try {
      known.set(key, await read(model));
    } catch (error) {
      if (!(error instanceof OpenclawError)) throw error;
      const why = `The quotas are not known, so they are learnt from being throttled: ${error.message}`;
      if (!noted.has(error.code)) runtime.terminal.note(why);
      noted.add(error.code);
    }
  };
  return async (model) => {
    const key = `${model.region} ${model.modelId}`;
    await settlesWithin(PATIENCE_MS, readOnce(model, key));
    return known.get(key) ?? {};
  };
}
