import type { Configuration } from "../../config/settings.ts";
import type { Ask } from "../../converse/plan-request.ts";
import { estimateTokens, type Rehearsed } from "../../chat/dry-run.ts";
import type { Environment } from "../../runtime.ts";
import { planCompletions } from "./completion-plan.ts";
import { serverOf } from "./server.ts";

/**
 * The request that a question to a model behind OpenAI's API would make. Nothing is sent: that API counts no tokens, so
 * the text is estimated. Throws `config-invalid` and `bad-attachment`.
 */
export async function rehearseCompletion(
  ask: Ask,
  config: Configuration,
  env: Environment,
): Promise<Rehearsed> {
  const { model } = ask;
  const { url } = serverOf(model.providerId, model.provider, env);
  const [{ body, input, notices }] = await planCompletions(ask, config, url.hostname);
  return {
    modelId: model.id,
    region: null,
    request: withoutData(body),
    tokens: estimateTokens(input),
    maxTokens: input.inferenceConfig?.maxTokens,
    notices,
    estimatedBecause: "OpenAI's API has no counter, so the count is estimated",
  };
}

/** The request in a form that prints: the content of files is replaced by its size. */
function withoutData(value: unknown): unknown {
  if (typeof value === "string") {
    const [, type, base64 = ""] = /^data:([^;,]+);base64,(.*)$/.exec(value) ?? [];
    return type === undefined ? value : `data:${type} (${Buffer.byteLength(base64, "base64")} bytes)`;
  }
  if (Array.isArray(value)) return value.map(withoutData);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutData(item)]));
}
