import { AwsError, type PlainReply } from "./aws-error.ts";
import { type Account, Catalogue, type ResolvedModel } from "./catalogue.ts";
import type { ConverseRequest } from "./converse-model.ts";
import type { RecordedCall } from "./recorded-call.ts";
import { type MinuteLimits, minuteQuotas, type QuotaValues, type QuotaWay } from "./service-quotas.ts";
import type { SimulatedAnswer } from "./simulated-answer.ts";
import type { StreamSteps } from "./script.ts";

const MINUTE_MS = 60_000;
/** What is reserved for an answer where neither the request nor the model has a bound. */
const USUAL_MAX_TOKENS = 4096;

/** What was taken of a quota at a time, in ms. */
interface Taken {
  readonly time: number;
  tokens: number;
  readonly requests: number;
}

/** What was asked of a model by one way in the last 60 seconds. */
class Window {
  readonly #taken: Taken[] = [];
  /** How many of the first are forgotten. */
  #forgotten = 0;
  tokens = 0;
  requests = 0;

  /** Forgets what is no longer of the last minute. */
  advance(now: number): void {
    for (let first = this.#taken[this.#forgotten]; first; first = this.#taken[this.#forgotten]) {
      if (first.time > now - MINUTE_MS) break;
      this.#forgotten += 1;
      this.tokens -= first.tokens;
      this.requests -= first.requests;
      first.tokens = 0;
    }
    // Not one by one: each would move all others.
    if (this.#forgotten < this.#taken.length / 2) return;
    this.#taken.splice(0, this.#forgotten);
    this.#forgotten = 0;
  }

  take(tokens: number, requests: number, time: number): Taken {
    const taken = { time, tokens, requests };
    this.#taken.push(taken);
    this.tokens += tokens;
    this.requests += requests;
    return taken;
  }

  /** What was taken turns out to be less. */
  reduce(taken: Taken, tokens: number): void {
    const less = Math.max(0, taken.tokens - tokens);
    taken.tokens -= less;
    this.tokens -= less;
  }
}

type Reply = PlainReply | { readonly stream: StreamSteps };

/** What is reserved of the quotas for a call, until it is known what it used. */
export interface Reservation {
  /** The answer, which settles what it used of the quota as soon as it has ended, whole or not. */
  settle(reply: Reply): Reply;
}

interface GateOptions {
  account: Account;
  /** Region of a caller with a bearer token, which names none. */
  bearerRegion: string;
  limits: MinuteLimits;
  /** Values that are others than those, by the names of the quotas. */
  quotas: QuotaValues;
  /** Milliseconds since 1970. */
  now: () => number;
}

/**
 * Holds calls to the quotas of a minute, where some are enforced. When a call begins, its input and all that its answer may
 * have is reserved; when it has ended, output counts by the model's burndown, and what was reserved in vain is given back:
 * https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html. AWS does not say how it measures a minute:
 * this is the strictest reading, any 60 seconds.
 */
export class QuotaGate {
  readonly #windows = new Map<string, Window>();
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /**
   * Lets a call of a model pass, and reserves what it takes. Throws `AwsError` ThrottlingException, in the words of
   * https://repost.aws/knowledge-center/bedrock-throttling-error.
   */
  admit(
    call: RecordedCall,
    asked: {
      id: string;
      used: Pick<SimulatedAnswer, "inputTokens" | "outputTokens">;
      maxTokens: ConverseRequest["maxTokens"];
    },
  ): Reservation {
    const { account, bearerRegion, limits, quotas, now } = this.#options;
    const region = call.region ?? bearerRegion;
    const found = new Catalogue(account, call.region).resolveModel(asked.id);
    const way = wayTo(found);
    const { tokens, requests } = minuteQuotas(found.model, way, { region, limits, named: quotas });
    if (tokens === undefined && requests === undefined) return { settle: (reply) => reply };
    const key = [region, way, found.model.modelId].join(" ");
    const window = this.#windows.get(key) ?? new Window();
    this.#windows.set(key, window);
    const { inputTokens, outputTokens } = asked.used;
    const { maxTokens = USUAL_MAX_TOKENS, burndown = 1 } = found.model;
    const reserved = inputTokens + (asked.maxTokens ?? maxTokens);
    window.advance(now());
    if (window.requests + 1 > (requests ?? Number.POSITIVE_INFINITY)) throw throttled("requests");
    if (window.tokens + reserved > (tokens ?? Number.POSITIVE_INFINITY)) throw throttled("tokens");
    const taken = window.take(reserved, 1, now());
    const used = inputTokens + outputTokens * burndown;
    const settle = (): void => {
      window.reduce(taken, used);
      // What an answer takes beyond what was reserved is taken when it is known.
      if (used > reserved) window.take(used - reserved, 0, now());
    };
    return {
      settle: (reply) => {
        if ("stream" in reply) return { ...reply, stream: whenEnded(reply.stream, settle) };
        settle();
        return reply;
      },
    };
  }
}

function throttled(what: "requests" | "tokens"): AwsError {
  return new AwsError("ThrottlingException", `Too many ${what}, please wait before trying again.`);
}

/** The way that a call takes, which has a quota of its own. */
function wayTo({ profile }: ResolvedModel): QuotaWay {
  if (profile === undefined) return "On-demand";
  if (profile.destinations.includes("")) return "Global cross-region";
  return profile.destinations.length > 1 ? "Cross-region" : "On-demand";
}

/** The same stream, that tells when it has ended or nobody wants more of it. One that is at hand stays at hand. */
function whenEnded(steps: StreamSteps, onEnd: () => void): StreamSteps {
  if (Symbol.asyncIterator in steps)
    return (async function* () {
      try {
        yield* steps;
      } finally {
        onEnd();
      }
    })();
  return (function* () {
    try {
      yield* steps;
    } finally {
      onEnd();
    }
  })();
}
