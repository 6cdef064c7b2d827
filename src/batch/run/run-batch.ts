import { setMaxListeners } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { PACE_WINDOW_MS, type PaceLimits } from "../../chat/pacer.ts";
import type { LoadedConfig } from "../../config/resolve.ts";
import { OpenclawError } from "../../errors.ts";
import { defaultModels, splitModelNames } from "../../models/default-models.ts";
import { describeTaken } from "../../models/resolve-model.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { Upstream } from "../../serve/upstream.ts";
import { count, formatAge } from "../../terminal/numbers.ts";
import { withSpinner } from "../../terminal/spinner.ts";
import type { Terminal } from "../../terminal/terminal.ts";
import { whenAborted } from "../../until-aborted.ts";
import type { BatchLine } from "../lines/batch-line.ts";
import {
  type BatchCheck,
  checkBatchInput,
  refuseProblems,
  tellCheck,
  type SomeLines,
  UnknownModels,
} from "../lines/check-input.ts";
import type { BatchInput } from "../lines/open-input.ts";
import { OUTPUT_FORMS, type OutputFormat, USUAL_FORMAT } from "../lines/output-forms.ts";
import { batchLines } from "../lines/read-line.ts";
import { type Deadline, DeadlineTier } from "./choose-tier.ts";
import { CostBound } from "./cost-bound.ts";
import type { Tally } from "./line-result.ts";
import type { OpenedOutput, OutputPlace } from "./open-output.ts";
import type { LineSource, RunRecord } from "./run-record.ts";
import type { ResultOutput } from "./ordered-output.ts";
import { FULL, type Patience } from "./patient-write.ts";
import { progressNote, showProgress } from "./progress.ts";
import { LargestLine, refuseTooLarge } from "./refuse-too-large.ts";
import { LineRunner, type RunModel } from "./run-lines.ts";
import { runModel } from "./run-models.ts";

export interface BatchRunOptions extends GlobalOptions {
  /** Of all lines, whatever they name. */
  model?: string;
  /** Whether each line is a text. */
  lines?: boolean;
  format?: OutputFormat;
  /** Lines of one model that are asked at once, at most. */
  concurrency?: number;
  /** Requests and tokens in any minute, of each model. */
  rpm?: number;
  tpm?: number;
  /** Of each answer whose line names none, in tokens. */
  maxTokens?: number;
  /** Of the whole run, those before it was stopped included, in USD. */
  maxCost?: number;
  /** When all lines are to be done, in ms since 1970. */
  deadlineAt?: number | undefined;
  ignoreBudget?: boolean;
}

export interface RunReport {
  check: BatchCheck;
  tally: Readonly<Tally>;
  /** Lines that were done before. */
  before: number;
  /** Whether what those used is in the tally, too. */
  knowsUse: boolean;
  throttles: number;
  /** Answers that were asked for again because they were cut. */
  askedWhole: number;
  seconds: number;
}

/** How long a call may wait below the quota: as long as it takes. In ms. */
const QUEUE_MS = 7 * 24 * 3600 * 1000;
/** How often a full disk is tried again, in ms. */
const FULL_MS = 1000;
/** Lines may name so many models. */
const MOST_MODELS = 100;

/**
 * Checks the lines of a file, asks every one that is not done and puts down what becomes of it. Calls are kept below the
 * quotas. Throws what stops the run, with all that was done kept where it can go on.
 */
