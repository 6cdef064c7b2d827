import { readTimeToCome } from "../../command-line/read-time.ts";
import { loadConfig } from "../../config/resolve.ts";
import { openBatchInput } from "../../batch/lines/open-input.ts";
import { CostBoundReached } from "../../batch/run/cost-bound.ts";
import { failedLines, type Tally } from "../../batch/run/line-result.ts";
import { openPlace } from "../../batch/run/open-output.ts";
import type { BatchRunOptions, RunReport } from "../../batch/run/run-batch.ts";
import { collectEarly } from "../../collect-early.ts";
import { requireResultsFile } from "../../disk/output-file.ts";
import { EXIT_CODES, type ErrorCode, OpenclawError } from "../../errors.ts";
import { formatSeconds, formatUsd, tokensInAndOut } from "../../models/usage.ts";
import type { Runtime } from "../../runtime.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { count } from "../../terminal/numbers.ts";

export interface RunOptions extends BatchRunOptions {
  file: string;
  output?: string;
  resume?: boolean;
  retryFailed?: boolean;
  overwrite?: boolean;
  /** A time to come. */
  deadline?: string;
}

/**
 * Asks the lines of a file, many at once and below the quotas, and writes what becomes of each in their order. Throws the
 * error that most of the lines without an answer have, where there are any, and what stops the run.
 */
export async function run(options: RunOptions, runtime: Runtime): Promise<void> {
  collectEarly();
  const { terminal } = runtime;
  const { file, output: name, resume = false, retryFailed = false, overwrite = false, deadline } = options;
  requireResultsFile(name, terminal);
  const deadlineAt =
    deadline === undefined
      ? undefined
      : // The command that goes on may be pasted when it is over.
        readTimeToCome(deadline, "--deadline", runtime.now(), { like: "2h", mayBeOver: resume });
  const config = await loadConfig(options, runtime);
  const input = await openBatchInput(file, runtime);
  try {
    const wishes = { name, resumes: resume, retriesFailed: retryFailed, overwrites: overwrite };
    const place = await openPlace(wishes, input.file, runtime);
    try {
      const isKept = place.file !== undefined;
      const terms = { ...options, deadlineAt };
      const again = isKept ? resumeCommand({ ...terms, retryFailed: true }) : undefined;
      const goOn = (error: unknown, tally: Readonly<Tally>): string =>
        resumeCommand({ ...terms, retryFailed: retryFailed || mayPass(tally) }, error);
      const { runBatch } = await import("../../batch/run/run-batch.ts");
      const report = await runBatch(input, place, terms, {
        runtime,
        config,
        resumeCommand: isKept ? goOn : undefined,
      });
      await tellReport(report, { file: place.file, again }, runtime);
    } finally {
      await place.release();
    }
  } finally {
    await input.close();
  }
}

/** The command that goes on with a run which an error has stopped, or which has ended. */
function resumeCommand(options: RunOptions, error?: unknown): string {
  const { file, output = "", model, lines, format, concurrency, rpm, tpm, maxTokens, deadlineAt } = options;
  // Whenever it is pasted, it is the same moment.
  const deadline = deadlineAt === undefined ? undefined : new Date(deadlineAt).toISOString();
  const maxCost = error instanceof CostBoundReached ? error.enough : options.maxCost;
  const flags = Object.entries({
    model,
    format,
    concurrency,
    rpm,
    tpm,
    "max-tokens": maxTokens,
    "max-cost": maxCost,
    deadline,
    output,
  }).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, quoteForShell(String(value))]));
  return [
    "openclaw batch run",
    quoteForShell(file),
    ...(lines === true ? ["--lines"] : []),
    ...flags,
    ...(options.ignoreBudget === true ? ["--ignore-budget"] : []),
    "--resume",
    ...(options.retryFailed === true ? ["--retry-failed"] : []),
  ].join(" ");
}

/** `again` is the command that asks lines again which have no answer; undefined where no results are kept. */
async function tellReport(
  report: RunReport,
  { file, again }: { file: string | undefined; again: string | undefined },
  { terminal }: Runtime,
): Promise<void> {
  const document = documentOf(report, file);
  const failure = failureOf(report, document, again);
  if (terminal.format === "json" && !failure) await terminal.printJson(document);
  terminal.note(`openclaw: ${summaryOf(report)}`);
  if (failure) throw failure;
}

function documentOf(report: RunReport, file: string | undefined): Record<string, unknown> {
  const { check, tally, before, knowsUse, throttles, askedWhole, seconds } = report;
  const { lines, cut, failed, inputTokens, outputTokens, usd, unpriced } = tally;
  return {
    output: file ?? null,
    lines: check.lines,
    answered: lines - failedLines(tally),
    cut,
    failed,
    before,
    askedAgain: askedWhole,
    throttles,
    usage: knowsUse ? { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens } : null,
    // Ten digits: more would only show the noise of floating point.
    cost: unpriced > 0 || !knowsUse ? null : { usd: Number(usd.toFixed(10)) },
    seconds: Number(seconds.toFixed(3)),
  };
}

function summaryOf({ tally, before, knowsUse, throttles, askedWhole, seconds }: RunReport): string {
  const { lines, cut, inputTokens, outputTokens, usd, unpriced } = tally;
  const failed = failedLines(tally);
  const cost =
    unpriced === 0
      ? `$${formatUsd(usd)}`
      : usd === 0
        ? "price unknown"
        : `$${formatUsd(usd)} and what has no known price`;
  return [
    `${count(lines - failed, "line")} answered`,
    ...(failed > 0 ? [`${failed} failed (${byCode(tally)})`] : []),
    ...(before > 0 ? [`${before} of them before`] : []),
    ...(cut > 0 ? [`${cut} cut at maxTokens`] : []),
    ...(askedWhole > 0 ? [`${count(askedWhole, "line")} asked again with more tokens`] : []),
    ...(throttles > 0 ? [`${count(throttles, "throttle")}`] : []),
    ...(knowsUse ? [tokensInAndOut({ inputTokens, outputTokens }), cost] : []),
    formatSeconds(seconds * 1000),
  ].join(" · ");
}

/** The error that most lines have; undefined where every line has an answer. */
function failureOf(
  { tally }: RunReport,
  document: Record<string, unknown>,
  again: string | undefined,
): OpenclawError | undefined {
  const failed = failedLines(tally);
  const [commonest] = sorted(tally);
  if (!commonest) return undefined;
  const [code] = commonest;
  return new OpenclawError(code, {
    message: `${count(failed, "line")} of ${tally.lines} ${failed === 1 ? "has" : "have"} no answer: ${byCode(tally)}.`,
    hint:
      again !== undefined && mayPass(tally)
        ? `Ask them again: ${again}`
        : "What became of each stands in its line of the output.",
    exitCode: EXIT_CODES[code],
    document,
  });
}

/** Errors of lines that may not be there any more when they are asked again. */
const PASSING: readonly ErrorCode[] = [
  "network",
  "throttled",
  "timeout",
  "service-unavailable",
  "stream-broken",
];

/** Whether some of the lines that failed may be answered when they are asked again. */
function mayPass({ failed }: Readonly<Tally>): boolean {
  return PASSING.some((passing) => passing in failed);
}

function byCode(tally: Tally): string {
  return sorted(tally)
    .map(([code, lines]) => `${lines} ${code}`)
    .join(", ");
}

function sorted({ failed }: Tally): [ErrorCode, number][] {
  return (Object.entries(failed) as [ErrorCode, number][]).toSorted(([, one], [, other]) => other - one);
}
