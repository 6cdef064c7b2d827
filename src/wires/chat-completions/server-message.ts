import { isRecord, type JsonObject } from "../../json.ts";
/** What a server says about a failure, in whichever of the known shapes it says it. */
export interface ServerMessage {
  message: string;
  /** OpenAI's `code`, else `type`: words such as `context_length_exceeded`; both where both are there. */
  words: string[];
  /** An HTTP status that stands inside the error, as in errors within a stream. */
  status: number | undefined;
}

/**
 * Reads an error: OpenAI's `{error: {message, type, code}}`, `{error: "…"}` of LM Studio and Text Generation Inference,
 * vLLM's `{object: "error", message, …}`, FastAPI's `{detail}`, and a bare `{message}`. Undefined for anything else.
 */
export function readServerMessage(value: unknown): ServerMessage | undefined {
  if (!isRecord(value)) return undefined;
  const { error, detail } = value;
  if (isRecord(error)) return fromFields(error, textOf(value["message"]));
  if (typeof error === "string" && error !== "") return { ...fromFields(value, error), message: error };
  if (typeof detail === "string") return fromFields(value, detail);
  if (Array.isArray(detail)) return fromFields(value, detail.map(describeDetail).join("; "));
  return typeof value["message"] === "string" && value["choices"] === undefined
    ? fromFields(value, "")
    : undefined;
}

/** Whether the data of an event in a stream is an error in place of a chunk. */
export function isErrorData(value: unknown): boolean {
  if (!isRecord(value) || value["choices"] !== undefined) return false;
  return (value["error"] !== undefined && value["error"] !== null) || value["object"] === "error";
}

function fromFields(fields: JsonObject, otherwise: string): ServerMessage {
  const { code, type, error_type: errorType, status } = fields;
  const words = [code, type, errorType].filter(
    (word): word is string => typeof word === "string" && word !== "",
  );
  return {
    message: textOf(fields["message"]) || otherwise || words.join(", ") || "no reason given",
    words,
    status: statusOf(code) ?? statusOf(status),
  };
}

/** LiteLLM puts the status into `code` as a text, vLLM and llama.cpp as a number. */
function statusOf(code: unknown): number | undefined {
  const status = typeof code === "string" && /^\d{3}$/.test(code) ? Number(code) : code;
  return typeof status === "number" && status >= 400 && status <= 599 ? status : undefined;
}

/** One finding of FastAPI's validation: `{loc, msg}`. */
function describeDetail(item: unknown): string {
  if (!isRecord(item)) return String(item);
  const place = Array.isArray(item["loc"]) ? `${item["loc"].join(".")}: ` : "";
  return `${place}${textOf(item["msg"])}`;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
