import type { ChatEvent, ChatEvents } from "../converse/chat-event.ts";
import type { RequestPlan, Wire } from "../converse/wire.ts";
import { OpenclawError } from "../errors.ts";
import { isRecord, numberOf, textAt } from "../json.ts";
import { knownLimits } from "../models/catalog.ts";
import { familyOf, PLAIN_BURNDOWN } from "../models/families.ts";
import { type QuotaScope, reservation, scopeOfId, scopeOfProfile, settlement } from "../models/quotas.ts";
import type { TokenUsage } from "../models/usage.ts";
import { secondsAsked } from "../network/retry-after.ts";
import type { AttemptGate } from "../session/rest-client.ts";
import { guessTokens, guessTokensOfBody } from "./count-question.ts";
import { type PaceClock, type PaceLimits, type PacePlace, Pacer, type PaceWish } from "./pacer.ts";

export interface PacedModel {
  /** Null for a model that is not one of Amazon Bedrock. */
  region: string | null;
  /** As it is called: its id, a profile's or an ARN. */
  modelId: string;
  /** The foundation model behind it, where that is known. */
  baseId: string | undefined;
  /** The kind of quota that the call counts for, where there may be several. */
  scope?: QuotaScope;
}

export interface CallToPace extends PacedModel {
  /** Estimated. */
  inputTokens: number;
  /** The most that its answer may have; undefined where neither the request says it nor what is known of the model. */
  maxTokens: number | undefined;
}

export interface PaceWait extends PacedModel {
  /** When there may be room, as far as that can be told, in ms. */
  ms: number;
  /** How the service refused the call before, where it did. */
  refusal: OpenclawError | undefined;
}

export interface PaceTerms {
  pace: Pace;
  /** How long it may wait for its place, in ms: with 0 it is there at once or not. */
  mostMs: number;
  /** Whether a person named the limits, which then hold for every model, and not only for those whose quotas AWS tells. */
  isNamed?: boolean | undefined;
  /** Whether it waits for the quota of a day, too, and as long as it may however long nobody is let through. */
  isPatient?: boolean | undefined;
  onWaiting?: ((wait: PaceWait) => void) | undefined;
  /** Told how long the call has waited, in ms, whether it got its place or not. */
  onQueued?: ((ms: number) => void) | undefined;
  /** Told that the service has throttled the call, which goes back into the queue. */
  onThrottled?: (() => void) | undefined;
}

