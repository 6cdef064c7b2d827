import type { ConverseStreamCommandInput } from "@aws-sdk/client-bedrock-runtime";
import type { Ask } from "../converse/plan-request.ts";
import { recallLessons } from "../discovery/lesson-cache.ts";
import { isRecord } from "../json.ts";
import { formatUsd, type Price, priceCall, type TokenUsage, WEB_SEARCH } from "../models/usage.ts";
import type { Setup } from "../session/session.ts";
import { estimateTokens } from "./count-question.ts";
import { count } from "../terminal/numbers.ts";
import { openWire } from "./open-wire.ts";

/** The `--json` document of `chat --dry-run`. */
export interface DryRun {
  model: string;
  /** Null for a model that is not one of Amazon Bedrock. */
  region: string | null;
  /** The body of ConverseStream, or of another API; files are replaced by their sizes. */
  request: unknown;
  inputTokens: number;
  /** Whether AWS counted, or the text was estimated, without attached files that are none: a notice says so. */
  tokensSource: "count-tokens" | "estimate";
  cost: { inputUsd: number; outputUsdAtMost: number | null; source: Price["source"] } | null;
  notices: string[];
}

/**
 * Prints the request that a question would make, its input tokens and what it would cost. CountTokens is the only call,
 * and free; where it cannot count, the text is estimated and a notice says why. Throws `bad-attachment`.
 */
export async function dryRun(
  setup: Setup,
  ask: Ask,
  priceOf: (modelId: string) => Price | undefined,
): Promise<void> {
  const { terminal } = setup.runtime;
  const result = await plan(setup, ask, priceOf);
  const { document, inWords } = result;
  for (const notice of document.notices) terminal.note(`openclaw: ${notice}`);
  if (terminal.format !== "text") return terminal.printJson(document);
  await terminal.printDocument(document.request);
  terminal.note(inWords);
}

async function plan(
  setup: Setup,
  ask: Ask,
  priceOf: (modelId: string) => Price | undefined,
): Promise<{ document: DryRun; inWords: string }> {
  const wire = await openWire(setup, ask, {});
  try {
    const planned = await wire.plan(await recallLessons(setup, wire.place));
    const { input, body, notices } = planned;
    const counted = await wire.countTokens(planned);
    const isCounted = "tokens" in counted;
    const { tokens, files } = isCounted ? { tokens: counted.tokens, files: 0 } : estimateTokens(input);
    const beside = files === 0 ? [] : [files === 1 ? "the attached file" : `${files} attached files`];
    const without = beside.map((what) => `, without ${what}`).join("");
    const model = input.modelId ?? "";
    const price = priceOf(model) ?? priceOf(wire.baseIdOf(planned) ?? model);
    const cost = costOf(tokens, input, price);
    const document: DryRun = {
      model,
      region: wire.region,
      request: withoutData(body),
      inputTokens: tokens,
      tokensSource: isCounted ? "count-tokens" : "estimate",
      cost: "unknown" in cost ? null : cost,
      notices: isCounted ? notices : [...notices, `${counted.uncounted}${without}`],
    };
    const place = wire.region === null ? model : `${model} in ${wire.region}`;
    const length = `${isCounted ? "" : "about "}${count(tokens, "token")} in${without}`;
    return {
      document,
      inWords: `${place} · ${length} · ${describe(cost, [...beside, ...(ask.searchesWeb ? [WEB_SEARCH] : [])])}`,
    };
  } finally {
    wire.close();
  }
}

/** What a question costs that has so many tokens, and its answer at most, each by the prices for all that is asked. */
function costOf(
  tokens: number,
  { inferenceConfig, serviceTier, performanceConfig }: ConverseStreamCommandInput,
  price: Price | undefined,
): NonNullable<DryRun["cost"]> | { unknown: string } {
  const question: TokenUsage = {
    inputTokens: tokens,
    outputTokens: 0,
    totalTokens: Math.max(1, tokens),
    serviceTier: serviceTier?.type,
    latency: performanceConfig?.latency,
  };
  const alone = priceCall(question, price);
  if ("unknown" in alone) return alone;
  const { maxTokens } = inferenceConfig ?? {};
  const whole =
    maxTokens === undefined ? undefined : priceCall({ ...question, outputTokens: maxTokens }, price);
  const outputUsd = whole && "usd" in whole ? Number((whole.usd - alone.usd).toFixed(10)) : null;
  return { inputUsd: alone.usd, outputUsdAtMost: outputUsd, source: alone.source };
}

function describe(cost: ReturnType<typeof costOf>, beside: readonly string[]): string {
  if ("unknown" in cost) return `price unknown${cost.unknown === "" ? "" : ` (${cost.unknown})`}`;
  const answer =
    cost.outputUsdAtMost === null
      ? "the answer"
      : `at most $${formatUsd(cost.outputUsdAtMost)} for the answer`;
  return `$${formatUsd(cost.inputUsd)} (${cost.source} price, estimate) plus ${[...beside, answer].join(" and ")}`;
}

/** The request in a form that prints: the content of files is replaced by its size. */
function withoutData(value: unknown): unknown {
  if (value instanceof Uint8Array) return `(${count(value.length, "byte")})`;
  if (typeof value === "string") return value.replace(DATA_URL, describeDataUrl);
  if (Array.isArray(value)) return value.map(withoutData);
  if (!isRecord(value)) return value;
  const { data } = value;
  const shown = typeof data === "string" && isFile(value) ? { ...value, data: describeBase64(data) } : value;
  return Object.fromEntries(Object.entries(shown).map(([key, item]) => [key, withoutData(item)]));
}

/** Whether an object has a file as base64 under `data`, as Messages have images and pdf, and chat completions sound. */
function isFile({ type, format }: Record<string, unknown>): boolean {
  return type === "base64" || (type === undefined && typeof format === "string");
}

function describeBase64(base64: string): string {
  return `(${count(Buffer.byteLength(base64, "base64"), "byte")})`;
}

const DATA_URL = /^data:([^;,]+);base64,(.*)$/;

function describeDataUrl(_: string, type: string, base64: string): string {
  return `data:${type} ${describeBase64(base64)}`;
}
