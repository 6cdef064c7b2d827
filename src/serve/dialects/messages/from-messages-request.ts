import type { OutputConfig } from "@anthropic-ai/sdk/resources/messages/messages";
import { type ChatParameters, flagName, type ParameterNames } from "../../../config/parameters.ts";
import { withoutUndefined, type JsonObject } from "../../../json.ts";
import type { Asked } from "../../answer-call.ts";
import { isRequestMetadata } from "../../../converse/request-metadata.ts";
import type { OutputSchema } from "../../../converse/output-schema.ts";
import { compileSchema, isCut } from "../../content/answer-schema.ts";
import { withCachePoint } from "../../content/cache-mark.ts";
import { readTopK } from "../../content/read-top-k.ts";
import { readThinking } from "../../content/read-thinking.ts";
import { judgeFields, UnknownPlaces } from "../../field-rules.ts";
import { type RequestField, readModelName, requestOf, sentFieldOf } from "../../request-field.ts";
import type { BlockContext } from "./read-blocks.ts";
import { readMessages } from "./read-messages.ts";
import { readTools } from "./read-tools.ts";
import { THREAD_NOT_FOUND } from "./message-error.ts";
import { FIELD_RULES, OUTPUT_RULES } from "./request-fields.ts";

/** A Messages request in this program's terms. */
export interface MessagesAsk extends Asked {
  /** The texts that end the answer. */
  stops: readonly string[];
}

/**
 * Reads a Messages request. `remoteFiles` are those that were fetched for it; undefined where none may be. Throws
 * `invalid-request`, with the field at fault as `param` in the details.
 */
export async function fromMessagesRequest(
  body: unknown,
  remoteFiles: ReadonlyMap<string, Uint8Array> | undefined,
  signal?: AbortSignal,
): Promise<MessagesAsk> {
  const request = requestOf(body);
  const unknown = new UnknownPlaces();
  judgeFields(request, FIELD_RULES, unknown);
  refuseContinuing(request.at("thread"));
  const model = readModelName(request.at("model"));
  const context: BlockContext = {
    remoteFiles,
    documents: 0,
    toolsFound: new Set(),
    toolsAdded: [],
    notices: new Set(),
    unknown,
  };
  const { system, messages } = await readMessages(request.at("system"), request.at("messages"), context);
  const { tools, ownTools, searchesWeb, mayCallInParallel } = await readTools(
    request.at("tools"),
    request.at("tool_choice"),
    context,
  );
  const { parameters, mostReasoning, display } = readParameters(request);
  const output = request.at("output_config").given;
  if (output) judgeFields(output, OUTPUT_RULES, unknown);
  const format = output?.at("format").given ?? request.at("output_format").given;
  const stops = parameters.stopSequences ?? [];
  return {
    model,
    ask: {
      messages: withCachePoint(messages, request.at("cache_control")),
      system,
      parameters,
      mostReasoning,
      nameOf,
      tools,
      ownTools,
      searchesWeb,
      metadata: readMetadata(request.at("metadata").given),
      schema: format && (await readFormat(format, signal)),
      // A model that does not hide by itself what it thinks is not asked to: what proves it holds for the words, too.
      showsReasoning: (parameters.reasoning ?? "off") !== "off" && display !== "omitted",
      namesStop: true,
    },
    isStreamed: request.at("stream").given?.flag() ?? false,
    mayCallInParallel,
    notices: [...context.notices],
    unknown: unknown.places,
    stops,
  };
}

/**
 * Nothing is kept of a conversation: one may begin to be, and is not there when it is to go on. Clients send it whole then,
 * where they are told so by this code.
 */
function refuseContinuing(thread: RequestField): void {
  if (!thread.given) return;
  const type = thread.at("type").choice(["create", "continue"]);
  if (type === "continue")
    throw thread.refused(
      "Nothing is kept of conversations by this server: send the whole of it.",
      THREAD_NOT_FOUND,
    );
}

/** What the client calls the parameters. */
const FIELDS: Readonly<Partial<Record<keyof ChatParameters, string>>> = {
  maxTokens: "max_tokens",
  temperature: "temperature",
  topP: "top_p",
  topK: "top_k",
  stopSequences: "stop_sequences",
  reasoning: "thinking",
  cache: "cache_control",
  serviceTier: "service_tier",
};

const nameOf: ParameterNames = (name) => FIELDS[name] ?? flagName(name);

/** What refusals call other things than parameters, or these by another name, and the fields that say them here. */
const OTHER_FIELDS: readonly [RegExp, string][] = [
  [/\b(thinking|reasoningConfig|reasoning_effort)\b/, "thinking"],
  [/\b(outputConfig|output_config)\b/, "output_config"],
  [/\btool(Config|s|Choice)\b/, "tools"],
  [/\bmessages\b/, "messages"],
];

/** The field of a request that a refusal of the service is about; undefined where it names none that was sent. */
export function refusedField(refusal: string, body: JsonObject): string | undefined {
  return sentFieldOf(refusal, body, FIELDS, OTHER_FIELDS);
}

interface ReadParameters {
  parameters: ChatParameters;
  mostReasoning: number | undefined;
  display: unknown;
}

function readParameters(request: RequestField): ReadParameters {
  const thinking = readThinking(request.at("thinking").given);
  const effort = request.at("output_config").given?.at("effort").given?.choice(EFFORTS);
  const tier = request.at("service_tier").given?.choice(["auto", "standard_only"]);
  const parameters = {
    maxTokens: request.at("max_tokens").given?.count(),
    temperature: request.at("temperature").given?.number(),
    topP: request.at("top_p").given?.number(),
    topK: readTopK(request.at("top_k")),
    stopSequences: request
      .at("stop_sequences")
      .given?.items()
      .map((text) => text.text()),
    // How hard a model tries is how long it thinks, unless it is not to think at all.
    reasoning: thinking.type === "disabled" ? "off" : (effort ?? thinking.level),
    // `auto` leaves it to the server's configuration.
    serviceTier: tier === "standard_only" ? "default" : undefined,
  } satisfies ChatParameters;
  return {
    parameters: withoutUndefined(parameters),
    mostReasoning: thinking.type === "enabled" ? thinking.budget : undefined,
    display: thinking.display,
  };
}

const EFFORTS = ["low", "medium", "high", "xhigh", "max"] as const satisfies NonNullable<
  OutputConfig["effort"]
>[];

/** Whose request it is, for the invocation logs, as far as Converse takes it: it never changes the answer. */
function readMetadata(field: RequestField | undefined): Record<string, string> | undefined {
  const user = field?.at("user_id").given?.text();
  return user !== undefined && isRequestMetadata("user_id", user) ? { user_id: user } : undefined;
}

async function readFormat(format: RequestField, signal: AbortSignal | undefined): Promise<OutputSchema> {
  const type = format.at("type");
  if (type.value !== "json_schema") throw type.mustBe("json_schema");
  const field = format.at("schema");
  // What is cut at its token limit may be half a document.
  return { ...(await compileSchema(field.object(), field, signal)), mayMisfit: isCut };
}
