import type { ConverseStreamCommandInput, ConverseTokensRequest } from "@aws-sdk/client-bedrock-runtime";
import { type AwsSession, openSession, type Setup } from "../session/session.ts";
import { speaksOpenai } from "../models/provider-api.ts";
import { needsProfile, profileFor, targetOf } from "../models/resolve-model.ts";
import { OpenclawError } from "../errors.ts";
import { knownModels } from "./ask-model.ts";
import { baseModelId } from "../models/base-model-id.ts";
import { type Ask, planRequests } from "../converse/plan-request.ts";
import { formatUsd, type Price } from "../models/usage.ts";

/** Characters per token where AWS has no counter: the usual rule of thumb for English. */
const CHARACTERS_PER_TOKEN = 4;

/** The `--json` document of `chat --dry-run`. */
export interface Rehearsal {
  model: string;
  /** Null for a model that is not one of Amazon Bedrock. */
  region: string | null;
  /** The body of ConverseStream, or of chat completions; files are replaced by their sizes. */
  request: unknown;
  inputTokens: number;
  /** Whether AWS counted, or the text was estimated, without attached files. */
  tokensSource: "count-tokens" | "estimate";
  cost: { inputUsd: number; outputUsdAtMost: number | null; source: Price["source"] } | null;
  notices: string[];
}

/** A request that was planned and not sent. */
export interface Rehearsed {
  modelId: string;
  region: string | null;
  /** As it prints. */
  request: unknown;
  tokens: number;
  /** Why the tokens are estimated; undefined where AWS counted them. */
  estimatedBecause: string | undefined;
  /** The most tokens of the answer. */
  maxTokens: number | undefined;
  notices: string[];
  /** The foundation model behind the id, where its price may stand. */
  baseId?: string | undefined;
}

/**
 * Prints the request that a question would make, its input tokens and what it would cost. CountTokens is the only call,
 * and free; where it cannot count, the text is estimated and a notice says why. Throws `bad-attachment`.
 */
export async function rehearse(
  setup: Setup,
  ask: Ask,
  priceOf: (modelId: string) => Price | undefined,
): Promise<void> {
  const { terminal } = setup.runtime;
  const rehearsal = toRehearsal(await planFor(setup, ask), priceOf);
  for (const notice of rehearsal.notices) terminal.note(`openclaw: ${notice}`);
  if (terminal.format !== "text") return terminal.printJson(rehearsal);
  await terminal.print(JSON.stringify(rehearsal.request, undefined, 2));
  terminal.note(describe(rehearsal));
}

async function planFor(setup: Setup, ask: Ask): Promise<Rehearsed> {
  if (speaksOpenai(ask.model)) {
    const { rehearseCompletion } = await import("../wires/chat-completions/rehearse-completion.ts");
    return rehearseCompletion(ask, setup.config.value, setup.runtime.env);
  }
  const session = await openSession(setup, targetOf(ask.model));
  try {
    return await plan(session, ask);
  } finally {
    session.close();
  }
}

async function plan(session: AwsSession, ask: Ask): Promise<Rehearsed> {
  const { config } = session.setup;
  const known = await knownModels(session, ask);
  const profile = known && needsProfile(ask.model.id, known) ? profileFor(ask.model.id, known) : undefined;
  const modelId = profile?.id ?? ask.model.id;
  const [{ input, notices }] = await planRequests(ask, modelId, config.value, known);
  const baseId = baseModelId(modelId, known);
  const counted = await count(session, baseId, input);
  const { modelId: _, ...request } = input;
  return {
    modelId,
    baseId,
    region: session.region.value,
    request: withoutBytes(request),
    tokens: counted.tokens,
    estimatedBecause: counted.notice,
    maxTokens: input.inferenceConfig?.maxTokens,
    notices,
  };
}

function toRehearsal(
  { modelId, baseId, region, request, tokens, estimatedBecause, maxTokens, notices }: Rehearsed,
  priceOf: (modelId: string) => Price | undefined,
): Rehearsal {
  const price = priceOf(modelId) ?? (baseId === undefined ? undefined : priceOf(baseId));
  return {
    model: modelId,
    region,
    request,
    inputTokens: tokens,
    tokensSource: estimatedBecause === undefined ? "count-tokens" : "estimate",
    cost: price ? costOf(tokens, maxTokens, price) : null,
    notices: [...notices, ...(estimatedBecause === undefined ? [] : [estimatedBecause])],
  };
}

async function count(
  session: AwsSession,
  baseId: string | undefined,
  input: ConverseStreamCommandInput,
): Promise<{ tokens: number; notice?: string }> {
  const estimated = { tokens: estimateTokens(input) };
  if (baseId === undefined)
    return { ...estimated, notice: "AWS counts tokens only for known models, so the count is estimated" };
  const { messages, system, toolConfig, additionalModelRequestFields } = input;
  const request: ConverseTokensRequest = { messages, system, toolConfig, additionalModelRequestFields };
  try {
    const { countTokens } = await import("../session/count-tokens.ts");
    const tokens = await countTokens(session, baseId, request);
    if (tokens !== undefined) return { tokens };
    return { ...estimated, notice: "AWS gave no count, so it is estimated" };
  } catch (error) {
    if (!(error instanceof OpenclawError) || error.code === "interrupted" || error.code === "usage")
      throw error;
    const why = String(error.details?.["awsMessage"] ?? error.message).replace(/\.$/, "");
    return { ...estimated, notice: `AWS did not count the tokens (${why}), so the count is estimated` };
  }
}

function costOf(
  inputTokens: number,
  maxTokens: number | undefined,
  { cost, source }: Price,
): Rehearsal["cost"] {
  const usd = (tokens: number, price: number): number => Number(((tokens * price) / 1_000_000).toFixed(10));
  return {
    inputUsd: usd(inputTokens, cost.input),
    outputUsdAtMost: maxTokens === undefined ? null : usd(maxTokens, cost.output),
    source,
  };
}

function describe({ model, region, inputTokens, tokensSource, cost }: Rehearsal): string {
  const tokens = `${tokensSource === "estimate" ? "about " : ""}${inputTokens} tokens in`;
  const place = region === null ? model : `${model} in ${region}`;
  if (!cost) return `${place} · ${tokens} · price unknown`;
  const output =
    cost.outputUsdAtMost === null
      ? "the answer"
      : `at most $${formatUsd(cost.outputUsdAtMost)} for the answer`;
  return `${place} · ${tokens} · $${formatUsd(cost.inputUsd)} (${cost.source} price, estimate) plus ${output}`;
}

/** The request in a form that prints: the content of files is replaced by its size. */
function withoutBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return `(${value.length} bytes)`;
  if (Array.isArray(value)) return value.map(withoutBytes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutBytes(item)]));
}

/** The tokens of a request's text, by its length. */
export function estimateTokens(input: ConverseStreamCommandInput): number {
  return Math.ceil(textLength(input) / CHARACTERS_PER_TOKEN);
}

/** The characters of all text that the model reads. */
function textLength({ messages, system, toolConfig }: ConverseStreamCommandInput): number {
  const texts = [...(system ?? []), ...(messages ?? []).flatMap(({ content }) => content ?? [])];
  const length = texts.reduce((sum, block) => sum + (block.text?.length ?? 0), 0);
  return toolConfig === undefined ? length : length + JSON.stringify(toolConfig).length;
}
