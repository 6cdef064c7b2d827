import type { Configuration } from "../../config/settings.ts";
import { fileOf } from "../../converse/conversation.ts";
import type { Ask } from "../../converse/plan-request.ts";
import { mergeParameters } from "../../converse/request.ts";
import { OpenclawError, withFields } from "../../errors.ts";
import { periodsAt } from "../../ledger/ledger-files.ts";
import { baseModelId } from "../../models/base-model-id.ts";
import { knownLimits } from "../../models/catalog.ts";
import { familyOf } from "../../models/families.ts";
import { priceOf } from "../../models/price.ts";
import type { ResolvedModel } from "../../models/resolve-model.ts";
import {
  BYTES_PER_TOKEN,
  type CallCost,
  formatUsd,
  priceCall,
  type TokenUsage,
  usdAbove,
} from "../../models/usage.ts";
import type { Call } from "../call.ts";
import { mayAsk, type NamedModels, notAllowed } from "./allowed-models.ts";
import type { ApiKey } from "./key-file.ts";
import { count } from "../../terminal/numbers.ts";
import {
  type Granted,
  type BudgetState,
  type KeyBudget,
  type LimitStore,
  msUntilRoom,
  NANO_USD,
  type Refused,
  roomIn,
  type StoreState,
  type Use,
} from "./limit-store.ts";

/**
 * What an answer is taken to need where nobody says how long it may be, in tokens: Converse's own bound for recent Claude
 * models, measured (https://github.com/BerriAI/litellm/issues/41529). What it uses in the end is what counts.
 */
const USUAL_OUTPUT = 4096;
/** No image costs more, in tokens (https://platform.claude.com/docs/en/build-with-claude/vision). */
const TOKENS_PER_IMAGE = 1600;

export interface Admitted {
  /** The most that it may cost, in USD; undefined where that is not bounded. */
  mostUsd: number | undefined;
}

type Question = Pick<Ask, "messages" | "parameters">;

/** Holds calls to what their keys may do. */
export class KeyLimiter {
  readonly #store: LimitStore;
  readonly #now: () => number;
  readonly #admitted = new WeakMap<Call, Promise<Admitted>>();

