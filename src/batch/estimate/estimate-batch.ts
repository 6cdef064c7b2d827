import type { LoadedConfig } from "../../config/resolve.ts";
import { findNamed } from "../../discovery/find-named.ts";
import { surveyNamed } from "../../discovery/name-model.ts";
import { quotaOfCall, quotaOfJobs } from "../../discovery/survey-quotas.ts";
import { OpenclawError } from "../../errors.ts";
import { HOUR_MS, ledgerFolder } from "../../ledger/ledger-files.ts";
import { readLedger } from "../../ledger/read-ledger.ts";
import { baseModelId } from "../../models/base-model-id.ts";
import { profileNeeded } from "../../models/callable.ts";
import { knownLimits } from "../../models/catalog.ts";
import { defaultModels } from "../../models/default-models.ts";
import { familyOf, PLAIN_BURNDOWN } from "../../models/families.ts";
import { idOfProfile } from "../../models/listed-id.ts";
import { priceOf } from "../../models/price.ts";
import { isMantle, isOfBedrock } from "../../models/provider-api.ts";
import type { JobQuota } from "../../models/quotas.ts";
import { targetOf } from "../../models/resolve-model.ts";
import { estimateCost } from "../../models/usage.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { openSession } from "../../session/session.ts";
import {
  type InvocationType,
  invocationTypeOf,
  jobLimitsOf,
  refusedAsJob,
  refusedByBatch,
} from "../jobs/line-rules.ts";
import type { BatchLine } from "../lines/batch-line.ts";
import { type BatchCheck, checkBatchInput, type SomeLines, UnknownModels } from "../lines/check-input.ts";
import type { BatchInput } from "../lines/open-input.ts";
import { addLine, type LineTally, NO_LINES, type TallyTerms, USUAL_OUTPUT_TOKENS } from "./line-tally.ts";
import { type ModelEstimate, type Rate, type Road, roadsFor } from "./roads.ts";

export interface EstimateOptions extends GlobalOptions {
  model?: string;
  lines?: boolean;
  /** Of an answer, mostly. */
  outputTokens?: number;
  /** Of an answer whose line names none. */
  maxTokens?: number;
  /** In a minute, of each model. */
  rpm?: number;
  tpm?: number;
}

/** Where it is known from how long answers mostly are. */
export type OutputSource = "flag" | "ledger" | "usual";

export interface ModelReport extends ModelEstimate {
  /** As it is called. */
  id: string;
  outputTokens: number;
  outputSource: OutputSource;
  jobQuota: JobQuota | undefined;
  /** Why its quotas are not known, where they are not. */
  missing?: OpenclawError | undefined;
}

/** Why Bedrock's batch inference would refuse the file, or some of its lines. */
export interface Refusal {
  message: string;
  /** How many lines it is about, and the first of them; undefined for what is about the file. */
  lines?: SomeLines | undefined;
}

export interface BatchEstimate {
  check: BatchCheck;
  models: readonly ModelReport[];
  roads: readonly Road[];
  refusals: readonly Refusal[];
}

type KnownModel = Omit<ModelReport, "tally"> & { terms: TallyTerms };

/**
 * Counts what the lines of a file would cost by each road and how long they would take. Nothing is asked of a model. Throws
 * `no-default-model` and `model-not-found`, and what the check throws.
 */
export async function estimateBatch(
  input: BatchInput,
  options: EstimateOptions,
  { runtime, config }: { runtime: Runtime; config: LoadedConfig },
): Promise<BatchEstimate> {
  const counted = new Map<string, Promise<{ known: KnownModel; tally: LineTally }>>();
  const refused = new Map<string, SomeLines>();
  const unknown = new UnknownModels();
  let type: InvocationType | undefined;
  const judge = async (line: BatchLine): Promise<undefined> => {
    const name = options.model ?? line.model ?? defaultModel(config, runtime);
    const found = counted.get(name);
    const counting = found ?? findModel(name, options, runtime).then((known) => ({ known, tally: NO_LINES }));
    if (!found) counted.set(name, counting);
    const model = await counting.catch((error: unknown) => {
      if (name !== line.model || name === options.model) throw error;
      unknown.add(name, error, { count: 1, first: line.number });
    });
    if (!model) return;
    model.tally = addLine(model.tally, line, model.known.terms);
    type ??= invocationTypeOf(line);
    const why = refusedByBatch(line, { type });
    if (why === undefined) return;
    const before = refused.get(why);
    if (before) before.count += 1;
    else refused.set(why, { count: 1, first: line.number });
  };
  const check = await checkBatchInput(input, { isText: options.lines, signal: runtime.signal, judge });
  unknown.refuse(runtime.terminal);
  const models: ModelReport[] = [];
  for (const counting of counted.values()) {
    const { known, tally } = await counting;
    const { terms: _, ...report } = known;
    models.push({ ...report, tally });
  }
  return { check, models, roads: roadsFor(models), refusals: refusalsOf(check, models, refused) };
}

