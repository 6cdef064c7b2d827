import { OpenclawError, withRequestId } from "../errors.ts";
import { abortReason } from "./deadlines.ts";
import type { Wire } from "./wire.ts";

/** What stands around a stream that failed. */
export interface FailedStream {
  signal: AbortSignal;
  model: string;
  /** Of the answer; what comes inside a stream has no metadata of its own. */
  requestId: string | undefined;
  /** Whether the model had said something. */
  hasBegun: boolean;
}

/** What a failed stream means: an interruption or time-out, something the service says, or a lost connection. */
export function toStreamError(
  failure: unknown,
  wire: Pick<Wire, "explain" | "tellBreak">,
  { signal, model, requestId, hasBegun }: FailedStream,
): OpenclawError {
  if (signal.aborted) return abortReason(signal);
  const known = wire.explain(failure, model);
  if (known) return withRequestId(known, requestId);
  const how = wire.tellBreak(failure);
  return new OpenclawError("stream-broken", {
    message: hasBegun
      ? `${how} in the middle of the answer: what came of '${model}' is not all of it.`
      : `${how} before '${model}' answered.`,
    hint: "Run the command again.",
    requestId,
    cause: failure,
  });
}

/** Codes of failures that may be gone at the next attempt. */
const PASSING: ReadonlySet<string> = new Set(["throttled", "service-unavailable", "stream-broken"]);

/** Marks a failure for the SDK's retry strategy, which knows errors by their HTTP status. */
export function asRetryable(error: OpenclawError): OpenclawError {
  if (!PASSING.has(error.code)) return error;
  return Object.assign(error, { $retryable: { throttling: error.code === "throttled" } });
}
