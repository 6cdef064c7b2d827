import type { AwsSession } from "../aws/session.ts";
import { describeChosen, renewalOf } from "../credentials/describe.ts";
import { OpenclawError } from "../errors.ts";
import { type Denial, type ErrorContext, findRow } from "./error-table.ts";
import { fromNetworkFailure } from "./network-errors.ts";

export interface CallContext {
  session: AwsSession;
  /** The IAM action of the call, for example `bedrock:InvokeModelWithResponseStream`. */
  action: string;
  modelId?: string;
}

/** The fields that errors of the SDK carry, all of them optional. */
interface SdkFailure extends Error {
  $metadata?: { httpStatusCode?: number; requestId?: string; attempts?: number };
  $response?: { statusCode?: number; headers?: Record<string, string> };
}

/**
 * Turns whatever an AWS client threw into the one error a person sees. An `OpenclawError` passes unchanged; a signal
 * becomes `interrupted`. The original stays as `cause`.
 */
export function toOpenclawError(failure: unknown, call: CallContext): OpenclawError {
  if (failure instanceof OpenclawError) return failure;
  const { signal } = call.session.surroundings.runtime;
  if (signal.aborted && signal.reason instanceof OpenclawError) return signal.reason;
  const error: SdkFailure = failure instanceof Error ? failure : new Error(String(failure));
  return (
    fromAwsError(error, call) ??
    fromNetworkFailure(error, endpointText(call.session)) ??
    fromStatus(error, call)
  );
}

function fromAwsError(error: SdkFailure, call: CallContext): OpenclawError | undefined {
  const row = findRow(error.name, error.message);
  if (!row) return undefined;
  const context = contextOf(error, call);
  return new OpenclawError(row.code, {
    message: row.message(context),
    hint: row.hint(context),
    requestId: error.$metadata?.requestId,
    details: {
      awsError: error.name,
      awsMessage: error.message,
      ...(context.denial ? { action: context.denial.action } : {}),
    },
    cause: error,
  });
}

function contextOf(error: Error, { session, action, modelId }: CallContext): ErrorContext {
  return {
    message: error.message.trim() || "no reason given",
    modelId,
    region: session.region.value,
    action,
    credentials: describeChosen(session.decision.chosen),
    renewal: renewalOf(session.decision.chosen),
    denial: readDenial(error.message),
  };
}

/**
 * Reads IAM's denial: `User: … is not authorized to perform: ACTION on resource: ARN because … explicit deny in a KIND`
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html).
 */
export function readDenial(message: string): Denial | undefined {
  const match = /not authorized to perform:? ([\w-]+:[\w*]+)(?: on resource:? (\S+))?/i.exec(message);
  if (!match?.[1]) return undefined;
  const explicit = /explicit deny in an? ([a-z -]+?)(?: policy)?(?:[.:,]|$| with| attached)/i.exec(message);
  return {
    action: match[1],
    resource: match[2]?.replace(/[.,]$/, ""),
    explicitIn: explicit?.[1] ? `a ${explicit[1].replace(/ policy$/, "")} policy` : undefined,
  };
}

/** What is left: an answer that is not AWS's. Its status is all there is to go by. */
function fromStatus(error: SdkFailure, { session }: CallContext): OpenclawError {
  const status = error.$response?.statusCode ?? error.$metadata?.httpStatusCode;
  const endpoint = endpointText(session);
  const requestId = error.$metadata?.requestId;
  if (status === undefined) {
    return new OpenclawError("internal", {
      message: `Unexpected: ${error.message}`,
      hint: "This is a bug in openclaw. Please report it with the lines below and the command you ran.",
      cause: error,
    });
  }
  if (status >= 300 && status < 400) {
    const location = error.$response?.headers?.["location"];
    return new OpenclawError("bad-response", {
      message: `${endpoint} answers with a redirect (${status}${location ? ` to ${hostOf(location)}` : ""}); AWS never does.`,
      hint: "Log in to the network you are on, or check the endpoint: openclaw doctor",
      requestId,
      cause: error,
    });
  }
  if (status === 407) {
    return new OpenclawError("network", {
      message: "The proxy demands a login.",
      hint: "Put user and password into HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT",
      cause: error,
    });
  }
  if (status === 429 || status === 503) {
    return new OpenclawError(status === 429 ? "throttled" : "service-unavailable", {
      message: `${endpoint} answers ${status}: ${firstLine(error.message)}`,
      hint: "Wait a minute and try again.",
      requestId,
      cause: error,
    });
  }
  return new OpenclawError("bad-response", {
    message: `${endpoint} answers ${status} with something that is not AWS's.`,
    hint: "A proxy or another server may be in between: openclaw doctor",
    requestId,
    details: { status },
    cause: error,
  });
}

function endpointText(session: AwsSession): string {
  const endpoint = session.endpoint("bedrock-runtime") ?? session.endpoint("bedrock");
  return endpoint ? endpoint.url : `Bedrock in ${session.region.value}`;
}

function hostOf(location: string): string {
  return URL.canParse(location) ? new URL(location).host : "another address";
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]?.slice(0, 200) ?? "";
}
