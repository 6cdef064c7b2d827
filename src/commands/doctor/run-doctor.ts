import { hasTools } from "../../config/configured-tools.ts";
import { discoverySettings } from "../../config/resolve.ts";
import { defaultModels } from "../../models/default-models.ts";
import { hasMantle, isMantle, isOfBedrock, servedProviders } from "../../models/provider-api.ts";
import { resolveModel } from "../../models/resolve-model.ts";
import type { CredentialDecision } from "../../credentials/order.ts";
import { reportCredentials } from "../../credentials/report.ts";
import type { Beginning } from "../../doctor/begin-examination.ts";
import type { Check, CheckResult } from "../../doctor/check.ts";
import { checksOf } from "../../doctor/checks.ts";
import { Examination } from "../../doctor/examination.ts";
import { type DoctorReport, renderReport, toDocument } from "../../doctor/report.ts";
import { runChecks } from "../../doctor/run-checks.ts";
import { asksForCode } from "../../credentials/chosen.ts";
import { OpenclawError, withFields } from "../../errors.ts";
import { withSpinner } from "../../terminal/spinner.ts";
import type { GlobalOptions } from "../../options.ts";

export interface DoctorOptions extends GlobalOptions {
  probe?: boolean;
  /** `s3://BUCKET/PREFIX` of batch jobs. */
  batch?: string;
  /** ARN of the role that they run as. */
  role?: string;
}

/** Time for all checks, in ms. */
const TOTAL_MS = 15_000;
/** Time that the probe adds, in ms. */
const PROBE_MS = 30_000;

/** Goes on with an examination that has begun. Throws as `run` of the command does. */
export async function runDoctor(options: DoctorOptions, beginning: Beginning): Promise<void> {
  const examination = new Examination(beginning);
  const progress: Progress = { checks: [], done: new Map() };
  try {
    const found = await examine(examination, options, progress).catch((error: unknown) => {
      const isStopped = error instanceof OpenclawError && error.code === "interrupted";
      throw isStopped ? withFields(error, { document: documentSoFar(progress, error) }) : error;
    });
    const { terminal } = beginning.runtime;
    const report = { ...found, results: found.results.map((result) => terminal.told(result)) };
    const document = toDocument(report);
    const failed = report.results.find(({ status }) => status === "fail");
    if (terminal.format === "text") {
      await terminal.print(renderReport(report, terminal.columns, await terminal.stdoutStyle()).join("\n"));
    }
    if (failed?.error) throw withFields(failed.error, { hint: failed.hint, document });
    if (terminal.format === "json") await terminal.printJson(document);
  } finally {
    examination.close();
  }
}

interface Progress {
  decision?: CredentialDecision;
  checks: readonly Check<Examination>[];
  done: Map<string, CheckResult>;
}

/** The document of an examination that was stopped; undefined where it had not begun. */
function documentSoFar(
  { decision, checks, done }: Progress,
  { exitCode }: OpenclawError,
): Record<string, unknown> | undefined {
  if (decision === undefined) return undefined;
  const results = checks.map(
    ({ id, title }): CheckResult =>
      done.get(id) ?? { id, title, status: "skip", detail: "was stopped", durationMs: 0 },
  );
  const report = { results, credentials: reportCredentials(decision), region: undefined };
  return { ...toDocument(report), ok: false, exitCode };
}

/** Whether models of AWS are listed beside those that are called by default. */
async function hasAws(examination: Examination): Promise<boolean> {
  const { config } = await examination.setup();
  const { enabled } = discoverySettings(config.value);
  return enabled ?? (await examination.credentials()).source !== "none";
}

async function checksOfBatch({ batch, role }: DoctorOptions): Promise<Check<Examination>[]> {
  if (batch === undefined) return [];
  return (await import("../../batch/jobs/check-jobs.ts")).jobChecks({ s3: batch, role });
}

async function examine(
  examination: Examination,
  options: DoctorOptions,
  progress: Progress,
): Promise<DoctorReport> {
  const { runtime } = examination;
  const others = await checksOfBatch(options);
  progress.decision = (await examination.setup()).decision;
  // The time that a person needs for an MFA code is not that of the checks.
  if (asksForCode(progress.decision)) await examination.identity().catch(toldByCheck);
  const { config } = await examination.setup();
  const hasProviders = servedProviders(config.value).length > 0;
  const asked = defaultModels(config.value, runtime).map((name) => resolveModel(name, config.value));
  const usesMantle = hasMantle(config.value) || asked.some(isMantle);
  const usesAws =
    others.length > 0 || asked.length === 0 || asked.some(isOfBedrock) || (await hasAws(examination));
  progress.checks = checksOf({
    usesAws,
    hasProviders,
    usesMantle,
    tools: hasTools(config.value) ? (await import("../../doctor/check-tools.ts")).toolsCheck : undefined,
    others,
    probe: options.probe ? (await import("../../doctor/check-probe.ts")).probeCheck : undefined,
  });
  if (usesAws) void examination.askAhead();
  const results = await withSpinner(runtime, "Checking", () =>
    runChecks(progress.checks, examination, {
      totalMs: TOTAL_MS + (options.probe ? PROBE_MS : 0),
      signal: runtime.signal,
      elapsed: runtime.elapsed,
      onResult: (result) => progress.done.set(result.id, result),
    }),
  );
  return { results, credentials: await examination.credentials(), region: await regionOf(examination) };
}

/** The check of the identity comes to the same failure, and tells it. */
function toldByCheck(failure: unknown): undefined {
  if (failure instanceof OpenclawError && failure.code !== "interrupted") return undefined;
  throw failure;
}

async function regionOf({ session }: Examination): Promise<DoctorReport["region"]> {
  try {
    return (await session()).region;
  } catch (failure) {
    // The check of the region has told it.
    if (failure instanceof OpenclawError) return undefined;
    throw failure;
  }
}
