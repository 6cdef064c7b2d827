import { isRecord, type JsonObject } from "../json.ts";
import { validationError } from "./aws-error.ts";
import type { ConverseRequest } from "./converse-model.ts";
import { readConverseRequest } from "./converse-request.ts";
import type { EmulatedModel } from "./models.ts";

/**
 * The fields of Nova's own body and of its `inferenceConfig`, by
 * https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html and
 * https://docs.aws.amazon.com/nova/latest/nova2-userguide/request-response-schema.html; others are refused.
 */
const FIELDS = ["schemaVersion", "messages", "system", "inferenceConfig", "toolConfig", "reasoningConfig"];
const INFERENCE = ["maxTokens", "temperature", "topP", "topK", "stopSequences", "reasoningConfig"];
/** What InvokeModel also takes of them, as Nova's first examples had it. */
const OLDER_NAMES: Readonly<Record<string, string>> = {
  max_new_tokens: "maxTokens",
  top_p: "topP",
  top_k: "topK",
};

/**
 * Reads the body that Nova takes from InvokeModel, which is nearly Converse's. Throws `AwsError` ValidationException for
 * what it refuses.
 */
export function readNovaRequest(body: unknown, model: EmulatedModel): ConverseRequest {
  if (!isRecord(body)) throw malformed("");
  refuseUnknown(body, FIELDS, "#");
  const { schemaVersion = "messages-v1", inferenceConfig = {}, reasoningConfig, ...rest } = body;
  if (schemaVersion !== "messages-v1")
    throw malformed(`: #/schemaVersion: ${String(schemaVersion)} is not a valid enum value`);
  if (rest["messages"] === undefined) throw malformed(": #: required key [messages] not found");
  if (!isRecord(inferenceConfig)) throw malformed(": #/inferenceConfig: expected type: JSONObject");
  const named = Object.entries(inferenceConfig).map(([name, value]) => [OLDER_NAMES[name] ?? name, value]);
  const inference = Object.fromEntries(named) as JsonObject;
  refuseUnknown(inference, INFERENCE, "#/inferenceConfig");
  const { topK, reasoningConfig: reasoning = reasoningConfig, ...shared } = inference;
  const additionalModelRequestFields = {
    ...(topK === undefined ? {} : { inferenceConfig: { topK } }),
    ...(reasoning === undefined ? {} : { reasoningConfig: reasoning }),
  };
  return readConverseRequest({ ...rest, inferenceConfig: shared, additionalModelRequestFields }, model);
}

/** Throws for the first field that is not known. */
function refuseUnknown(holder: JsonObject, known: readonly string[], place: string): void {
  const unknown = Object.keys(holder).find((name) => !known.includes(name));
  if (unknown !== undefined) throw malformed(`: ${place}: extraneous key [${unknown}] is not permitted`);
}

/** The refusal of what does not fit the schema of a vendor's body. */
export function malformed(what: string): Error {
  return validationError(`Malformed input request${what}, please reformat your input and try again.`);
}
