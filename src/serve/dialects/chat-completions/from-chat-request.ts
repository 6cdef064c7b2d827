import {
  type ChatParameters,
  collectParameters,
  flagName,
  type Parameter,
  PARAMETER_ROWS,
  type ParameterNames,
  PARAMETERS,
} from "../../../config/parameters.ts";
import type { JsonObject } from "../../../json.ts";
import { JsonScan, MOST_ARGUMENTS } from "../../../json-bounds.ts";
import type { Asked } from "../../answer-call.ts";
import { readAnswerFormat } from "../../content/answer-schema.ts";
import { withCachePoint } from "../../content/cache-mark.ts";
import { readGuardrail } from "../../content/own-guardrail.ts";
import { readMetadata } from "../../content/read-metadata.ts";
import { readThinkingBeside } from "../../content/read-thinking.ts";
import { readTopK } from "../../content/read-top-k.ts";
import { judgeFields, UnknownPlaces } from "../../field-rules.ts";
import { refused, type RequestField, readModelName, requestOf, sentFieldOf } from "../../request-field.ts";
import { readMessages } from "./read-messages.ts";
import { customNames, judgeTools, readTools } from "./read-tools.ts";
import { FIELD_RULES, STREAM_RULES } from "./request-fields.ts";

/** A chat completions request in this program's terms. */
export interface CompletionAsk extends Asked {
  /** Whether the stream ends with a chunk of usage. */
  includesUsage: boolean;
  /** The tools whose calls are told as texts. */
  custom: ReadonlySet<string>;
}

/**
 * Reads a chat completions request. `remoteImages` are those that were fetched for it; undefined where none may be.
 * Throws `invalid-request`, with the field at fault as `param` in the details.
 */
export async function fromChatRequest(
  body: unknown,
  remoteImages: ReadonlyMap<string, Uint8Array> | undefined,
  signal?: AbortSignal,
): Promise<CompletionAsk> {
  const request = requestOf(body);
  const unknown = new UnknownPlaces();
  judgeAll(request, unknown);
  const model = readModelName(request.at("model"));
  const context = { remoteImages, documents: 0, argumentsScan: new JsonScan(MOST_ARGUMENTS), unknown };
  const { system, messages, notices } = await readMessages(request.at("messages"), context);
  const tools = readTools(request.at("tools"), request.at("tool_choice"));
  const metadata = readMetadata(request.at("metadata").given);
  const thinking = readThinkingBeside(request.at("thinking").given);
  const effort = readParameter(request, PARAMETERS.reasoning) as ChatParameters["reasoning"];
  const reasoning = thinking.type === "disabled" ? "off" : (effort ?? thinking.level);
  const streaming = request.at("stream_options").given;
  const guardrail = request.at("guardrailConfig").given;
  const format = request.at("response_format").given;
  return {
    model,
    ask: {
      messages: withCachePoint(messages, request.at("cache_control")),
      system,
      parameters: { ...readParameters(request), ...(reasoning === undefined ? {} : { reasoning }) },
      mostReasoning: thinking.budget,
      guardrail: guardrail && readGuardrail(guardrail),
      nameOf: fieldNames(request.object()),
      tools,
      metadata: metadata.metadata,
      schema: format && (await readAnswerFormat(format, (at) => at.at("json_schema"), signal)),
      showsReasoning: reasoning !== undefined && reasoning !== "off",
    },
    isStreamed: request.at("stream").given?.flag() ?? false,
    custom: customNames(request.at("tools")),
    includesUsage: streaming?.at("include_usage").given?.flag() ?? false,
    mayCallInParallel: request.at("parallel_tool_calls").given?.flag() ?? true,
    notices: [...notices, ...metadata.notices],
    unknown: unknown.places,
  };
}

/** All fields but those of messages, which are judged as they are read. */
function judgeAll(request: RequestField, unknown: UnknownPlaces): void {
  judgeFields(request, FIELD_RULES, unknown);
  const streaming = request.at("stream_options").given;
  if (streaming) judgeFields(streaming, STREAM_RULES, unknown);
  judgeTools(request.at("tools"), unknown);
}

/** Reads the parameters, each from the newest of its fields that is given. */
function readParameters(request: RequestField): ChatParameters {
  return collectParameters((_, row) => readParameter(request, row));
}

/** What the client calls the parameters: by the fields that it sent, and by the newest ones what it did not. */
function fieldNames(body: JsonObject): ParameterNames {
  return (name) => {
    const { fields = [] } = (PARAMETERS[name] as Parameter).completion ?? {};
    return fields.find((field) => (body[field] ?? null) !== null) ?? fields[0] ?? flagName(name);
  };
}

/** What refusals call other things than parameters, and the fields that say them here. */
const OTHER_FIELDS: readonly [RegExp, string][] = [
  [/\btool(Config|s|Choice)\b/, "tools"],
  [/\b(outputConfig|output_config)\b/, "response_format"],
  [/\b(thinking|reasoningConfig)\b/, "thinking"],
  [/\bmessages\b/, "messages"],
];

/** The field of a request that a refusal of the service is about; undefined where it names none that was sent. */
export function refusedField(refusal: string, body: JsonObject): string | undefined {
  const fields = PARAMETER_ROWS.map(([name, { completion }]) => [name, completion?.fields ?? []]);
  return sentFieldOf(refusal, body, Object.fromEntries(fields), OTHER_FIELDS);
}

function readParameter(request: RequestField, row: Parameter): unknown {
  const [given, ...others] = (row.completion?.fields ?? []).flatMap((name) => {
    const field = request.at(name).given;
    return field ? [{ name, value: readField(field, row) }] : [];
  });
  for (const { name, value } of others) {
    if (given === undefined || value === given.value) continue;
    throw refused(`'${name}' ${value} and '${given.name}' ${given.value} are two names of one limit.`, name);
  }
  return given?.value;
}

function readField(field: RequestField, row: Parameter): unknown {
  const { completion, setting } = row;
  const { type } = setting;
  if (row === PARAMETERS.topK) return readTopK(field);
  if (completion?.words) return completion.words[field.choice(Object.keys(completion.words))];
  if (type.kind === "integer") return field.count();
  return type.kind === "list" ? field.texts() : field.number();
}
