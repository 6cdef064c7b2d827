import type { JsonObject } from "../../../json.ts";
import { fromMessagesRequest, type MessagesAsk } from "../messages/from-messages-request.ts";

/** Whether a body is one of Claude's for InvokeModel, which names a version instead of a model. */
export function isClaudeBody(body: JsonObject): boolean {
  return body["anthropic_version"] !== undefined;
}

/** Of beta features those that change what a model takes, and not how it is asked. */
const KEPT_BETAS = /^context-1m-/;

/**
 * Reads a body of Claude's
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages-request-response.html).
 * Throws `invalid-request`.
 */
export async function fromClaudeBody(
  body: JsonObject,
  { model, isStreamed, signal }: { model: string; isStreamed: boolean; signal: AbortSignal },
): Promise<MessagesAsk> {
  const { anthropic_version: _, anthropic_beta: betas, ...rest } = body;
  const asked = await fromMessagesRequest({ ...rest, model, stream: isStreamed }, undefined, signal);
  const kept = (Array.isArray(betas) ? betas : []).filter(
    (beta): beta is string => typeof beta === "string" && KEPT_BETAS.test(beta),
  );
  if (kept.length === 0) return asked;
  return { ...asked, ask: { ...asked.ask, ownFields: { anthropic_beta: kept } } };
}
