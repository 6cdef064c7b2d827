import { setTimeout as wait } from "node:timers/promises";
import { isTransientError } from "@smithy/core/retry";
import type { RetryErrorInfo, RetryErrorType, SdkError } from "@smithy/types";
import type { ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions";
import { awaitContent } from "../../converse/answer-batches.ts";
import { abortReason, type Deadlines } from "../../converse/deadlines.ts";
import type { Ask } from "../../converse/plan-request.ts";
import { toStreamError } from "../../converse/stream-failure.ts";
import type { OpenAnswer, Wire } from "../../converse/wire.ts";
import { OpenclawError } from "../../errors.ts";
import { createRetryStrategy, decideRetries } from "../../session/retries.ts";
import type { Setup } from "../../session/session.ts";
import { openLine, type ServerLine } from "./call-server.ts";
import { planCompletions } from "./completion-plan.ts";
import { askForModels } from "./list-models.ts";
import { retryTime } from "./retry-after.ts";
import { serverOf } from "./server.ts";
import { streamCompletion } from "./stream-completion.ts";

/** The longest that the list of models is waited for, to name those that may have been meant. In ms. */
const NEAREST_MS = 3000;

/**
 * Opens the way to a model behind OpenAI's chat completions. No AWS credentials, region or client have a part in it.
 * Throws `config-invalid` for a provider that cannot be called as it is set.
 */
export async function openCompletions(setup: Setup, ask: Ask): Promise<Wire> {
  const { runtime, config } = setup;
  const { model } = ask;
  const server = serverOf(model.providerId, model.provider, runtime.env);
  const line = await openLine(server, runtime);
  const wire: Wire = {
    region: null,
    plan: () => planCompletions(ask, config.value, server.url.hostname),
    open: ({ body }, deadlines) =>
      begin(setup, line, wire, body as ChatCompletionCreateParamsStreaming, deadlines),
    explain: (failure) => (failure instanceof OpenclawError ? failure : undefined),
    tellBreak: () => `The connection to ${server.name} broke off`,
    isSaid: (failure) => failure instanceof OpenclawError,
    knownIds: () => idsOf(line, ask),
    countTokens: async () => ({
      uncounted: "OpenAI's API has no counter, so the count is estimated",
    }),
    baseIdOf: () => undefined,
    close: () => line.close(),
  };
  return wire;
}

/** Sends the request until the model says something: a retry happens only before that, by the rules for AWS's calls. */
async function begin(
  { decision, shared }: Setup,
  line: ServerLine,
  wire: Wire,
  body: ChatCompletionCreateParamsStreaming,
  deadlines: Deadlines,
): Promise<OpenAnswer> {
  const { runtime, server } = line;
  const { signal } = deadlines;
  const profile = shared.profiles.get(decision.profileName);
  const settings = decideRetries(runtime.env, profile && { name: decision.profileName, keys: profile.keys });
  const pause = (ms: number): Promise<unknown> => wait(ms, undefined, { signal });
  const strategy = createRetryStrategy(settings, {
    now: runtime.now,
    wait: pause,
    note: (text) => runtime.terminal.note(text),
  });
  let token = await strategy.acquireInitialRetryToken("");
  for (let attempts = 1; ; attempts += 1) {
    let requestId: string | undefined;
    try {
      const answer = await streamCompletion(line, body, signal);
      requestId = answer.requestId;
      const batches = await awaitContent(answer.batches);
      deadlines.heard();
      strategy.recordSuccess(token);
      return { batches, requestId, attempts };
    } catch (failure) {
      const error = toStreamError(failure, wire, { signal, model: body.model, requestId, hasBegun: false });
      try {
        token = await strategy.refreshRetryTokenForRetry(token, retryInfo(error, runtime.now()));
        await pause(token.getRetryDelay());
      } catch {
        // The strategy throws to say that it is enough, and the pause when it is cut short.
        throw signal.aborted ? abortReason(signal) : error;
      }
      runtime.terminal.note(
        `openclaw: ${server.name}: trying again (${attempts + 1} of ${settings.maxAttempts})`,
      );
    }
  }
}

function retryInfo(error: OpenclawError, now: number): RetryErrorInfo {
  const retryAfterHint = retryTime(error.details?.["retryAfter"], now);
  return { errorType: retryType(error), ...(retryAfterHint ? { retryAfterHint } : {}) };
}

function retryType(error: OpenclawError): RetryErrorType {
  if (error.code === "throttled") return "THROTTLING";
  if (error.code === "service-unavailable" || error.code === "stream-broken") return "TRANSIENT";
  const isTransient = error.cause instanceof Error && isTransientError(error.cause as SdkError);
  return isTransient ? "TRANSIENT" : "CLIENT_ERROR";
}

/** The ids that may have been meant: those of the configuration, and those the server lists. */
async function idsOf(line: ServerLine, { model }: Ask): Promise<string[]> {
  const configured = (model.provider?.models ?? []).map(({ id }) => id);
  const signal = AbortSignal.any([line.runtime.signal, AbortSignal.timeout(NEAREST_MS)]);
  try {
    return [...configured, ...(await askForModels(line, signal))];
  } catch (error) {
    line.runtime.terminal.verbose(() => `no list of models: ${String(error)}`);
    return configured;
  }
}
