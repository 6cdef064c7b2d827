import type { HttpResponse, ResponseMetadata } from "@smithy/types";
import { OpenclawError } from "../errors.ts";
import { isRecord, type JsonObject } from "../json.ts";
import { parseInTurns } from "../parse-in-turns.ts";
import { readBytes } from "../read-bytes.ts";
import { IN_BETWEEN } from "../network/network-errors.ts";
import { loadRestJsonErrorCode } from "../network/sdk-parts.ts";

/** What the SDK's retry middleware and the error table know an error of a service by. */
interface ServiceError extends Error {
  $metadata?: ResponseMetadata;
  $response?: HttpResponse;
  $retryable?: { throttling?: boolean };
}

/** Errors that the service models as passing, besides those that the SDK knows by their status. */
const RETRYABLE: ReadonlySet<string> = new Set(["ModelNotReadyException"]);

/** The largest answer that is read, in bytes: lists have less than one MB, a whole answer of a model has a few. */
const LARGEST_ANSWER = 24 * 1024 * 1024;

/** What an error keeps of its body, in bytes. */
const LONGEST_TEXT = 256 * 1024;

/** Of a message, in UTF-16 units at each end: AWS repeats values that it refuses, and names field and rule behind them. */
const LONGEST_END = 16_384;

/** An answer's body. Throws what its connection throws, and `bad-response` for more than 24 MB. */
export async function readBody({ body, statusCode }: HttpResponse): Promise<Buffer> {
  const tooLong = (): OpenclawError =>
    new OpenclawError("bad-response", {
      message: `The answer, with status ${statusCode}, has more than ${LARGEST_ANSWER} bytes, and is not AWS's.`,
      hint: IN_BETWEEN,
    });
  return readBytes(body as AsyncIterable<Uint8Array>, { most: LARGEST_ANSWER, tooLong });
}

/**
 * The JSON object of an answer, as the SDK's clients read it: what is null is missing, and anything but an object is an
 * empty one. Throws the `SyntaxError` of what is no JSON, and what the connection throws.
 */
export async function readJson(response: HttpResponse): Promise<JsonObject> {
  return readObject(response, false);
}

/** The same, with each number as it was written: what a model calls a tool with. */
export async function readJsonExactly(response: HttpResponse): Promise<JsonObject> {
  return readObject(response, true);
}

async function readObject(response: HttpResponse, isExact: boolean): Promise<JsonObject> {
  const bytes = await readBody(response);
  try {
    const value = bytes.length === 0 ? {} : await parseInTurns(bytes, isExact);
    if (!isRecord(value)) return {};
    if (bytes.includes("null")) leaveOutNull(value);
    return value;
  } catch (failure) {
    throw asAnswered(failure as Error, response);
  }
}

/** Makes what is null in a value missing. */
function leaveOutNull(value: object): void {
  for (const [name, item] of Object.entries(value) as [string, unknown][]) {
    if (item === null) Reflect.deleteProperty(value, name);
    else if (typeof item === "object") leaveOutNull(item);
  }
}

/**
 * The error that an answer of a REST-JSON service stands for, as the SDK's clients read it: name, message, status, request
 * id. An answer that is not JSON is the `SyntaxError` of reading it. Throws what its connection throws, and `bad-response`.
 */
export async function readServiceError(response: HttpResponse): Promise<Error> {
  const bytes = await readBody(response);
  const error = await readError(response, bytes);
  // Where the SDK has it, too.
  const text = bytes.toString("utf8", 0, LONGEST_TEXT);
  Object.defineProperty(error, "$responseBodyText", { value: text, enumerable: false });
  return asAnswered(error, response);
}

/** An error with the answer that it is about, where the SDK has it. */
function asAnswered(error: ServiceError, response: HttpResponse): Error {
  error.$metadata = readMetadata(response);
  Object.defineProperty(error, "$response", { value: response, enumerable: false });
  return error;
}

async function readError(response: HttpResponse, bytes: Buffer): Promise<ServiceError> {
  let body: { message?: string; Message?: string };
  let name: string;
  try {
    body = { ...(bytes.length === 0 ? {} : ((await parseInTurns(bytes)) as object)) };
    name = withoutMiddle(loadRestJsonErrorCode(response, body) ?? "Unknown");
  } catch (failure) {
    return failure instanceof Error ? failure : new Error(String(failure));
  }
  const error: ServiceError = new Error(
    withoutMiddle(String(body.message || body.Message || "UnknownError")),
  );
  error.name = name;
  if (RETRYABLE.has(name)) error.$retryable = {};
  return error;
}

/** A message that is searched by many rules, short enough for all of them. */
function withoutMiddle(message: string): string {
  if (message.length <= 2 * LONGEST_END) return message;
  return `${message.slice(0, LONGEST_END)} … ${message.slice(-LONGEST_END)}`.toWellFormed();
}

/** Status and request id of an answer. */
export function readMetadata({ statusCode, headers }: HttpResponse): ResponseMetadata {
  const requestId =
    headers["x-amzn-requestid"] ?? headers["x-amzn-request-id"] ?? headers["x-amz-request-id"];
  return { httpStatusCode: statusCode, ...(requestId === undefined ? {} : { requestId }) };
}
