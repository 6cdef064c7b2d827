import type {
  ContentBlock,
  ConverseStreamRequest,
  GuardrailStreamConfiguration,
  InferenceConfiguration,
  JsonSchemaDefinition,
  Message,
  OutputConfig,
  OutputFormat,
  OutputFormatStructure,
  PerformanceConfiguration,
  ServiceTier,
  SystemContentBlock,
  ToolConfiguration,
} from "@aws-sdk/client-bedrock-runtime";
import { choicesOf, collectParameters, type ParameterNames, PARAMETERS } from "../../../config/parameters.ts";
import type { OutputSchema } from "../../../converse/output-schema.ts";
import type { Ask } from "../../../converse/plan-request.ts";
import { isRequestMetadata, MOST_ENTRIES } from "../../../converse/request-metadata.ts";
import { isRecord, type JsonObject, textAt } from "../../../json.ts";
import { parseBoundedExactly } from "../../../json-bounds.ts";
import { turnOver } from "../../../next-turn.ts";
import type { Asked } from "../../answer-call.ts";
import { compileSchema, isCut, labelsOf } from "../../content/answer-schema.ts";
import { refuseSilence } from "../../content/join-system.ts";
import { refused, RequestField, requestOf } from "../../request-field.ts";
import { readContentBlock, readSystemBlock, readToolConfig } from "./content-shapes.ts";
import {
  choice,
  count,
  list,
  type Members,
  number,
  object,
  readApart,
  readJson,
  refusedBecause,
  type ShapeContext,
  text,
  union,
} from "./read-shape.ts";

export interface ConverseReading extends Pick<ShapeContext, "readsS3"> {
  /** The name that stands in the path. */
  model: string;
  isStreamed: boolean;
  signal?: AbortSignal | undefined;
}

/** A Converse request in this program's terms. */
export interface ConverseAsked extends Asked {
  /** As the client names it: whether it may is for the server to say. */
  guardrail: GuardrailStreamConfiguration | undefined;
}

type Request = Omit<ConverseStreamRequest, "modelId">;

const readBlocks = list(readContentBlock);
const readSystem = list(readSystemBlock);

/** Every member of a request beside its messages, which are read one by one. */
const MEMBERS: Members<Request> = {
  messages: readApart,
  system: readSystem,
  inferenceConfig: object<InferenceConfiguration>({
    maxTokens: count,
    temperature: number,
    topP: number,
    stopSequences: list(text),
  }),
  toolConfig: readToolConfig,
  guardrailConfig: object<GuardrailStreamConfiguration>({
    guardrailIdentifier: text,
    guardrailVersion: text,
    trace: choice("enabled", "disabled", "enabled_full"),
    streamProcessingMode: choice("sync", "async"),
  }),
  additionalModelRequestFields: (field) => readOwnFields(field),
  promptVariables: refusedBecause("prompts of Prompt management are not called by this server"),
  additionalModelResponseFieldPaths: list(text),
  requestMetadata: (field) => readMarks(field),
  performanceConfig: object<PerformanceConfiguration>({ latency: choice(...choicesOf(PARAMETERS.latency)) }),
  serviceTier: object<ServiceTier>({ type: choice(...choicesOf(PARAMETERS.serviceTier)) }, "type"),
  outputConfig: object<OutputConfig>({
    textFormat: object<OutputFormat>(
      {
        type: choice("json_schema"),
        structure: union<OutputFormatStructure>({
          jsonSchema: object<JsonSchemaDefinition>({ schema: text, name: text, description: text }, "schema"),
        }),
      },
      "type",
      "structure",
    ),
    effort: text,
  }),
};

const readRequest = object<Request>(MEMBERS);

/** Models have a dozen fields of their own, and what refuses them is read for the name of each. */
const MOST_OWN_FIELDS = 100;
/** In characters. */
const LONGEST_OWN_NAME = 200;

function readOwnFields(field: RequestField): JsonObject {
  const own = field.object();
  const names = Object.keys(own);
  if (names.length > MOST_OWN_FIELDS)
    throw field.refused(`'${field.param}' has ${names.length} names, and may have ${MOST_OWN_FIELDS}.`);
  const long = names.find((name) => name.length > LONGEST_OWN_NAME);
  if (long === undefined) return own;
  throw field.refused(
    `A name in '${field.param}' has ${long.length} characters, and may have ${LONGEST_OWN_NAME}.`,
  );
}

/** The most paths of a request, by the service model of Bedrock Runtime. */
const MOST_PATHS = 10;

/**
 * Reads a Converse request (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html). Throws
 * `invalid-request`, with the field at fault as `param` in the details.
 */
