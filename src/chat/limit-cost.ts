import type { ConverseStreamCommandInput } from "@aws-sdk/client-bedrock-runtime";
import { blocksOf, fileOf } from "../converse/conversation.ts";
import { KIND_WORDS } from "../converse/file-kind.ts";
import type { Invocation } from "../converse/invocation.ts";
import type { RequestPlan, Wire } from "../converse/wire.ts";
import { mergeParameters } from "../converse/request.ts";
import { recallLessons } from "../discovery/lesson-cache.ts";
import { OpenclawError } from "../errors.ts";
import { jsonBytes } from "../json.ts";
import { knownLimits } from "../models/catalog.ts";
import { familyOf } from "../models/families.ts";
import { priceOf } from "../models/price.ts";
import {
  BYTES_PER_TOKEN,
  formatUsd,
  LONG_PROMPT,
  type Price,
  priceCall,
  type TokenUsage,
  usdAbove,
  WEB_SEARCH,
} from "../models/usage.ts";
import { count } from "../terminal/numbers.ts";
import type { Setup } from "../session/session.ts";
import type { Question } from "./ask-model.ts";
import { openWire } from "./open-wire.ts";

/** No image costs more (https://platform.claude.com/docs/en/build-with-claude/vision). */
const TOKENS_PER_IMAGE = 1600;

/** What a turn has cost before, in USD, and the notices about its bound that it has had, by model. */
export interface TurnSoFar {
  spentUsd?: number | undefined;
  told?: Set<string> | undefined;
}

/**
 * The question with as few tokens allowed for its answer as `mostUsd` pays for at list prices, beside the question itself.
 * AWS holds the answer to them. What the turn has cost before is part of it. Throws `budget-exceeded` where the question alone costs more, `invalid-request` where nobody
 * knows a price.
 */
export async function limitCost(
  setup: Setup,
  question: Question,
  mostUsd: number,
  { spentUsd = 0, told = new Set() }: TurnSoFar = {},
): Promise<Question> {
  const { model, parameters } = question;
  const wire = await openWire(setup, question, question);
  try {
    const plan = await wire.plan(await recallLessons(setup, wire.place));
    const called = plan.input.modelId ?? model.id;
    const baseId = wire.baseIdOf(plan) ?? called;
    const price = priceOf(model, called) ?? priceOf(model, baseId);
    const known = { modelId: called, price, mostUsd };
    const limits = knownLimits(model, baseId);
    if (question.invocation) {
      const usd = mostUsdOfBody(question.invocation, { ...known, ...limits }, baseId);
      if (usd > mostUsd - spentUsd) throw tooDear(usd, usd, mostUsd, spentUsd, called);
      return { ...question, asksOnce: true };
    }
    const wanted = mergeParameters(parameters, setup.config.value, [model.id, model.key]);
    const tell = (kind: string, notice: string): void => {
      const key = `${kind} ${model.key}`;
      if (!told.has(key)) setup.runtime.terminal.note(`openclaw: ${notice}`);
      told.add(key);
    };
    if (question.searchesWeb)
      tell("web", `what ${WEB_SEARCH} costs is not known, and --max-cost does not bound it`);
    const counted = await countTokens(wire, plan, limits.contextWindow);
    const [plain, cached] = usagesOfQuestion(plan.input, counted, { ...known, parameters: wanted });
    const usdOf = (usage: TokenUsage): number => priced(usage, price, called, mostUsd);
    const plainUsd = usdOf(plain);
    // Whichever is dearer may become of it: what is too short for the cache is not written to it.
    const inputUsd = Math.max(plainUsd, usdOf(cached));
    const tokenUsd = (usdOf({ ...plain, outputTokens: SAMPLE }) - plainUsd) / SAMPLE;
    const affordable =
      tokenUsd > 0 ? Math.floor((mostUsd - spentUsd - inputUsd) / tokenUsd) : Number.POSITIVE_INFINITY;
    if (inputUsd > mostUsd - spentUsd || affordable < 1)
      throw tooDear(inputUsd, inputUsd + tokenUsd, mostUsd, spentUsd, called);
    const most = Math.min(
      wanted.maxTokens ?? Number.POSITIVE_INFINITY,
      limits.maxTokens ?? Number.POSITIVE_INFINITY,
    );
    // An answer without anything in it would be asked for again, and cost as much once more.
    const once = { ...question, asksOnce: true };
    if (affordable >= most) return once;
    const is = `which is what --max-cost ${mostUsd} pays for`;
    tell("tokens", `the answer may have ${count(affordable, "token")}, ${is}`);
    const boundBy = { is, flag: "--max-cost" };
    return { ...once, parameters: { ...parameters, maxTokens: affordable }, boundBy };
  } finally {
    wire.close();
  }
}

