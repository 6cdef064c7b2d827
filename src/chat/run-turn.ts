import { OpenclawError } from "../errors.ts";
import type { ResolvedModel } from "../models/resolve-model.ts";
import type { Setup } from "../session/session.ts";
import { type Arrival, askFirstAvailable, type Query } from "./ask-first-available.ts";
import type { TurnKeeper } from "./sessions/turn-keeper.ts";

/**
 * Runs one turn: puts the question to the first of the models that is available and yields what arrives. A `keeper` takes
 * the turn down on its way. Throws the last model's error.
 */
export async function* runTurn(
  setup: Setup,
  models: readonly ResolvedModel[],
  query: Omit<Query, "recorder">,
  keeper?: TurnKeeper,
): AsyncGenerator<Arrival, void, undefined> {
  for await (const arrival of askFirstAvailable(setup, models, { ...query, recorder: keeper?.recorder })) {
    keeper?.take(arrival.event);
    yield arrival;
  }
}

/** Failures of the credentials that the turn was asked with. */
const STALE: ReadonlySet<string> = new Set(["no-credentials", "credentials-expired", "credentials-rejected"]);

/**
 * Runs a turn, and once more when its credentials turn out not to hold before anything came and `renew`, which is told
 * why, has looked for others. Throws what the last run throws.
 */
export async function* withRenewal<T>(
  run: () => AsyncGenerator<T, void, undefined>,
  renew: (failure: OpenclawError) => Promise<boolean>,
): AsyncGenerator<T, void, undefined> {
  let hasSpoken = false;
  try {
    for await (const arrival of run()) {
      hasSpoken = true;
      yield arrival;
    }
    return;
  } catch (error) {
    const isStale = error instanceof OpenclawError && STALE.has(error.code);
    if (hasSpoken || !isStale || !(await renew(error))) throw error;
  }
  yield* run();
}
