import { readBytes } from "../read-bytes.ts";
import { randomUUID } from "node:crypto";
import { readClaim, type SignedParts } from "./authenticate.ts";
import type { IncomingRequest } from "./listener.ts";
import { findRoute, type Route } from "./operations.ts";
import type { RecordedCall } from "./recorded-call.ts";

/** A request read whole. */
export interface ReceivedCall {
  readonly call: RecordedCall;
  readonly route: Route;
  readonly parts: SignedParts;
}

/** Reads a request to its end. Resolves with undefined when the client leaves before. */
export async function receiveCall(
  request: IncomingRequest,
  countRoute: (name: string) => number,
): Promise<ReceivedCall | undefined> {
  const body = await readBody(request);
  if (body === undefined) return undefined;
  const method = request.method ?? "GET";
  const [, path = "", queryText = ""] = /^([^?]*)\??(.*)$/s.exec(request.url ?? "/") ?? [];
  const headers = flattenHeaders(request.headers);
  const parsed = parseBody(body, headers["content-type"] ?? "");
  const route = findRoute(method, path, parsed);
  const { signature, bearerToken } = readClaim(headers["authorization"]);
  const call: RecordedCall = {
    route: route.name,
    nth: countRoute(route.name),
    method,
    path,
    query: Object.fromEntries(new URLSearchParams(queryText)),
    parameters: route.parameters,
    headers,
    body: parsed,
    httpVersion: request.httpVersion,
    accessKeyId: signature?.accessKeyId,
    bearerToken,
    region: signature?.region,
    service: signature?.service,
    requestId: randomUUID(),
    permissions: [],
    status: undefined,
  };
  return { call, route, parts: { queryText, body } };
}

async function readBody(request: IncomingRequest): Promise<Buffer | undefined> {
  try {
    return await readBytes(request);
  } catch {
    return undefined;
  }
}

function parseBody(body: Buffer, contentType: string): unknown {
  if (body.length === 0) return undefined;
  const text = body.toString("utf8");
  if (contentType.includes("x-www-form-urlencoded")) return Object.fromEntries(new URLSearchParams(text));
  try {
    return JSON.parse(text);
  } catch (error) {
    // The operation decides whether text that is not JSON is an error.
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

function flattenHeaders(headers: NodeJS.Dict<string | string[]>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(",") : value;
  }
  return flat;
}
