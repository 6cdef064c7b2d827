import { countDown } from "../terminal/spinner.ts";
import { setTimeout as wait } from "node:timers/promises";
import { isTransientError } from "../network/sdk-parts.ts";
import type { RetryErrorInfo, RetryErrorType, SdkError } from "@smithy/types";
import { awaitContent } from "../converse/answer-batches.ts";
import { abortReason, type Deadlines } from "../converse/deadlines.ts";
import { unguarded } from "../converse/guardrail.ts";
import type { Ask } from "../converse/plan-request.ts";
import { toStreamError } from "../converse/stream-failure.ts";
import { type Lessons, refusalOf } from "../converse/apply-lessons.ts";
import type { OpenAnswer, RequestPlan, Wire } from "../converse/wire.ts";
import { profileInForce } from "../credentials/shared-config.ts";
import { OpenclawError } from "../errors.ts";
import { textAt } from "../json.ts";
import { secondsAsked } from "../network/retry-after.ts";
import { readRefusal } from "../session/refusal-table.ts";
import { nearestIds } from "../models/nearest.ts";
import { apiOf } from "../models/provider-api.ts";
import { unknownModel } from "../models/resolve-model.ts";
import type { AttemptGate } from "../session/rest-client.ts";
import { createRetryStrategy, decideRetries } from "../session/retries.ts";
import type { Setup } from "../session/session.ts";
import { openLine, type ServerLine } from "./call-server.ts";
import { askForModels } from "./list-models.ts";
import type { StreamedAnswer } from "./read-answer.ts";
import { serverOf } from "./server.ts";
import { anySignal } from "../until-aborted.ts";

/** The longest that the list of models is waited for, to name those that may have been meant. In ms. */
const NEAREST_MS = 3000;
/** The longest that a count is waited for, in ms. */
const COUNT_MS = 10_000;

/** A model of Amazon Bedrock as it is called. */
export interface BedrockModel {
  /** Its id, its profile's or an ARN: what is sent. */
  modelId: string;
  /** The foundation model behind it, where it is known. */
  baseId: string | undefined;
}

/** What differs from one API of servers to another. */
export interface ServerApi {
  /**
   * Plans the request for a question, by what was learnt of the model. `called` says what is called in Amazon Bedrock; a
   * server's model goes by its own id. Throws `bad-attachment`.
   */
  plan(line: ServerLine, lessons: Lessons, called?: BedrockModel): Promise<RequestPlan>;
  /** Sends a request once. Throws the errors of the line. */
  send(line: ServerLine, plan: RequestPlan, signal: AbortSignal): Promise<StreamedAnswer>;
  /** Asks for the input tokens of a request, where the API can; undefined for an answer that is no count. Throws as `send`. */
  countTokens?(line: ServerLine, plan: RequestPlan, signal: AbortSignal): Promise<number | undefined>;
}

/**
 * Opens the way to a model of a server. No AWS credentials, region or client have a part in it. Throws `config-invalid`
 * for a provider that cannot be called as it is set, and `invalid-request` for a question that wants a guardrail.
 */
export async function openServerWire(setup: Setup, { model, guardrail }: Ask, api: ServerApi): Promise<Wire> {
  // Whoever asks for one relies on it; that of the configuration is for models of Amazon Bedrock.
  if (guardrail) throw unguarded(model.key, "is not a model of Amazon Bedrock", true);
  const { runtime, shared, decision } = setup;
  const server = serverOf(model.providerId, model.provider, runtime.env);
  const line = await openLine(server, runtime, undefined, profileInForce(shared, decision.profileName));
  const wire: Wire = {
    region: null,
    place: [server.name, server.url.href, apiOf(model), model.id],
    isListed: () => false,
    plan: (lessons) => api.plan(line, lessons),
    learn: async ({ details }) =>
      readRefusal({ message: refusalOf(details), param: textAt(details, "refusedField") }),
    open: (plan, deadlines, gate) => {
      const send = (): Promise<StreamedAnswer> => api.send(line, plan, deadlines.signal);
      return begin(setup, wire, server.name, { send, deadlines, gate, model: plan.input.modelId ?? "" });
    },
    explain: (failure) => (failure instanceof OpenclawError ? failure : undefined),
    tellBreak: () => `The connection to ${server.name} broke off`,
    isSaid: (failure) => failure instanceof OpenclawError,
    explainUnknown: async (refusal) => {
      const ids = await idsOf(line, model.provider?.models ?? []);
      const others = ids.filter((id) => id !== model.id);
      return unknownModel(model.id, nearestIds(model.id, others), refusal);
    },
    countTokens: (plan) => countByApi(line, api, plan),
    baseIdOf: () => undefined,
    profileOf: () => undefined,
    close: () => line.close(),
  };
  return wire;
}

