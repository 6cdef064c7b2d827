import { AwsError, validationError } from "./aws-error.ts";
import type { EmulatedModel } from "./models.ts";

/** A model of the endpoint `bedrock-mantle`, and the paths that it answers on. */
export interface MantleModel extends EmulatedModel {
  paths: readonly string[];
}

const CHAT = "chat/completions";
const RESPONSES = "responses";
const MESSAGES = "/anthropic/v1/messages";

/**
 * A cross-section of what `GET /v1/models` lists. Which paths a model answers on is measured: it is in no list
 * (https://github.com/NousResearch/hermes-agent/issues/52316, https://github.com/NousResearch/hermes-agent/pull/65076).
 */
export const MANTLE_MODELS: readonly MantleModel[] = [
  model("anthropic.claude-haiku-4-5", "Claude Haiku 4.5", "Anthropic", [MESSAGES]),
  model("anthropic.claude-opus-4-8", "Claude Opus 4.8", "Anthropic", [MESSAGES]),
  model("anthropic.claude-sonnet-5", "Claude Sonnet 5", "Anthropic", [MESSAGES]),
  model("deepseek.v3.2", "DeepSeek V3.2", "DeepSeek", [`/v1/${CHAT}`]),
  model("google.gemma-3-27b-it", "Gemma 3 27B", "Google", [`/v1/${CHAT}`]),
  model("google.gemma-4-31b", "Gemma 4 31B", "Google", [`/openai/v1/${CHAT}`, `/openai/v1/${RESPONSES}`]),
  model("mistral.mistral-large-3-675b-instruct", "Mistral Large 3", "Mistral AI", [`/v1/${CHAT}`]),
  model("openai.gpt-5.4", "GPT-5.4", "OpenAI", [`/openai/v1/${RESPONSES}`]),
  model("openai.gpt-5.5", "GPT-5.5", "OpenAI", [`/openai/v1/${RESPONSES}`]),
  model("openai.gpt-oss-120b", "gpt-oss-120b", "OpenAI", [`/v1/${CHAT}`, `/v1/${RESPONSES}`]),
  model("openai.gpt-oss-20b", "gpt-oss-20b", "OpenAI", [`/v1/${CHAT}`, `/v1/${RESPONSES}`]),
  model("qwen.qwen3-32b", "Qwen3 32B", "Qwen", [`/v1/${CHAT}`]),
  model("xai.grok-4.3", "Grok 4.3", "xAI", [`/openai/v1/${CHAT}`, `/openai/v1/${RESPONSES}`]),
  model("zai.glm-4.7", "GLM 4.7", "Z.AI", [`/v1/${CHAT}`]),
];

function model(
  modelId: string,
  modelName: string,
  providerName: string,
  paths: readonly string[],
): MantleModel {
  return {
    modelId,
    modelName,
    providerName,
    inputModalities: ["TEXT", "IMAGE"],
    outputModalities: ["TEXT"],
    responseStreamingSupported: true,
    customizationsSupported: [],
    inferenceTypesSupported: ["ON_DEMAND"],
    modelLifecycle: { status: "ACTIVE" },
    canReason: true,
    paths,
  };
}

/** The models as `GET /v1/models` lists them. */
export function listMantleModels(models: readonly MantleModel[]): object {
  return { object: "list", data: models.map(describe) };
}

function describe({ modelId }: MantleModel): object {
  return { id: modelId, object: "model", created: 1_764_547_200, owned_by: "system" };
}

/** The model of a call on a path. Throws `AwsError` for one that is not listed, and for one that answers on others. */
export function mantleModelOn(path: string, models: readonly MantleModel[], id: string): MantleModel {
  const found = models.find(({ modelId }) => modelId === id);
  // Also for an inference profile: Mantle takes bare ids only.
  if (!found) throw new AwsError("ResourceNotFoundException", `The model '${id}' does not exist`);
  if (!found.paths.includes(path)) throw notOnThisRoute(id);
  return found;
}

/** The refusal of a path that a model does not answer on: https://github.com/NousResearch/hermes-agent/issues/52316 */
export function notOnThisRoute(id: string): AwsError {
  return validationError(`model \`${id}\` isn't supported on this route`);
}
