import type { ConverseStreamCommandInput } from "@aws-sdk/client-bedrock-runtime";
import type { ChatParameters } from "../config/parameters.ts";
import type { ResolvedModel } from "../models/resolve-model.ts";
import { type Lessons, withSettings } from "./apply-lessons.ts";
import { type MendedRequest, mendRequest } from "./mend-request.ts";
import type { Recipient } from "./mending/recipient.ts";
import type { JsonSchema, OutputSchema } from "./output-schema.ts";
import type { StructuredForm } from "./structured-output.ts";

/** What was asked, as far as its request is finished by it. */
interface Asked extends Pick<Recipient, "nameOf" | "earlier" | "cites"> {
  model: ResolvedModel;
  parameters: ChatParameters;
  schema?: OutputSchema | undefined;
}

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
  ask: Asked,
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
