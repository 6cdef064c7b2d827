import type { HttpResponse } from "@smithy/types";
import type { Readable } from "node:stream";
import { awaitContent } from "../converse/answer-batches.ts";
import { abortReason, type Deadlines } from "../converse/deadlines.ts";
import { guardrailHeaders } from "../converse/guardrail.ts";
import { asRetryable, toStreamError } from "../converse/stream-failure.ts";
import type { OpenAnswer, RequestPlan, Wire } from "../converse/wire.ts";
import { OpenclawError } from "../errors.ts";
import type { AwsPath } from "../models/provider-api.ts";
import { nameProxy } from "../network/name-proxy.ts";
import { type CallContext, toOpenclawError } from "../session/aws-errors.ts";
import { ANSWER_MS } from "../session/client-config.ts";
import { readDenial } from "../session/denial.ts";
import { findRow, isKnownAwsError } from "../session/error-table.ts";
import type { AttemptGate, RestCall, SendOnce, Sent } from "../session/rest-client.ts";
import { type AwsSession, urlOf } from "../session/session.ts";
import { untilAborted } from "../until-aborted.ts";
import type { ServerAnswer, ServerCall, ServerLine } from "./call-server.ts";
import { parseJson, readServerMessage, type ServerMessage } from "./server-failure.ts";
import type { ServerApi } from "./server-wire.ts";

/** A line to one of AWS's endpoints. */
export interface AwsLine extends ServerLine {
  readonly session: AwsSession;
  readonly path: AwsPath;
}

/** The IAM actions: https://docs.aws.amazon.com/bedrock/latest/userguide/inference.html */
const ACTIONS: Readonly<Record<AwsPath["service"], string>> = {
  "bedrock-runtime": "bedrock:InvokeModelWithResponseStream",
  "bedrock-mantle": "bedrock-mantle:CreateInference",
};

/**
 * AWS's names for the statuses of errors in the forms of OpenAI's and Anthropic's APIs, which carry none: those of
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html and of the operations of Bedrock Runtime.
 */
const NAMES: Readonly<Record<number, string>> = {
  400: "ValidationException",
  401: "UnrecognizedClientException",
  403: "AccessDeniedException",
  404: "ResourceNotFoundException",
  408: "ModelTimeoutException",
  413: "RequestEntityTooLargeException",
  422: "ValidationException",
  424: "ModelErrorException",
  429: "ThrottlingException",
  500: "InternalServerException",
  503: "ServiceUnavailableException",
  // Anthropic's overloaded_error: https://platform.claude.com/docs/en/api/errors
  529: "ServiceUnavailableException",
};

/**
 * What AWS says of credentials, whatever form it comes in:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_general.html
 */
const STS_WORDINGS: readonly { name: string; says: RegExp }[] = [
  { name: "ExpiredTokenException", says: /security token included in the request is expired/i },
  { name: "UnrecognizedClientException", says: /security token included in the request is invalid/i },
];

/** What the SDK puts on its errors, and reads there. */
interface ServiceFailure extends Error {
  $metadata?: { httpStatusCode?: number; requestId?: string };
  $response?: HttpResponse;
  $responseBodyText?: string;
  $retryable?: { throttling?: boolean };
  refusedField?: string | undefined;
}

/**
 * A line to a path of the session's endpoints: its credentials, proxy, retries and errors are those of Converse. Opens no
 * connection. What is sent over it is tried again by AWS's rules, and throws the errors of AWS's table. Throws `usage`.
 */
export async function openAwsLine(session: AwsSession, path: AwsPath): Promise<AwsLine> {
  const address = `${await urlOf(session, path.service)}${path.prefix}`;
  const line: AwsLine = {
    session,
    path,
    isAws: true,
    runtime: session.setup.runtime,
    server: {
      name: "Amazon Bedrock",
      url: new URL(address),
      shownUrl: address,
      keyPlace: "AWS_BEARER_TOKEN_BEDROCK",
    },
    explainSaid: (said, status, model) => toOpenclawError(failureOf(said, status), contextOf(line, model)),
    send: async (call, signal) => {
      const client = await session.rest(path.service);
      const ask = async (sendOnce: SendOnce): Promise<Sent<ServerAnswer>> => {
        const value = await over(line, sendOnce).send(call, signal);
        return { $metadata: {}, value };
      };
      try {
        return (await untilAborted(client.attempt(ask, signal), signal)).value;
      } catch (failure) {
        throw signal.aborted ? abortReason(signal) : toOpenclawError(failure, contextOf(line, call.model));
      }
    },
    close: () => session.close(),
  };
  return line;
}

/** How answers of an API are opened over a line to AWS, and what their failures mean: as with ConverseStream. */
export function awsStream(
  line: AwsLine,
  api: ServerApi,
): Pick<Wire, "open" | "explain" | "tellBreak" | "isSaid"> {
  const stream: ReturnType<typeof awsStream> = {
    open: (plan, deadlines, gate) => begin(line, api, stream, plan, { deadlines, gate }),
    explain: (failure, model) =>
      failure instanceof OpenclawError || isKnownAwsError(failure)
        ? toOpenclawError(failure, contextOf(line, model))
        : undefined,
    tellBreak: () => "The connection broke off",
    isSaid: (failure) => failure instanceof OpenclawError,
  };
  return stream;
}