export async function runBatch(
  input: BatchInput,
  place: OutputPlace,
  options: BatchRunOptions,
  {
    runtime,
    config,
    resumeCommand,
  }: {
    runtime: Runtime;
    config: LoadedConfig;
    /** What goes on with the run, by why it was stopped and what came of its lines; undefined where nothing is kept. */
    resumeCommand: ((error: unknown, tally: Readonly<Tally>) => string) | undefined;
  },
): Promise<RunReport> {
  const { terminal, elapsed } = runtime;
  const startedAt = elapsed();
  terminal.setMode({ notesOnce: true });
  const { check, names, largest } = await checkLines(input, options, runtime);
  const usual = modelsInTurn(options, check, config, runtime);
  const [named] = usual;
  if (named !== undefined && !names.has(named)) names.set(named, undefined);

  const end = new AbortController();
  // Each call listens.
  setMaxListeners(0, end.signal);
  const inner: Runtime = { ...runtime, signal: end.signal };
  const upstream = new Upstream(
    { ...options, pacing: { waitMs: QUEUE_MS, tokens: options.tpm, requests: options.rpm } },
    inner,
    config,
    new Map(named === undefined ? [] : [[named, usual] as const]),
    "batch",
  );
  // Until lines are asked there is nothing to wait for.
  const stopForwarding = whenAborted(runtime.signal, () => end.abort(runtime.signal.reason));
  let output: ResultOutput | undefined;
  try {
    const models = await modelsOf(names, upstream, config, options, terminal);
    tellModels(models, check, options, runtime);
    const format = options.format ?? USUAL_FORMAT[check.kind];
    const asked: RunRecord = {
      input: check.sha256,
      kind: check.kind,
      format,
      model: named === undefined ? null : usual.join(),
      "--max-tokens": options.maxTokens ?? null,
    };
    let runner: LineRunner | undefined;
    const patience = patienceFor(inner, (pause) => runner?.pauseFor(pause));
    const opened = await place.open(asked, idsOf(input, check, inner.signal), patience);
    ({ output } = opened);
    tellResumed(output, opened.damaged, check, runtime);
    const { tally, before, knowsUse } = output;
    const modelFor = (line: BatchLine): RunModel => {
      const found = models.get((options.model === undefined ? line.model : undefined) ?? named ?? "");
      if (!found) throw new Error(`Line ${line.number} names no model that was looked up.`);
      return found;
    };
    runner = new LineRunner(
      {
        input,
        kind: check.kind,
        form: OUTPUT_FORMS[format],
        output,
        service: upstream,
        modelFor,
        maxTokens: options.maxTokens,
        cost: options.maxCost === undefined ? undefined : new CostBound(options.maxCost, tally.usd),
        deadline: deadlineFor(options, check.lines - before, models, runtime),
      },
      inner,
    );
    const limits = new Map<RunModel, PaceLimits>();
    for (const model of models.values()) limits.set(model, await upstream.limitsOf(model.model));
    await refuseTooLarge(input, { kind: check.kind, signal: inner.signal, terminal }, output, {
      largest,
      limits,
      modelFor,
      tpm: options.tpm,
    });
    await untilBoundsHold(options, opened, check.lines, inner);
    stopForwarding();
    await askLines({ runner, end, output, lines: check.lines, resumeCommand }, runtime);
    output = undefined;
    const { throttles, askedWhole } = runner.state;
    return { check, tally, before, knowsUse, throttles, askedWhole, seconds: (elapsed() - startedAt) / 1000 };
  } finally {
    stopForwarding();
    end.abort(hasEnded());
    await output?.close();
    await upstream.close();
  }
}

/** What was learnt of the lines before the first is asked. */
interface CheckedLines {
  check: BatchCheck;
  names: Map<string, SomeLines | undefined>;
  largest: LargestLine;
}

/** Reads all lines, and tells what they are. Throws for what cannot be asked, as `refuseProblems` does. */
async function checkLines(
  input: BatchInput,
  { model: ofAll, lines: isText, format }: BatchRunOptions,
  runtime: Runtime,
): Promise<CheckedLines> {
  const names = new Map<string, SomeLines | undefined>();
  const largest = new LargestLine();
  const judge = (line: BatchLine): string | undefined => {
    const { model, number } = line;
    largest.take(line);
    if (model !== undefined && ofAll === undefined)
      names.set(model, { first: number, ...names.get(model), count: (names.get(model)?.count ?? 0) + 1 });
    return names.size > MOST_MODELS
      ? `It names one more model than the ${MOST_MODELS} that one run may ask.`
      : undefined;
  };
  const { signal, terminal } = runtime;
  const check = await withSpinner(runtime, "Checking the lines", () =>
    checkBatchInput(input, { isText, format, signal, judge }),
  );
  refuseProblems(check, input, terminal);
  tellCheck(check, input, terminal);
  return { check, names, largest };
}

interface Asking {
  runner: LineRunner;
  /** Ends the calls that are on their way. */
  end: AbortController;
  output: ResultOutput;
  lines: number;
  resumeCommand: ((error: unknown, tally: Readonly<Tally>) => string) | undefined;
}

