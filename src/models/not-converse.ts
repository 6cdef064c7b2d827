import { parseArn } from "../aws/arn.ts";

/**
 * Models that give text but that neither Converse nor ConverseStream takes, by model id without its version. From
 * https://docs.aws.amazon.com/bedrock/latest/userguide/models-api-compatibility.html, column "Converse". Image, video and
 * embedding models are not here: their modalities already say so.
 */
const CANNOT_CONVERSE = [
  // Speech models: InvokeModelWithBidirectionalStream only. Nova Sonic, 2 Sonic, 2.5 Sonic and what follows.
  /^amazon\.nova-(?:\d[\d-]*-)?sonic$/,
  // Video in, text out, streamed: InvokeModel only.
  /^twelvelabs\.pegasus-[\d-]+$/,
  /^(?:amazon|cohere)\.rerank(?:-.*)?$/,
  // On the bedrock-mantle endpoint only. Their successors do answer Converse.
  /^anthropic\.claude-mythos-(?:5|preview)$/,
  /^google\.gemma-4-/,
  /^openai\.gpt-5\.[45]$/,
  /^xai\.grok-4\.3$/,
];

/** All of them in one, because every listed model is held against them twice. */
const CANNOT = new RegExp(CANNOT_CONVERSE.map(({ source }) => source).join("|"));

/**
 * Whether Converse takes the model: false for the few that AWS lists without it, true for all others, known or not.
 * Takes a model id, a profile id behind any prefix, or the ARN of either.
 */
export function canConverse(modelId: string): boolean {
  const id = (parseArn(modelId)?.resourceId ?? modelId).replace(/(?:-v\d+)?(?::\d+[a-z]*)*$/, "");
  const behindPrefix = id.slice(id.indexOf(".") + 1);
  return !CANNOT.test(id) && !CANNOT.test(behindPrefix);
}
