import type {
  ContentBlock,
  ConverseStreamCommandInput,
  ToolResultContentBlock,
} from "@aws-sdk/client-bedrock-runtime";
import { blocksOf, fileOf } from "../converse/conversation.ts";
import type { Ask } from "../converse/plan-request.ts";
import type { OpenclawError } from "../errors.ts";
import { jsonLength } from "../json.ts";
import { recallLessons } from "../discovery/lesson-cache.ts";
import type { Setup } from "../session/session.ts";
import type { WireOptions } from "./bedrock-wire.ts";
import { openWire } from "./open-wire.ts";

type Part = ContentBlock | ToolResultContentBlock;

/** Characters per token where nobody counts: the usual rule of thumb for English. */
export const CHARACTERS_PER_TOKEN = 4;

/** The tokens of all text that a model reads, by its length, and how many files there are beside, which are not in it. */
export function estimateTokens(input: ConverseStreamCommandInput): { tokens: number; files: number } {
  let length = jsonLength(input.toolConfig);
  let files = 0;
  for (const { text = "" } of input.system ?? []) length += text.length;
  const parts = blocksOf(input).flatMap((block): readonly Part[] => block.toolResult?.content ?? [block]);
  for (const part of parts) {
    const { text, toolUse, reasoningContent, json, ...held }: Partial<ContentBlock> & { json?: unknown } =
      part;
    const file = fileOf(held);
    if (file?.isOpaque || file?.s3Location) files += 1;
    else {
      const said = toolUse ?? reasoningContent?.reasoningText ?? json;
      length += (text ?? file?.text ?? file?.bytes)?.length ?? jsonLength(said);
    }
  }
  return { tokens: Math.ceil(length / CHARACTERS_PER_TOKEN), files };
}

/** No image costs more (https://platform.claude.com/docs/en/build-with-claude/vision); of other files nobody knows. */
const TOKENS_PER_FILE = 1600;

/** The tokens of a request with its files, by its length: about as many, give or take a quarter. At least one. */
export function guessTokens(input: ConverseStreamCommandInput): number {
  const { tokens, files } = estimateTokens(input);
  return Math.max(1, tokens + files * TOKENS_PER_FILE);
}

/** The same of a body in the words of the model's vendor. */
export function guessTokensOfBody(body: unknown): number {
  return Math.max(1, Math.ceil(tokensIn(body)));
}

/** A text without a space that is longer than this is a file in base64, in characters. */
const LONGEST_WORD = 2000;

function tokensIn(value: unknown): number {
  if (typeof value === "string") {
    const isFile = value.length > LONGEST_WORD && !/\s/.test(value.slice(0, LONGEST_WORD));
    return isFile ? TOKENS_PER_FILE : value.length / CHARACTERS_PER_TOKEN;
  }
  if (typeof value !== "object" || value === null) return 0;
  return Object.values(value).reduce((sum: number, inner) => sum + tokensIn(inner), 0);
}

/**
 * The input tokens of a question: as the service counts them, free of charge, or an estimate, and then why. Throws what
 * planning it throws.
 */
export async function countQuestion(
  setup: Setup,
  question: Ask & WireOptions,
): Promise<{ tokens: number; uncounted?: string; failure?: OpenclawError }> {
  const wire = await openWire(setup, question, question);
  try {
    const plan = await wire.plan(await recallLessons(setup, wire.place));
    const counted = await wire.countTokens(plan);
    if ("tokens" in counted) return counted;
    const { tokens, files } = estimateTokens(plan.input);
    return { ...counted, tokens: tokens + files * TOKENS_PER_FILE };
  } finally {
    wire.close();
  }
}
