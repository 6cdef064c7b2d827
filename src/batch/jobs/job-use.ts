import { Ledger } from "../../ledger/ledger.ts";
import { baseModelId } from "../../models/base-model-id.ts";
import { BATCH_SHARE, priceOf } from "../../models/price.ts";
import { namedModel, type ResolvedModel } from "../../models/resolve-model.ts";
import { type CallCost, estimateCost, type Price, type TokenUsage } from "../../models/usage.ts";
import { countAt, isRecord } from "../../json.ts";
import type { AwsSession } from "../../session/session.ts";
import type { BatchJob } from "./job.ts";
import { isFirstCount } from "./remembered-jobs.ts";
import type { Manifest, ResultRecord } from "./result-records.ts";

/** What the records of a job used and cost, summed up as they come. */
export class JobUse {
  readonly job: BatchJob;
  readonly #model: ResolvedModel;
  readonly #price: Price | undefined;
  /** Answers, and those without a known price. */
  calls = 0;
  unpriced = 0;
  #usd = 0;
  #inputTokens = 0;
  #outputTokens = 0;
  #cacheReadInputTokens = 0;
  #cacheWriteInputTokens = 0;

  constructor(job: BatchJob, { setup }: AwsSession) {
    this.job = job;
    this.#model = namedModel(job.modelId, setup.config.value);
    const baseId = baseModelId(job.modelId) ?? job.modelId;
    this.#price = priceOf(this.#model, job.modelId) ?? priceOf(this.#model, baseId);
  }

  /** What tokens cost in a job; null where nobody knows. */
  readonly costOf = (usage: TokenUsage): CallCost | null => {
    // A job has a price of its own, whatever tier its answers name.
    const cost = estimateCost({ ...usage, serviceTier: undefined, latency: undefined }, this.#price);
    return cost && { ...cost, usd: Number((cost.usd * BATCH_SHARE).toFixed(10)) };
  };

  add({ output }: ResultRecord): void {
    if (output === undefined) return;
    this.calls += 1;
    const counts = isRecord(output["usage"]) ? output["usage"] : {};
    const count = (...names: readonly string[]): number =>
      names.map((name) => countAt(counts, name)).find((number) => number !== undefined) ?? 0;
    // Converse's names, and those of Claude's own answers.
    const inputTokens = count("inputTokens", "input_tokens");
    const outputTokens = count("outputTokens", "output_tokens");
    const cacheReadInputTokens = count("cacheReadInputTokens", "cache_read_input_tokens");
    const cacheWriteInputTokens = count("cacheWriteInputTokens", "cache_creation_input_tokens");
    this.#inputTokens += inputTokens;
    this.#outputTokens += outputTokens;
    this.#cacheReadInputTokens += cacheReadInputTokens;
    this.#cacheWriteInputTokens += cacheWriteInputTokens;
    const totalTokens = inputTokens + outputTokens + cacheReadInputTokens + cacheWriteInputTokens;
    const cost = this.costOf({
      inputTokens,
      outputTokens,
      totalTokens,
      cacheReadInputTokens,
      cacheWriteInputTokens,
    });
    if (cost) this.#usd += cost.usd;
    else this.unpriced += 1;
  }

  /** Takes the job's own sums where its answers, in their models' words, tell none. */
  addManifest(manifest: Manifest | undefined): void {
    const { inputTokens = 0, outputTokens = 0 } = manifest ?? {};
    if (this.#inputTokens + this.#outputTokens > 0 || inputTokens + outputTokens === 0) return;
    [this.#inputTokens, this.#outputTokens] = [inputTokens, outputTokens];
    const cost = this.costOf({
      inputTokens,
      outputTokens,
      totalTokens: inputTokens + outputTokens,
      askings: this.calls,
    });
    if (!cost) return;
    this.#usd = cost.usd;
    this.unpriced = 0;
  }

  get usage(): TokenUsage {
    const [inputTokens, outputTokens] = [this.#inputTokens, this.#outputTokens];
    const [read, written] = [this.#cacheReadInputTokens, this.#cacheWriteInputTokens];
    return {
      inputTokens,
      outputTokens,
      totalTokens: inputTokens + outputTokens + read + written,
      ...(read > 0 ? { cacheReadInputTokens: read } : {}),
      ...(written > 0 ? { cacheWriteInputTokens: written } : {}),
    };
  }

  /** Null where some of it has no known price. */
  get cost(): { usd: number } | null {
    return this.unpriced > 0 ? null : { usd: this.knownUsd };
  }

  /** Of what has a known price. */
  get knownUsd(): number {
    return Number(this.#usd.toFixed(10));
  }
}

/** Writes what a job used into the ledger, once, whoever asks for its results and how often. */
export async function countJob(use: JobUse, { setup, decision, region }: AwsSession): Promise<void> {
  const { runtime, config } = setup;
  const { job, calls, unpriced, usage, knownUsd } = use;
  if (calls === 0 || config.value.usage?.ledger === false) return;
  try {
    if (!runtime.isEmulated && !(await isFirstCount(job.id, runtime))) return;
  } catch (error) {
    runtime.terminal.note(
      `openclaw: what the job used is not written down for \`openclaw usage\`: ${(error as Error).message}`,
    );
    return;
  }
  const ledger = new Ledger(runtime, config.value, { command: "batch" });
  ledger.enterSum(
    {
      model: job.modelId,
      region: region.value,
      calls,
      unpriced,
      inputTokens: usage.inputTokens,
      outputTokens: usage.outputTokens,
      cacheReadInputTokens: usage.cacheReadInputTokens ?? 0,
      cacheWriteInputTokens: usage.cacheWriteInputTokens ?? 0,
      usd: knownUsd,
    },
    decision,
  );
  await ledger.settle();
}
