import { type JsonObject } from "../../../json.ts";
import {
  type ChatParameters,
  collectParameters,
  type Parameter,
  PARAMETERS,
} from "../../../config/parameters.ts";
import type { Ask } from "../../../converse/plan-request.ts";
import { isRequestMetadata } from "../../../converse/request-metadata.ts";
import { readMessages, tellToolCalls } from "./read-messages.ts";
import { readResponseFormat } from "./read-response-format.ts";
import { readTools } from "./read-tools.ts";
import {
  isAbsent,
  readFlag,
  readList,
  readObject,
  readOptionalChoice,
  readOptionalCount,
  readOptionalNumber,
  readText,
  refused,
} from "./read-value.ts";
import { refuseForeignFields } from "./request-fields.ts";

/** A chat completions request in this program's terms. */
export interface CompletionAsk {
  /** The model's name as it was sent. */
  model: string;
  ask: Omit<Ask, "model">;
  isStreamed: boolean;
  /** Whether the stream ends with a chunk of usage. */
  includesUsage: boolean;
  /** Whether an answer may call several tools at once. */
  mayCallInParallel: boolean;
  /** What was left out, and why. */
  notices: string[];
}

/**
 * Reads a chat completions request. `remoteImages` are those that were fetched for it; undefined where none may be.
 * Throws `invalid-request`, with the field at fault as `param` in the details.
 */
export async function fromChatRequest(
  body: unknown,
  remoteImages: ReadonlyMap<string, Uint8Array> | undefined,
): Promise<CompletionAsk> {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw refused("The body must be a JSON object.", "body");
  const request = body as Readonly<Record<string, unknown>>;
  refuseForeignFields(request);
  const { system, messages } = readMessages(request["messages"], {
    remoteImages,
    documentNames: new Set(),
  });
  const tools = readTools(request["tools"], request["tool_choice"]);
  const { metadata, notices } = readMetadata(request["metadata"]);
  const reasoning = readParameter(request, PARAMETERS.reasoning) as ChatParameters["reasoning"];
  const streaming = isAbsent(request["stream_options"])
    ? {}
    : readObject(request["stream_options"], "stream_options");
  return {
    model: readText(request["model"], "model"),
    ask: {
      messages: tools ? messages : tellToolCalls(messages),
      system,
      parameters: readParameters(request),
      tools,
      metadata,
      schema: await readResponseFormat(request["response_format"]),
      showsReasoning: reasoning !== undefined && reasoning !== "off",
    },
    isStreamed: readFlag(request["stream"], "stream"),
    includesUsage: readFlag(streaming["include_usage"], "stream_options.include_usage"),
    mayCallInParallel:
      isAbsent(request["parallel_tool_calls"]) ||
      readFlag(request["parallel_tool_calls"], "parallel_tool_calls"),
    notices,
  };
}

/** Reads the parameters, each from the newest of its fields that is given. */
function readParameters(request: JsonObject): ChatParameters {
  return collectParameters((_, row) => readParameter(request, row));
}

function readParameter(request: JsonObject, row: Parameter): unknown {
  const [given, ...others] = (row.completion?.fields ?? [])
    .map((name) => ({ name, value: readField(request[name], name, row) }))
    .filter(({ value }) => value !== undefined);
  for (const { name, value } of others) {
    if (given === undefined || value === given.value) continue;
    throw refused(`'${name}' ${value} and '${given.name}' ${given.value} are two names of one limit.`, name);
  }
  return given?.value;
}

function readField(value: unknown, name: string, { completion, setting: { type } }: Parameter): unknown {
  if (completion?.words) {
    const word = readOptionalChoice(value, name, Object.keys(completion.words));
    return word === undefined ? undefined : completion.words[word];
  }
  if (type.kind === "integer") return readOptionalCount(value, name);
  return type.kind === "list" ? readTexts(value, name) : readOptionalNumber(value, name);
}

function readTexts(value: unknown, name: string): readonly string[] | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value === "string") return [value];
  return readList(value, name).map((text, index) => readText(text, `${name}[${index}]`));
}

/** Marks for the invocation logs, as far as Converse takes them: they never change the answer. */
function readMetadata(value: unknown): { metadata: Record<string, string> | undefined; notices: string[] } {
  if (isAbsent(value)) return { metadata: undefined, notices: [] };
  const pairs = Object.entries(readObject(value, "metadata")).map(
    ([key, text]) => [key, readText(text, `metadata.${key}`)] as const,
  );
  const kept = pairs.filter(([key, text]) => isRequestMetadata(key, text)).slice(0, MOST_METADATA);
  const left = pairs.length - kept.length;
  return {
    metadata: kept.length === 0 ? undefined : Object.fromEntries(kept),
    notices: left === 0 ? [] : [`${left} of metadata are left out: Converse does not take them`],
  };
}

/** OpenAI's bound is Converse's own. */
const MOST_METADATA = 16;
