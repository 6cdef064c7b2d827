import type { Runtime } from "../../runtime.ts";
import { formatUsd, tokensInAndOut } from "../../models/usage.ts";
import { failedLines, type Tally } from "./line-result.ts";
import { count } from "../../terminal/numbers.ts";
import type { RunState } from "./run-lines.ts";

/** How often the line on a terminal is drawn, in ms, and how often one is written where there is none. */
const FRAME_MS = 200;
const NOTE_MS = 30_000;
/** The rate is that of so long before, in ms. */
const RATE_MS = 60_000;
const BAR_WIDTH = 20;

export interface RunProgress {
  /** Lines that are done, before this run, too. */
  tally: Readonly<Tally>;
  total: number;
  /** Those that were done before this run. */
  before: number;
  state: RunState;
  /** Lines done in a second, lately; undefined before there were any. */
  rate: number | undefined;
}

/** How far a run is in one line, and in shorter ones. */
export function progressForms(progress: RunProgress): string[] {
  const { tally, total, rate, state } = progress;
  const { lines } = tally;
  const share = total === 0 ? 1 : lines / total;
  const full = Math.floor(share * BAR_WIDTH);
  const bar = `${"━".repeat(full)}${"╌".repeat(BAR_WIDTH - full)}`;
  const percent = `${Math.floor(share * 100)} %`;
  const count = `${lines.toLocaleString("en-US")}/${total.toLocaleString("en-US")}`;
  const left = rate === undefined || rate === 0 ? undefined : `${formatLeft((total - lines) / rate)} left`;
  const failed = failedLines(tally);
  const waiting = pauseOf(state);
  const doing = state.pause ?? left ?? waiting;
  const facts = [
    rate === undefined ? undefined : `${formatRate(rate)}`,
    costOf(tally),
    failed === 0 ? undefined : `${failed.toLocaleString("en-US")} failed`,
    state.throttles === 0 ? undefined : `${state.throttles.toLocaleString("en-US")} throttled`,
  ].filter((fact) => fact !== undefined);
  const tokens = `${formatCount(tally.inputTokens)} in, ${formatCount(tally.outputTokens)} out`;
  const join = (...parts: (string | undefined)[]): string =>
    parts.filter((part) => part !== undefined).join("  ");
  return [
    ...(waiting === doing ? [] : [join(bar, percent, count, ...facts, tokens, waiting, doing)]),
    join(bar, percent, count, ...facts, tokens, doing),
    join(bar, percent, count, ...facts, doing),
    join(bar, percent, count, doing),
    join(percent, count, doing),
    join(percent, count),
    percent,
  ];
}

/** The same for a log. */
export function progressNote(progress: RunProgress): string {
  const { tally, total, rate, state } = progress;
  const failed = failedLines(tally);
  const left = rate === undefined || rate === 0 ? undefined : formatLeft((total - tally.lines) / rate);
  return [
    `${tally.lines} of ${count(total, "line")} ${tally.lines === 1 ? "is" : "are"} done`,
    ...(failed === 0 ? [] : [`${failed} of them failed`]),
    ...(rate === undefined ? [] : [formatRate(rate)]),
    tokensInAndOut(tally),
    ...(tally.unpriced > 0 && tally.usd === 0 ? [] : [costOf(tally)]),
    ...(state.throttles === 0 ? [] : [`${state.throttles} throttled`]),
    ...[pauseOf(state) ?? []].flat(),
    ...(left === undefined ? [] : [`${left} left`]),
  ].join(", ");
}

/** Tells how far a run is, on a terminal as it goes, else now and then. Returns how to end that. */
export function showProgress(
  look: () => Omit<RunProgress, "rate">,
  { terminal, elapsed, onExit }: Pick<Runtime, "terminal" | "elapsed" | "onExit">,
): () => void {
  const rate = new Rate(elapsed);
  const isShown = terminal.showsStatus && !terminal.isVerbose;
  const take = (): RunProgress => {
    const now = look();
    return { ...now, rate: rate.take(now.tally.lines - now.before, now.state) };
  };
  let notedAt = elapsed();
  const timer = setInterval(() => {
    const progress = take();
    if (isShown) terminal.showStatus(progressForms(progress));
    else if (elapsed() - notedAt >= NOTE_MS) {
      notedAt = elapsed();
      terminal.noteAnew(`openclaw: ${progressNote(progress)}`);
    }
  }, FRAME_MS).unref();
  const forgetExit = onExit(() => terminal.hideStatus());
  return () => {
    clearInterval(timer);
    forgetExit();
    terminal.hideStatus();
  };
}

/**
 * How many lines are done in a second, by those of the last minute. A quota lets a minute's lines in at once, and then none:
 * a run that has waited for one goes by all minutes that it has begun.
 */
class Rate {
  readonly #elapsed: () => number;
  readonly #startedAt: number;
  readonly #seen: { at: number; lines: number }[] = [];
  #hasWaited = false;

  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
    this.#startedAt = elapsed();
  }

  /** Takes how many there are by now. Undefined before there are any. */
  take(lines: number, { isWaiting }: Pick<RunState, "isWaiting">): number | undefined {
    const at = this.#elapsed();
    this.#hasWaited ||= isWaiting;
    const last = this.#seen.at(-1);
    if (!last || at - last.at >= 1000) this.#seen.push({ at, lines });
    while (this.#seen.length > 2 && at - (this.#seen[0]?.at ?? at) > RATE_MS) this.#seen.shift();
    const [first] = this.#seen;
    if (!first || at - first.at < 1000 || lines === 0) return undefined;
    if (this.#hasWaited) {
      const ms = at - this.#startedAt;
      return (lines / (isWaiting ? Math.ceil(ms / RATE_MS) * RATE_MS : ms)) * 1000;
    }
    return ((lines - first.lines) / (at - first.at)) * 1000;
  }
}

/** Why nothing is asked at the moment; undefined where something is. */
function pauseOf({ pause, isWaiting }: RunState): string | undefined {
  return pause ?? (isWaiting ? "waiting for the quota" : undefined);
}

function costOf({ usd, unpriced }: Tally): string {
  if (usd === 0 && unpriced > 0) return "price unknown";
  return `$${formatUsd(usd)}${unpriced > 0 ? " and more" : ""}`;
}

function formatRate(perSecond: number): string {
  return perSecond >= 1 ? `${Math.round(perSecond)}/s` : `${Math.round(perSecond * 60)}/min`;
}

/** A count for people, short: `950`, `12K`, `3.4M`. */
function formatCount(count: number): string {
  if (count < 10_000) return String(count);
  return count < 1_000_000 ? `${Math.round(count / 1000)}K` : `${(count / 1_000_000).toFixed(1)}M`;
}

/** A time for people, from seconds: `12 s`, `4 min`, `3 h 20 min`. */
function formatLeft(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `${minutes} min`;
  return minutes < 48 * 60
    ? `${Math.floor(minutes / 60)} h ${minutes % 60} min`
    : `${Math.round(minutes / 1440)} days`;
}
