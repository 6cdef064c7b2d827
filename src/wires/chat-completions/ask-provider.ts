import { setTimeout as wait } from "node:timers/promises";
import { isTransientError } from "@smithy/core/retry";
import type { RetryErrorInfo, RetryErrorType, SdkError } from "@smithy/types";
import { createRetryStrategy, decideRetries } from "../../session/retries.ts";
import type { Setup } from "../../session/session.ts";
import { awaitContent, type Batches } from "../../converse/answer-batches.ts";
import type { Question } from "../../chat/ask-model.ts";
import type { ChatEvent } from "../../converse/chat-event.ts";
import { abortReason, boundsFor, Deadlines } from "../../converse/deadlines.ts";
import { readEvents } from "../../converse/read-events.ts";
import { unknownModel } from "../../models/resolve-model.ts";
import { OpenclawError, withRequestId } from "../../errors.ts";
import { openLine, type ServerLine } from "./call-server.ts";
import { type CompletionsPlan, planCompletions } from "./completion-plan.ts";
import { retryTime } from "./retry-after.ts";
import { askForModels } from "./list-models.ts";
import { serverOf } from "./server.ts";
import { streamCompletion } from "./stream-completion.ts";

/** The longest that the list of models is waited for, to name those that may have been meant. In ms. */
const NEAREST_MS = 3000;

/**
 * Puts a question to a model behind OpenAI's API and yields the answer's events. No AWS credentials, region or client
 * have a part in it. Throws `config-invalid` for a provider that cannot be called as it is set, the errors of the failure
 * table, `network`, `timeout`, `bad-response`, `stream-broken` and `interrupted`; `model-not-found` names the nearest of
 * the provider's models.
 */
export async function* askProvider(
  setup: Setup,
  question: Question,
): AsyncGenerator<ChatEvent, void, undefined> {
  const { runtime, config } = setup;
  const { model } = question;
  const server = serverOf(model.providerId, model.provider, runtime.env);
  const plans = await planCompletions(question, config.value, server.url.hostname);
  for (const notice of plans[0].notices) runtime.terminal.note(`openclaw: ${notice}`);
  const line = await openLine(server, runtime);
  try {
    yield* askInForms(setup, line, question, plans);
  } catch (error) {
    if (!(error instanceof OpenclawError) || error.code !== "model-not-found") throw error;
    throw unknownModel(model.id, await idsOf(line, question), error);
  } finally {
    line.close();
  }
}

/** Asks in the first form that the server does not refuse. */
async function* askInForms(
  setup: Setup,
  line: ServerLine,
  question: Question,
  plans: readonly CompletionsPlan[],
): AsyncGenerator<ChatEvent, void, undefined> {
  for (const [index, plan] of plans.entries()) {
    const events = streamAnswer(setup, line, question, plan);
    if (!question.schema || !plan.form) return yield* events;
    const { isFormRefused, readStructured } = await import("../../converse/structured-output.ts");
    let hasStarted = false;
    try {
      for await (const event of readStructured(events, plan.form, question.schema)) {
        hasStarted = true;
        yield event;
      }
      return;
    } catch (error) {
      if (hasStarted || index === plans.length - 1 || !isFormRefused(error)) throw error;
      line.runtime.terminal.verbose(
        () => `schema as ${plan.form}: ${String(error)}; trying ${plans[index + 1]?.form}`,
      );
    }
  }
}

async function* streamAnswer(
  setup: Setup,
  line: ServerLine,
  { bounds, recorder }: Question,
  plan: CompletionsPlan,
): AsyncGenerator<ChatEvent, void, undefined> {
  const { runtime } = line;
  const { model } = plan.body;
  const deadlines = new Deadlines(boundsFor(bounds, plan.isReasoning), runtime.signal, runtime.elapsed);
  try {
    recorder?.begin(plan.input);
    const { batches, requestId, attempts } = await begin(setup, line, plan, deadlines);
    yield { type: "start", model, region: null, ...(requestId === undefined ? {} : { requestId }), attempts };
    yield* readEvents(batches, {
      requestId,
      deadlines,
      hasTools: plan.body.tools !== undefined,
      coalesces: runtime.terminal.format !== "ndjson",
      recorder,
      toFailure: (failure) => toFailure(failure, { deadlines, line, model, requestId, hasBegun: true }),
      isSaid: (failure) => failure instanceof OpenclawError,
    });
  } finally {
    deadlines.stop();
  }
}

interface Begun {
  batches: Batches;
  requestId: string | undefined;
  /** How often the request was sent. */
  attempts: number;
}

/** Sends the request until the model says something: a retry happens only before that, by the rules for AWS's calls. */
async function begin(
  { decision, shared }: Setup,
  line: ServerLine,
  { body }: CompletionsPlan,
  deadlines: Deadlines,
): Promise<Begun> {
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
      const source = { deadlines, line, model: body.model, requestId, hasBegun: false };
      const error = toFailure(failure, source);
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

interface FailedStream {
  deadlines: Deadlines;
  line: ServerLine;
  model: string;
  requestId: string | undefined;
  hasBegun: boolean;
}

/** What a failed stream means: an interruption or time-out, something the server says, or a lost connection. */
function toFailure(
  failure: unknown,
  { deadlines, line, model, requestId, hasBegun }: FailedStream,
): OpenclawError {
  const { signal } = deadlines;
  if (signal.aborted) return abortReason(signal);
  if (failure instanceof OpenclawError) return withRequestId(failure, requestId);
  const { name } = line.server;
  return new OpenclawError("stream-broken", {
    message: hasBegun
      ? `The connection to ${name} broke off in the middle of the answer: what was printed of '${model}' is not all of it.`
      : `The connection to ${name} broke off before '${model}' answered.`,
    hint: "Run the command again.",
    requestId,
    cause: failure,
  });
}

/** The ids that may have been meant: those of the configuration, and those the server lists. */
async function idsOf(line: ServerLine, { model }: Question): Promise<string[]> {
  const configured = (model.provider?.models ?? []).map(({ id }) => id);
  const signal = AbortSignal.any([line.runtime.signal, AbortSignal.timeout(NEAREST_MS)]);
  try {
    return [...configured, ...(await askForModels(line, signal))];
  } catch (error) {
    line.runtime.terminal.verbose(() => `no list of models: ${String(error)}`);
    return configured;
  }
}
