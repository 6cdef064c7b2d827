import type {
  ContentBlock,
  ConverseStreamCommandInput,
  ToolResultContentBlock,
} from "@aws-sdk/client-bedrock-runtime";
import { blocksOf, fileOf } from "../converse/conversation.ts";
import type { Ask } from "../converse/plan-request.ts";
import { recallLessons } from "../discovery/lesson-cache.ts";
import type { Setup } from "../session/session.ts";
import type { WireOptions } from "./bedrock-wire.ts";
import { openWire } from "./open-wire.ts";

type Part = ContentBlock | ToolResultContentBlock;

/** Characters per token where nobody counts: the usual rule of thumb for English. */
export const CHARACTERS_PER_TOKEN = 4;

/** The tokens of all text that a model reads, by its length, and how many files there are beside, which are not in it. */
export function estimateTokens(input: ConverseStreamCommandInput): { tokens: number; files: number } {
  let length = JSON.stringify(input.toolConfig)?.length ?? 0;
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
      length += (text ?? file?.text ?? file?.bytes ?? JSON.stringify(said))?.length ?? 0;
    }
  }
  return { tokens: Math.ceil(length / CHARACTERS_PER_TOKEN), files };
}

/** No image costs more (https://platform.claude.com/docs/en/build-with-claude/vision); of other files nobody knows. */
export const TOKENS_PER_FILE = 1600;

/**
 * The input tokens of a question: as the service counts them, free of charge, or an estimate, and then why. Throws what
 * planning it throws.
 */
export async function countQuestion(
  setup: Setup,
  question: Ask & WireOptions,
): Promise<{ tokens: number; uncounted?: string }> {
  const wire = await openWire(setup, question, question);
  try {
    const plan = await wire.plan(await recallLessons(setup, wire.place));
    const counted = await wire.countTokens(plan);
    if ("tokens" in counted) return counted;
    const { tokens, files } = estimateTokens(plan.input);
    return { tokens: tokens + files * TOKENS_PER_FILE, uncounted: counted.uncounted };
  } finally {
    wire.close();
  }
}
