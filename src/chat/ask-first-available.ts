import type { Setup } from "../session/session.ts";
import { type ErrorCode, OpenclawError } from "../errors.ts";
import type { ResolvedModel } from "../models/resolve-model.ts";
import { askModel, type Question } from "./ask-model.ts";
import type { ChatEvent } from "../converse/chat-event.ts";

/** Failures of one model, not of the question: throttled, not available, not accessible. */
const FALLBACK_CODES: ReadonlySet<ErrorCode> = new Set([
  "throttled",
  "quota-exceeded",
  "service-unavailable",
  "model-access",
  "access-denied",
  "model-not-found",
]);

export type Query = Omit<Question, "model">;

/** An event of an answer, and the model that gives it. */
export interface Arrival {
  model: ResolvedModel;
  event: ChatEvent;
}

/**
 * Asks the first of several models and, when it is throttled, not available or not accessible before it said anything,
 * the next. A notice names the one that is asked instead. Throws the last model's error.
 */
export async function* askFirstAvailable(
  setup: Setup,
  models: readonly ResolvedModel[],
  query: Query,
): AsyncGenerator<Arrival, void, undefined> {
  const { terminal } = setup.runtime;
  for (const [index, model] of models.entries()) {
    const next = models[index + 1];
    // Held back until something follows it, so that a model that only started leaves no trace.
    let started: ChatEvent | undefined;
    let hasSpoken = false;
    try {
      for await (const event of askModel(setup, { ...query, model })) {
        if (event.type === "start" && next !== undefined) {
          started = event;
          continue;
        }
        hasSpoken = true;
        if (started) yield { model, event: started };
        started = undefined;
        yield { model, event };
      }
      return;
    } catch (error) {
      const canFallBack = error instanceof OpenclawError && FALLBACK_CODES.has(error.code) && !hasSpoken;
      if (!canFallBack || next === undefined) {
        if (started) yield { model, event: started };
        throw error;
      }
      terminal.note(`openclaw: ${error.message} Asking ${next.id} instead.`);
    }
  }
}
