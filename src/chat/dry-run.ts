import type { ConverseStreamCommandInput } from "@aws-sdk/client-bedrock-runtime";
import { blocksOf } from "../converse/conversation.ts";
import type { Ask } from "../converse/plan-request.ts";
import { recallLessons } from "../discovery/lesson-cache.ts";
import { isRecord } from "../json.ts";
import { formatUsd, type Price } from "../models/usage.ts";
import type { Setup } from "../session/session.ts";
import { openWire } from "./open-wire.ts";

/** Characters per token where AWS has no counter: the usual rule of thumb for English. */
const CHARACTERS_PER_TOKEN = 4;

/** The `--json` document of `chat --dry-run`. */
export interface DryRun {
  model: string;
  /** Null for a model that is not one of Amazon Bedrock. */
  region: string | null;
  /** The body of ConverseStream, or of another API; files are replaced by their sizes. */
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
export async function dryRun(
  setup: Setup,
  ask: Ask,
  priceOf: (modelId: string) => Price | undefined,
): Promise<void> {
  const { terminal } = setup.runtime;
  const result = await plan(setup, ask, priceOf);
  for (const notice of result.notices) terminal.note(`openclaw: ${notice}`);
  if (terminal.format !== "text") return terminal.printJson(result);
  await terminal.printDocument(result.request);
  terminal.note(describe(result));
}

async function plan(
  setup: Setup,
  ask: Ask,
  priceOf: (modelId: string) => Price | undefined,
): Promise<DryRun> {
  const wire = await openWire(setup, ask, {});
  try {
    const planned = await wire.plan(await recallLessons(setup, wire.place));
    const { input, body, notices } = planned;
    const counted = await wire.countTokens(planned);
    const tokens = "tokens" in counted ? counted.tokens : estimateTokens(input);
    const model = input.modelId ?? "";
    const price = priceOf(model) ?? priceOf(wire.baseIdOf(planned) ?? model);
    return {
      model,
      region: wire.region,
      request: withoutData(body),
      inputTokens: tokens,
      tokensSource: "tokens" in counted ? "count-tokens" : "estimate",
      cost: price ? costOf(tokens, input.inferenceConfig?.maxTokens, price) : null,
      notices: "tokens" in counted ? notices : [...notices, counted.uncounted],
    };
  } finally {
    wire.close();
  }
}

function costOf(inputTokens: number, maxTokens: number | undefined, { cost, source }: Price): DryRun["cost"] {
  const usd = (tokens: number, price: number): number => Number(((tokens * price) / 1_000_000).toFixed(10));
  return {
    inputUsd: usd(inputTokens, cost.input),
    outputUsdAtMost: maxTokens === undefined ? null : usd(maxTokens, cost.output),
    source,
  };
}

function describe({ model, region, inputTokens, tokensSource, cost }: DryRun): string {
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
function withoutData(value: unknown): unknown {
  if (value instanceof Uint8Array) return `(${value.length} bytes)`;
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
  return `(${Buffer.byteLength(base64, "base64")} bytes)`;
}

const DATA_URL = /^data:([^;,]+);base64,(.*)$/;

function describeDataUrl(_: string, type: string, base64: string): string {
  return `data:${type} ${describeBase64(base64)}`;
}

/** The tokens of all text that the model reads, by its length. */
function estimateTokens(input: ConverseStreamCommandInput): number {
  const blocks = [...(input.system ?? []), ...blocksOf(input)];
  const texts = [...blocks.map(({ text = "" }) => text), JSON.stringify(input.toolConfig) ?? ""];
  return Math.ceil(texts.join("").length / CHARACTERS_PER_TOKEN);
}
