import type { ConverseStreamCommandInput } from "@aws-sdk/client-bedrock-runtime";
import { discoverySettings } from "../../config/resolve.ts";
import type { Configuration } from "../../config/settings.ts";
import { type Lessons, mostTokensLearnt } from "../../converse/apply-lessons.ts";
import { type Ask, type KnownAs, planRequest } from "../../converse/plan-request.ts";
import type { RequestPlan } from "../../converse/wire.ts";
import { catalogIds, knownLimits, lookUpCatalog } from "../../models/catalog.ts";
import { familyOf, idBehind, MESSAGES_SERVED } from "../../models/families.ts";
import type { InputKind } from "../../models/list.ts";
import type { BedrockModel } from "../server-wire.ts";
import { withDocumentTexts } from "../document-texts.ts";
import { toMessagesRequest } from "./messages-request.ts";

/**
 * The most tokens of an answer that nobody has named a number for. The API wants one, and Bedrock reserves it from the quota
 * until the answer is there (https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html), so it is not
 * the 128,000 of recent models.
 */
const USUAL_MOST = 32_000;
/** The same where the model reasons, which counts into it. */
const REASONED_MOST = 64_000;

/** The kinds of input that the API has blocks for (https://platform.claude.com/docs/en/api/messages). */
const MESSAGES_KINDS: readonly InputKind[] = ["text", "image", "document"];

/**
 * Plans the request for a question to a model behind Anthropic's Messages API, or to one of Amazon Bedrock that is `called`
 * so, by what was learnt of it. Throws `bad-attachment` and `invalid-request` for what cannot be asked so.
 */
export async function planMessages(
  ask: Ask,
  config: Configuration,
  lessons: Lessons = [],
  called?: BedrockModel,
): Promise<RequestPlan> {
  const { model } = ask;
  const { modelId, baseId } = called ?? { modelId: model.id, baseId: baseBehind(model.id) };
  const knownAs: KnownAs = {
    baseId,
    family: baseId === undefined ? MESSAGES_SERVED : familyOf(baseId),
    kinds: MESSAGES_KINDS,
  };
  const plan = await planRequest(ask, modelId, config, undefined, lessons, knownAs);
  const limit =
    mostTokensLearnt(lessons, knownLimits(model, baseId).maxTokens) ??
    discoverySettings(config).defaultMaxTokens;
  const target = {
    model: modelId,
    maxTokens: Math.min(limit, plan.isReasoning ? REASONED_MOST : USUAL_MOST),
    takesDocumentBlocks: baseId !== undefined,
  };
  const request = toMessagesRequest(await withDocumentTexts(plan.input), target);
  const { body } = request;
  // Whoever sends a request to Bedrock's runtime puts the guardrail into its headers.
  const dropped = request.dropped.filter((name) => name !== "guardrailConfig" || !called);
  const sent = Object.fromEntries(
    Object.entries(plan.input).filter(([name]) => !dropped.some((other) => other === name)),
  ) as ConverseStreamCommandInput;
  const left = dropped.flatMap((name) => NAMES[name] ?? []);
  const notices =
    left.length === 0
      ? []
      : [`'${model.key}' is called by the Messages API, so it goes without ${left.join(", ")}`];
  return {
    ...plan,
    input: { ...sent, inferenceConfig: { ...sent.inferenceConfig, maxTokens: body.max_tokens } },
    body,
    notices: [...plan.notices, ...notices],
  };
}

/** What notices call the fields that are left out. */
const NAMES: Partial<Record<keyof ConverseStreamCommandInput, string>> = {
  guardrailConfig: "the guardrail",
  serviceTier: "the service tier",
  performanceConfig: "the latency mode",
  requestMetadata: "the metadata",
};

/** The foundation model behind a server's name: of models that a name is good for, the one that the catalog has. */
function baseBehind(servedId: string): string | undefined {
  const id = idBehind(servedId);
  if (id === undefined || lookUpCatalog(id)) return id;
  return catalogIds().find((known) => known.startsWith(`${id}-20`)) ?? id;
}
