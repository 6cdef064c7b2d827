import type { ChatEvent } from "../converse/chat-event.ts";
import type { CacheTime } from "../models/families.ts";
import { asSentence, type ErrorCode, OpenclawError } from "../errors.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { ResolvedModel } from "../models/resolve-model.ts";
import type { Setup } from "../session/session.ts";
import type { limitCost } from "./limit-cost.ts";
import { changeWait, type Wait } from "../terminal/spinner.ts";
import { askModel, type Question } from "./ask-model.ts";
import type { RegionCall } from "./region-router.ts";
import type { TurnKeeper } from "./sessions/turn-keeper.ts";

export type Query = Omit<Question, "model">;

/** One way to have a turn answered: a model, and where there are several, the place in which it is asked. */
export interface Candidate {
  model: ResolvedModel;
  /** What is asked with another set-up, and by other sessions and lists than the turn's own. */
  place?: { setup: Setup } & Pick<Query, "open" | "known" | "pacing">;
  /** What a notice calls it. */
  name: string;
  /** Takes down that it is asked, and then what becomes of that in its region. */
  begin?: () => RegionCall;
}

export interface Candidates {
  /**
   * The first, or the one that is asked after a failure of which nobody has heard. Undefined where there is none: then the
   * failure stands. Throws where there is nothing at all to ask.
   */
  next(failure?: OpenclawError): Promise<Candidate | undefined>;
}

/** Whether a question asks where its answer is from. */
export function asksForSources({ cites, searchesWeb }: Pick<Query, "cites" | "searchesWeb">): boolean {
  return cites === true || searchesWeb === true;
}

export interface TurnOptions {
  keeper?: TurnKeeper | undefined;
  ledger: Ledger;
  /** The name of the key of `serve` that asks. */
  apiKey?: string | undefined;
  /** The most that the turn may cost, in USD. */
  mostUsd?: number | undefined;
  /** What the calls of the turn before this one have cost, in USD. */
  spentUsd?: number | undefined;
  /** What the person was told of that bound in this turn, by model: the first answer that it cuts short, not each. */
  boundTold?: Set<string> | undefined;
}

/** An event of an answer, and the model that gives it. */
export interface Arrival<Event = ChatEvent> {
  model: ResolvedModel;
  event: Event;
}

export type Arrivals = AsyncGenerator<Arrival, void, undefined>;

/** How long a prompt is cached where nobody says and it will be sent again, with more behind it. */
export const USUAL_CACHE: CacheTime = "5m";

/** Failures of one model, not of the question: throttled, not available, not accessible, out of order, nothing to say. */
const FALLBACK_CODES: ReadonlySet<ErrorCode> = new Set([
  "throttled",
  "quota-exceeded",
  "service-unavailable",
  "model-access",
  "access-denied",
  "model-not-found",
  "model-error",
]);

/** Whether another model may answer where one failed so before it said anything. */
export function isOfModel({ code }: OpenclawError): boolean {
  return FALLBACK_CODES.has(code);
}

/** Several models, each asked where the one before failed. */
function inTurn(models: readonly ResolvedModel[]): Candidates {
  const left = [...models];
  return {
    next: async (failure) => {
      const model = failure === undefined || isOfModel(failure) ? left.shift() : undefined;
      return model && { model, name: model.id };
    },
  };
}

/**
 * Runs one turn: asks the first of several candidates and, when it is throttled, not available, not accessible or out of
 * order before it said anything, or says nothing, the next. A notice names the one that is asked instead. Throws the error
 * of the last, and `budget-exceeded`.
 */
export async function* runTurn(
  setup: Setup,
  models: readonly ResolvedModel[] | Candidates,
  query: Query,
  { keeper, ledger, apiKey, mostUsd, spentUsd, boundTold }: TurnOptions,
): Arrivals {
  const { terminal } = setup.runtime;
  await ledger.admit();
  const candidates = "next" in models ? models : inTurn(models);
  let candidate = await candidates.next();
  while (candidate) {
    const { model, place } = candidate;
    const call = candidate.begin?.();
    const there = place ? { ...place.setup, runtime: setup.runtime } : setup;
    // Held back until something follows it, so that a model that only started leaves no trace.
    let started: ChatEvent | undefined;
    let hasSpoken = false;
    const meter = ledger.meter(model, setup.decision, apiKey);
    try {
      const { setup: _there, ...ways } = place ?? {};
      const question = { ...query, ...ways, model };
      const asked =
        mostUsd === undefined
          ? question
          : await withinCost(there, question, mostUsd, { spentUsd, told: boundTold });
      for await (const event of askModel(there, { ...asked, recorder: keeper?.recorder ?? query.recorder })) {
        if (keeper) await keeper.take(event);
        meter.take(event);
        if (event.type === "start") {
          started = event;
          continue;
        }
        if (!hasSpoken) call?.answered();
        hasSpoken = true;
        if (started) yield { model, event: started };
        started = undefined;
        yield { model, event };
      }
      if (started) yield { model, event: started };
      return;
    } catch (error) {
      meter.end(error);
      if (error instanceof OpenclawError) call?.failed(error);
      const next = error instanceof OpenclawError && !hasSpoken ? await candidates.next(error) : undefined;
      if (!next) {
        if (started) yield { model, event: started };
        throw error;
      }
      const why = error instanceof OpenclawError ? error.message : "";
      terminal.note(`openclaw: ${asSentence(why)} Asking ${next.name} instead.`);
      changeWait(setup.runtime, waitFor(next.model));
      candidate = next;
    } finally {
      meter.end();
      call?.ended();
    }
  }
}

async function withinCost(...args: Parameters<typeof limitCost>): Promise<Question> {
  const { limitCost } = await import("./limit-cost.ts");
  return limitCost(...args);
}

/** What a person who waits for a model is told. */
export function waitFor({ id }: ResolvedModel): Wait {
  return { text: `Waiting for ${id}`, brief: "Waiting" };
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
