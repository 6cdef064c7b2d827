import type { ConverseStreamCommandInput } from "@aws-sdk/client-bedrock-runtime";
import { type Lessons, withSettings } from "./apply-lessons.ts";
import { type MendedRequest, mendRequest } from "./mend-request.ts";
import type { Recipient } from "./mending/recipient.ts";
import type { JsonSchema } from "./output-schema.ts";
import type { Ask } from "./plan-request.ts";
import type { StructuredForm } from "./structured-output.ts";

/** A request that the model takes, as it is known to the planner of a wire. */
export interface FinishedRequest extends MendedRequest {
  form: StructuredForm | undefined;
  isReasoning: boolean;
}

/**
 * Asks for an answer by the schema, where one is wanted, in the form that `formOf` chooses, and mends the request for the
 * model. Throws what `mendRequest` throws.
 */
export async function finishRequest(
  ask: Ask,
  input: ConverseStreamCommandInput,
  facts: Omit<Recipient, "modelId" | "asked" | "nameOf" | "earlier" | "cites"> & { lessons: Lessons },
  formOf: (structured: typeof import("./structured-output.ts"), schema: JsonSchema) => StructuredForm,
): Promise<FinishedRequest> {
  const { model, schema } = ask;
  let draft = input;
  let form: StructuredForm | undefined;
  if (schema) {
    const structured = await import("./structured-output.ts");
    form = formOf(structured, schema.schema);
    draft = structured.withStructuredOutput(input, form, schema, facts.family);
  }
  const mended = await mendRequest(draft, {
    ...facts,
    modelId: model.id,
    asked: ask.parameters,
    nameOf: ask.nameOf,
    earlier: ask.earlier,
    cites: ask.cites,
    lessons: withSettings(facts.lessons, model),
  });
  return { ...mended, form, isReasoning: facts.isReasoning };
}