  /** `now` is the time by which days and months end, in ms since 1970. */
  constructor(store: LimitStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** Of a store that several servers share. */
  get state(): StoreState | undefined {
    return this.#store.state;
  }

  /**
   * Lets a call pass as its key has it, once for all that it asks of models, and settles with it what it used when it is over. Throws `access-denied` for a model
   * that it may not ask, `throttled` above its rates, `budget-exceeded` for a budget that is spent, and
   * `service-unavailable` where a shared store cannot be asked.
   */
  admit(call: Call, asked: NamedModels, question: Question): Promise<Admitted> {
    const admitted = this.#admitted.get(call) ?? this.#admit(call, asked, question);
    this.#admitted.set(call, admitted);
    return admitted;
  }

  async #admit(call: Call, asked: NamedModels, question: Question): Promise<Admitted> {
    const { key } = call;
    if (key === undefined) return { mostUsd: undefined };
    const budgets = budgetsOf(key, this.#now());
    const isLimited = key.rpm !== undefined || key.tpm !== undefined || budgets.length > 0;
    if (!isLimited && key.models === undefined) return { mostUsd: undefined };
    const models = await asked.models();
    // Of one that nobody knows yet there is more to say when it is asked.
    if (models.length > 0 && !mayAsk(key, { ...asked, models })) throw notAllowed(key, asked.name);
    if (!isLimited) return { mostUsd: undefined };
    const most = mostOf(models, asked.config, question, call.bodyBytes);
    const cost = budgets.length === 0 ? 0 : Math.ceil(dearest(key, models, most) * NANO_USD);
    const { rpm, tpm } = key;
    const tokens = most.inputTokens + most.outputTokens;
    const taken = await this.#store.take({ key: key.name, rpm, tpm, budgets, tokens, cost });
    call.rate = taken.rate;
    if (!taken.isGranted) throw refusal(key, taken, tokens);
    call.budgets = taken.budgets;
    settleAtEnd(call, taken, most, models);
    return { mostUsd: taken.most === undefined ? undefined : taken.most / NANO_USD };
  }

  /** Throws `access-denied` for a model that the call's key may not ask under a name. */
  allow({ key }: Call, name: string, isOwnName: boolean, model: ResolvedModel): void {
    if (key && !mayAsk(key, { name, isOwnName, models: [model] })) throw notAllowed(key, name);
  }

  /** Takes down what an answer has used. */
  count(call: Call, usage: TokenUsage, cost: CallCost | null): void {
    const { inputTokens, outputTokens, cacheWriteInputTokens = 0 } = usage;
    const before = call.used ?? { tokens: 0, usd: 0 };
    // What is read from the cache is free of AWS's quota, too.
    const tokens = before.tokens + inputTokens + outputTokens + cacheWriteInputTokens;
    call.used = { tokens, usd: before.usd + (cost?.usd ?? 0) };
  }

  /** Says of a call that costs more than what is left of its key's budgets what it is about, in words for its client. */
  inWords(error: unknown, { entry, budgets }: Call): unknown {
    if (!(error instanceof OpenclawError) || budgets.length === 0) return error;
    const { mostUsd, leastUsd } = error.details ?? {};
    if (typeof leastUsd === "number") return this.#tooDear(error, entry.key, budgets, leastUsd);
    if (mostUsd === undefined) return error;
    return withFields(error, {
      message: `The API key '${entry.key}' has a budget, and nobody knows what this request costs.`,
      details: { ...error.details, isFinal: true },
    });
  }

  /** `leastUsd` is what the call costs with an answer of one token. */
  #tooDear(
    error: OpenclawError,
    key: string | undefined,
    budgets: readonly BudgetState[],
    leastUsd: number,
  ): OpenclawError {
    const least = Math.ceil(leastUsd * NANO_USD);
    const costing = (usd: string): string => `This request costs $${usd} or more`;
    const ofBudget = ({ name }: BudgetState, limit: string): string =>
      `of the ${name} budget of the API key '${key}', $${limit}`;
    const small = budgets.find(({ limit }) => least > limit);
    if (small) {
      const { usd, bound } = usdAbove(leastUsd, small.limit / NANO_USD);
      return withFields(error, {
        message: `${costing(usd)}, more than all ${ofBudget(small, bound)}. Ask for less.`,
        details: { ...error.details, retryAfter: null, isFinal: true, isForClient: true },
      });
    }
    const cost = costing(formatUsd(leastUsd));
    const limitOf = ({ limit }: BudgetState): string => formatUsd(limit / NANO_USD);
    const [spent] = budgets.filter((budget) => budget.spent + least > budget.limit).toSorted(byLength);
    const [held] = budgets.toSorted((one, other) => roomIn([one]) - roomIn([other]));
    const short = spent ?? held;
    const retryAfter = short && secondsOf(msUntilRoom(short, least, this.#now()));
    return spent
      ? withFields(error, {
          message: `${cost}, more than is left ${ofBudget(spent, limitOf(spent))}.`,
          details: { ...error.details, retryAfter, isFinal: true, isForClient: true },
        })
      : heldBack(`${cost}, and what is left ${short && ofBudget(short, limitOf(short))},`, retryAfter, error);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}

/** The budgets of a key at a moment, in ms since 1970. */
function budgetsOf(
  { dailyBudgetUsd, monthlyBudgetUsd }: Pick<ApiKey, "dailyBudgetUsd" | "monthlyBudgetUsd">,
  now: number,
): KeyBudget[] {
  const { day, month } = periodsAt(now);
  const budgets: KeyBudget[] = [];
  if (dailyBudgetUsd !== undefined)
    budgets.push({ name: "daily", period: day, limit: Math.round(dailyBudgetUsd * NANO_USD) });
  if (monthlyBudgetUsd !== undefined)
    budgets.push({ name: "monthly", period: month, limit: Math.round(monthlyBudgetUsd * NANO_USD) });
  return budgets;
}

type Most = Pick<TokenUsage, "inputTokens" | "outputTokens">;

/** The most tokens that a call needs, as far as that can be told without asking anybody. */
function mostOf(
  models: readonly ResolvedModel[],
  config: Configuration,
  { messages, parameters }: Question,
  bytes: number,
): Most {
  let text = bytes;
  let images = 0;
  for (const { content = [] } of messages) {
    for (const block of content) {
      const file = fileOf(block);
      if (file?.kind !== "image") continue;
      images += 1;
      // In JSON it is base64.
      text -= ((file.bytes?.length ?? 0) * 4) / 3;
    }
  }
  const outputs = models.map((model) => {
    const wanted = mergeParameters(parameters, config, [model.id, model.key]).maxTokens ?? USUAL_OUTPUT;
    const id = baseModelId(model.id) ?? model.id;
    if (familyOf(id).embedding) return 0;
    const limit = knownLimits(model, id).maxTokens;
    return Math.min(wanted, limit ?? Number.POSITIVE_INFINITY);
  });
  return {
    inputTokens: Math.ceil(Math.max(1, text) / BYTES_PER_TOKEN) + images * TOKENS_PER_IMAGE,
    outputTokens: models.length === 0 ? (parameters.maxTokens ?? USUAL_OUTPUT) : Math.max(...outputs),
  };
}

/** What the dearest of some models takes for so many tokens, in USD. Throws `access-denied` for one without a known price. */
function dearest(key: ApiKey, models: readonly ResolvedModel[], most: Most): number {
  const costs = models.map((model) => {
    const id = baseModelId(model.id) ?? model.id;
    const usage = { ...most, totalTokens: most.inputTokens + most.outputTokens };
    const cost = priceCall(usage, priceOf(model, model.id) ?? priceOf(model, id));
    // Above the length of prompt for which there is a price, the call itself is held to what is left.
    if (!("unknown" in cost)) return cost.usd;
    if (priceOf(model, model.id) ?? priceOf(model, id)) return Number.POSITIVE_INFINITY;
    throw new OpenclawError("access-denied", {
      message: `The API key '${key.name}' has a budget, and what '${model.id}' costs is not known.`,
      details: { param: "model" },
    });
  });
  // Of what nobody knows, too, the call itself is held to what is left.
  return costs.length === 0 ? Number.POSITIVE_INFINITY : Math.max(...costs);
}

/** Settles a call with the store when it is over. */
function settleAtEnd(call: Call, granted: Granted, most: Most, models: readonly ResolvedModel[]): void {
  const price = models[0] && priceOf(models[0], models[0].id);
  call.onEnd(() => void granted.settle(useOf(call, most, price)));
}

/**
 * What a call used: what was counted, or, of one that was broken off and is billed all the same, what it is taken to have
 * used by the length of what came. A call that was refused used nothing.
 */
function useOf({ used, entry, answeredBytes }: Call, most: Most, price: ReturnType<typeof priceOf>): Use {
  if (used !== undefined) return { tokens: used.tokens, cost: Math.ceil(used.usd * NANO_USD) };
  if (entry.calledModel === undefined) return { tokens: 0, cost: 0 };
  const outputTokens = Math.ceil(answeredBytes / BYTES_PER_TOKEN);
  const tokens = most.inputTokens + outputTokens;
  const cost = priceCall({ inputTokens: most.inputTokens, outputTokens, totalTokens: tokens }, price);
  return { tokens, cost: "unknown" in cost ? 0 : Math.ceil(cost.usd * NANO_USD) };
}

function refusal(
  { name, rpm, tpm }: ApiKey,
  { by, retryMs, budget }: Refused,
  tokens: number,
): OpenclawError {
  const retryAfter = secondsOf(retryMs);
  const again = retryAfter === undefined ? "" : ` Try again in ${retryAfter} s.`;
  switch (by) {
    case "requests":
      return new OpenclawError("throttled", {
        message: `The API key '${name}' may send ${count(rpm ?? 0, "request")} a minute.${again}`,
        details: { retryAfter },
      });
    case "tokens":
      return new OpenclawError("throttled", {
        message: `The API key '${name}' may use ${count(tpm ?? 0, "token")} a minute, and this request may need ${tokens}.${again}`,
        details: { retryAfter },
      });
    case "size":
      return new OpenclawError("throttled", {
        message: `This request may need ${count(tokens, "token")}, and the API key '${name}' may use ${tpm} a minute. Ask for less, or allow fewer tokens for the answer.`,
        details: { retryAfter: null, isFinal: true },
      });
    default:
      return budgetRefusal(name, budget, retryAfter);
  }
}

function secondsOf(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.max(1, Math.ceil(ms / 1000));
}

/** What a month has lacks longer than what a day has. */
function byLength(one: BudgetState, other: BudgetState): number {
  return one.period.length - other.period.length;
}

function budgetRefusal(
  name: string,
  budget: Refused["budget"],
  retryAfter: number | undefined,
): OpenclawError {
  const isSpent = budget === undefined || budget.spent >= budget.limit;
  const what = `The ${budget?.name ?? ""} budget of the API key '${name}', ${inUsd(budget?.limit ?? 0)}, `;
  if (isSpent)
    return new OpenclawError("budget-exceeded", {
      message: `${what}is spent.`,
      details: { retryAfter, isFinal: true, isForClient: true },
    });
  return heldBack(what.trimEnd(), retryAfter);
}

/** `what` may be there when running calls have ended. */
function heldBack(what: string, retryAfter: number | undefined, cause?: unknown): OpenclawError {
  return new OpenclawError("throttled", {
    message: `${what} may be spent by its calls that are running. Try again in ${retryAfter} s.`,
    details: { retryAfter },
    cause,
  });
}

/** An amount of nano-USD. */
function inUsd(nano: number): string {
  return `$${formatUsd(nano / NANO_USD)}`;
}
