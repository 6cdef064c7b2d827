import { readBytes } from "../read-bytes.ts";
import { JsonBoundsError, JsonScan } from "../json-bounds.ts";
import { parseInTurns } from "../parse-in-turns.ts";
import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import { AwsError, validationError } from "./aws-error.ts";
import { authorizationOf, readClaim, type SignedParts } from "./authenticate.ts";
import type { Exchange, IncomingRequest } from "./listener.ts";
import { findRoute, type Route } from "./operations.ts";
import type { RecordedCall } from "./recorded-call.ts";
import { bucketInHost } from "./storage/storage-address.ts";
import { findStorageRoute } from "./storage/storage-routes.ts";

/** A request read whole, except that what Amazon S3 gets is read by who answers. */
export interface ReceivedCall {
  readonly call: RecordedCall;
  readonly route: Route;
  readonly parts: SignedParts;
  /** What the emulator does not take of a body that AWS may take; for those whose credentials hold. */
  readonly refusal?: AwsError | undefined;
}

/**
 * Reads a request to its end; with `isExact` it has its body with each number as it was written, too. Resolves with
 * undefined when the client leaves before. Throws `AwsError` for a body too large.
 */
export async function receiveCall(
  exchange: Exchange,
  countRoute: (name: string) => number,
  isExact: boolean,
): Promise<ReceivedCall | undefined> {
  const { request } = exchange;
  const method = request.method ?? "GET";
  const [, path = "", queryText = ""] = /^([^?]*)\??(.*)$/s.exec(request.url ?? "/") ?? [];
  const headers = flattenHeaders(request.headers);
  const query = Object.fromEntries(new URLSearchParams(queryText));
  const { signature, bearerToken } = readClaim(authorizationOf({ path, headers }));
  const host = headers["host"] ?? headers[":authority"] ?? "";
  const isStorage = signature?.service === "s3" || (!signature && bucketInHost(host) !== undefined);
  const body = isStorage ? undefined : await readBody(request);
  if (body === undefined && !isStorage) return undefined;
  const { parsed, exact, refusal } = body
    ? await parseBody(body, headers["content-type"] ?? "", isExact)
    : {};
  const route = isStorage
    ? findStorageRoute({ method, host, path, query, queryText, headers, body: arriving(exchange) })
    : findRoute(method, path, parsed, headers);
  const call: RecordedCall = {
    route: route.name,
    nth: countRoute(route.name),
    method,
    path,
    query,
    parameters: route.parameters,
    headers,
    body: parsed,
    ...(exact === undefined ? {} : { exactBody: exact }),
    httpVersion: request.httpVersion,
    accessKeyId: signature?.accessKeyId,
    bearerToken,
    region: signature?.region,
    service: signature?.service,
    requestId: randomUUID(),
    permissions: [],
    status: undefined,
  };
  return { call, route, parts: { queryText, body }, refusal };
}

/** More than the largest request that the service takes, whose images alone may have 75 MB before they are base64. */
const MOST_BYTES = 128 * 1024 * 1024;

function tooLong(): AwsError {
  return new AwsError("RequestEntityTooLargeException", "Content length exceeded", 413);
}

/** The bytes of a request as they come. Rejects with the reason of the exchange's signal when the client leaves before the end. */
async function* arriving({ request, whileOpen }: Exchange): AsyncGenerator<Buffer, void, undefined> {
  try {
    yield* request;
  } catch {
    // That the rest does not come is told before the end of the connection.
    await whileOpen(new Promise<never>(() => undefined));
  }
}

async function readBody(request: IncomingRequest): Promise<Buffer | undefined> {
  try {
    return await readBytes(request, { most: MOST_BYTES, tooLong });
  } catch (error) {
    if (error instanceof AwsError) throw error;
    return undefined;
  }
}

interface ParsedBody {
  parsed?: unknown;
  exact?: unknown;
  refusal?: AwsError;
}

async function parseBody(body: Buffer, contentType: string, isExact: boolean): Promise<ParsedBody> {
  if (body.length === 0) return {};
  if (contentType.includes("x-www-form-urlencoded"))
    return { parsed: Object.fromEntries(new URLSearchParams(body.toString("utf8"))) };
  if (!isUtf8(body)) return { parsed: body.toString("utf8") };
  const parse = (exactly: boolean): Promise<unknown> => parseInTurns(body, exactly, new JsonScan());
  try {
    return { parsed: await parse(false), ...(isExact ? { exact: await parse(true) } : {}) };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const text = body.toString("utf8");
    // The operation decides whether text that is not JSON is an error.
    if (!(error instanceof JsonBoundsError)) return { parsed: text };
    return { parsed: text, refusal: validationError(`The emulator cannot take the body: ${error.message}.`) };
  }
}

function flattenHeaders(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(",") : value;
  }
  return flat;
}
