import type { ChatEvent, ChatEvents } from "../converse/chat-event.ts";
import type { RequestPlan, Wire } from "../converse/wire.ts";
import { OpenclawError } from "../errors.ts";
import { textAt } from "../json.ts";
import { lookUpCatalog } from "../models/catalog.ts";
import { familyOf, PLAIN_BURNDOWN } from "../models/families.ts";
import { reservation, settlement } from "../models/quotas.ts";
import type { TokenUsage } from "../models/usage.ts";
import { estimateTokens, TOKENS_PER_FILE } from "./count-question.ts";
import { type PaceClock, type PaceLimits, type PacePlace, Pacer, type PaceWish } from "./pacer.ts";

/** A call of a model in a region. */
export interface PacedModel {
  region: string;
  /** As it is called: its id, a profile's or an ARN. */
  modelId: string;
  /** The foundation model behind it, where that is known. */
  baseId: string | undefined;
}

/** How one call is paced. */
export interface PaceTerms {
  pace: Pace;
  /** How long it may wait for its place, in ms: with 0 it is there at once or not. */
  mostMs: number;
  /** Told that the call waits for its place. */
  onWaiting?: (() => void) | undefined;
  /** Told how long the call has waited, in ms, whether it got its place or not. */
  onQueued?: ((ms: number) => void) | undefined;
}

/** What is reserved for an answer where nobody knows how long it may be: no call is made for less. */
const USUAL_MAX_TOKENS = 4096;
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

  /** Calls that wait, of all models. */
  get waiting(): number {
    let waiting = 0;
    for (const { pacer } of this.#lanes.values()) waiting += pacer.waiting;
    return waiting;
  }

  /**
   * Asks a model as soon as its quota has room, and again where it was throttled all the same before it said anything, both
   * within the time that there is. Throws `throttled` when that is over, `quota-exceeded` for a call that never fits, and
   * what `ask` throws.
   */
  async *ask(
    wire: Pick<Wire, "region" | "baseIdOf">,
    plan: RequestPlan,
    { mostMs, onWaiting, onQueued }: Omit<PaceTerms, "pace">,
    { signal, ask }: { signal: AbortSignal; ask: () => ChatEvents },
  ): ChatEvents {
    const { region } = wire;
    if (region === null) return yield* ask();
    const { modelId = "" } = plan.input;
    const model = { region, modelId, baseId: wire.baseIdOf(plan) };
    const lane = this.#laneOf(model);
    lane.pacer.limitTo(await this.#limitsOf(model));
    const { tokens, files } = estimateTokens(plan.input);
    const estimate = Math.max(1, tokens + files * TOKENS_PER_FILE);
    const until = this.#clock.now() + mostMs;
    for (let queued = 0; ;) {
      const wish = wishFor(model, plan, estimate, lane);
      onWaiting?.();
      const answer = await lane.pacer.enter(wish, until - this.#clock.now(), signal);
      if ("tooLarge" in answer) throw tooLarge(model, wish, answer.tooLarge.most);
      queued += "full" in answer ? answer.full.queuedMs : answer.place.queuedMs;
      onQueued?.(queued);
      if ("full" in answer) throw noRoom(model, queued, answer.full.retryMs);
      const call = new PacedCall(answer.place, wish, model, (usage) => learn(lane, usage, estimate));
      try {
        for await (const event of ask()) {
          call.take(event);
          yield event;
        }
        return;
      } catch (error) {
        const mayWait = call.fail(error) && this.#clock.now() < until;
        if (!mayWait) throw error;
      } finally {
        call.end();
      }
    }
  }

  #laneOf({ region, modelId }: PacedModel): Lane {
    const key = `${region} ${modelId}`;
    const known = this.#lanes.get(key);
    if (known) return known;
    const lane = { pacer: new Pacer(this.#clock), counted: 1, estimated: 1, output: undefined };
    this.#lanes.set(key, lane);
    return lane;
  }
}

/** What a call is going to take: of the quota when it begins, and when it has ended. */
function wishFor(model: PacedModel, { input }: RequestPlan, estimate: number, lane: Lane): PaceWish {
  const most = lookUpCatalog(model.baseId ?? model.modelId)?.maxTokens ?? USUAL_MAX_TOKENS;
  const maxTokens = input.inferenceConfig?.maxTokens ?? most;
  const inputTokens = Math.ceil((estimate * lane.counted) / lane.estimated);
  const outputTokens = Math.min(lane.output ?? 0, maxTokens);
  return {
    reserved: reservation({ inputTokens, maxTokens }),
    expected: settlement({ inputTokens, outputTokens }, burndownOf(model)),
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

/** One call that has its place. */
class PacedCall {
  readonly #place: PacePlace;
  readonly #wish: PaceWish;
  readonly #model: PacedModel;
  readonly #learn: (usage: TokenUsage) => void;
  #hasBegun = false;

  constructor(place: PacePlace, wish: PaceWish, model: PacedModel, learn: (usage: TokenUsage) => void) {
    this.#place = place;
    this.#wish = wish;
    this.#model = model;
    this.#learn = learn;
  }

  take(event: ChatEvent): void {
    if (event.type !== "start") this.#hasBegun = true;
    if (event.type !== "usage") return;
    this.#place.settle(settlement(event, burndownOf(this.#model)));
    this.#learn(event);
  }

  /** Takes down why there is no answer. True where it was throttled for the quota, and may ask again. */
  fail(error: unknown): boolean {
    if (this.#hasBegun || !(error instanceof OpenclawError)) return false;
    if (error.code === "throttled") {
      const said = textAt(error.details, "awsMessage") ?? "";
      this.#place.cut(/requests/i.test(said) && !/tokens/i.test(said) ? "requests" : "tokens");
      return true;
    }
    // What is refused for what is in it takes nothing.
    if (error.code === "invalid-request" || error.code === "input-too-long") this.#place.settle(0);
    return false;
  }

  /** The call is over. What is not settled counts as it was reserved. */
  end(): void {
    this.#place.settle(this.#wish.reserved);
  }
}

function noRoom({ modelId, region }: PacedModel, queuedMs: number, retryMs: number): OpenclawError {
  const waited = queuedMs > 0 ? `after ${Math.round(queuedMs / 100) / 10} s of waiting` : "at the moment";
  return new OpenclawError("throttled", {
    message: `More is asked of '${modelId}' in ${region} than its quota has: there is no room ${waited}.`,
    hint: "See what the quota is: openclaw quota",
    details: { model: modelId, isPaced: true, queuedMs, retryAfter: Math.ceil(retryMs / 1000) },
  });
}

function tooLarge({ modelId, region }: PacedModel, { reserved }: PaceWish, most: number): OpenclawError {
  return new OpenclawError("quota-exceeded", {
    message: `The request takes ${reserved} tokens of the quota, its input and the most that its answer may have, and '${modelId}' has ${most} a minute in ${region}.`,
    hint: "Ask for a shorter answer, or for a higher quota: openclaw quota",
    details: { model: modelId, isPaced: true },
  });
}
