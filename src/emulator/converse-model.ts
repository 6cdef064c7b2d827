import { isRecord, type JsonObject } from "../json.ts";
import { constraintError, describeBreach, validationError } from "./aws-error.ts";

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

/** What a value of the service model may be. Lengths of texts are in characters, of lists in members. */
type Shape =
  | { kind: "text"; min?: number; max?: number; pattern?: RegExp; values?: readonly string[] }
  | { kind: "number"; min?: number; max?: number }
  | { kind: "list"; of: Shape; min?: number; max?: number }
  | { kind: "object"; fields: Readonly<Record<string, Shape>>; required?: readonly string[] }
  /** An object with exactly one of the fields. */
  | { kind: "union"; fields: Readonly<Record<string, Shape>> }
  | { kind: "any" };

const ANY: Shape = { kind: "any" };
const TEXT: Shape = { kind: "text" };
const NOT_EMPTY: Shape = { kind: "text", min: 1 };
const oneOf = (...values: readonly string[]): Shape => ({ kind: "text", values });
const list = (of: Shape, more: { min?: number; max?: number } = {}): Shape => ({ kind: "list", of, ...more });
const union = (fields: Readonly<Record<string, Shape>>): Shape => ({ kind: "union", fields });
const object = (fields: Readonly<Record<string, Shape>>, ...required: readonly string[]): Shape => ({
  kind: "object",
  fields,
  required,
});

const TOOL_ID: Shape = { kind: "text", min: 1, max: 64, pattern: /^[a-zA-Z0-9_.:-]+$/ };
const TOOL_NAME: Shape = { kind: "text", min: 1, max: 64, pattern: /^[a-zA-Z0-9_-]+$/ };
const CACHE_POINT = object({ type: oneOf("default"), ttl: oneOf("5m", "1h") }, "type");
const S3_LOCATION = object(
  {
    uri: { kind: "text", min: 1, max: 1024, pattern: /^s3:\/\/[a-z0-9][.\-a-z0-9]{1,61}[a-z0-9](\/.*)?$/ },
    bucketOwner: { kind: "text", pattern: /^[0-9]{12}$/ },
  },
  "uri",
);
const file = (...formats: readonly string[]): Shape =>
  object(
    { format: oneOf(...formats), source: union({ bytes: NOT_EMPTY, s3Location: S3_LOCATION }) },
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
      bytes: NOT_EMPTY,
      s3Location: S3_LOCATION,
      text: TEXT,
      content: list(union({ text: TEXT })),
    }),
    citations: object({ enabled: ANY }, "enabled"),
  },
  "name",
  "source",
);
const GUARDED = union({ text: object({ text: TEXT }, "text"), image: ANY });
const TOOL_RESULT = object(
  {
    toolUseId: TOOL_ID,
    content: list(
      union({ json: ANY, text: TEXT, image: IMAGE, document: DOCUMENT, video: VIDEO, searchResult: ANY }),
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
  toolUse: object({ toolUseId: TOOL_ID, name: TOOL_NAME, input: ANY }, "toolUseId", "name", "input"),
  toolResult: TOOL_RESULT,
  guardContent: GUARDED,
  cachePoint: CACHE_POINT,
  reasoningContent: union({
    reasoningText: object({ text: TEXT, signature: TEXT }, "text"),
    redactedContent: TEXT,
  }),
  citationsContent: ANY,
  searchResult: ANY,
});

/** The constraints of a Converse request in the service model of Bedrock Runtime, as botocore has it. */
const REQUEST = object({
  messages: list(object({ role: oneOf("user", "assistant"), content: list(CONTENT) }, "role", "content")),
  system: list(union({ text: NOT_EMPTY, guardContent: GUARDED, cachePoint: CACHE_POINT })),
  inferenceConfig: object({
    maxTokens: { kind: "number", min: 1 },
    temperature: { kind: "number", min: 0, max: 1 },
    topP: { kind: "number", min: 0, max: 1 },
    stopSequences: list(NOT_EMPTY, { max: 2500 }),
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
      toolChoice: union({ auto: ANY, any: ANY, tool: object({ name: TOOL_NAME }, "name") }),
    },
    "tools",
  ),
  performanceConfig: object({ latency: oneOf("standard", "optimized") }),
  serviceTier: object({ type: oneOf("priority", "default", "flex", "reserved") }, "type"),
  guardrailConfig: object({
    trace: oneOf("enabled", "disabled", "enabled_full"),
    streamProcessingMode: oneOf("sync", "async"),
  }),
});

/** Refuses what the service model does not allow, all findings in one message, as the service frames them. */
export function checkConstraints(request: JsonObject): void {
  const breaches: string[] = [];
  check(request, REQUEST, "", breaches);
  if (breaches.length > 0) throw constraintError(...breaches);
}

function check(value: unknown, shape: Shape, path: string, breaches: string[]): void {
  const refuse = (constraint: string): void => void breaches.push(describeBreach(value, path, constraint));
  const checkRange = (size: number, { min, max }: { min?: number; max?: number }, what: string): void => {
    if (min !== undefined && size < min) refuse(`have ${what} greater than or equal to ${min}`);
    if (max !== undefined && size > max) refuse(`have ${what} less than or equal to ${max}`);
  };
  switch (shape.kind) {
    case "any":
      return;
    case "number":
      if (typeof value !== "number") throw malformed(path);
      return checkRange(value, shape, "value");
    case "text":
      if (typeof value !== "string") throw malformed(path);
      if (shape.values && !shape.values.includes(value))
        refuse(`satisfy enum value set: [${shape.values.join(", ")}]`);
      checkRange(value.length, shape, "length");
      if (shape.pattern && value !== "" && !shape.pattern.test(value))
        refuse(`satisfy regular expression pattern: ${shape.pattern.source.slice(1, -1)}`);
      return;
    case "list":
      if (!Array.isArray(value)) throw malformed(path);
      checkRange(value.length, shape, "length");
      for (const [index, item] of (value as unknown[]).entries())
        check(item, shape.of, `${path}.${index + 1}.member`, breaches);
      return;
    case "object":
    case "union": {
      if (!isRecord(value)) throw malformed(path);
      const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
      const given = Object.keys(shape.fields).filter((name) => (value[name] ?? null) !== null);
      if (shape.kind === "union" && given.length !== 1) throw malformed(path);
      for (const name of (shape.kind === "object" && shape.required) || [])
        if (!given.includes(name)) breaches.push(describeBreach(null, at(name), "not be null"));
      for (const name of given) check(value[name], shape.fields[name] ?? ANY, at(name), breaches);
    }
  }
}

/** The refusal of what is of another kind than the service model has there. */
export function malformed(path: string): Error {
  return validationError(`Malformed input request at '${path}', please reformat your input and try again.`);
}
