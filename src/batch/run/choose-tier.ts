/** The tiers that a run chooses from: `flex` costs half, and what is asked there waits when others ask much. */
export type RunTier = "flex" | "default";

export interface TierSituation {
  /** Lines that have no answer yet. */
  left: number;
  /** Until the deadline. */
  leftMs: number;
  /** Lines that are answered in a second, in each tier; undefined where nobody knows yet. */
  flexRate: number | undefined;
  defaultRate: number | undefined;
  /** The one in which lines are asked now. */
  tier: RunTier;
  /** Whether there is a model that is asked in flex at all. */
  hasFlex: boolean;
}

/** Why it is this tier: flex makes it, there is time to try it, it falls behind, nobody has it, or no tier makes it. */
type TierReason = "makes-it" | "has-time" | "behind" | "no-flex" | "late";

export interface TierChoice {
  tier: RunTier;
  reason: TierReason;
}

/** Rates are not kept to the last line: so much longer a tier may take than it has taken so far. */
const SPARE = 1.25;
/** There has to be so many times the time that is needed, to go back to flex from where it has fallen behind. */
const SPARE_TO_GO_BACK = 2;

/**
 * The cheapest tier in which the lines that are left are answered before the deadline. Flex, as long as what it leaves can
 * be asked on demand in time.
 */
export function chooseTier({
  left,
  leftMs,
  flexRate,
  defaultRate,
  tier,
  hasFlex,
}: TierSituation): TierChoice {
  const msAt = (rate: number | undefined): number | undefined =>
    rate === undefined ? undefined : (left / rate) * 1000;
  const [flexMs, defaultMs] = [msAt(flexRate), msAt(defaultRate)];
  if (left === 0) return { tier, reason: "makes-it" };
  if (leftMs <= 0 || (defaultMs !== undefined && defaultMs > leftMs))
    return { tier: "default", reason: "late" };
  if (!hasFlex) return { tier: "default", reason: "no-flex" };
  const isBack = tier === "default";
  if (flexMs !== undefined && flexMs * (isBack ? SPARE_TO_GO_BACK : SPARE) <= leftMs)
    return { tier: "flex", reason: "makes-it" };
  // What answers nothing is not worth to be waited for, and whoever has left it tries it for nothing.
  const mayWait = !isBack && flexMs !== Number.POSITIVE_INFINITY;
  // Where nobody knows how fast it is on demand, only what nobody knows of flex either is a reason to try that.
  const hasTime = defaultMs === undefined ? flexMs === undefined : defaultMs * SPARE < leftMs;
  return mayWait && hasTime ? { tier: "flex", reason: "has-time" } : { tier: "default", reason: "behind" };
}

/** So long back it is looked for how fast lines are answered, in ms. */
const WINDOW_MS = 120_000;
/** In so many parts, of which the oldest is forgotten. */
const PARTS = 12;
/** A rate is known after so many answers, or after so long, in ms, but for no more than a tenth of the time there is. */
const ENOUGH_ANSWERS = 20;
const ENOUGH_MS = 60_000;

/** How fast lines are answered in a tier, as long as lines are asked there. */
class Rate {
  #since: number | undefined;
  #answers = 0;
  readonly #parts = new Map<number, number>();

  /** Lines are asked in this tier from now on. */
  begin(now: number): void {
    this.#since ??= now;
  }

  /** They are no more: what was known stays as it is. */
  end(): void {
    this.#since = undefined;
    this.#answers = 0;
    this.#parts.clear();
  }

  answered(now: number): void {
    this.#answers += 1;
    const part = Math.floor((now * PARTS) / WINDOW_MS);
    this.#parts.set(part, (this.#parts.get(part) ?? 0) + 1);
    for (const old of this.#parts.keys()) if (old <= part - PARTS) this.#parts.delete(old);
  }

  /** In a second; undefined where it is too early to say. */
  at(now: number, enoughMs: number): number | undefined {
    if (this.#since === undefined) return undefined;
    const lasted = now - this.#since;
    if (lasted <= 0 || (this.#answers < ENOUGH_ANSWERS && lasted < enoughMs)) return undefined;
    const first = Math.floor((now * PARTS) / WINDOW_MS) - PARTS + 1;
    const window = Math.min(lasted, now - (first * WINDOW_MS) / PARTS);
    let answers = 0;
    for (const [part, count] of this.#parts) if (part >= first) answers += count;
    return (answers / window) * 1000;
  }
}

export interface Deadline {
  /** On the clock of `elapsed`, in ms. */
  at: number;
  /** A clock that never goes back, in ms. */
  elapsed: () => number;
  lines: number;
  hasFlex: boolean;
  /** Lines that may be asked in a second at most; undefined where nobody knows. */
  mostPerSecond: number | undefined;
  onChoice: (choice: TierChoice & Pick<TierSituation, "left" | "leftMs" | "flexRate">) => void;
}

/** How often a tier is chosen anew, in ms. */
const EVERY_MS = 1000;

/** Keeps a run to its deadline: tells in which tier the next line is asked. */
export class DeadlineTier {
  readonly #deadline: Deadline;
  readonly #rates: Readonly<Record<RunTier, Rate>> = { flex: new Rate(), default: new Rate() };
  readonly #enoughMs: number;
  /** How fast it was in each tier, when lines were asked there last. */
  readonly #known: Partial<Record<RunTier, number | undefined>>;
  #choice: TierChoice | undefined;
  #chosenAt = 0;
  #left: number;

  constructor(deadline: Deadline) {
    this.#deadline = deadline;
    this.#left = deadline.lines;
    this.#known = { default: deadline.mostPerSecond };
    this.#enoughMs = Math.min(ENOUGH_MS, Math.max(0, deadline.at - deadline.elapsed()) / 10);
  }

  /** For the next line of a model that has both. */
  next(): RunTier {
    const now = this.#deadline.elapsed();
    if (!this.#choice || now - this.#chosenAt >= EVERY_MS) this.#choose(now);
    return this.#choice?.tier ?? "default";
  }

  /** A line is done that was asked in a tier, answered or failed for good. */
  done(tier: RunTier | undefined): void {
    this.#left -= 1;
    if (tier !== undefined) this.#rates[tier].answered(this.#deadline.elapsed());
  }

  #choose(now: number): void {
    const { at, onChoice, hasFlex } = this.#deadline;
    const before = this.#choice;
    for (const tier of ["flex", "default"] as const)
      this.#known[tier] = this.#rates[tier].at(now, this.#enoughMs) ?? this.#known[tier];
    const flexRate = this.#known.flex;
    const situation = {
      left: this.#left,
      leftMs: at - now,
      flexRate,
      defaultRate: this.#known.default,
      tier: before?.tier ?? "flex",
      hasFlex,
    };
    const choice = chooseTier(situation);
    this.#choice = choice;
    this.#chosenAt = now;
    const other = choice.tier === "flex" ? "default" : "flex";
    this.#rates[choice.tier].begin(now);
    this.#rates[other].end();
    const isNew = choice.tier !== before?.tier || (choice.reason === "late" && before?.reason !== "late");
    if (isNew) onChoice({ ...choice, left: this.#left, leftMs: situation.leftMs, flexRate });
  }
}
