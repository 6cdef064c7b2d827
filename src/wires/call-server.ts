import type { Readable } from "node:stream";
import type { TimedHandler } from "../network/timed-handler.ts";
import { HttpRequest } from "../network/sdk-parts.ts";
import { queryParameters } from "../network/query-parameters.ts";
import { isSecretName } from "../network/clear-text.ts";
import type { NamedProfile } from "../network/certificates.ts";
import { type JsonBody, lengthOf, toJsonBody } from "../network/json-body.ts";
import { createRequestHandler } from "../network/request-handler.ts";
import { fromNetworkFailure } from "../network/network-errors.ts";
import { hideSecrets, rememberSecrets } from "../credentials/hide-secrets.ts";
import { OpenclawError } from "../errors.ts";
import { notUnderEmulator } from "../models/provider-api.ts";
import type { Runtime } from "../runtime.ts";
import { traceHeaders } from "../trace-headers.ts";
import { VERSION } from "../version.ts";
import type { CalledServer, OpenaiServer } from "./server.ts";
import { type FailedCall, toServerFailure } from "./server-failure.ts";

export interface ServerCall {
  /** Below the server's address. */
  path: string;
  /** What is sent as JSON; without it the call is a GET. */
  body?: object | undefined;
  /** Beside those of the server, by lower-case name. */
  headers?: Readonly<Record<string, string>> | undefined;
  model?: string | undefined;
}

/** The connections to whoever is called, and how a request is authorised there. */
export interface ServerLine {
  readonly server: CalledServer;
  /** Whether it is AWS's, which tells errors by a table of its own and leaves no reasoning to the reader to find. */
  readonly isAws: boolean;
  readonly runtime: Runtime;
  /**
   * Sends one request. Resolves with a good answer, whose body is read by whoever asked. Throws the errors of the failure
   * table, or AWS's of its own, `network`, `timeout` and `bad-response`, and the signal's reason.
   */
  send(call: ServerCall, signal: AbortSignal): Promise<ServerAnswer>;
  /** What a failed answer is called where not the failure table tells: AWS has a table of its own. */
  readonly explainSaid?: FailedCall["explainSaid"];
  close(): void;
}

/** A good answer whose body is still to be read. */
export interface ServerAnswer {
  /** By lower-case name. */
  headers: Readonly<Record<string, string>>;
  body: Readable;
}

/** The most of an error's body that is read, in bytes. */
const LONGEST_FAILURE = 64 * 1024;
/** The longest that the rest of an error's body is waited for, in ms. */
const FAILURE_MS = 5000;

/**
 * Prepares the connections to a server, with the proxy, the certificates and the bounds of those to AWS. Opens none. `requestTimeoutMs` bounds a whole answer; `profile` is the AWS profile
 * in force, for its `ca_bundle`. Throws `config-unreadable` and `config-invalid` for a CA bundle that is none, and
 * `usage` under `--emulator`.
 */
export async function openLine(
  server: OpenaiServer,
  runtime: Runtime,
  requestTimeoutMs?: number,
  profile?: NamedProfile,
): Promise<ServerLine> {
  if (runtime.isEmulated) throw notUnderEmulator(server.name);
  const { authorization, ...others } = server.headers;
  const query = [...server.url.searchParams.values()];
  const keys = Object.entries(others).flatMap(([name, value]) => (isSecretName(name) ? [value] : []));
  rememberSecrets(
    runtime,
    [...server.secrets, authorization, authorization?.split(" ").at(-1), ...query],
    [server.password, ...keys],
  );
  const handler = await createRequestHandler(runtime, requestTimeoutMs, { profile });
  const line: ServerLine = {
    server,
    isAws: false,
    runtime,
    send: (call, signal) => sendOnce(line, { server, handler }, call, signal),
    close: () => handler.destroy(),
  };
  return line;
}

async function sendOnce(
  line: ServerLine,
  { server, handler }: { server: OpenaiServer; handler: TimedHandler },
  call: ServerCall,
  signal: AbortSignal,
): Promise<ServerAnswer> {
  const { runtime } = line;
  const { path, model } = call;
  const body = call.body && (await toJsonBody(call.body));
  const request = requestFor(server, call, body);
  const started = runtime.elapsed();
  const tell = (outcome: string): void =>
    runtime.terminal.verbose(
      () =>
        `${request.method} ${server.shownUrl}${path} ${outcome} in ${Math.round(runtime.elapsed() - started)} ms`,
    );
  try {
    const { response } = await handler.handle(request, { abortSignal: signal });
    tell(String(response.statusCode));
    const { headers } = response;
    const stream = response.body as Readable;
    if (response.statusCode < 300) return { headers, body: stream };
    const text = await readSome(stream);
    throw toServerFailure({ status: response.statusCode, headers, body: text }, failedCall(line, model));
  } catch (failure) {
    if (failure instanceof OpenclawError) throw failure;
    if (signal.aborted && signal.reason instanceof OpenclawError) throw signal.reason;
    const error = failure instanceof Error ? failure : new Error(String(failure));
    tell(error.name);
    throw unreached(error, server, runtime);
  }
}

/** The error for an answer that did not come. Region and credentials have no part in it, so the hint is another than AWS's. */
function unreached(error: Error, server: OpenaiServer, runtime: Runtime): OpenclawError {
  const known = fromNetworkFailure(error, server.shownUrl);
  const hint = known?.hint?.endsWith("openclaw doctor") === false ? known.hint : undefined;
  return new OpenclawError(known?.code ?? "network", {
    message: known?.message ?? `${server.shownUrl} cannot be reached: ${hideSecrets(error.message, runtime)}`,
    hint: hint ?? `Check that the server runs there, and ${server.urlPlace}.`,
    cause: error,
  });
}

/** What the failures of a call are told with. */
export function failedCall(
  { server, runtime, explainSaid }: ServerLine,
  model: string | undefined,
): FailedCall {
  return { server, model, hide: (text) => hideSecrets(text, runtime), explainSaid };
}

function requestFor(
  { url, headers }: OpenaiServer,
  { path, headers: own }: ServerCall,
  body: JsonBody | undefined,
): HttpRequest {
  const [below = "", query = ""] = path.split("?", 2);
  return new HttpRequest({
    method: body === undefined ? "GET" : "POST",
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port === "" ? {} : { port: Number(url.port) }),
    path: `${url.pathname === "/" ? "" : url.pathname}${below}`,
    query: { ...queryParameters(url.searchParams), ...queryParameters(new URLSearchParams(query)) },
    headers: {
      host: url.host,
      "user-agent": `openclaw/${VERSION}`,
      accept: body === undefined ? "application/json" : "text/event-stream, application/json",
      ...(body === undefined
        ? {}
        : { "content-type": "application/json", "content-length": String(lengthOf(body)) }),
      ...own,
      ...(body !== undefined && traceHeaders(url)),
      // What the configuration says of a header goes before what is sent unasked.
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
}

/** The beginning of a body; what cannot be read in time counts as empty, since the status says enough. */
async function readSome(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  const timer = setTimeout(() => body.destroy(), FAILURE_MS);
  try {
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      length += (chunk as Buffer).length;
      if (length > LONGEST_FAILURE) break;
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks).toString("utf8");
}
