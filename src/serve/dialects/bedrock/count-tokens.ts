import { isRecord, type JsonObject } from "../../../json.ts";
import { EscapeCount, JsonBoundsError, parseBoundedExactly } from "../../../json-bounds.ts";
import { type Asked, countCall } from "../../answer-call.ts";
import type { AnswerService, RouteRequest } from "../../dialect.ts";
import { type RequestField, requestOf } from "../../request-field.ts";
import { fromClaudeBody, isClaudeBody } from "./claude-body.ts";
import { fromConverseRequest } from "./from-converse-request.ts";
import { fromNovaBody, isNovaBody } from "./nova-body.ts";
import { readBytes } from "./read-shape.ts";

/**
 * Answers CountTokens (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html). Throws
 * `invalid-request`.
 */
export async function countTokens(service: AnswerService, request: RouteRequest): Promise<Response> {
  const asked = await readInput(service, request);
  return countCall(service, request, asked, (inputTokens) => ({ inputTokens }));
}

async function readInput(service: AnswerService, { call, body, id: model }: RouteRequest): Promise<Asked> {
  const input = requestOf(body).at("input");
  const reading = { model, isStreamed: false, readsS3: service.allowsRemoteImages, signal: call.signal };
  const converse = input.at("converse").given;
  if (converse) return fromConverseRequest(converse.object(), reading);
  const field = input.at("invokeModel").at("body");
  const invoked = await readBody(field);
  if (isClaudeBody(invoked)) return fromClaudeBody(invoked, reading);
  if (isNovaBody(invoked)) return fromNovaBody(invoked, reading);
  throw field.refused(`'${field.param}' is neither Claude's nor Nova's, which are those that are counted.`);
}

/** Longer bodies are refused, in bytes: they are parsed in one go. */
const LONGEST_BODY = 8 * 1024 * 1024;

async function readBody(field: RequestField): Promise<JsonObject> {
  const read = Buffer.from(await readBytes(field));
  if (read.length > LONGEST_BODY)
    throw field.refused(
      `'${field.param}' has ${read.length} bytes, and may have ${LONGEST_BODY}: count it by Converse.`,
    );
  try {
    new EscapeCount().take(read);
    const body = parseBoundedExactly(read.toString("utf8"));
    if (isRecord(body)) return body;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const why = error instanceof JsonBoundsError ? `cannot be taken: ${error.message}` : "is no JSON";
    throw field.refused(`'${field.param}' ${why}.`);
  }
  throw field.refused(`'${field.param}' is no JSON object.`);
}
