import { type Service, SERVICE_NAMES } from "../aws/endpoint.ts";
import type { AwsSession } from "./session.ts";
import { listMisspelt } from "../config/nearest-setting.ts";
import { describeChosen, renewalOf } from "../credentials/describe.ts";
import { explainError } from "../credentials/findings.ts";
import { hideSecrets } from "../credentials/hide-secrets.ts";
import { EXIT_CODES, OpenclawError } from "../errors.ts";
import { describeSkew } from "../network/clock-skew.ts";
import { secondsToWait } from "../network/retry-after.ts";
import { BUG_HINT } from "../version.ts";
import { readDenial } from "./denial.ts";
import { type ErrorContext, type ErrorRow, findRow, findRowOfStatus } from "./error-table.ts";
import { fromNetworkFailure, hostOfRedirect } from "../network/network-errors.ts";

export interface CallContext {
  session: AwsSession;
  /** The IAM action of the call, for example `bedrock:InvokeModelWithResponseStream`. */
  action: string;
  modelId?: string;
  /** Of the job that is made. */
  jobName?: string;
  /** The bucket that was called, for the actions of S3. */
  bucket?: string;
  /** The account that it has to belong to. */
  bucketOwner?: string | undefined;
}

/** An error is two lines: what is longer than this, in characters, is in its details. */
const LONGEST_MESSAGE = 1000;

/** The fields that errors of the SDK carry, all of them optional. */
interface SdkFailure extends Error {
  $metadata?: { httpStatusCode?: number; requestId?: string; attempts?: number };
  $response?: { statusCode?: number; headers?: Record<string, string> };
  /** The field that it is about, where it names one beside its message. */
  refusedField?: string;
}

/**
 * Turns whatever an AWS client threw into the one error a person sees. An `OpenclawError` passes unchanged; a signal
 * becomes `interrupted`. The original stays as `cause`.
 */
export function toOpenclawError(failure: unknown, call: CallContext): OpenclawError {
  if (failure instanceof OpenclawError) return failure;
  const { runtime } = call.session.setup;
  const { signal } = runtime;
  if (signal.aborted && signal.reason instanceof OpenclawError) return signal.reason;
  const error: SdkFailure = failure instanceof Error ? failure : new Error(String(failure));
  // Who answers may repeat what it was sent.
  const text = hideSecrets(error.message, runtime).trim();
  const service = serviceOf(call.action);
  const source = call.session.endpoint(service)?.source;
  const known = fromAwsError(error, text, call);
  if (known) return explainFailure(known, call.session);
  const unknown = fromNetworkFailure(error, endpointText(call), source) ?? fromStatus(error, text, call);
  return explainFailure(unknown, call.session, service);
}

/**
 * The same error with what was found that explains it: in the credentials, the configuration, or on the way to `service`,
 * where it did not answer.
 */
export function explainFailure(error: OpenclawError, session: AwsSession, service?: Service): OpenclawError {
  const { decision, setup, target, region } = session;
  const place = {
    providerId: target.kind === "discovery" ? undefined : target.providerId,
    misspelt: listMisspelt(setup.config.value),
    asked: service && { service, region, endpoint: session.endpoint(service) },
  };
  // Of the network and of what the call asks for the credentials say nothing.
  const isTheirs = error.exitCode === EXIT_CODES["no-credentials"];
  return explainError(error, decision, {
    place,
    topics: isTheirs ? undefined : ["the configuration", ...(service ? ["the way" as const] : [])],
  });
}

/** A list names nothing that could be missing: what is not found is the list itself. */
function isRouteMissing(error: SdkFailure, { action }: CallContext): boolean {
  if (!action.startsWith("bedrock:List")) return false;
  const status = error.$response?.statusCode ?? error.$metadata?.httpStatusCode;
  // With a path of its own in the endpoint, a list is asked for where a model is looked up.
  return status === 404 || findRow(error.name, error.message)?.code === "model-not-found";
}

