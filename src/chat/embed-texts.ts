import { findProfile, idOfProfile, listedBase } from "../models/listed-id.ts";
import { nearestIds } from "../models/nearest.ts";
import { loadModels } from "../discovery/load.ts";
import { OpenclawError, withFields } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { baseModelId } from "../models/base-model-id.ts";
import { calledThrough, profileFor } from "../models/callable.ts";
import { embeddersIn, embeddersNamed, embeddingOf } from "../models/embedders.ts";
import { batchesOf, type EmbeddingForm, type EmbeddingOptions } from "../models/embedding-forms.ts";
import { accessCommand } from "../models/gates.ts";
import { priceOf } from "../models/price.ts";
import { isOfBedrock } from "../models/provider-api.ts";
import { namedModel, type ResolvedModel, targetOf } from "../models/resolve-model.ts";
import { BYTES_PER_TOKEN, priceCall, usdAbove } from "../models/usage.ts";
import type { ChatEvents } from "../converse/chat-event.ts";
import type { AttemptGate } from "../session/rest-client.ts";
import type { CallToPace, PaceTerms } from "./pace.ts";
import { type AwsSession, openSession, type Setup } from "../session/session.ts";
import { isOnlyBlanks } from "../only-blanks.ts";
import { anySignal } from "../until-aborted.ts";

export interface Embedded {
  vector: number[];
}

/** Texts of one call; `first` is the number of the first one, from 0. */
interface Batch {
  texts: readonly string[];
  first: number;
}

export interface EmbedderOptions extends EmbeddingOptions {
  /** In USD, for all calls together. */
  maxCost: number | undefined;
  ledger: Ledger;
  signal: AbortSignal;
  /** How calls are kept below the account's quotas; undefined where they are not. */
  pacing?: PaceTerms | undefined;
}

/** So many calls are on their way together. */
const CONCURRENCY = 8;
/** Time for the answer of one call, in ms. */
const ANSWER_MS = 60_000;

/**
 * Embeds texts with one model, a few calls at once. Opened by `openEmbedder`, and closed by its user.
 */
export class Embedder {
  /** What is called: a profile, where the model needs one. */
  id: string;
  inputTokens = 0;
  /** In USD, as far as prices are known. */
  usd = 0;
  /** Calls whose price nobody knows. */
  unpriced = 0;
  /** The length of the vectors, once there is one. */
  dimensions: number | undefined;
  readonly #model: ResolvedModel;
  readonly #form: EmbeddingForm;
  readonly #session: AwsSession;
  readonly #options: EmbedderOptions;
  /** What calls that are on their way may cost at most, in USD. */
  #pending = 0;

  constructor(model: ResolvedModel, form: EmbeddingForm, session: AwsSession, options: EmbedderOptions) {
    this.id = model.id;
    this.#model = model;
    this.#form = form;
    this.#session = session;
    this.#options = options;
  }