export async function fromConverseRequest(body: unknown, reading: ConverseReading): Promise<ConverseAsked> {
  const field = requestOf(body);
  const context: ShapeContext = { readsS3: reading.readsS3, documents: 0, unknown: [] };
  const request = (await readRequest(field, context)) as Omit<Request, "messages">;
  const spoken = await readMessages(field.at("messages"), context);
  const system = [...(request.system ?? []), ...spoken.system];
  const paths = request.additionalModelResponseFieldPaths ?? [];
  if (paths.length > MOST_PATHS)
    throw refused(
      `'additionalModelResponseFieldPaths' has ${paths.length} items, and may have ${MOST_PATHS}.`,
      "additionalModelResponseFieldPaths",
    );
  const ask: Omit<Ask, "model"> = {
    messages: spoken.messages,
    system: system.length === 0 ? undefined : system,
    parameters: parametersOf(request),
    nameOf,
    tools: toolsOf(request.toolConfig),
    metadata: request.requestMetadata,
    schema: await readSchema(field, request.outputConfig, reading.signal),
    ownFields: ownFieldsOf(request),
    responseFields: paths.length === 0 ? undefined : paths,
    // By other APIs it is to be asked for.
    showsReasoning: asksToReason(request) || undefined,
  };
  return {
    model: reading.model,
    ask,
    isStreamed: reading.isStreamed,
    notices: [],
    unknown: context.unknown,
    guardrail: request.guardrailConfig,
  };
}

/** What Converse calls the parameters. */
const nameOf: ParameterNames = (name) => {
  const { converse } = PARAMETERS[name];
  return converse === "by-family" ? "additionalModelRequestFields" : converse.join(".");
};

function parametersOf(
  request: Pick<Request, "inferenceConfig" | "serviceTier" | "performanceConfig">,
): Ask["parameters"] {
  return collectParameters((_, { converse }) => {
    if (converse === "by-family") return undefined;
    const [holder, name] = converse;
    const values: JsonObject = { ...request[holder] };
    return values[name];
  });
}

/** The choice `auto` is Converse's own and not sent: some models refuse to be told. */
function toolsOf({ tools = [], toolChoice }: Partial<ToolConfiguration> = {}): ToolConfiguration | undefined {
  if (!tools.some(({ toolSpec, systemTool }) => toolSpec ?? systemTool)) return undefined;
  return { tools, ...(toolChoice && !toolChoice.auto ? { toolChoice } : {}) };
}

/** Fields of the model's own. The effort of an answer is one to Claude, which alone has it. */
function ownFieldsOf({ additionalModelRequestFields, outputConfig }: Request): Ask["ownFields"] {
  const own = isRecord(additionalModelRequestFields) ? additionalModelRequestFields : {};
  const effort = outputConfig?.effort;
  const config = isRecord(own["output_config"]) ? own["output_config"] : {};
  const all = effort === undefined ? own : { ...own, output_config: { ...config, effort } };
  return Object.keys(all).length === 0 ? undefined : all;
}

const readMessage = object<Message>(
  { role: choice("user", "assistant", "system"), content: readApart },
  "role",
);

/** Whether a request says in its model's own words, or Converse's, how hard to think. */
function asksToReason({ additionalModelRequestFields: own, outputConfig }: Request): boolean {
  if (!isRecord(own)) return outputConfig?.effort !== undefined;
  const thinking = [own["thinking"], own["reasoningConfig"]].map((config) => textAt(config, "type"));
  return (
    thinking.some((type) => type !== undefined && type !== "disabled") ||
    own["reasoning_effort"] !== undefined ||
    outputConfig?.effort !== undefined
  );
}

/** The conversation; what a `system` message says goes into the system prompt, which every model takes. */
async function readMessages(
  field: RequestField,
  context: ShapeContext,
): Promise<{ messages: Message[]; system: SystemContentBlock[] }> {
  const messages: Message[] = [];
  const system: SystemContentBlock[] = [];
  for (const item of field.items()) {
    await turnOver();
    const { role } = (await readMessage(item, context)) as Pick<Message, "role">;
    const content = item.at("content");
    if (role !== "system")
      messages.push({
        role,
        content: (await readBlocks(content, context)) as ContentBlock[],
      });
    else system.push(...((await readSystem(content, context)) as SystemContentBlock[]));
  }
  if (system.length === 0) refuseSilence(messages, field);
  return { messages, system };
}

/** Marks for the invocation logs, by the bounds of the service model. Throws `invalid-request`. */
export function readMarks(field: RequestField): Record<string, string> {
  const entries = Object.keys(field.object());
  if (entries.length > MOST_ENTRIES)
    throw field.refused(`'${field.param}' has ${entries.length} entries, and may have ${MOST_ENTRIES}.`);
  return Object.fromEntries(
    entries.map((key) => {
      const value = field.at(key).text();
      if (isRequestMetadata(key, value)) return [key, value];
      throw field.refused(`'${field.at(key).param}' cannot be marked so: Bedrock does not take it.`);
    }),
  );
}

/** The schema that the answer is held to, which Converse has as a text. */
async function readSchema(
  request: RequestField,
  { textFormat }: OutputConfig = {},
  signal: AbortSignal | undefined,
): Promise<OutputSchema | undefined> {
  const { schema: source, name, description } = textFormat?.structure?.jsonSchema ?? {};
  if (source === undefined) return undefined;
  const holder = ["outputConfig", "textFormat", "structure", "jsonSchema"].reduce(
    (field, name) => field.at(name),
    request,
  );
  const read = await readJson(holder.at("schema"), () => parseBoundedExactly(source));
  const schema = new RequestField(read, "schema", holder);
  const compiled = await compileSchema(schema.object(), schema, signal);
  return { ...compiled, ...labelsOf(name, description), mayMisfit: isCut };
}
