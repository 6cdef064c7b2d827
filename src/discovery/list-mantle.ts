import { identifier, modelsIn } from "./discover.ts";
import { lookUpUndated, vendorName } from "../models/catalog.ts";
import type { Discovered, FoundationModel } from "../models/discovered.ts";
import { isRecord } from "../json.ts";
import { toOpenclawError } from "../session/aws-errors.ts";
import { ANSWER_MS } from "../session/client-config.ts";
import { readJson } from "../session/read-answer.ts";
import type { AwsSession } from "../session/session.ts";
import { named } from "../wires/aws-line.ts";

/**
 * Asks the endpoint `bedrock-mantle` of the session's region for its models, all of which answer in text: GET /v1/models of
 * https://docs.aws.amazon.com/bedrock/latest/userguide/models-get-info.html. Throws credential and service errors, and
 * `bad-response`.
 */
export async function discoverMantle(session: AwsSession): Promise<Discovered> {
  const { runtime } = session.setup;
  const call = { method: "GET", path: "/v1/models", timeoutMs: ANSWER_MS } as const;
  try {
    const client = await session.rest("bedrock-mantle");
    const { value, metadata } = await client.send(call, readJson, runtime.signal);
    const data = modelsIn(value["data"], { session, service: "bedrock-mantle", metadata });
    const ids = data.map((model) => (isRecord(model) ? identifier(model["id"]) : ""));
    return {
      region: session.region.value,
      endpoint: "bedrock-mantle",
      fetchedAt: runtime.now(),
      models: [...new Set(ids)].filter((id) => id !== "").map(toModel),
      profiles: [],
      warnings: [],
    };
  } catch (failure) {
    const error = failure instanceof Error ? named(failure) : failure;
    throw toOpenclawError(error, { session, action: "bedrock-mantle:ListModels" });
  }
}

/** The list has ids only: what else is known of a model is the catalog's. */
function toModel(id: string): FoundationModel {
  const {
    name = id.slice(id.indexOf(".") + 1),
    provider = vendorName(id),
    input = [],
  } = lookUpUndated(id) ?? {};
  return {
    id,
    arn: "",
    name,
    provider,
    input: ["TEXT", ...(input.includes("image") ? ["IMAGE"] : [])],
    output: ["TEXT"],
    streams: true,
    inferenceTypes: undefined,
    lifecycle: "ACTIVE",
    endpoint: "bedrock-mantle",
  };
}
