import type { RegionRouter } from "../chat/region-router.ts";
import { isOfRegion } from "../chat/region-router.ts";
import type { PaceTerms } from "../chat/pace.ts";
import { type Candidate, type Candidates, isOfModel } from "../chat/run-turn.ts";
import { OpenclawError } from "../errors.ts";
import { isMantle, isServed } from "../models/provider-api.ts";
import type { ResolvedModel } from "../models/resolve-model.ts";
import type { SessionPool } from "../session/session-pool.ts";
import type { AwsSession, Setup } from "../session/session.ts";
import type { ModelListCache } from "./model-list-cache.ts";

/** One region in which models are asked: its connections, and the list of its models. */
export interface Place {
  /** Undefined where it is decided for each model, as for any other command. */
  region: string | undefined;
  setup: Setup;
  pool: SessionPool;
  modelList: ModelListCache;
}

export interface Wanted {
  /** What its model's name stands for, in the order in which it is asked. */
  texts: readonly string[];
  places: readonly Place[];
  router: RegionRouter;
  /** How its calls are kept below the quotas; undefined where they are not. */
  pacing?: PaceTerms | undefined;
  /** Identifies how the prompt begins. */
  beginning: string;
  /** The model that a text means in a place, by the list that is there or by the newest. Throws `model-not-found`. */
  resolve: (text: string, place: Place, list: "current" | "newest") => Promise<ResolvedModel>;
}

/**
 * All that may answer a request: each model in each region that has it, before the next model. Throws `model-not-found`
 * where no region has any, and `throttled` where AWS asked for a pause in all of them.
 */
export function candidatesFor(wanted: Wanted): Candidates {
  const found = findCandidates(wanted);
  return {
    next: async (failure) => {
      const { value } = await found.next(failure);
      return value ?? undefined;
    },
  };
}

type Found = AsyncGenerator<Candidate, undefined, OpenclawError | undefined>;

async function* findCandidates(wanted: Wanted): Found {
  let unknown: unknown;
  // AWS may have opened a model since the lists were loaded.
  for (const list of ["current", "newest"] as const) {
    let asked = 0;
    let failure: OpenclawError | undefined;
    for (const text of wanted.texts) {
      if (failure && !isOfModel(failure)) return undefined;
      const regions = inRegions(text, list, wanted, (error) => (unknown ??= error));
      let next = await regions.next();
      for (; !next.done; next = await regions.next()) {
        if (next.value instanceof OpenclawError) {
          failure ??= next.value;
          continue;
        }
        asked += 1;
        failure = yield next.value;
        if (failure && !isOfRegion(failure)) break;
      }
    }
    if (asked > 0) return undefined;
    if (failure) throw failure;
  }
  throw unknown;
}

/** One model in the regions that have it, those that failed lately last; an error where it may not be asked anywhere now. */
async function* inRegions(
  text: string,
  list: "current" | "newest",
  wanted: Wanted,
  onUnknown: (error: unknown) => void,
): AsyncGenerator<Candidate | OpenclawError, undefined> {
  const { places, router, beginning, resolve } = wanted;
  const order = router.order(text, beginning);
  const rank = ({ region = "" }: Place): number => order.indexOf(region);
  const sorted = places.length === 1 ? places : places.toSorted((left, right) => rank(left) - rank(right));
  // Nobody waits for the list of a region that may be out while there are others.
  const ready = sorted.toSorted(
    (left, right) => Number(right.modelList.isLoaded) - Number(left.modelList.isLoaded),
  );
  const resting: { place: Place; model: ResolvedModel; untilMs: number }[] = [];
  let waitMs = Number.POSITIVE_INFINITY;
  let before: { place: Place; model: ResolvedModel } | undefined;
  for (const place of ready) {
    if (before && !place.modelList.isLoaded) {
      yield regional(before, wanted, true);
      before = undefined;
    }
    let model: ResolvedModel;
    try {
      model = await resolve(text, place, list);
    } catch (error) {
      if (!(error instanceof OpenclawError) || error.code !== "model-not-found") throw error;
      onUnknown(error);
      continue;
    }
    if (place.region === undefined || isServed(model)) {
      yield { model, name: model.id, place: asUsual(place, model, wanted.pacing) };
      return undefined;
    }
    const readiness = router.readiness(model.key, place.region);
    if (readiness.at === "later") waitMs = Math.min(waitMs, readiness.waitMs);
    else if (readiness.at === "last") resting.push({ place, model, untilMs: readiness.untilMs });
    else {
      if (before) yield regional(before, wanted, true);
      before = { place, model };
    }
  }
  for (const rested of resting.toSorted((left, right) => left.untilMs - right.untilMs)) {
    if (before) yield regional(before, wanted, true);
    before = rested;
  }
  if (before) yield regional(before, wanted, false);
  else if (Number.isFinite(waitMs)) yield restingEverywhere(text, waitMs);
  return undefined;
}

function regional(
  { place, model }: { place: Place; model: ResolvedModel },
  { pacing, router }: Wanted,
  hasMore: boolean,
): Candidate {
  const { region = "" } = place;
  const usual = asUsual(place, model, pacing);
  return {
    model,
    name: `${model.id} in ${region}`,
    // Where another region may have room, nobody waits for this one.
    place: hasMore
      ? {
          ...usual,
          open: tryingOnce(place.pool),
          pacing: usual.pacing && { ...usual.pacing, mostMs: 0 },
        }
      : usual,
    begin: () => router.begin(model.key, region),
  };
}

function asUsual(
  { setup, pool, modelList }: Place,
  model: ResolvedModel,
  terms: PaceTerms | undefined,
): NonNullable<Candidate["place"]> {
  // The quotas of Mantle are others, of input and output apart, and those of servers AWS does not know.
  const isUnknown = !terms?.isNamed && (isMantle(model) || isServed(model));
  return { setup, open: pool.open, known: modelList.known, pacing: isUnknown ? undefined : terms };
}

/** Opens sessions whose calls are not tried again. */
function tryingOnce(pool: SessionPool): SessionPool["open"] {
  return async (setup, target): Promise<AwsSession> => {
    const session = await pool.open(setup, target);
    return { ...session, rest: async (service) => (await session.rest(service)).tryingOnce() };
  };
}

function restingEverywhere(text: string, waitMs: number): OpenclawError {
  const retryAfter = Math.ceil(waitMs / 1000);
  return new OpenclawError("throttled", {
    message: `AWS throttles '${text}' in every region that has it, and asks to wait ${retryAfter} s.`,
    hint: "Wait, or name more regions with --regions.",
    details: { retryAfter },
  });
}
