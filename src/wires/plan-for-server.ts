import type { ConverseStreamCommandInput } from "@aws-sdk/client-bedrock-runtime";
import { collectParameters, type ParameterName, PARAMETER_ROWS } from "../config/parameters.ts";
import type { Configuration } from "../config/settings.ts";
import { groundedTools } from "../converse/grounding.ts";
import { chooseGuardrail } from "../converse/guardrail.ts";
import { familyAsLearnt, isLearnt, type Lessons } from "../converse/apply-lessons.ts";
import { finishRequest } from "../converse/finish-request.ts";
import { type Ask, attach, inputKinds, planTopK, withOwnFields, within } from "../converse/plan-request.ts";
import { planReasoning, type ReasoningPlan } from "../converse/reasoning.ts";
import { buildRequest, type ChatParameters, mergeParameters } from "../converse/request.ts";
import { unknownType } from "../converse/own-tools.ts";
import type { RequestPlan } from "../converse/wire.ts";
import { lookUpCatalog } from "../models/catalog.ts";
import { isRecord, textAt } from "../json.ts";
import { type FamilyFacts, levelOfBudget, type ReasoningLevel } from "../models/families.ts";
import type { InputKind } from "../models/list.ts";
import { withDocumentTexts } from "./document-texts.ts";
import type { BedrockModel } from "./server-wire.ts";

/** How requests are made in the words of one API of servers. */
export interface ApiForm {
  /** What any server of the API takes. */
  family: FamilyFacts;
  /** The kinds of input that the API has a place for. */
  kinds: readonly InputKind[];
  /** The parameters of Bedrock's own that the API has a field for, too. */
  takes?: readonly ParameterName[];
  /** Whether its models are taken to reason where nobody says whether they do, which gives them more time. */
  reasons?: boolean;
  /** Whether it has a field for the caller's metadata. */
  takesMetadata?: boolean;
  /** The tool of the server's own that searches the web. */
  webSearch?: FamilyFacts["webSearch"];
  /**
   * The body that asks what a Converse request asks, and what of that had to be left out, for the person who asked. Throws
   * `bad-attachment` and `invalid-request` for what cannot be asked so.
   */
  toBody(
    input: ConverseStreamCommandInput,
    facts: { isReasoning: boolean; lessons: Lessons },
  ): { body: object; notices?: readonly string[] };
}

/**
 * Plans the request for a question to a model behind a server, or to one of Amazon Bedrock that is `called` so, by what was
 * learnt of it. Throws what `toBody` throws.
 */
