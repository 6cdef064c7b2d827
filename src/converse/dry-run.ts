import type { ConverseStreamCommandInput, ConverseTokensRequest } from "@aws-sdk/client-bedrock-runtime";
import { type AwsSession, openSession, type Surroundings } from "../aws/session.ts";
import { needsProfile, profileFor, targetOf } from "../discovery/resolve-model.ts";
import { OpenclawError } from "../errors.ts";
import { knownModels } from "./ask-model.ts";
import { baseModelId } from "./base-model-id.ts";
import { type Ask, planRequests } from "./plan-request.ts";
import { formatUsd, type Price } from "./usage.ts";

/** Characters per token where AWS has no counter: the usual rule of thumb for English. */
const CHARACTERS_PER_TOKEN = 4;

/** The `--json` document of `chat --dry-run`. */
export interface Rehearsal {
  model: string;
  region: string;
  /** The body of ConverseStream; files are replaced by their sizes. */
  request: unknown;
  inputTokens: number;
  /** Whether AWS counted, or the text was estimated, without attached files. */
  tokensSource: "count-tokens" | "estimate";
  cost: { inputUsd: number; outputUsdAtMost: number | null; source: Price["source"] } | null;
  notices: string[];
}

/**
 * Prints the request that a question would make, its input tokens and what it would cost. CountTokens is the only call,
 * and free; where it cannot count, the text is estimated and a notice says why. Throws `bad-attachment`.
 */
export async function rehearse(
  surroundings: Surroundings,
  ask: Ask,
  priceOf: (modelId: string) => Price | undefined,
): Promise<void> {
  const { terminal } = surroundings.runtime;
  const session = await openSession(surroundings, targetOf(ask.model));
  try {
    const rehearsal = await plan(session, ask, priceOf);
    for (const notice of rehearsal.notices) terminal.note(`openclaw: ${notice}`);
    if (terminal.format !== "text") return await terminal.printJson(rehearsal);
    await terminal.print(JSON.stringify(rehearsal.request, undefined, 2));
    terminal.note(describe(rehearsal));
  } finally {
    session.close();
  }
}

async function plan(
  session: AwsSession,
  ask: Ask,
  priceOf: (modelId: string) => Price | undefined,
): Promise<Rehearsal> {
  const { config } = session.surroundings;
  const known = await knownModels(session, ask);
  const profile = known && needsProfile(ask.model.id, known) ? profileFor(ask.model.id, known) : undefined;
  const modelId = profile?.id ?? ask.model.id;
  const [{ input, notices }] = await planRequests(ask, modelId, config.value, known);
  const baseId = baseModelId(modelId, known);
  const counted = await count(session, baseId, input);
  const price = priceOf(modelId) ?? (baseId === undefined ? undefined : priceOf(baseId));
  const { modelId: _, ...request } = input;
  return {
    model: modelId,
    region: session.region.value,
    request: withoutBytes(request),
    inputTokens: counted.tokens,
    tokensSource: counted.notice === undefined ? "count-tokens" : "estimate",
    cost: price ? costOf(counted.tokens, input.inferenceConfig?.maxTokens, price) : null,
    notices: [...notices, ...(counted.notice === undefined ? [] : [counted.notice])],
  };
}

async function count(
  session: AwsSession,
  baseId: string | undefined,
  input: ConverseStreamCommandInput,
): Promise<{ tokens: number; notice?: string }> {
  const estimated = { tokens: Math.ceil(textLength(input) / CHARACTERS_PER_TOKEN) };
  if (baseId === undefined)
    return { ...estimated, notice: "AWS counts tokens only for known models, so the count is estimated" };
  const { messages, system, toolConfig, additionalModelRequestFields } = input;
  const request: ConverseTokensRequest = { messages, system, toolConfig, additionalModelRequestFields };
  try {
    const { countTokens } = await import("../aws/count-tokens.ts");
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
  if (!cost) return `${model} in ${region} · ${tokens} · price unknown`;
  const output =
    cost.outputUsdAtMost === null
      ? "the answer"
      : `at most $${formatUsd(cost.outputUsdAtMost)} for the answer`;
  return `${model} in ${region} · ${tokens} · $${formatUsd(cost.inputUsd)} (${cost.source} price, estimate) plus ${output}`;
}

/** The request in a form that prints: the content of files is replaced by its size. */
function withoutBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return `(${value.length} bytes)`;
  if (Array.isArray(value)) return value.map(withoutBytes);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutBytes(item)]));
}

/** The characters of all text that the model reads. */
function textLength({ messages, system, toolConfig }: ConverseStreamCommandInput): number {
  const texts = [...(system ?? []), ...(messages ?? []).flatMap(({ content }) => content ?? [])];
  const length = texts.reduce((sum, block) => sum + (block.text?.length ?? 0), 0);
  return toolConfig === undefined ? length : length + JSON.stringify(toolConfig).length;
}