/** Sends a request until the model says something, within the attempts of the session's client. */
async function begin(
  line: AwsLine,
  api: ServerApi,
  stream: ReturnType<typeof awsStream>,
  plan: RequestPlan,
  { deadlines, gate }: { deadlines: Deadlines; gate: AttemptGate | undefined },
): Promise<OpenAnswer> {
  const { signal } = deadlines;
  const model = plan.input.modelId ?? "";
  const ask = async (sendOnce: SendOnce): Promise<Sent<Omit<OpenAnswer, "attempts">>> => {
    const headers =
      line.path.service === "bedrock-runtime" ? guardrailHeaders(plan.input.guardrailConfig) : {};
    const { requestId, batches } = await api.send(over(line, sendOnce, headers), plan, signal);
    try {
      const begun = await awaitContent(batches);
      deadlines.heard();
      return { $metadata: {}, value: { requestId, batches: begun } };
    } catch (failure) {
      throw asRetryable(toStreamError(failure, stream, { signal, model, requestId, hasBegun: false }));
    }
  };
  const attempt = async (): Promise<OpenAnswer> => {
    const client = await line.session.rest(line.path.service);
    const { value, attempts } = await client.attempt(ask, signal, gate);
    return { ...value, attempts };
  };
  try {
    // The client looks at the signal only when there are credentials, and those may be long in coming.
    return await untilAborted(attempt(), signal);
  } catch (failure) {
    if (!signal.aborted) throw toOpenclawError(failure, contextOf(line, model));
    const { session, path } = line;
    throw await nameProxy(abortReason(signal), () => urlOf(session, path.service), session.setup.runtime);
  }
}

/** The line as it is within one attempt: a failure leaves it as the client's retry rules know it. */
function over(line: AwsLine, sendOnce: SendOnce, headers: Readonly<Record<string, string>> = {}): ServerLine {
  return {
    ...line,
    send: async (call) => {
      try {
        const answer = await sendOnce(
          toRestCall(line, { ...call, headers: { ...call.headers, ...headers } }),
        );
        return { headers: answer.headers, body: answer.body as Readable };
      } catch (failure) {
        throw failure instanceof Error ? withProject(named(failure), call) : failure;
      }
    },
  };
}

function toRestCall({ path: { prefix } }: AwsLine, { path, body, headers }: ServerCall): RestCall {
  return {
    method: body === undefined ? "GET" : "POST",
    path: `${prefix}${path}`,
    headers: {
      accept: body === undefined ? "application/json" : "text/event-stream, application/json",
      ...headers,
    },
    ...(body === undefined ? { timeoutMs: ANSWER_MS } : { body }),
  };
}

/** An error that came in the form of another API, under AWS's name for its status; any other as it is. */
export function named(failure: ServiceFailure): Error {
  const { $response, $responseBodyText } = failure;
  // AWS's own errors have their message where the SDK looks for it.
  if (!$response || $responseBodyText === undefined || failure.message !== "UnknownError") return failure;
  const said = readServerMessage(parseJson($responseBodyText));
  if (!said) return failure;
  failure.message = said.message;
  failure.refusedField = said.refusedField;
  if (!findRow(failure.name, "")) failure.name = nameOf(said, $response.statusCode) ?? failure.name;
  if ($response.statusCode === 529) failure.$retryable = {};
  return failure;
}

/**
 * AWS's name for an error. Responses and Mantle answer 401, not 403, where IAM denies the project to the caller:
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-card-openai-gpt-56-sol.html
 */
function nameOf({ words, message }: ServerMessage, status: number): string | undefined {
  const isDenied = words.includes("access_denied") || readDenial(message) !== undefined;
  if (isDenied) return "AccessDeniedException";
  return STS_WORDINGS.find(({ says }) => says.test(message))?.name ?? NAMES[status];
}

/** A denial that does not say what was denied: Responses look at more than the model. */
function withProject(failure: ServiceFailure, { path }: ServerCall): Error {
  if (path !== "/responses" || failure.$response?.statusCode !== 401) return failure;
  if (failure.name === "AccessDeniedException" && readDenial(failure.message) === undefined)
    failure.message += " OpenAI's Responses need bedrock:InvokeModel on the account's project/default, too.";
  return failure;
}

/** The error for what was said in a stream, or for an answer that nobody can read. */
function failureOf(said: ServerMessage | undefined, status: number): Error {
  const failure: ServiceFailure = new Error(said?.message ?? "UnknownError");
  failure.name = (said && nameOf(said, status)) ?? "Unknown";
  failure.refusedField = said?.refusedField;
  failure.$metadata = { httpStatusCode: status };
  return failure;
}

function contextOf({ session, path }: AwsLine, modelId: string | undefined): CallContext {
  return { session, action: ACTIONS[path.service], ...(modelId === undefined ? {} : { modelId }) };
}