export async function planForServer(
  ask: Ask,
  config: Configuration,
  form: ApiForm,
  lessons: Lessons = [],
  called?: BedrockModel,
): Promise<RequestPlan> {
  const { model } = ask;
  const { modelId, baseId } = called ?? { modelId: model.id, baseId: undefined };
  const guardrail = chooseGuardrail(ask.guardrail, ask.asksForTrace === true, config);
  const family = familyAsLearnt(form.family, lessons);
  const level = levelOfOwn(ask.ownFields);
  const asked = level === undefined ? ask.parameters : { reasoning: level, ...ask.parameters };
  const wanted = mergeParameters(asked, config, [model.id, model.key]);
  const known = called && lookUpCatalog(baseId ?? modelId);
  const canReason = model.configured?.reasoning ?? known?.reasoning ?? form.reasons;
  // A refusal of every level says more than the catalog.
  const takesNone = !family.reasoning && isLearnt(lessons, "takes-no-level", "levels");
  const effort = planEffort(ask, family, wanted, { canReason, takesNone });
  const topK = planTopK(wanted.topK, family, ask);
  const { isReasoning } = effort;
  const grounded = groundedTools(ask, {
    modelId: model.key,
    calledAs: modelId,
    cites: false,
    webSearch: form.webSearch,
  });
  if (ask.ownTools) throw unknownType(ask.ownTools.declared, model.key);
  const kinds = within(form.kinds, called ? inputKinds(model, baseId) : model.configured?.input);
  const attached = await attach(ask, { baseId, input: kinds, readsS3: false });
  const isLeftOut = (name: ParameterName, onlyBedrock: string | undefined): boolean =>
    onlyBedrock !== undefined && form.takes?.includes(name) !== true;
  const input = buildRequest({
    modelId,
    messages: attached.messages,
    system: ask.system,
    parameters: collectParameters((name, { onlyBedrock }) =>
      isLeftOut(name, onlyBedrock) ? undefined : effort.parameters[name],
    ),
    guardrail: called && guardrail,
    additionalFields: withOwnFields({ ...effort.fields, ...topK.fields }, ask.ownFields),
    metadata: form.takesMetadata ? ask.metadata : undefined,
    tools: grounded.tools,
  });
  const finished = await finishRequest(
    ask,
    input,
    { family, isReasoning, reads: { kinds, inS3: false }, lessons },
    ({ completionForm }, schema) => completionForm(schema, lessons),
  );
  const told = await withDocumentTexts(finished.input);
  const { body, notices = [] } = form.toBody(told, { isReasoning, lessons });
  const left = PARAMETER_ROWS.flatMap(([name, { onlyBedrock }]) =>
    isLeftOut(name, onlyBedrock) && wanted[name] !== undefined && wanted[name] !== "off"
      ? [String(onlyBedrock)]
      : [],
  );
  if (guardrail && !called) left.unshift("the guardrail");
  if (ask.metadata !== undefined && !form.takesMetadata) left.push("the metadata");
  const why = called ? "is called by an API that does not have them" : "is not a model of Amazon Bedrock";
  const goesWithout =
    left.length === 0 ? [] : [`'${model.key}' ${why}, so it goes without ${left.join(", ")}`];
  return {
    ...finished,
    body,
    notices: [
      ...grounded.notices,
      ...attached.notices,
      ...effort.notices,
      ...goesWithout,
      ...finished.notices,
      ...notices,
    ],
  };
}

/**
 * How hard to think by the fields that Claude and Nova have for it, for models that have others; undefined where they say
 * an effort, which every API has, or nothing.
 */
function levelOfOwn(own: Ask["ownFields"]): ReasoningLevel | undefined {
  const { thinking, reasoningConfig, output_config: output } = own ?? {};
  if (textAt(output, "effort") !== undefined || textAt(reasoningConfig, "maxReasoningEffort") !== undefined)
    return undefined;
  if (textAt(thinking, "type") === "adaptive") return "high";
  if (textAt(reasoningConfig, "type") === "enabled") return "medium";
  const budget = isRecord(thinking) && textAt(thinking, "type") === "enabled" && thinking["budget_tokens"];
  return typeof budget === "number" ? levelOfBudget(budget) : undefined;
}

/** How the level of reasoning goes out: as OpenAI's `reasoning_effort`, where `none` is off. */
function planEffort(
  { model: { key, id, configured }, nameOf }: Pick<Ask, "model" | "nameOf">,
  family: FamilyFacts,
  parameters: ChatParameters,
  { canReason, takesNone }: { canReason: boolean | undefined; takesNone: boolean },
): ReasoningPlan {
  const { reasoning: level } = parameters;
  if (configured?.reasoning === false) {
    const notices =
      level === undefined || level === "off"
        ? []
        : [`'${key}' does not reason by its settings, so no level of reasoning is sent`];
    return { fields: {}, parameters, isReasoning: false, notices };
  }
  // Families have what they refuse whatever is asked, and servers nothing.
  if (level === undefined && family.reasoning?.refuses === undefined)
    return { fields: {}, parameters, isReasoning: canReason === true, notices: [] };
  return planReasoning({
    modelId: id,
    family,
    // Where nobody knows the levels none is sent, and what is known to reason is not said not to.
    canReason: family.reasoning === undefined ? canReason === true && !takesNone : canReason,
    parameters,
    mostTokens: undefined,
    isShown: false,
    nameOf,
  });
}
