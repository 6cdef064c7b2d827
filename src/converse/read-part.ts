import { isRecord } from "../json.ts";
import type { ConverseStreamOutput, TokenUsage } from "@aws-sdk/client-bedrock-runtime";
import { OpenclawError } from "../errors.ts";
import type { FrameMessage } from "./frame-reader.ts";

/** The events of ConverseStream that this program reads, by their names in the service model. */
const EVENTS: ReadonlySet<string> = new Set([
  "messageStart",
  "contentBlockStart",
  "contentBlockDelta",
  "contentBlockStop",
  "messageStop",
  "metadata",
]);

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
export function readPart({
  type,
  name,
  errorMessage,
  payload,
}: FrameMessage): ConverseStreamOutput | undefined {
  if (type === "error") throw new StreamException(name, errorMessage);
  if (type === "exception") throw new StreamException(name, messageOf(payload));
  if (type !== "event") throw notAwsMessage(`has a message of type '${type}'`);
  if (!EVENTS.has(name)) return undefined;
  const fields = parse(payload, name);
  clean(name, fields);
  return { [name]: fields } as unknown as ConverseStreamOutput;
}

function parse(payload: string, name: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(payload);
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

/** Leaves out what whoever reads the parts could not take for what it should be. */
function clean(name: string, fields: Record<string, unknown>): void {
  keep(fields, "contentBlockIndex", isIndex);
  switch (name) {
    case "contentBlockDelta":
      keep(fields, "delta", isRecord);
      if (isRecord(fields["delta"])) cleanDelta(fields["delta"]);
      break;
    case "contentBlockStart":
      keep(fields, "start", isRecord);
      if (isRecord(fields["start"])) cleanStart(fields["start"]);
      break;
    case "messageStop":
      keep(fields, "stopReason", isText);
      break;
    case "metadata":
      keep(fields, "usage", isRecord);
      if (isRecord(fields["usage"])) fields["usage"] = cleanUsage(fields["usage"]);
      keep(fields, "trace", isRecord);
      break;
  }
}

function cleanDelta(delta: Record<string, unknown>): void {
  keep(delta, "text", isText);
  if ("toolUse" in delta) keepTexts(delta, "toolUse", ["input"]);
  if ("citation" in delta) cleanCitation(delta);
  if (!("reasoningContent" in delta)) return;
  keepTexts(delta, "reasoningContent", ["text", "signature", "redactedContent"]);
  const reasoning = delta["reasoningContent"];
  if (!isRecord(reasoning)) return;
  // JSON has bytes as base64.
  const redacted = reasoning["redactedContent"];
  if (isText(redacted)) reasoning["redactedContent"] = Buffer.from(redacted, "base64");
}

function cleanStart(start: Record<string, unknown>): void {
  keepTexts(start, "toolUse", ["toolUseId", "name", "type"]);
  const tool = start["toolUse"];
  // A call of nothing by nobody.
  if (isRecord(tool) && !(isText(tool["toolUseId"]) && isText(tool["name"]))) delete start["toolUse"];
}

function cleanCitation(delta: Record<string, unknown>): void {
  keep(delta, "citation", isRecord);
  const citation = delta["citation"];
  if (!isRecord(citation)) return;
  keep(citation, "sourceContent", (value) => Array.isArray(value) && value.every(isRecord));
}

const COUNTS = [
  "inputTokens",
  "outputTokens",
  "totalTokens",
  "cacheReadInputTokens",
  "cacheWriteInputTokens",
];

function cleanUsage(usage: Record<string, unknown>): Partial<TokenUsage> {
  for (const name of COUNTS) keep(usage, name, isIndex);
  const details: unknown = usage["cacheDetails"];
  const known = Array.isArray(details) ? details.filter(isRecord) : [];
  for (const detail of known) keep(detail, "inputTokens", isIndex);
  return { ...usage, cacheDetails: known as unknown as NonNullable<TokenUsage["cacheDetails"]> };
}

/** Drops a field that is there and not what it should be. */
function keep(fields: Record<string, unknown>, name: string, isRight: (value: unknown) => boolean): void {
  if (name in fields && !isRight(fields[name])) delete fields[name];
}

/** Drops a field that is no object, and of the names in it those that are no texts. */
function keepTexts(fields: Record<string, unknown>, name: string, texts: readonly string[]): void {
  keep(fields, name, isRecord);
  const inner = fields[name];
  if (isRecord(inner)) for (const text of texts) keep(inner, text, isText);
}

function messageOf(payload: string): string {
  try {
    const { message, Message } = JSON.parse(payload) as { message?: unknown; Message?: unknown };
    return String(message ?? Message ?? "");
  } catch {
    // Not JSON, or null: then what stands there is all there is to tell.
    return payload;
  }
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A count or an index: what 2^53 cannot hold is neither. */
function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
