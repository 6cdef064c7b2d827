import type { JsonObject } from "../json.ts";
import {
  ANY,
  BYTES,
  checkShape,
  FLAG,
  list,
  map,
  NOT_EMPTY,
  object,
  oneOf,
  type Shape,
  TEXT,
  union,
} from "./constraints.ts";

export interface ContentBlock {
  text?: string;
  image?: unknown;
  document?: { name: string; format?: string; source?: object; citations?: { enabled: boolean } };
  video?: unknown;
  audio?: unknown;
  toolUse?: { toolUseId: string; name: string; input: unknown };
  toolResult?: {
    toolUseId: string;
    status?: string;
    content: readonly (ContentBlock & { json?: unknown })[];
  };
  cachePoint?: unknown;
  reasoningContent?: unknown;
}

/** The part of a Converse request that the emulator acts on; the rest is accepted and recorded. */
export interface ConverseRequest {
  messages: readonly { role: "user" | "assistant"; content: readonly ContentBlock[] }[];
  system: readonly { text?: string }[];
  maxTokens: number | undefined;
  temperature: unknown;
  topP: unknown;
  stopSequences: readonly string[];
  additionalFields: JsonObject;
  /** Whether it came in the words of the model's vendor. */
  isVendorsForm?: boolean;
  /** Undefined where no tools are declared. */
  tools:
    | readonly {
        toolSpec?: { name: string; inputSchema: { json: unknown } };
        systemTool?: { name: string };
        cachePoint?: unknown;
      }[]
    | undefined;
  /** The schema of `outputConfig`, or of the tool that must be called. */
  structure?: { toolName: string | undefined; schema: unknown } | undefined;
  /** The service tier and the latency that are asked for: the answer says that they were given. */
  served?: JsonObject | undefined;
}

export type Message = ConverseRequest["messages"][number];
export type Tools = NonNullable<ConverseRequest["tools"]>;

/** Messages of one role in a row as one: that is how the answer is made up. */
export function joined(messages: readonly Message[]): Message[] {
  const turns: { role: Message["role"]; content: ContentBlock[] }[] = [];
  for (const { role, content } of messages) {
    const last = turns.at(-1);
    if (last?.role === role) last.content.push(...content);
    else turns.push({ role, content: [...content] });
  }
  return turns;
}

/** What a tool that must be called holds an answer to: the tool of a name, else the first. Undefined where there is none. */
export function structureOf(
  tools: Tools | undefined,
  name: string | undefined,
): ConverseRequest["structure"] {
  const specs = (tools ?? []).flatMap(({ toolSpec }) => (toolSpec ? [toolSpec] : []));
  const spec = specs.find((known) => name === undefined || known.name === name);
  return spec && { toolName: spec.name, schema: spec.inputSchema.json };
}

const TOOL_ID: Shape = { kind: "text", min: 1, max: 64, pattern: /^[a-zA-Z0-9_.:-]+$/ };
const TOOL_NAME: Shape = { kind: "text", min: 1, max: 64, pattern: /^[a-zA-Z0-9_-]+$/ };
const CACHE_POINT = object({ type: oneOf("default"), ttl: oneOf("5m", "1h") }, "type");
const S3_LOCATION = object(
  {
    uri: {
      kind: "text",
      min: 1,
      max: 1024,
      pattern: new RegExp(String.raw`^s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?$`),
    },
    bucketOwner: { kind: "text", pattern: /^[0-9]{12}$/ },
  },
  "uri",
);
const file = (...formats: readonly string[]): Shape =>
  object(
    { format: oneOf(...formats), source: union({ bytes: BYTES, s3Location: S3_LOCATION }) },
    "format",
    "source",
  );