  /**
   * Yields the vectors of texts in their order as soon as they are there, and null for a text without anything in it. Throws
   * `input-too-long` for one that the model does not take, `budget-exceeded`, what `texts` throws, and the errors of the
   * error table; what comes before it is yielded.
   */
  async *embed(texts: AsyncIterable<string[]>): AsyncGenerator<Embedded | null, void, undefined> {
    const stop = new AbortController();
    const signal = anySignal(this.#options.signal, stop.signal);
    const batches = this.#batchesOf(texts);
    const running: Promise<(Embedded | null)[]>[] = [];
    let unreadable: { failure: unknown } | undefined;
    const read = (): Promise<Batch | undefined> =>
      batches.next().then(
        ({ value }) => value ?? undefined,
        (failure: unknown) => {
          unreadable = { failure };
          return undefined;
        },
      );
    let next: Promise<Batch | undefined> | undefined = read();
    try {
      for (;;) {
        const [first] = running;
        const wanted = running.length < CONCURRENCY ? next : undefined;
        if (!first && !wanted) break;
        const event = await Promise.race([
          ...(wanted ? [wanted.then((batch) => ({ batch }))] : []),
          ...(first ? [first.then((vectors) => ({ vectors }))] : []),
        ]);
        if ("vectors" in event) {
          void running.shift();
          yield* event.vectors;
        } else if (event.batch === undefined) next = undefined;
        else {
          const work = this.#embedBatch(event.batch, signal);
          // Whoever waits for one before it need not know of this one yet.
          work.catch(() => undefined);
          running.push(work);
          next = read();
        }
      }
      if (unreadable) throw unreadable.failure;
    } finally {
      stop.abort();
    }
  }

  get key(): string {
    return `${this.#model.providerId}/${this.id}`;
  }

  close(): void {
    this.#session.close();
  }

  async *#batchesOf(texts: AsyncIterable<string[]>): AsyncGenerator<Batch, void, undefined> {
    let first = 0;
    for await (const some of texts) {
      for (const batch of batchesOf(some, this.#form)) {
        yield { texts: batch, first };
        first += batch.length;
      }
    }
  }

  async #embedBatch({ texts, first }: Batch, signal: AbortSignal): Promise<(Embedded | null)[]> {
    for (const [index, text] of texts.entries()) this.#checkLength(text, first + index);
    const asked = texts.filter((text) => !isOnlyBlanks(text));
    if (asked.length === 0) return texts.map(() => null);
    const waiting = (await this.#call(asked, signal)).values();
    return texts.map((text) => {
      if (isOnlyBlanks(text)) return null;
      const { value: vector = [] } = waiting.next();
      this.dimensions ??= vector.length;
      return { vector };
    });
  }

  #checkLength(text: string, index: number): void {
    const { mostCharacters = Number.POSITIVE_INFINITY } = this.#form;
    if (text.length <= mostCharacters) return;
    throw new OpenclawError("input-too-long", {
      message: `Text ${index + 1} has ${text.length.toLocaleString("en-US")} characters; '${this.#model.id}' takes ${mostCharacters.toLocaleString("en-US")}.`,
      hint: "Cut it into smaller pieces, one a line: openclaw embed --lines",
      details: { index, characters: text.length, mostCharacters },
    });
  }

