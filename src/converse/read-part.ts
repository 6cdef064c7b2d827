import { isRecord, type JsonObject } from "../json.ts";
import { parseBoundedExactly, parseBoundedJson } from "../json-bounds.ts";
import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import { OpenclawError } from "../errors.ts";
import { type FrameMessage, OWN_FIELDS_EVENT } from "./frame-reader.ts";

/** What a field must be: of a kind, an object of such fields, or a list of such objects. */
type Shape = ((value: unknown) => boolean) | Fields | readonly [Fields];
interface Fields {
  readonly [name: string]: Shape;
}

/**
 * The events of ConverseStream that this program reads, by their names in the service model, and what whoever reads their
 * fields takes them for. What is not named here is not looked at.
 */
const EVENTS = {
  messageStart: {},
  contentBlockStart: {
    contentBlockIndex: isIndex,
    start: { toolUse: { toolUseId: isText, name: isText, type: isText } },
  },
  contentBlockDelta: {
    contentBlockIndex: isIndex,
    delta: {
      text: isText,
      toolUse: { input: isText },
      citation: { sourceContent: (value) => Array.isArray(value) && value.every(isRecord) },
      reasoningContent: { text: isText, signature: isText, redactedContent: isText },
    },
  },
  contentBlockStop: { contentBlockIndex: isIndex },
  messageStop: { stopReason: isText },
  metadata: {
    usage: {
      inputTokens: isIndex,
      outputTokens: isIndex,
      totalTokens: isIndex,
      cacheReadInputTokens: isIndex,
      cacheWriteInputTokens: isIndex,
      cacheDetails: [{ inputTokens: isIndex, ttl: isText }],
    },
    trace: isRecord,
    serviceTier: { type: isText },
    performanceConfig: { latency: isText },
    metrics: { latencyMs: isIndex },
  },
} as const satisfies Readonly<Record<string, Fields>>;

type EventName = keyof typeof EVENTS;

/** An exception inside a stream, under AWS's name for it. */
export class StreamException extends Error {
  override readonly name: string;

  constructor(name: string, message: string) {
    super(message);
    this.name = name || "an exception without a name";
  }
}

/**
 * Reads one message of the stream as a part of the answer; undefined for an event of a kind nobody has heard of. The
 * service does not keep to its own model, so what is not of the kind it should be is left out. Throws
 * `StreamException`, and `bad-response` for a message that is not one of AWS's.
 */
export function readPart(message: FrameMessage): ConverseStreamOutput | undefined {
  refuseException(message);
  const { name, bytes = 0 } = message;
  if (!Object.hasOwn(EVENTS, name)) return undefined;
  const part = toPart(name as EventName, parsePayload(message));
  if (bytes > LONGEST_WORDLESS && !hasWords(part))
    throw notAwsMessage(`has an event ('${name}') of ${bytes} bytes without words`);
  return part;
}

/** The longest event that has nothing of what the model says, in bytes: words alone are cut and worked on in turns. */
const LONGEST_WORDLESS = 2_000_000;

function hasWords({ contentBlockDelta }: ConverseStreamOutput): boolean {
  const { text, toolUse, reasoningContent } = contentBlockDelta?.delta ?? {};
  return [text, toolUse?.input, reasoningContent?.text].some((words) => words !== undefined);
}

/** Throws `StreamException` for a message that tells of a failure, and `bad-response` for one that is not one of AWS's. */
export function refuseException(message: FrameMessage): void {
  const { type, name, errorMessage } = message;
  if (type === "error") throw new StreamException(name, errorMessage);
  if (type === "exception") throw new StreamException(name, messageOf(message));
  if (type !== "event") throw notAwsMessage(`has a message of type '${type}'`);
}

/** An event as a part of the answer. Fields that are not of the kind they should be are taken out of it. */
export function toPart(name: EventName, fields: Record<string, unknown>): ConverseStreamOutput {
  clean(fields, EVENTS[name]);
  finish(fields);
  return { [name]: fields } as unknown as ConverseStreamOutput;
}

/** The JSON object that an event carries. Throws `bad-response` for what is none. */
export function parsePayload({ payload, name, value }: FrameMessage): Record<string, unknown> {
  try {
    value ??= name === OWN_FIELDS_EVENT ? parseBoundedExactly(payload) : parseBoundedJson(payload);
  } catch (cause) {
    throw notAwsMessage(`has an event ('${name}') that is not JSON`, cause);
  }
  return isRecord(value) ? value : {};
}

function notAwsMessage(what: string, cause?: unknown): OpenclawError {
  return new OpenclawError("bad-response", {
    message: `The answer ${what}, which AWS's never has.`,
    hint: "Run the command again; if it stays, a proxy or another server is in between: openclaw doctor",
    cause,
  });
}

/** Leaves out what is not of its shape. By the fields that came, of which a delta has two or three. */
function clean(fields: Record<string, unknown>, shapes: Fields): void {
  for (const name in fields) {
    const shape = Object.hasOwn(shapes, name) ? shapes[name] : undefined;
    if (shape === undefined) continue;
    const value = cleaned(fields[name], shape);
    if (value === undefined) delete fields[name];
    else if (value !== fields[name]) fields[name] = value;
  }
}

/** A value as far as it is of its shape; undefined for one of another kind. */
function cleaned(value: unknown, shape: Shape): unknown {
  if (typeof shape === "function") return shape(value) ? value : undefined;
  if (isListOf(shape)) {
    return Array.isArray(value) ? value.flatMap((item) => cleaned(item, shape[0]) ?? []) : undefined;
  }
  if (!isRecord(value)) return undefined;
  clean(value, shape);
  return value;
}

function isListOf(shape: Fields | readonly [Fields]): shape is readonly [Fields] {
  return Array.isArray(shape);
}

/** What a shape does not say: a call of nothing by nobody is none, and JSON has bytes as base64. */
function finish({ start, delta }: JsonObject): void {
  const tool = isRecord(start) ? start["toolUse"] : undefined;
  if (isRecord(start) && isRecord(tool) && !(isText(tool["toolUseId"]) && isText(tool["name"])))
    delete start["toolUse"];
  const reasoning = isRecord(delta) ? delta["reasoningContent"] : undefined;
  const redacted = isRecord(reasoning) ? reasoning["redactedContent"] : undefined;
  if (isRecord(reasoning) && isText(redacted)) reasoning["redactedContent"] = Buffer.from(redacted, "base64");
}

/** What is read of the message of an exception, in characters. */
const LONGEST_TOLD = 64 * 1024;

function messageOf({ payload, value }: FrameMessage): string {
  try {
    const fields: unknown = value ?? JSON.parse(payload);
    const { message, Message } = fields as { message?: unknown; Message?: unknown };
    return String(message ?? Message ?? "").slice(0, LONGEST_TOLD);
  } catch {
    // Not JSON, or null: then what stands there is all there is to tell.
    return payload.slice(0, LONGEST_TOLD);
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A count or an index: what 2^53 cannot hold is neither. */
function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
