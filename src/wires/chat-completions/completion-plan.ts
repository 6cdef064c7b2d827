import type { ConverseStreamCommandInput } from "@aws-sdk/client-bedrock-runtime";
import { collectParameters, PARAMETER_ROWS } from "../../config/parameters.ts";
import type { Configuration } from "../../config/settings.ts";
import { chooseGuardrail } from "../../converse/guardrail.ts";
import { mendRequest } from "../../converse/mend-request.ts";
import { type Ask, attach } from "../../converse/plan-request.ts";
import { buildRequest, type ChatParameters, mergeParameters } from "../../converse/request.ts";
import type { RequestPlan, RequestPlans } from "../../converse/wire.ts";
import type { StructuredForm } from "../../converse/structured-output.ts";
import { SERVED } from "../../models/families.ts";
import type { ResolvedModel } from "../../models/resolve-model.ts";
import { adaptRequest, toCompletionRequest } from "./completion-request.ts";

/** The host whose models want `max_completion_tokens`; every other server is told only when it refuses the older name. */
const OPENAI_HOST = /(^|\.)(openai\.com|openai\.azure\.com)$/;

/**
 * Plans the requests for a question to a model behind OpenAI's API, best first: one without a schema, with one a request
 * for each form that the server may take it in. `host` is the server's. Throws `bad-attachment`.
 */
export async function planCompletions(ask: Ask, config: Configuration, host: string): Promise<RequestPlans> {
  const { model, schema } = ask;
  const wanted = mergeParameters(ask.parameters, config, [model.id, model.key]);
  const effort = planEffort(model, wanted.reasoning);
  const attached = await attach(ask, { baseId: undefined, input: model.configured?.input });
  const input = buildRequest({
    modelId: model.id,
    messages: attached.messages,
    system: ask.system,
    parameters: collectParameters((name, { onlyBedrock }) => (onlyBedrock ? undefined : wanted[name])),
    additionalFields: effort.fields,
    tools: ask.tools,
  });
  const notices = [...attached.notices, ...effort.notices, ...leftOut(ask, wanted, config)];
  const { isReasoning } = effort;
  const plan = (draft: ConverseStreamCommandInput, form: StructuredForm | undefined): RequestPlan => {
    const mended = mendRequest(draft, {
      modelId: model.id,
      family: SERVED,
      isReasoning,
      asked: ask.parameters,
      earlier: ask.earlier,
    });
    const { body } = toCompletionRequest(mended.input, model.id);
    const inWordsOfHost = OPENAI_HOST.test(host) ? adaptRequest(body, "max_completion_tokens") : undefined;
    const told = [...notices, ...mended.notices];
    return { ...mended, body: inWordsOfHost ?? body, form, isReasoning, notices: told };
  };
  if (!schema) return [plan(input, undefined)];
  const { completionForms, withStructuredOutput } = await import("../../converse/structured-output.ts");
  const [first, ...others] = completionForms(schema.schema);
  const formed = (form: StructuredForm): RequestPlan =>
    plan(withStructuredOutput(input, form, schema.schema, undefined), form);
  return [formed(first), ...others.map(formed)];
}

/** How the level of reasoning goes out: as OpenAI's `reasoning_effort`, where `none` is off. */
function planEffort(
  { key, configured }: ResolvedModel,
  level: ChatParameters["reasoning"],
): { fields: Record<string, string>; isReasoning: boolean; notices: string[] } {
  const canReason = configured?.reasoning;
  if (level === undefined) return { fields: {}, isReasoning: canReason === true, notices: [] };
  if (canReason === false) {
    const notices =
      level === "off" ? [] : [`'${key}' does not reason by its settings, so no level of reasoning is sent`];
    return { fields: {}, isReasoning: false, notices };
  }
  const effort = level === "off" ? "none" : level;
  return { fields: { reasoning_effort: effort }, isReasoning: level !== "off", notices: [] };
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