  async #call(texts: readonly string[], signal: AbortSignal): Promise<number[][]> {
    const most = this.#admitCost(texts);
    this.#pending += most;
    const { ledger } = this.#options;
    try {
      await ledger.admit();
      const meter = ledger.meter(this.#model, this.#session.decision);
      try {
        const answer: { vectors?: number[][] } = {};
        const ask = (gate?: AttemptGate): ChatEvents => this.#ask(texts, answer, signal, gate);
        const { pacing } = this.#options;
        const events = pacing ? pacing.pace.ask(this.#callToPace(texts), pacing, { signal, ask }) : ask();
        let counts = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };
        for await (const event of events) {
          meter.take(event);
          if (event.type === "usage") counts = event;
        }
        this.inputTokens += counts.inputTokens;
        const cost = priceCall(counts, priceOf(this.#model, this.id));
        if ("unknown" in cost) this.unpriced += 1;
        else this.usd = Number((this.usd + cost.usd).toFixed(10));
        return answer.vectors ?? [];
      } catch (failure) {
        meter.end(failure);
        throw failure;
      }
    } finally {
      this.#pending -= most;
    }
  }

  /** One call, as what it used; the vectors go into `answer`. */
  async *#ask(
    texts: readonly string[],
    answer: { vectors?: number[][] },
    signal: AbortSignal,
    gate: AttemptGate | undefined,
  ): ChatEvents {
    const body = this.#form.body(texts, this.#options);
    const { value, inputTokens = 0, attempts, requestId } = await this.#invoke(body, signal, gate);
    const vectors = this.#form.read(value);
    if (vectors?.length !== texts.length) throw this.#unreadable(requestId);
    answer.vectors = vectors;
    yield { type: "start", model: this.id, region: this.#session.region.value, attempts, requestId };
    yield { type: "usage", inputTokens, outputTokens: 0, totalTokens: inputTokens };
  }

  /** A call puts out nothing that counts. */
  #callToPace(texts: readonly string[]): CallToPace {
    return {
      region: this.#session.region.value,
      modelId: this.id,
      baseId: baseModelId(this.id),
      inputTokens: tokensOf(texts),
      maxTokens: 0,
    };
  }

  /** What a call costs at most, in USD. Throws `budget-exceeded` where that is more than is left of --max-cost. */
  #admitCost(texts: readonly string[]): number {
    const { maxCost } = this.#options;
    if (maxCost === undefined) return 0;
    const tokens = tokensOf(texts);
    const cost = priceCall(
      { inputTokens: tokens, outputTokens: 0, totalTokens: tokens },
      priceOf(this.#model, this.id),
    );
    if ("unknown" in cost)
      throw new OpenclawError("invalid-request", {
        message: `--max-cost cannot be kept: what '${this.id}' costs is not known.`,
        hint: "Leave --max-cost out.",
      });
    const usd = this.usd + this.#pending + cost.usd;
    if (usd <= maxCost) return cost.usd;
    const told = usdAbove(usd, maxCost);
    throw new OpenclawError("budget-exceeded", {
      message: `The next texts may bring the cost to $${told.usd}, and --max-cost is $${told.bound}.`,
      hint: "Allow more with --max-cost, or embed less.",
      details: { usd: this.usd, maxCost },
    });
  }

  async #invoke(
    body: object,
    signal: AbortSignal,
    gate: AttemptGate | undefined,
  ): Promise<{ value: JsonObject; inputTokens: number | undefined; attempts: number; requestId?: string }> {
    const [{ toCall }, { toOpenclawError }, { readJson }] = await Promise.all([
      import("../session/bedrock-operations.ts"),
      import("../session/aws-errors.ts"),
      import("../session/read-answer.ts"),
    ]);
    const askOnce = async (modelId: string) => {
      const client = await this.#session.rest("bedrock-runtime");
      let inputTokens: number | undefined;
      const call = { ...toCall("InvokeModel", { modelId, body }), timeoutMs: ANSWER_MS };
      const { value, attempts, metadata } = await client.send(
        call,
        async (response) => {
          const count = Number(response.headers["x-amzn-bedrock-input-token-count"] ?? Number.NaN);
          inputTokens = Number.isFinite(count) ? count : undefined;
          return readJson(response);
        },
        signal,
        gate,
      );
      const { requestId } = metadata;
      return { value, inputTokens, attempts, ...(requestId === undefined ? {} : { requestId }) };
    };
    const failed = (failure: unknown): OpenclawError => {
      const { reason } = this.#options.signal;
      if (this.#options.signal.aborted && reason instanceof OpenclawError) return reason;
      const error = toOpenclawError(failure, {
        session: this.#session,
        action: "bedrock:InvokeModel",
        modelId: this.id,
      });
      if (error.code !== "model-not-found") return error;
      // Its family is known, so it is there, and a gate is closed.
      const place = { modelId: this.id, region: this.#session.region.value };
      return withFields(error, { hint: `See which gate is closed: ${accessCommand(place)}` });
    };
    const called = this.id;
    try {
      return await askOnce(called);
    } catch (failure) {
      const error = failed(failure);
      if (error.code !== "needs-inference-profile") throw error;
      // Another call may have found it meanwhile.
      if (this.id === called) this.id = await this.#findProfile(error);
    }
    return askOnce(this.id).catch((failure: unknown) => {
      throw failed(failure);
    });
  }

  /** The inference profile of the region for a model that is called through one only. Throws the refusal where there is none. */
  async #findProfile(refusal: OpenclawError): Promise<string> {
    const { setup } = this.#session;
    const { discovered } = await loadModels(setup, { target: targetOf(this.#model) });
    const profile = discovered && profileFor(this.#model.id, discovered);
    if (!profile) throw refusal;
    setup.runtime.terminal.note(`openclaw: ${calledThrough(this.#model.id, profile.id)}`);
    return profile.id;
  }

  #unreadable(requestId: string | undefined): OpenclawError {
    return new OpenclawError("bad-response", {
      message: `The answer of '${this.id}' does not have the vectors that were asked for.`,
      hint: "Try again; with --verbose the requests are shown.",
      requestId,
    });
  }
}

/** Tokens of texts, estimated. */
function tokensOf(texts: readonly string[]): number {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  return Math.max(1, Math.ceil(bytes / BYTES_PER_TOKEN));
}

/**
 * Opens an embedder for a model that a person names: a key, an id, an ARN, an alias, or a part of the id or name of one
 * that AWS lists. Throws `model-not-found`, `invalid-request` for a model that gives no vectors, or not of that length, and
 * the errors of a session.
 */
export async function openEmbedder(text: string, setup: Setup, options: EmbedderOptions): Promise<Embedder> {
  const model = await findEmbedder(text, setup);
  const form = embeddingOf(model.id);
  if (!form || !isOfBedrock(model)) {
    throw new OpenclawError("invalid-request", {
      message: `'${model.id}' is not known to embed texts.`,
      hint: "List those that do: openclaw models list --embeddings",
    });
  }
  const { dimensions, inputType } = options;
  if (dimensions !== undefined && !form.dimensions.includes(dimensions))
    throw new OpenclawError("invalid-request", {
      message: `'${model.id}' has no vectors of ${dimensions} dimensions.`,
      hint: `It has them of ${form.dimensions.join(", ")}: --dimensions ${form.dimensions[0]}`,
    });
  if (inputType !== undefined && !form.takesInputType)
    setup.runtime.terminal.note(`openclaw: ${model.id} embeds every text alike; --input-type is left out`);
  const asked = form.namesDimensions ? options : { ...options, dimensions: undefined };
  return new Embedder(model, form, await openSession(setup, targetOf(model)), asked);
}

async function findEmbedder(text: string, setup: Setup): Promise<ResolvedModel> {
  const { config, runtime } = setup;
  const exact = namedModel(text, config.value);
  if (!isOfBedrock(exact)) return exact;
  if (embeddingOf(exact.id) !== undefined && !exact.id.includes("application-inference-profile"))
    return exact;
  const { discovered, error, hasCredentials } = await loadModels(setup, { target: targetOf(exact) });
  if (!discovered) {
    if (error) throw error;
    if (hasCredentials) return exact;
    const { nothingSigns } = await import("../credentials/no-credentials.ts");
    throw await nothingSigns(setup.decision, runtime);
  }
  const profile = findProfile(exact.id, discovered);
  const base = listedBase(exact.id, discovered);
  if (profile && base) return namedModel(`${exact.providerId}/${idOfProfile(profile)}`, config.value);
  if (base) return exact;
  const ids = embeddersNamed(exact.id, discovered);
  const [only, ...others] = ids;
  if (only === undefined || others.length > 0) {
    const near = nearestIds(
      exact.id,
      embeddersIn(discovered).map(({ id }) => id),
      1,
    )[0];
    throw new OpenclawError("model-not-found", {
      message:
        only === undefined
          ? `There is no model '${text.trim()}' that embeds texts.`
          : `'${text.trim()}' is the name of several models: ${ids.join(", ")}.`,
      hint:
        only === undefined
          ? near === undefined
            ? "List those that do: openclaw models list --embeddings"
            : `Did you mean ${near}?`
          : `Name one of them, for example ${only}`,
      details: { model: text.trim(), nearest: ids },
    });
  }
  runtime.terminal.note(`openclaw: ${text.trim()} is ${only}`);
  return namedModel(`${exact.providerId}/${only}`, config.value);
}