/** Counts the tokens of a request by the API itself, or tells why it does not. Throws `interrupted`. */
export async function countByApi(
  line: ServerLine,
  api: ServerApi,
  plan: RequestPlan,
): ReturnType<Wire["countTokens"]> {
  const { server, runtime } = line;
  if (!api.countTokens) return { uncounted: "OpenAI's API has no counter, so the count is estimated" };
  const signal = anySignal(runtime.signal, AbortSignal.timeout(COUNT_MS));
  try {
    const tokens = await api.countTokens(line, plan, signal);
    if (tokens !== undefined) return { tokens };
    return { uncounted: `${server.name} gave no count, so it is estimated` };
  } catch (error) {
    if (runtime.signal.aborted) throw abortReason(runtime.signal);
    const failure = error instanceof OpenclawError ? error : undefined;
    const why = failure?.message.replace(/\.$/, "") ?? String(error);
    const uncounted = `${server.name} did not count the tokens (${why}), so the count is estimated`;
    return { uncounted, ...(failure && { failure }) };
  }
}

/**
 * Sends a request until the model says something: a retry happens only before that, by the rules for AWS's calls, and where
 * there is a gate, not of what was throttled.
 */
async function begin(
  { runtime, decision, shared }: Setup,
  wire: Wire,
  name: string,
  {
    send,
    deadlines,
    gate,
    model,
  }: {
    send: () => Promise<StreamedAnswer>;
    deadlines: Deadlines;
    gate: AttemptGate | undefined;
    model: string;
  },
): Promise<OpenAnswer> {
  const { signal } = deadlines;
  const settings = decideRetries(runtime.env, profileInForce(shared, decision.profileName));
  const pause = (ms: number): Promise<unknown> => wait(ms, undefined, { signal });
  const strategy = createRetryStrategy(settings, {
    now: runtime.now,
    wait: pause,
    who: name,
    note: (text) => runtime.terminal.note(text),
    tellPause: (why, ms) => countDown(runtime, why, ms),
  });
  let token = await strategy.acquireInitialRetryToken("");
  for (let attempts = 1; ; attempts += 1) {
    let requestId: string | undefined;
    try {
      await gate?.enter();
      const answer = await send();
      requestId = answer.requestId;
      const batches = await awaitContent(answer.batches);
      deadlines.heard();
      strategy.recordSuccess(token);
      return { batches, requestId, attempts };
    } catch (failure) {
      const error = toStreamError(failure, wire, { signal, model, requestId, hasBegun: false });
      if (gate && error.code === "throttled") throw error;
      try {
        token = await strategy.refreshRetryTokenForRetry(token, retryInfo(error, runtime.now()));
        await pause(token.getRetryDelay());
      } catch {
        // The strategy throws to say that it is enough, and the pause when it is cut short.
        throw signal.aborted ? abortReason(signal) : error;
      }
    }
  }
}

function retryInfo(error: OpenclawError, now: number): RetryErrorInfo {
  const asked = secondsAsked(error);
  return {
    errorType: retryType(error),
    ...(error.cause instanceof Error ? { error: error.cause as SdkError } : {}),
    ...(asked === undefined ? {} : { retryAfterHint: new Date(now + asked * 1000) }),
  };
}

function retryType(error: OpenclawError): RetryErrorType {
  if (error.code === "throttled") return "THROTTLING";
  if (error.code === "service-unavailable" || error.code === "stream-broken") return "TRANSIENT";
  const isTransient = error.cause instanceof Error && isTransientError(error.cause as SdkError);
  return isTransient ? "TRANSIENT" : "CLIENT_ERROR";
}

/** The ids that may have been meant: those of the configuration, and those the server lists. */
async function idsOf(line: ServerLine, configured: readonly { id: string }[]): Promise<string[]> {
  const ids = configured.map(({ id }) => id);
  const signal = anySignal(line.runtime.signal, AbortSignal.timeout(NEAREST_MS));
  try {
    return [...ids, ...(await askForModels(line, signal))];
  } catch (error) {
    line.runtime.terminal.verbose(() => `no list of models: ${String(error)}`);
    return ids;
  }
}
