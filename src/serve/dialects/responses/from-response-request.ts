import type { ResponseCreateParamsBase } from "openai/resources/responses/responses";
import {
  type ChatParameters,
  flagName,
  type ParameterName,
  type ParameterNames,
  PARAMETERS,
} from "../../../config/parameters.ts";
import { shorten } from "../../../errors.ts";
import type { JsonObject } from "../../../json.ts";
import { JsonScan, MOST_ARGUMENTS } from "../../../json-bounds.ts";
import type { Asked } from "../../answer-call.ts";
import { joinSystem } from "../../content/join-system.ts";
import { readAnswerFormat } from "../../content/answer-schema.ts";
import { readMetadata } from "../../content/read-metadata.ts";
import { readTopK } from "../../content/read-top-k.ts";
import { judgeFields, UnknownPlaces } from "../../field-rules.ts";
import { type RequestField, readModelName, requestOf, sentFieldOf } from "../../request-field.ts";
import type { ClientTools } from "./client-tools.ts";
import { readInput } from "./read-input.ts";
import { readTools } from "./read-tools.ts";
import { FIELD_RULES, REASONING_RULES, TEXT_RULES } from "./request-fields.ts";

/** A request of Responses in this program's terms. */
export interface ResponseAsk extends Asked {
  clientTools: ClientTools;
}

/**
 * Reads a request of OpenAI's Responses. `remoteImages` are those that were fetched for it; undefined where none may be.
 * Throws `invalid-request`, with the field at fault as `param` in the details.
 */
export async function fromResponseRequest(
  body: unknown,
  remoteImages: ReadonlyMap<string, Uint8Array> | undefined,
  signal?: AbortSignal,
): Promise<ResponseAsk> {
  const request = requestOf(body);
  const unknown = new UnknownPlaces();
  judgeAll(request, unknown);
  refuseLogprobs(request.at("include").given);
  const model = readModelName(request.at("model"));
  const context = { remoteImages, documents: 0, argumentsScan: new JsonScan(MOST_ARGUMENTS), unknown };
  const input = await readInput(request.at("input"), context);
  const called = await readTools([request.at("tools"), ...input.tools], request.at("tool_choice"), unknown);
  const metadata = readMetadata(request.at("metadata").given);
  const { reasoning, showsReasoning, ...thinking } = readReasoning(request.at("reasoning").given);
  const text = readText(request.at("text").given);
  return {
    model,
    ask: {
      messages: input.messages,
      // They come before all that the input says.
      system: joinSystem(
        [{ text: request.at("instructions").given?.text() ?? "" }, ...input.system],
        input.messages,
        request.at("input"),
      ),
      parameters: readParameters(request, reasoning),
      nameOf: nameOfParameter,
      tools: called.tools,
      ...(called.searchesWeb ? { searchesWeb: "where-possible" } : {}),
      metadata: metadata.metadata,
      schema: text.format && (await readAnswerFormat(text.format, (at) => at, signal)),
      showsReasoning,
    },
    isStreamed: request.at("stream").given?.flag() ?? false,
    mayCallInParallel: request.at("parallel_tool_calls").given?.flag() ?? true,
    clientTools: called.clientTools,
    notices: [...input.notices, ...called.notices, ...metadata.notices, ...thinking.notices, ...text.notices],
    unknown: unknown.places,
  };
}

/** All fields but those of the input and of tools, which are judged as they are read. */
function judgeAll(request: RequestField, unknown: UnknownPlaces): void {
  const [reasoning, text] = [request.at("reasoning").given, request.at("text").given];
  judgeFields(request, FIELD_RULES, unknown);
  if (reasoning) judgeFields(reasoning, REASONING_RULES, unknown);
  if (text) judgeFields(text, TEXT_RULES, unknown);
}

/** Of what may be asked for beside the answer, what nobody can give; the rest is of tools that are not here. */
function refuseLogprobs(include: RequestField | undefined): void {
  for (const item of include?.items() ?? [])
    if (item.text() === "message.output_text.logprobs")
      throw item.refused(
        `'${item.param}' asks for log probabilities, which Converse does not give.`,
        "unsupported_parameter",
      );
}

/** The fields of the parameters, where they have other names than in a chat completion. */
const FIELDS: Readonly<Partial<Record<ParameterName, string>>> = {
  maxTokens: "max_output_tokens",
  reasoning: "reasoning.effort",
  temperature: "temperature",
  topP: "top_p",
  topK: "top_k",
  stopSequences: "stop",
  serviceTier: "service_tier",
};

const nameOfParameter: ParameterNames = (name) => FIELDS[name] ?? flagName(name);

function readParameters(request: RequestField, reasoning: ChatParameters["reasoning"]): ChatParameters {
  const { words = {} } = PARAMETERS.serviceTier.completion ?? {};
  const tier = request.at("service_tier").given?.choice(Object.keys(words));
  const parameters: ChatParameters = {
    maxTokens: request.at("max_output_tokens").given?.count(),
    temperature: request.at("temperature").given?.number(),
    topP: request.at("top_p").given?.number(),
    topK: readTopK(request.at("top_k")),
    stopSequences: request.at("stop").given?.texts(),
    reasoning,
    serviceTier: tier === undefined ? undefined : words[tier],
  };
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined));
}

/** How much a model reasons, and whether anybody wants to read it. */
function readReasoning(
  field: RequestField | undefined,
): Pick<ChatParameters, "reasoning"> & { showsReasoning: boolean; notices: string[] } {
  const { words = {} } = PARAMETERS.reasoning.completion ?? {};
  const effort = field?.at("effort").given?.choice(Object.keys(words));
  const reasoning = effort === undefined ? undefined : words[effort];
  const summary = field?.at("summary").given ?? field?.at("generate_summary").given;
  const isSummarised = summary !== undefined && summary.text() !== "none";
  const reasons = reasoning !== undefined && reasoning !== "off";
  const mode = field?.at("mode").given?.text() ?? "standard";
  const notice = `reasoning.mode '${shorten(mode)}' is left out: Converse has no such thing`;
  return {
    reasoning,
    showsReasoning: reasons || (isSummarised && reasoning !== "off"),
    notices: mode === "standard" ? [] : [notice],
  };
}

function readText(field: RequestField | undefined): { format: RequestField | undefined; notices: string[] } {
  const verbosity = field?.at("verbosity").given?.choice(["low", "medium", "high"]);
  const isUsual = verbosity === undefined || verbosity === "medium";
  const notice = `text.verbosity '${verbosity}' is left out: Converse has no such thing`;
  return { format: field?.at("format").given, notices: isUsual ? [] : [notice] };
}

/** What refusals call other things than parameters, or these by another name, and the fields that say them here. */
const OTHER_FIELDS: readonly [RegExp, keyof ResponseCreateParamsBase][] = [
  [/\b(thinking|reasoning\w*|budget_tokens|effort)\b/, "reasoning"],
  [/\btool(Config|s|Choice)\b/, "tools"],
  [/\b(outputConfig|output_config)\b/, "text"],
  [/\bsystem\b/, "instructions"],
  [/\bmessages\b/, "input"],
];

/** The field of a request that a refusal of the service is about; undefined where it names none that was sent. */
export function refusedField(refusal: string, body: JsonObject): string | undefined {
  return sentFieldOf(refusal, body, FIELDS, OTHER_FIELDS);
}