function defaultModel(config: LoadedConfig, runtime: Runtime): string {
  const [first] = defaultModels(config.value, runtime);
  if (first !== undefined) return first;
  throw new OpenclawError("no-default-model", {
    message: "No model is named, neither by the lines nor by the configuration.",
    hint: "Name one of `openclaw models list`: --model MODEL",
  });
}

function refusalsOf(
  check: BatchCheck,
  models: readonly ModelReport[],
  refused: ReadonlyMap<string, { count: number; first: number }>,
): Refusal[] {
  const refusals: Refusal[] = [];
  for (const { id, hasBatch, jobQuota = {} } of models) {
    if (!hasBatch) refusals.push({ message: `AWS does not list '${id}' for batch inference.` });
    const message = refusedAsJob(check, jobLimitsOf(jobQuota));
    if (models.length === 1 && message !== undefined) refusals.push({ message });
  }
  if (models.length > 1)
    refusals.push({ message: `A batch job has one model, and the lines name ${models.length}.` });
  for (const [message, lines] of refused) refusals.push({ message, lines });
  return refusals;
}

async function findModel(name: string, options: EstimateOptions, runtime: Runtime): Promise<KnownModel> {
  const { survey, wanted } = await surveyNamed(name, options, runtime);
  const { load, setup } = survey;
  const { discovered } = load;
  const named = await findNamed(survey, wanted);
  const profile = discovered && profileNeeded(wanted.id, discovered);
  const id = profile ? idOfProfile(profile) : wanted.id;
  const baseId = named?.baseId ?? baseModelId(id, discovered);
  const family = familyOf(baseId);
  const price = priceOf(wanted, id) ?? (baseId === undefined ? undefined : priceOf(wanted, baseId));
  const isAws = isOfBedrock(wanted) && !isMantle(wanted);
  const { outputTokens, outputSource } = await usualOutput(id, options, runtime);
  const given = { requests: options.rpm, tokens: options.tpm };
  const isGiven = given.requests !== undefined || given.tokens !== undefined;
  let quotas: { rate: Rate; jobQuota: JobQuota | undefined; missing?: OpenclawError } = {
    rate: given,
    jobQuota: undefined,
  };
  if (isAws) {
    const session = await openSession(setup, targetOf(wanted));
    const asked = { id, base: named?.base, discovered };
    try {
      const [call, jobs] = await Promise.all([quotaOfCall(session, asked), quotaOfJobs(session, asked)]);
      const rate = { requests: call.requestsPerMinute?.value, tokens: call.tokensPerMinute?.value };
      quotas = { rate: isGiven ? given : rate, jobQuota: jobs };
    } catch (error) {
      // What they are costs nothing to guess at: the prices are known all the same.
      if (!(error instanceof OpenclawError) || error.code === "interrupted") throw error;
      quotas = { ...quotas, missing: error };
    } finally {
      session.close();
    }
  }
  return {
    id,
    outputTokens,
    outputSource,
    hasFlex: isAws && family.flex !== undefined,
    hasBatch: isAws && (family.batch !== undefined || quotas.jobQuota !== undefined),
    ...quotas,
    terms: {
      outputTokens,
      mostTokens: options.maxTokens ?? knownLimits(wanted, baseId ?? id).maxTokens,
      burndown: (family.burndown ?? PLAIN_BURNDOWN).output,
      usdOf: (usage) => estimateCost(usage, price)?.usd ?? null,
    },
  };
}

/** So many calls tell how long a model's answers are, and so far back, in ms. */
const ENOUGH_CALLS = 10;
const LOOKED_BACK_MS = 30 * 24 * HOUR_MS;

/** How many tokens an answer of a model mostly has: as somebody says, else as those before had. */
async function usualOutput(
  id: string,
  { outputTokens }: EstimateOptions,
  runtime: Runtime,
): Promise<Pick<ModelReport, "outputTokens" | "outputSource">> {
  if (outputTokens !== undefined) return { outputTokens, outputSource: "flag" };
  const since = runtime.now() - LOOKED_BACK_MS;
  const begin = (): { calls: number; tokens: number } => ({ calls: 0, tokens: 0 });
  const { calls, tokens } = await readLedger(ledgerFolder(runtime), since, begin, (sum, entry) => {
    if (entry.model !== id) return;
    sum.calls += entry.calls;
    sum.tokens += entry.outputTokens;
  });
  return calls < ENOUGH_CALLS
    ? { outputTokens: USUAL_OUTPUT_TOKENS, outputSource: "usual" }
    : { outputTokens: Math.max(1, Math.round(tokens / calls)), outputSource: "ledger" };
}
