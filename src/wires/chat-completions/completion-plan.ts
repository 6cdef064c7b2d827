import { collectParameters, PARAMETER_ROWS } from "../../config/parameters.ts";
import type { Configuration } from "../../config/settings.ts";
import { chooseGuardrail } from "../../converse/guardrail.ts";
import { familyAsLearnt, type Lessons } from "../../converse/apply-lessons.ts";
import { mendRequest } from "../../converse/mend-request.ts";
import { type Ask, attach, planTopK } from "../../converse/plan-request.ts";
import { planReasoning, type ReasoningPlan } from "../../converse/reasoning.ts";
import { buildRequest, type ChatParameters, mergeParameters } from "../../converse/request.ts";
import type { RequestPlan } from "../../converse/wire.ts";
import type { StructuredForm } from "../../converse/structured-output.ts";
import { type FamilyFacts, SERVED } from "../../models/families.ts";
import type { Lesson } from "../../session/refusal-table.ts";
import { inWordsOfServer, toCompletionRequest } from "./completion-request.ts";

/** The host whose models want `max_completion_tokens`; every other server is told only when it refuses the older name. */
const OPENAI_HOST = /(^|\.)(openai\.com|openai\.azure\.com)$/;
const OPENAI_LENGTH: Lesson = { name: "length-field", value: "max_completion_tokens" };

/**
 * Plans the request for a question to a model behind OpenAI's API, by what was learnt of it. `host` is the server's. Throws
 * `bad-attachment`.
 */
export async function planCompletion(
  ask: Ask,
  config: Configuration,
  host: string,
  lessons: Lessons = [],
): Promise<RequestPlan> {
  const { model, schema } = ask;
  const family = familyAsLearnt(SERVED, lessons);
  const wanted = mergeParameters(ask.parameters, config, [model.id, model.key]);
  const effort = planEffort(ask, family, wanted);
  const topK = planTopK(wanted.topK, family, ask);
  const { isReasoning } = effort;
  const attached = await attach(ask, { baseId: undefined, input: model.configured?.input });
  const input = buildRequest({
    modelId: model.id,
    messages: attached.messages,
    system: ask.system,
    parameters: collectParameters((name, { onlyBedrock }) => (onlyBedrock ? undefined : wanted[name])),
    additionalFields: { ...effort.fields, ...topK.fields },
    tools: ask.tools,
  });
  let draft = input;
  let form: StructuredForm | undefined;
  if (schema) {
    const { completionForm, withStructuredOutput } = await import("../../converse/structured-output.ts");
    form = completionForm(schema.schema, lessons);
    draft = withStructuredOutput(input, form, schema.schema, family);
  }
  const mended = mendRequest(draft, {
    modelId: model.id,
    family,
    isReasoning,
    asked: ask.parameters,
    nameOf: ask.nameOf,
    earlier: ask.earlier,
    lessons,
  });
  const { body } = toCompletionRequest(mended.input, model.id);
  return {
    ...mended,
    body: inWordsOfServer(body, OPENAI_HOST.test(host) ? [OPENAI_LENGTH, ...lessons] : lessons),
    form,
    isReasoning,
    notices: [...attached.notices, ...effort.notices, ...leftOut(ask, wanted, config), ...mended.notices],
  };
}

/** How the level of reasoning goes out: as OpenAI's `reasoning_effort`, where `none` is off. */
function planEffort(
  { model: { key, id, configured }, nameOf }: Pick<Ask, "model" | "nameOf">,
  family: FamilyFacts,
  parameters: ChatParameters,
): Pick<ReasoningPlan, "fields" | "isReasoning" | "notices"> {
  const { reasoning: level } = parameters;
  const canReason = configured?.reasoning;
  if (level === undefined) return { fields: {}, isReasoning: canReason === true, notices: [] };
  if (canReason === false) {
    const notices =
      level === "off" ? [] : [`'${key}' does not reason by its settings, so no level of reasoning is sent`];
    return { fields: {}, isReasoning: false, notices };
  }
  return planReasoning({
    modelId: id,
    family,
    canReason: family.reasoning === undefined ? false : canReason,
    parameters,
    mostTokens: undefined,
    isShown: false,
    nameOf,
  });
}

/** What has no meaning outside of Amazon Bedrock. */
function leftOut(ask: Ask, wanted: ChatParameters, config: Configuration): string[] {
  const names = [
    ...(chooseGuardrail(ask.guardrail, false, config) ? ["the guardrail"] : []),
    ...PARAMETER_ROWS.flatMap(([name, { onlyBedrock }]) =>
      onlyBedrock && wanted[name] !== undefined && wanted[name] !== "off" ? [onlyBedrock] : [],
    ),
    ...(ask.metadata === undefined ? [] : ["the metadata"]),
  ];
  if (names.length === 0) return [];
  return [`'${ask.model.key}' is not a model of Amazon Bedrock, so it goes without ${names.join(", ")}`];
}