const IMAGE = file("png", "jpeg", "gif", "webp");
const VIDEO = file("mkv", "mov", "mp4", "webm", "flv", "mpeg", "mpg", "wmv", "three_gp");
const AUDIO = file(
  "mp3",
  "opus",
  "wav",
  "aac",
  "flac",
  "mp4",
  "ogg",
  "mkv",
  "mka",
  "x-aac",
  "m4a",
  "mpeg",
  "mpga",
  "pcm",
  "webm",
);
const DOCUMENT = object(
  {
    format: oneOf("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"),
    name: { kind: "text", min: 1, max: 200 },
    source: union({
      bytes: BYTES,
      s3Location: S3_LOCATION,
      text: TEXT,
      content: list(union({ text: TEXT })),
    }),
    context: TEXT,
    citations: object({ enabled: FLAG }, "enabled"),
  },
  "name",
  "source",
);
/** What guardrails look at: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_GuardrailContentBlock.html */
export const GUARDED = union({
  text: object({ text: TEXT, qualifiers: list(oneOf("grounding_source", "query", "guard_content")) }, "text"),
  image: object({ format: oneOf("png", "jpeg"), source: union({ bytes: BYTES }) }, "format", "source"),
});
const SEARCH_RESULT = object(
  {
    source: TEXT,
    title: TEXT,
    content: list(object({ text: TEXT }, "text")),
    citations: object({ enabled: FLAG }, "enabled"),
  },
  "source",
  "title",
  "content",
);
const INDEX: Shape = { kind: "integer", min: 0 };
const between = (index: string): Shape => object({ [index]: INDEX, start: INDEX, end: INDEX });
const CITED = object({
  content: list(union({ text: TEXT })),
  citations: list(
    object({
      title: TEXT,
      source: TEXT,
      sourceContent: list(union({ text: TEXT })),
      location: union({
        web: object({ url: TEXT, domain: TEXT }),
        documentChar: between("documentIndex"),
        documentPage: between("documentIndex"),
        documentChunk: between("documentIndex"),
        searchResultLocation: between("searchResultIndex"),
      }),
    }),
  ),
});
const TOOL_RESULT = object(
  {
    toolUseId: TOOL_ID,
    content: list(
      union({
        json: ANY,
        text: TEXT,
        image: IMAGE,
        document: DOCUMENT,
        video: VIDEO,
        searchResult: SEARCH_RESULT,
      }),
    ),
    status: oneOf("success", "error"),
  },
  "toolUseId",
  "content",
);
const CONTENT = union({
  text: TEXT,
  image: IMAGE,
  document: DOCUMENT,
  video: VIDEO,
  audio: AUDIO,
  toolUse: object(
    { toolUseId: TOOL_ID, name: TOOL_NAME, input: ANY, type: oneOf("server_tool_use") },
    "toolUseId",
    "name",
    "input",
  ),
  toolResult: TOOL_RESULT,
  guardContent: GUARDED,
  cachePoint: CACHE_POINT,
  reasoningContent: union({
    reasoningText: object({ text: TEXT, signature: TEXT }, "text"),
    redactedContent: { kind: "bytes" },
  }),
  citationsContent: CITED,
  searchResult: SEARCH_RESULT,
});

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
const METADATA = map(
  { kind: "text", min: 1, max: 256, pattern: /^[a-zA-Z0-9\s:_@$#=/+,-.]{1,256}$/ },
  { kind: "text", min: 0, max: 256, pattern: /^[a-zA-Z0-9\s:_@$#=/+,-.]{0,256}$/ },
  { min: 1, max: 16 },
);
/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_GuardrailConfiguration.html */
export const GUARDRAIL_ID: Shape = {
  kind: "text",
  min: 0,
  max: 2048,
  pattern: /^(|([a-z0-9]+)|(arn:aws(-[^:]+)?:bedrock:[a-z0-9-]{1,20}:[0-9]{12}:guardrail\/[a-z0-9]+))$/,
};
export const GUARDRAIL_VERSION: Shape = { kind: "text", pattern: /^(|([1-9][0-9]{0,7})|(DRAFT))$/ };
const LATENCY = oneOf("standard", "optimized");
const SERVICE_TIER = oneOf("priority", "default", "flex", "reserved");

/** The constraints of a Converse request in the service model of Bedrock Runtime, as botocore has it. */
export const CONVERSE_SHAPE = object({
  messages: list(object({ role: oneOf("user", "assistant"), content: list(CONTENT) }, "role", "content")),
  system: list(union({ text: NOT_EMPTY, guardContent: GUARDED, cachePoint: CACHE_POINT })),
  inferenceConfig: object({
    maxTokens: { kind: "integer", min: 1 },
    temperature: { kind: "number", min: 0, max: 1 },
    topP: { kind: "number", min: 0, max: 1 },
    stopSequences: list(NOT_EMPTY, { min: 0, max: 2500 }),
  }),
  toolConfig: object(
    {
      tools: list(
        union({
          toolSpec: object(
            { name: TOOL_NAME, description: NOT_EMPTY, inputSchema: union({ json: ANY }) },
            "name",
            "inputSchema",
          ),
          systemTool: object({ name: TOOL_NAME }, "name"),
          cachePoint: CACHE_POINT,
        }),
        { min: 1 },
      ),
      toolChoice: union({ auto: object({}), any: object({}), tool: object({ name: TOOL_NAME }, "name") }),
    },
    "tools",
  ),
  additionalModelResponseFieldPaths: list({ kind: "text", min: 1, max: 256 }, { min: 0, max: 10 }),
  promptVariables: map(TEXT, union({ text: TEXT })),
  requestMetadata: METADATA,
  performanceConfig: object({ latency: LATENCY }),
  serviceTier: object({ type: SERVICE_TIER }, "type"),
  outputConfig: object({
    textFormat: object(
      {
        type: oneOf("json_schema"),
        structure: union({ jsonSchema: object({ schema: TEXT, name: TEXT, description: TEXT }, "schema") }),
      },
      "type",
      "structure",
    ),
  }),
  guardrailConfig: object({
    guardrailIdentifier: GUARDRAIL_ID,
    guardrailVersion: GUARDRAIL_VERSION,
    trace: oneOf("enabled", "disabled", "enabled_full"),
    streamProcessingMode: oneOf("sync", "async"),
  }),
});

/** The same of what InvokeModel has beside its body, by the members that its headers are. */
const INVOKE_SHAPE = object({
  trace: oneOf("ENABLED", "DISABLED", "ENABLED_FULL"),
  performanceConfigLatency: LATENCY,
  serviceTier: SERVICE_TIER,
});

/** Refuses what the service model does not allow, all findings in one message, as the service frames them. */
export function checkConstraints(request: JsonObject): void {
  checkShape(request, CONVERSE_SHAPE);
}

/** The same for the headers of InvokeModel. */
export function checkInvokeHeaders(headers: Readonly<Record<string, string | undefined>>): void {
  const at = (name: string): string | undefined => headers[`x-amzn-bedrock-${name}`];
  checkShape(
    {
      trace: at("trace"),
      performanceConfigLatency: at("performanceconfig-latency"),
      serviceTier: at("service-tier"),
    },
    INVOKE_SHAPE,
  );
}
