import { isRecord, type JsonObject } from "../../../json.ts";
import { parseInTurns } from "../../../parse-in-turns.ts";
import { type Asked, countCall } from "../../answer-call.ts";
import type { AnswerService, RouteRequest } from "../../dialect.ts";
import { type RequestField, requestOf } from "../../request-field.ts";
import { fromClaudeBody, isClaudeBody } from "./claude-body.ts";
import { fromConverseRequest } from "./from-converse-request.ts";
import { fromNovaBody, isNovaBody } from "./nova-body.ts";
import { readBytes, readJson } from "./read-shape.ts";

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

async function readBody(field: RequestField): Promise<JsonObject> {
  const { buffer, byteOffset, length } = await readBytes(field);
  const body = await readJson(field, () => parseInTurns(Buffer.from(buffer, byteOffset, length), true));
  if (isRecord(body)) return body;
  throw field.refused(`'${field.param}' is no JSON object.`);
}