export interface CostTerms {
  /** What calls it, for errors. */
  modelId: string;
  price: Price | undefined;
  /** The bound that is to be kept, in USD. */
  mostUsd: number;
  /** The context window of the model, in tokens; undefined where it is not known. */
  window: number | undefined;
  /** The most tokens of its answer. */
  maxTokens: number;
  parameters: Question["parameters"];
}

/**
 * What a question may cost at most, in USD, as far as that can be told without asking anybody. Throws `invalid-request` where
 * nobody knows a price.
 */
export function mostUsdOf(
  input: Pick<ConverseStreamCommandInput, "messages" | "system" | "toolConfig">,
  terms: CostTerms,
): number {
  const { modelId, price, mostUsd, window, maxTokens } = terms;
  const question = { ...input, modelId };
  const usages = usagesOfQuestion(question, atMost(question, window), terms);
  return Math.max(
    ...usages.map((usage) => priced({ ...usage, outputTokens: maxTokens }, price, modelId, mostUsd)),
  );
}

/** The same of a body in its vendor's words; `maxTokens` is what an answer of the model has at most, where that is known. */
export function mostUsdOfBody(
  invocation: Invocation,
  terms: Pick<CostTerms, "modelId" | "price" | "mostUsd"> & { maxTokens?: number | undefined },
  baseId: string,
): number {
  const { modelId, price, mostUsd, maxTokens } = terms;
  return priced(mostOfBody(invocation, baseId, mostUsd, maxTokens), price, modelId, mostUsd);
}

/**
 * What a body in its vendor's words may come to: nobody here knows how long an answer it asks for, so it is the longest that
 * the model gives. What embeds has none.
 */