/** The clock that calls are paced by; `elapsed` tells ms, and never goes back. */
export function paceClock(elapsed: () => number): PaceClock {
  return {
    now: elapsed,
    after: (ms, work) => {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
  };
}

/** What is reserved for an answer where nobody knows how long it may be: no call is made for less. */
export const USUAL_MAX_TOKENS = 4096;
/** Where every call is throttled for so long, it is not a minute's quota that is full. In ms. */
const GIVES_UP_MS = 300_000;
/** So often it is tried whether the quota of a day has room again, in ms. */
const DAILY_PAUSE_MS = 60_000;
/** How much the newest call counts in what is learnt of a model's calls. */
const NEWEST = 0.1;

/** What is known of a model's calls in one region, and lets them in. */
interface Lane {
  pacer: Pacer;
  /** Tokens of inputs as they mostly are, by the service's count and as they were estimated. */
  counted: number;
  estimated: number;
  /** Tokens of an answer, as they mostly are; undefined before the first. */
  output: number | undefined;
  /** Since when every call was throttled, in the clock's ms; undefined where the last was not. */
  throttledSince: number | undefined;
}

/**
 * Keeps calls of models below the account's quotas, for each model and region apart: what a call is going to take is
 * estimated, and corrected by what those before it took.
 */
export class Pace {
  readonly #clock: PaceClock;
  readonly #limitsOf: (model: PacedModel) => Promise<PaceLimits>;
  readonly #lanes = new Map<string, Lane>();

  /** `limitsOf` tells the quotas of a model as far as they are known, and may be asked again and again. */
  constructor(clock: PaceClock, limitsOf: (model: PacedModel) => Promise<PaceLimits>) {
    this.#clock = clock;
    this.#limitsOf = limitsOf;
  }

  /**
   * Asks a model as soon as its quota has room, and again where it was throttled all the same before it said anything, both
   * within the time that there is; each sending of the request has a place of its own, for which `ask` is given the gate.
   * Throws `throttled` when that is over, or nobody was let through for five minutes, `quota-exceeded` for a call that never
   * fits, and what `ask` throws.
   */
  async *ask(
    call: CallToPace,
    { mostMs, isPatient = false, onWaiting, onQueued, onThrottled }: Omit<PaceTerms, "pace" | "isNamed">,
    { signal, ask }: { signal: AbortSignal; ask: (gate: AttemptGate) => ChatEvents },
  ): ChatEvents {
    const lane = this.#laneOf(call);
    lane.pacer.limitTo(await this.#limitsOf(call));
    const until = this.#clock.now() + mostMs;
    let queued = 0;
    let refusal: OpenclawError | undefined;
    let isFirst = true;
    const enter = async (): Promise<{ place: PacePlace; wish: PaceWish }> => {
      const wish = wishFor(call, lane);
      const comesBack = !isFirst;
      isFirst = false;
      const answer = await lane.pacer.enter(wish, until - this.#clock.now(), signal, {
        comesBack,
        onWaiting: onWaiting && ((ms) => onWaiting({ ...call, ms, refusal })),
      });
      if ("tooLarge" in answer) throw tooLarge(call, wish, answer.tooLarge.most);
      queued += "full" in answer ? answer.full.queuedMs : answer.place.queuedMs;
      onQueued?.(queued);
      if ("full" in answer) throw noRoom(call, queued, answer.full.retryMs, refusal);
      return { place: answer.place, wish };
    };
    for (;;) {
      const paced = new PacedCall(call, lane, await enter(), enter);
      try {
        for await (const event of ask(paced)) {
          paced.take(event);
          yield event;
        }
        return;
      } catch (error) {
        const isOfQuota = paced.fail(error, isPatient);
        const now = this.#clock.now();
        if (isOfQuota) lane.throttledSince ??= now;
        const givesUp = !isPatient && now - (lane.throttledSince ?? now) >= GIVES_UP_MS;
        if (!isOfQuota || givesUp || now >= until) throw error;
        refusal = error as OpenclawError;
        onThrottled?.();
      } finally {
        paced.end();
      }
    }
  }

  /** The quotas of a model, as far as they are known. */
  async limitsOf(model: PacedModel): Promise<PaceLimits> {
    return this.#limitsOf(model);
  }

  #laneOf({ region, modelId, baseId, scope }: PacedModel): Lane {
    // A profile counts for the same quota by its id, by its ARN, and through application profiles of it.
    const key = `${region} ${baseId === undefined ? modelId : `${scope} ${baseId}`}`;
    const known = this.#lanes.get(key);
    if (known) return known;
    const lane: Lane = {
      pacer: new Pacer(this.#clock),
      counted: 1,
      estimated: 1,
      output: undefined,
      throttledSince: undefined,
    };
    this.#lanes.set(key, lane);
    return lane;
  }
}

/** What counts of a request, as far as it can be told before it is sent. */
export function callToPace(
  wire: Pick<Wire, "region" | "baseIdOf" | "profileOf">,
  plan: RequestPlan,
  known: Parameters<typeof knownLimits>[0] = { configured: undefined },
): CallToPace {
  const { input, body } = plan;
  const { modelId = "" } = input;
  const baseId = wire.baseIdOf(plan);
  const profile = wire.profileOf(plan);
  const scope = profile ? scopeOfProfile(profile) : scopeOfId(modelId);
  const model = { region: wire.region, modelId, baseId, scope };
  const most = knownLimits(known, baseId ?? modelId).maxTokens;
  if (input.messages) {
    const { maxTokens = most } = input.inferenceConfig ?? {};
    return { ...model, inputTokens: guessTokens(input), maxTokens };
  }
  // In the words of the model's vendor.
  const said = isRecord(body) ? body["body"] : undefined;
  const maxTokens = familyOf(baseId ?? modelId).embedding ? 0 : (mostTokensIn(said) ?? most);
  return { ...model, inputTokens: guessTokensOfBody(said), maxTokens };
}

/**
 * What bodies of InvokeModel call the most tokens of an answer:
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
 */
const LENGTH_FIELDS: ReadonlySet<string> = new Set([
  "max_tokens",
  "max_completion_tokens",
  "max_tokens_to_sample",
  "max_new_tokens",
  "max_gen_len",
  "maxTokens",
  "maxTokenCount",
]);

/** The most tokens that a body allows its answer, in itself or in the settings within it. */
export function mostTokensIn(body: unknown): number | undefined {
  if (!isRecord(body)) return undefined;
  for (const fields of [body, body["inferenceConfig"], body["textGenerationConfig"]]) {
    const found = Object.entries(isRecord(fields) ? fields : {}).find(
      ([name, value]) => LENGTH_FIELDS.has(name) && numberOf(value) !== undefined,
    );
    if (found) return Number(found[1]);
  }
  return undefined;
}

/** What a call is going to take: of the quota when it begins, and when it has ended. */
function wishFor(call: CallToPace, lane: Lane): PaceWish {
  const { maxTokens = USUAL_MAX_TOKENS } = call;
  const inputTokens = Math.ceil((call.inputTokens * lane.counted) / lane.estimated);
  const outputTokens = Math.min(lane.output ?? 0, maxTokens);
  return {
    reserved: reservation({ inputTokens, maxTokens }),
    expected: settlement({ inputTokens, outputTokens }, burndownOf(call)),
  };
}

function burndownOf({ baseId }: PacedModel): number {
  return (familyOf(baseId).burndown ?? PLAIN_BURNDOWN).output;
}

function learn(lane: Lane, usage: TokenUsage, estimate: number): void {
  const { inputTokens, cacheReadInputTokens = 0, cacheWriteInputTokens = 0, outputTokens } = usage;
  const counted = inputTokens + cacheReadInputTokens + cacheWriteInputTokens;
  lane.counted += (counted - lane.counted) * NEWEST;
  lane.estimated += (estimate - lane.estimated) * NEWEST;
  lane.output ??= outputTokens;
  lane.output += (outputTokens - lane.output) * NEWEST;
}

/** One call that has its place, and another each time that it is sent again. */
class PacedCall implements AttemptGate {
  #place: PacePlace;
  #wish: PaceWish;
  readonly #call: CallToPace;
  readonly #lane: Lane;
  readonly #enterAgain: () => Promise<{ place: PacePlace; wish: PaceWish }>;
  #isSent = false;
  #hasBegun = false;
  #isOver = false;

  constructor(
    call: CallToPace,
    lane: Lane,
    { place, wish }: { place: PacePlace; wish: PaceWish },
    enterAgain: () => Promise<{ place: PacePlace; wish: PaceWish }>,
  ) {
    this.#call = call;
    this.#lane = lane;
    this.#place = place;
    this.#wish = wish;
    this.#enterAgain = enterAgain;
  }

  async enter(): Promise<void> {
    if (this.#isSent) {
      // Nobody knows what the service counts of the attempt that failed.
      this.#place.settle(this.#wish.reserved);
      const { place, wish } = await this.#enterAgain();
      if (this.#isOver) return place.giveBack();
      this.#place = place;
      this.#wish = wish;
    }
    this.#isSent = true;
    this.#place.sent();
  }

  take(event: ChatEvent): void {
    this.#lane.throttledSince = undefined;
    if (event.type !== "start") this.#hasBegun = true;
    if (event.type !== "usage") return;
    this.#place.settle(settlement(event, burndownOf(this.#call)));
    learn(this.#lane, event, this.#call.inputTokens);
  }

  /** Takes down why there is no answer. True where it was refused for the quota, and may ask again. */
  fail(error: unknown, waitsForDays: boolean): boolean {
    if (this.#hasBegun || !(error instanceof OpenclawError)) return false;
    const { code, details } = error;
    // What the pacer itself refused has not been sent.
    if (details?.["isPaced"] === true) return false;
    if (code === "throttled" || (code === "quota-exceeded" && waitsForDays)) {
      const said = textAt(details, "awsMessage") ?? error.message;
      const what = /requests/i.test(said) && !/tokens/i.test(said) ? "requests" : "tokens";
      this.#place.cut(
        what,
        Math.max((secondsAsked(error) ?? 0) * 1000, code === "throttled" ? 0 : DAILY_PAUSE_MS),
      );
      return true;
    }
    // What is refused for what is in it takes nothing.
    if (code === "invalid-request" || code === "input-too-long") this.#place.settle(0);
    return false;
  }

  /** The call is over. What is not settled counts as it was reserved, and nothing where it was never sent. */
  end(): void {
    this.#isOver = true;
    if (this.#isSent) this.#place.settle(this.#wish.reserved);
    else this.#place.giveBack();
  }
}

function noRoom(
  { modelId, region }: PacedModel,
  queuedMs: number,
  retryMs: number,
  cause: OpenclawError | undefined,
): OpenclawError {
  const waited = queuedMs > 0 ? `after ${Math.round(queuedMs / 100) / 10} s of waiting` : "at the moment";
  return new OpenclawError("throttled", {
    message: `More is asked of '${modelId}'${inRegion(region)} than its quota has: there is no room ${waited}.`,
    hint: "See what the quota is: openclaw quota",
    details: { model: modelId, isPaced: true, queuedMs, retryAfter: Math.ceil(retryMs / 1000) },
    cause,
  });
}

function tooLarge({ modelId, region }: PacedModel, { reserved }: PaceWish, most: number): OpenclawError {
  return new OpenclawError("quota-exceeded", {
    message: `The request takes ${reserved} tokens of the quota, its input and the most that its answer may have, and '${modelId}' has ${most} a minute${inRegion(region)}.`,
    hint: "Ask for a shorter answer, or for a higher quota: openclaw quota",
    details: { model: modelId, isPaced: true, isFinal: true },
  });
}

function inRegion(region: string | null): string {
  return region === null ? "" : ` in ${region}`;
}