function fromAwsError(error: SdkFailure, text: string, call: CallContext): OpenclawError | undefined {
  const row = findRow(
    isRouteMissing(error, call) ? "UnknownOperationException" : error.name,
    error.message,
    call.action,
  );
  if (!row) return undefined;
  const now = call.session.setup.runtime.now();
  const skew = describeSkew(error.$response?.headers?.["date"], now);
  const context = { ...contextOf(text, call), skew };
  const { denial } = context;
  return fromRow(row, context, error, {
    awsError: error.name,
    awsMessage: text,
    gate: row.gate,
    action: denial?.action,
    isExplicit: denial?.isExplicit,
    resource: denial?.resource,
    policy: denial?.policy,
    policyArn: denial?.policyArn,
    retryAfter: secondsToWait(error.$response?.headers ?? {}, now),
    refusedField: error.refusedField,
  });
}

function fromRow(
  row: ErrorRow,
  context: ErrorContext,
  error: SdkFailure,
  details: Record<string, unknown>,
): OpenclawError {
  return new OpenclawError(row.code, {
    message: row.message(context),
    hint: row.hint(context),
    requestId: error.$metadata?.requestId,
    details,
    cause: error,
  });
}

function contextOf(text: string, call: CallContext): ErrorContext {
  const { session, action, modelId, jobName, bucket, bucketOwner } = call;
  return {
    message: text.replaceAll(/\s*[\r\n]+\s*/g, " ").slice(0, LONGEST_MESSAGE) || "no reason given",
    modelId,
    jobName,
    bucket,
    bucketOwner,
    service: SERVICE_NAMES[serviceOf(action)],
    region: session.region.value,
    action,
    credentials: describeChosen(session.decision.chosen),
    renewal: renewalOf(session.decision.chosen),
    denial: readDenial(text),
    endpoint: endpointText(call),
    endpointSource: session.endpoint(serviceOf(action))?.source,
  };
}

/** What is left: an answer that is not AWS's. Its status is all there is to go by. */
function fromStatus(error: SdkFailure, text: string, call: CallContext): OpenclawError {
  const status = error.$response?.statusCode ?? error.$metadata?.httpStatusCode;
  const row = status === undefined ? undefined : findRowOfStatus(status);
  if (!row) {
    return new OpenclawError("internal", {
      message: `Unexpected: ${text}`,
      hint: BUG_HINT,
      cause: error,
    });
  }
  const location = error.$response?.headers?.["location"];
  const context = {
    ...contextOf(text, call),
    message: isUnreadable(error) ? "" : firstLine(text),
    status,
    location: location === undefined ? undefined : hostOfRedirect(location),
  };
  return fromRow(row, context, error, { status });
}

/** Who was asked, as a URL where somebody named one. */
function endpointText({ session, action }: CallContext): string {
  const service = serviceOf(action);
  return (
    session.endpoint(service)?.url ?? `${SERVICE_NAMES[service] ?? "Bedrock"} in ${session.region.value}`
  );
}

/** The service that an IAM action is one of: Bedrock's are spread over two. */
function serviceOf(action: string): Service {
  if (action.startsWith("sts:")) return "sts";
  if (action.startsWith("bedrock-mantle:")) return "bedrock-mantle";
  if (action.startsWith("servicequotas:")) return "service-quotas";
  if (action.startsWith("cloudwatch:")) return "cloudwatch";
  if (action.startsWith("s3:")) return "s3";
  return /^bedrock:(InvokeModel|CountTokens)/.test(action) ? "bedrock-runtime" : "bedrock";
}

/** Whether the error is the SDK's about a body that it could not read, and not what the body says. */
function isUnreadable({ name, message }: Error): boolean {
  return name === "SyntaxError" || message === "Unknown" || message === "UnknownError";
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]?.slice(0, 200) ?? "";
}
