import { createHash } from "node:crypto";
import type { Ask } from "../converse/plan-request.ts";
import type { ErrorCode, OpenclawError } from "../errors.ts";
import { secondsAsked } from "../network/retry-after.ts";

/** How long a region is not asked for a model after a failure: at first, and at most, in ms. Each failure doubles it. */
interface CoolDown {
  first: number;
  most: number;
}

const SECOND_MS = 1000;
const BRIEF: CoolDown = { first: 5 * SECOND_MS, most: 120 * SECOND_MS };
/** A quota of a day is there again the next day. */
const OF_A_DAY: CoolDown = { first: 60 * SECOND_MS, most: 3600 * SECOND_MS };
/** What a region does not have it will not have soon. */
const MISSING: CoolDown = { first: 300 * SECOND_MS, most: 3600 * SECOND_MS };

/**
 * Failures of one region, not of the question nor of who asks: throttled, a quota that is used up or zero, not available,
 * not reached, and the model not being there.
 */
const OF_A_REGION: Partial<Record<ErrorCode, CoolDown>> = {
  throttled: BRIEF,
  "quota-exceeded": OF_A_DAY,
  "service-unavailable": BRIEF,
  network: BRIEF,
  timeout: BRIEF,
  "stream-broken": BRIEF,
  "model-not-found": MISSING,
  "model-access": MISSING,
};

/** Whether another region may answer where one failed so before it said anything. */
export function isOfRegion(failure: OpenclawError): boolean {
  return coolDownOf(failure) !== undefined;
}

function coolDownOf({ code, details }: OpenclawError): CoolDown | undefined {
  const status = details?.["status"];
  // What stands before AWS answers so where AWS does not.
  if (code === "bad-response") return typeof status === "number" && status >= 500 ? BRIEF : undefined;
  return OF_A_REGION[code];
}

interface Cooling {
  /** When it failed last, and until when it is not asked, in ms. */
  since: number;
  until: number;
  /** Whether the service itself asked for the wait: then nothing is asked before. */
  isAskedFor: boolean;
  failures: number;
  /** Whether a call finds out if it answers again. */
  isTried: boolean;
}

/** Whether a region can be asked for a model: at once, only where nothing else is left, or not before some time. */
export type Readiness = { at: "once" } | { at: "last"; untilMs: number } | { at: "later"; waitMs: number };

/**
 * Says in which order the regions of a list are asked, and which of them not now. Prompts that begin alike go to the same
 * region, where their beginning may be cached: by rendezvous hashing
 * (https://en.wikipedia.org/wiki/Rendezvous_hashing), so that a region that is out leaves the others theirs. A region that
 * failed for a model is left alone for that model, as long as the service says, else longer each time.
 */
export class RegionRouter {
  readonly #regions: readonly string[];
  readonly #now: () => number;
  readonly #cooling = new Map<string, Cooling>();

  /** `now` in ms, and never back. */
  constructor(regions: readonly string[], now: () => number) {
    this.#regions = regions;
    this.#now = now;
  }

  /** The regions for a prompt to a model, the likeliest first. */
  order(model: string, beginning: string): string[] {
    const weights = this.#regions.map((region) => ({ region, weight: weigh(model, beginning, region) }));
    return weights.sort((left, right) => (left.weight < right.weight ? 1 : -1)).map(({ region }) => region);
  }

  readiness(model: string, region: string): Readiness {
    const cooling = this.#cooling.get(placeOf(model, region));
    if (!cooling) return { at: "once" };
    const left = cooling.until - this.#now();
    if (left > 0 && cooling.isAskedFor) return { at: "later", waitMs: left };
    return left > 0 || cooling.isTried ? { at: "last", untilMs: cooling.until } : { at: "once" };
  }

  /** A call is made. Returns what takes down that it has been: each does so once. */
  begin(model: string, region: string): RegionCall {
    const place = placeOf(model, region);
    const askedAt = this.#now();
    const tried = this.#cooling.get(place);
    if (tried) tried.isTried = true;
    return {
      answered: () => {
        const cooling = this.#cooling.get(place);
        if (cooling && cooling.since <= askedAt) this.#cooling.delete(place);
      },
      failed: (failure) => this.#fail(place, askedAt, failure),
      ended: () => {
        if (tried) tried.isTried = false;
      },
    };
  }

  #fail(place: string, askedAt: number, failure: OpenclawError): void {
    const now = this.#now();
    const known = this.#cooling.get(place);
    const coolDown = coolDownOf(failure);
    // What nobody asked for lack of room says nothing of the region.
    if (failure.details?.["isPaced"] === true) return;
    // Calls that were on their way together say one thing, however many they are.
    if (!coolDown || (known && known.since > askedAt)) return;
    const asked = secondsAsked(failure) ?? 0;
    const isAskedFor = asked > 0;
    const failures = (known?.failures ?? 0) + 1;
    const grown = Math.min(coolDown.most, coolDown.first * 2 ** (failures - 1));
    const lasts = isAskedFor ? Math.min(asked * SECOND_MS, OF_A_DAY.most) : grown;
    this.#cooling.set(place, { since: now, until: now + lasts, isAskedFor, failures, isTried: false });
  }
}

export interface RegionCall {
  answered: () => void;
  failed: (failure: OpenclawError) => void;
  /** Nobody waits for it any more, whatever came of it. */
  ended: () => void;
}

function placeOf(model: string, region: string): string {
  return `${region} ${model}`;
}

function weigh(...parts: string[]): string {
  return createHash("sha256").update(parts.join("\0")).digest("hex");
}

/** So many characters of each part of a prompt tell it from others. */
const MOST_CHARACTERS = 16_384;

/** So many blocks of a message, and items of a list in a body of another form. */
const MOST_ITEMS = 8;

/**
 * Identifies how a prompt begins: its system prompt, the names of its tools, and its first message. What follows in a
 * conversation changes nothing. Of a body in its vendor's words, such as texts to embed, it is what stands in it.
 */
export function beginningOf({
  system = "",
  tools,
  earlier,
  messages,
  invocation,
}: Omit<Ask, "model">): string {
  const texts = typeof system === "string" ? [system] : system.map(({ text = "" }) => text);
  const hash = createHash("sha256").update(texts.join("\0").slice(0, MOST_CHARACTERS));
  for (const { toolSpec } of tools?.tools ?? []) hash.update(`\0${toolSpec?.name ?? ""}`);
  const [first] = earlier?.[0]?.messages ?? messages;
  for (const block of (first?.content ?? []).slice(0, MOST_ITEMS)) {
    hash.update(`\0${Object.keys(block).join()}\0${(block.text ?? "").slice(0, MOST_CHARACTERS)}`);
  }
  if (invocation) hash.update(JSON.stringify(invocation.body, toBeginning));
  return hash.digest("hex");
}

function toBeginning(_name: string, value: unknown): unknown {
  if (typeof value === "string") return value.slice(0, MOST_CHARACTERS);
  return Array.isArray(value) ? value.slice(0, MOST_ITEMS) : value;
}