function mostOfBody(
  { body }: Invocation,
  baseId: string,
  mostUsd: number,
  maxTokens: number | undefined,
): TokenUsage {
  const inputTokens = Math.ceil(jsonBytes(body) / BYTES_PER_TOKEN);
  const outputTokens = familyOf(baseId).embedding ? 0 : maxTokens;
  if (outputTokens === undefined) throw immeasurable("the answer to a body of its own", baseId, mostUsd);
  return { inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
}

/** So many tokens tell the price of one without what rounding makes of it. */
const SAMPLE = 1_000_000;

/** How long the prompt is kept that is sent; undefined where nothing is. */
function cacheOf(
  input: ConverseStreamCommandInput,
  { cache }: Question["parameters"],
): "5m" | "1h" | undefined {
  const blocks = [...(input.system ?? []), ...blocksOf(input)];
  const points = blocks.flatMap(({ cachePoint }) => cachePoint ?? []);
  if (points.length === 0) return undefined;
  return cache === "1h" || points.some(({ ttl }) => ttl === "1h") ? "1h" : "5m";
}

/**
 * What a question uses without an answer: with none of it in the cache, and with all that is sent there. Throws
 * `invalid-request` for a length that only the model can measure and that has no price.
 */
function usagesOfQuestion(
  input: ConverseStreamCommandInput,
  { tokens, unmeasured }: Length,
  { modelId, price, mostUsd, parameters }: Omit<CostTerms, "window" | "maxTokens">,
): [plain: TokenUsage, cached: TokenUsage] {
  const plain = usageOfQuestion(tokens, undefined, parameters);
  if (unmeasured !== undefined && !isPricedFor(plain, price))
    throw immeasurable(unmeasured, modelId, mostUsd);
  return [plain, usageOfQuestion(tokens, cacheOf(input, parameters), parameters)];
}

function usageOfQuestion(
  inputTokens: number,
  cache: "5m" | "1h" | undefined,
  { serviceTier, latency }: Question["parameters"],
): TokenUsage {
  const isCached = cache !== undefined;
  return {
    inputTokens: isCached ? 0 : inputTokens,
    ...(isCached ? { cacheWriteInputTokens: inputTokens } : {}),
    ...(cache === "1h" ? { cacheWrite1hInputTokens: inputTokens } : {}),
    outputTokens: 0,
    totalTokens: inputTokens,
    serviceTier,
    latency,
  };
}

function priced(usage: TokenUsage, price: Price | undefined, model: string, mostUsd: number): number {
  const found = priceCall(usage, price);
  if (!("unknown" in found)) return found.usd;
  throw new OpenclawError("invalid-request", {
    message: `--max-cost cannot be kept: what '${model}' costs is not known${found.unknown === "" ? "" : ` (${found.unknown})`}.`,
    hint: "Leave --max-cost out, or ask a model whose price `openclaw models list` shows.",
    details: { model, mostUsd },
  });
}

function immeasurable(what: string, model: string, mostUsd: number): OpenclawError {
  return new OpenclawError("invalid-request", {
    message: `--max-cost cannot be kept: ${what} may come to more tokens than '${model}' has a known price for.`,
    hint: "Leave --max-cost out; --usage tells what it has cost.",
    details: { model, mostUsd },
  });
}

/** `leastUsd` is what the question costs with an answer of one token. */
function tooDear(
  inputUsd: number,
  leastUsd: number,
  mostUsd: number,
  spentUsd: number,
  model: string,
): OpenclawError {
  const least = usdAbove(leastUsd, mostUsd);
  const most = `--max-cost is $${least.bound}`;
  const message =
    spentUsd === 0
      ? `The question alone costs about $${least.usd} with '${model}', and ${most}.`
      : `What its tools brought costs about $${formatUsd(inputUsd)} more with '${model}', the turn $${formatUsd(spentUsd)} so far, and ${most}.`;
  return new OpenclawError("budget-exceeded", {
    message,
    hint: "Ask less, ask a cheaper model (openclaw models list --sort price-in), or allow more with --max-cost.",
    details: { inputUsd, leastUsd, mostUsd, ...(spentUsd === 0 ? {} : { spentUsd }) },
  });
}

/** What a question comes to at most, in tokens, and what of it only the model can measure. */
interface Length {
  tokens: number;
  unmeasured?: string | undefined;
}

async function countTokens(wire: Wire, plan: RequestPlan, window: number | undefined): Promise<Length> {
  const counted = await wire.countTokens(plan);
  return "tokens" in counted ? counted : atMost(plan.input, window);
}

/**
 * No fewer tokens than a request has, as far as that can be told without asking anybody. At least one. A video, a recording
 * or a file in Amazon S3 may fill the whole window of the model, in tokens, which is without end where it is not known.
 */
function atMost(input: ConverseStreamCommandInput, window: number = Number.POSITIVE_INFINITY): Length {
  let bytes = jsonBytes(input.toolConfig);
  let images = 0;
  let unmeasured: string | undefined;
  for (const block of input.system ?? []) bytes += jsonBytes(block);
  for (const block of blocksOf(input)) {
    const file = fileOf(block);
    if (!file) bytes += jsonBytes(block);
    else if (file.s3Location) unmeasured = "a file in Amazon S3";
    else if (file.kind === "video" || file.kind === "audio") unmeasured = KIND_WORDS[file.kind].one;
    else if (file.kind === "image") images += 1;
    else bytes += file.bytes?.length ?? Buffer.byteLength(file.text ?? "");
  }
  const tokens = Math.max(1, Math.ceil(bytes / BYTES_PER_TOKEN) + images * TOKENS_PER_IMAGE);
  return unmeasured === undefined ? { tokens } : { tokens: Math.max(tokens, window), unmeasured };
}

function isPricedFor(usage: TokenUsage, price: Price | undefined): boolean {
  const found = priceCall(usage, price);
  return "unknown" in found ? found.unknown !== LONG_PROMPT : Number.isFinite(found.usd);
}