/** Asks all lines that are left, shows how far it is and finishes the output. Throws what stops the run, and says how to go on. */
async function askLines(
  { runner, end, output, lines, resumeCommand }: Asking,
  runtime: Runtime,
): Promise<void> {
  const { terminal } = runtime;
  const { tally, before } = output;
  let isTold = resumeCommand === undefined;
  const tellHowToGoOn = (error: unknown): void => {
    if (!isTold) terminal.note(`openclaw: go on with: ${resumeCommand?.(error, tally)}`);
    isTold = true;
  };
  const forgetSignal = endOnSignal(runner, end, runtime, tellHowToGoOn);
  const look = () => ({ tally, total: lines, before, state: runner.state });
  const hide = showProgress(look, runtime);
  try {
    await runner.run();
    hide();
    await output.finish();
  } catch (error) {
    hide();
    const state = { ...runner.state, isWaiting: false };
    terminal.noteAnew(`openclaw: ${progressNote({ ...look(), state, rate: undefined })}.`);
    tellHowToGoOn(error);
    throw error;
  } finally {
    forgetSignal();
  }
}

/**
 * What was asked before a stop counts for a minute, too: waits until it does no more, where all lines in one minute would
 * pass `--rpm` or `--tpm`.
 */
async function untilBoundsHold(
  { rpm, tpm }: BatchRunOptions,
  { output, stoppedMs }: OpenedOutput,
  lines: number,
  { terminal, now, signal }: Runtime,
): Promise<void> {
  const { tally, before } = output;
  if (stoppedMs === undefined || before === 0 || before === lines) return;
  const tokens = ((tally.inputTokens + tally.outputTokens) / before) * lines;
  const bound =
    lines > (rpm ?? lines) ? `--rpm ${rpm}` : tokens > (tpm ?? tokens) ? `--tpm ${tpm}` : undefined;
  const leftMs = Math.min(PACE_WINDOW_MS, stoppedMs + PACE_WINDOW_MS - now());
  if (bound === undefined || leftMs <= 0) return;
  terminal.note(
    `openclaw: lines are asked in ${Math.ceil(leftMs / 1000)} s: what was asked just before the stop counts for ${bound}, too`,
  );
  await wait(leftMs, undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** Keeps lines that are left to a deadline, and says in which tier they are asked and why. */
function deadlineFor(
  { deadlineAt, rpm }: BatchRunOptions,
  lines: number,
  models: ReadonlyMap<string, RunModel>,
  { terminal, elapsed, now }: Runtime,
): DeadlineTier | undefined {
  if (deadlineAt === undefined) return undefined;
  if (deadlineAt <= now()) {
    const over = new Date(deadlineAt).toISOString();
    terminal.note(`openclaw: the deadline was over at ${over}, so lines are asked on demand.`);
    return undefined;
  }
  return new DeadlineTier({
    at: elapsed() + deadlineAt - now(),
    elapsed,
    lines,
    hasFlex: [...models.values()].some(({ hasFlex }) => hasFlex),
    mostPerSecond: rpm === undefined ? undefined : rpm / 60,
    onChoice: (choice) => terminal.note(`openclaw: ${tierInWords(choice)}`),
  });
}

function tierInWords({ reason, left, leftMs, flexRate }: Parameters<Deadline["onChoice"]>[0]): string {
  const time = formatAge(leftMs);
  switch (reason) {
    case "late":
      return `the deadline is not met, not even on demand: ${count(left, "line is", "lines are")} left for ${time}.`;
    case "no-flex":
      return "AWS lists no tier flex for the model, so lines are asked on demand.";
    case "behind": {
      const needed = ((left * 1000) / leftMs).toPrecision(2);
      const speed =
        flexRate === undefined
          ? ""
          : ` (${flexRate.toPrecision(2)} lines a second, and ${needed} are needed)`;
      return `flex does not make the deadline in ${time}${speed}: lines are asked on demand.`;
    }
    default:
      return `lines are asked in the tier flex, at half the price, as long as that makes the deadline in ${time}.`;
  }
}

function hasEnded(): OpenclawError {
  return new OpenclawError("interrupted", { message: "The run has ended." });
}

function idsOf(input: BatchInput, { kind }: BatchCheck, signal: AbortSignal): LineSource {
  return async function* () {
    for await (const { recordId } of batchLines(input, kind, signal)) yield recordId;
  };
}

/** The model of all lines, or of those that name none, and those that are asked in its place where it fails. */
function modelsInTurn(
  { model }: BatchRunOptions,
  { unnamed }: BatchCheck,
  config: LoadedConfig,
  runtime: Runtime,
): string[] {
  if (model !== undefined) return splitModelNames(model, runtime);
  if (unnamed === 0) return [];
  const names = defaultModels(config.value, runtime);
  if (names.length > 0) return names;
  throw new OpenclawError("no-default-model", {
    message: `${count(unnamed, "line names", "lines name")} no model, and the configuration has no default model.`,
    hint: "Name one for them: -m MODEL",
  });
}

/** What is known of each model that lines name. Throws `model-not-found` for all that nobody has, before anything is asked. */
async function modelsOf(
  names: ReadonlyMap<string, SomeLines | undefined>,
  upstream: Upstream,
  { value }: LoadedConfig,
  { maxTokens, concurrency, maxCost }: BatchRunOptions,
  terminal: Terminal,
): Promise<Map<string, RunModel>> {
  const unknown = new UnknownModels();
  const models = new Map<string, RunModel>();
  for (const [name, lines] of names) {
    const first = await upstream.firstModel(name).catch((error: unknown) => {
      if (!lines) throw error;
      unknown.add(name, error, lines);
    });
    if (!first) continue;
    const taken = describeTaken(name, first.model, value);
    if (taken !== undefined) terminal.note(`openclaw: ${taken}`);
    models.set(name, runModel(name, first, value, { maxTokens, concurrency, maxCost }));
  }
  unknown.refuse(terminal);
  return models;
}

/** Says how long answers may be to lines that do not say. */
function tellModels(
  models: ReadonlyMap<string, RunModel>,
  { unbounded }: BatchCheck,
  { maxTokens }: BatchRunOptions,
  { terminal }: Runtime,
): void {
  const chosen = [...models.values()].flatMap(({ answerLength }) => answerLength?.usual ?? []);
  if (unbounded === 0 || maxTokens !== undefined || chosen.length === 0) return;
  const [least, most] = [Math.min(...chosen), Math.max(...chosen)];
  const range = least === most ? String(most) : `${least} to ${most}`;
  terminal.note(
    `openclaw: lines without maxTokens get ${range}, later about what answers need; an answer that ends there is asked for again with more. --max-tokens sets one for all.`,
  );
}

function tellResumed(
  { before }: ResultOutput,
  damaged: number,
  { lines }: BatchCheck,
  { terminal }: Runtime,
): void {
  if (before > 0)
    terminal.note(
      `openclaw: ${before} of ${count(lines, "line")} ${before === 1 ? "is" : "are"} done already.`,
    );
  if (damaged > 0)
    terminal.note(
      `openclaw: ${damaged === 1 ? "a record of the journal is" : `${damaged} records of the journal are`} damaged: what was answered there is asked again.`,
    );
}

/** Waits for room on a full disk, and says so once each time. */
function patienceFor({ terminal, signal }: Runtime, pause: (reason: string | undefined) => void): Patience {
  let isWaiting = false;
  return {
    wait: async (code) => {
      const what = FULL[code] ?? code;
      if (!isWaiting)
        terminal.noteAnew(
          `openclaw: ${what}: no more lines are asked until there is room. Nothing is lost so far.`,
        );
      isWaiting = true;
      pause(`${what}, waiting`);
      await wait(FULL_MS, undefined, { signal }).catch(() => undefined);
      signal.throwIfAborted();
    },
    over: () => {
      if (isWaiting) terminal.noteAnew("openclaw: there is room again, so the run goes on.");
      isWaiting = false;
      pause(undefined);
    },
  };
}

/**
 * Ends a run for a signal, at once: what is on its way is given up, and a disk that takes nothing is waited for no longer. A
 * machine that is busy may not come to its end in time, so that is told first which a person needs.
 */
function endOnSignal(
  runner: LineRunner,
  end: AbortController,
  { signal, terminal }: Runtime,
  tellHowToGoOn: (reason: unknown) => void,
): () => void {
  return whenAborted(signal, () => {
    const { running } = runner.state;
    runner.end(signal.reason);
    end.abort(signal.reason);
    if (running > 0)
      terminal.note(
        `openclaw: ${count(running, "answer was", "answers were")} on the way, and ${running === 1 ? "is" : "are"} given up.`,
      );
    tellHowToGoOn(signal.reason);
  });
}
