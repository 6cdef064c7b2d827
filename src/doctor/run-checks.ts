import { OpenclawError } from "../errors.ts";
import { oncePer } from "../once.ts";
import { untilAborted } from "../until-aborted.ts";
import { type Check, type CheckResult, fail, type Outcome, skip } from "./check.ts";

export interface RunBounds {
  /** Time for all checks together, in ms. */
  totalMs: number;
  signal: AbortSignal;
  /** Milliseconds on a clock that never goes back. */
  elapsed: () => number;
  /** Told of each check when it is done. */
  onResult?: (result: CheckResult) => void;
}

/**
 * Runs the checks, each as soon as those it needs are done, and gives their results in the order of the list. A check
 * that is not done in time has failed with `timeout`. What several checks meet is told by one of them. Rejects with the
 * signal's reason, and with bugs.
 */
export async function runChecks<TContext>(
  checks: readonly Check<TContext>[],
  context: TContext,
  bounds: RunBounds,
): Promise<CheckResult[]> {
  const { totalMs, signal, elapsed, onResult } = bounds;
  signal.throwIfAborted();
  const byId = new Map(checks.map((check) => [check.id, check]));
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<"time-up">((resolve) => {
    timer = setTimeout(() => resolve("time-up"), totalMs);
  });

  const examine = async (check: Check<TContext>): Promise<CheckResult> => {
    const missing = await firstMissing(check.needs);
    const started = elapsed();
    const outcome = missing
      ? skip(`needs ${missing.title}`)
      : await Promise.race([attempt(check, context), timeUp.then(() => late(check, totalMs))]);
    const hint = "hint" in outcome ? hintFor(outcome.hint, check) : undefined;
    const result: CheckResult = {
      id: check.id,
      title: check.title,
      status: outcome.status,
      detail: outcome.detail,
      ...(hint === undefined ? {} : { hint }),
      durationMs: Math.round(elapsed() - started),
      ...(outcome.status === "fail" ? { error: outcome.error } : {}),
    };
    onResult?.(result);
    return result;
  };
  /** Starts a check, once. */
  const resultOf = oncePer(examine);
  /** The first need that did not end in ok or warn. A need that is not in the list holds up nothing. */
  const firstMissing = async (needs: readonly string[]): Promise<CheckResult | undefined> => {
    for (const id of needs) {
      const need = byId.get(id);
      if (need === undefined) continue;
      const result = await resultOf(need);
      if (result.status !== "ok" && result.status !== "warn") return result;
    }
    return undefined;
  };
  try {
    return tellOnce(await untilAborted(Promise.all(checks.map(resultOf)), signal));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Credentials that expired, or a proxy that is not there, are met by every check that asks AWS. The first that fails
 * tells it, and the others point there, so that a person sees one thing to do.
 */
function tellOnce(results: readonly CheckResult[]): CheckResult[] {
  const failed = results.filter(({ status }) => status === "fail");
  return results.map((result) => {
    const { id, title, status, detail, durationMs } = result;
    const isSame = ({ error }: CheckResult): boolean =>
      error !== undefined &&
      (status === "fail" ? detail === error.message : status === "warn" && detail.includes(error.message));
    const teller = failed.find(isSame);
    if (teller === undefined || teller === result) return result;
    return { id, title, status: "skip", detail: `see ${teller.title}`, durationMs };
  });
}

async function attempt<TContext>(check: Check<TContext>, context: TContext): Promise<Outcome> {
  try {
    return await check.run(context);
  } catch (failure) {
    if (failure instanceof OpenclawError && failure.code !== "interrupted") return fail(failure);
    throw failure;
  }
}

/** Most errors of the network send people to doctor: here they are already, and what is left of the hint is what to do. */
function hintFor<TContext>(hint: string | undefined, check: Check<TContext>): string {
  const advice = hint?.replace(/(: |Run: |^)openclaw doctor$/, ".");
  return advice === undefined || advice === "." ? check.hint : advice;
}

function late<TContext>(check: Check<TContext>, totalMs: number): Outcome {
  return fail(
    new OpenclawError("timeout", {
      message: `The check '${check.title}' was not done within ${totalMs / 1000} s.`,
      hint: check.hint,
    }),
  );
}
