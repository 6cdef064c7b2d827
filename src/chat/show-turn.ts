import type { ResolvedModel } from "../models/resolve-model.ts";
import type { Price } from "../models/usage.ts";
import type { Runtime } from "../runtime.ts";
import { changeWait, type Spinner, startSpinner, type Wait } from "../terminal/spinner.ts";
import { AnswerWriter, type WriterOptions } from "./answer-writer.ts";
import { type Arrival, waitFor } from "./run-turn.ts";
import type { TurnEvent } from "./tools/tool.ts";

export interface ShownTurn {
  runtime: Runtime;
  /** Asked in order. */
  models: readonly ResolvedModel[];
  arrivals: AsyncIterable<Arrival<TurnEvent>>;
  show: Omit<WriterOptions, "priceOf">;
  priceOf: (model: ResolvedModel | undefined, modelId: string) => Price | undefined;
  /** Keeps the turn, once: whole, or as far as it came before a failure. */
  keep: (answering: ResolvedModel | undefined, failure?: unknown) => Promise<void>;
  /** Aborted when the person stops the answer, which is then no failure. */
  stop?: AbortSignal;
}

/**
 * Shows an answer at the terminal while it arrives, that it is waited for until then, and has the turn kept. Throws what
 * goes wrong with it.
 */
export async function showTurn(turn: ShownTurn): Promise<void> {
  const { runtime, models, arrivals, show, priceOf, keep, stop } = turn;
  let answering = models[0];
  const writer = new AnswerWriter(runtime, { ...show, priceOf: (modelId) => priceOf(answering, modelId) });
  const spin = (wait: Wait): Spinner | undefined =>
    startSpinner(runtime, wait, { namesSteps: true, stopKey: stop ? "Esc" : "Ctrl-C" });
  let spinner = answering && spin(waitFor(answering));
  /** The tools that run, by the ids of their calls. */
  const running = new Map<string, string>();
  try {
    for await (const { model, event } of arrivals) {
      answering = model;
      await writer.take(event);
      if (event.type === "tool-call" || event.type === "tool-result") {
        if (event.type === "tool-call") running.set(event.toolUseId, event.name);
        else running.delete(event.toolUseId);
        // It counts the time of what is waited for from here on.
        spinner?.end();
        spinner = spin(running.size > 0 ? waitForTools([...running.values()]) : waitFor(model));
      } else if (writer.hasShown) spinner?.end();
      else if (event.type === "reasoning")
        changeWait(runtime, { text: `${model.id} is reasoning`, brief: "Reasoning" });
    }
    spinner?.end();
    await writer.endLine();
    await keep(answering);
    await writer.finish();
  } catch (failure) {
    spinner?.end();
    const error = await writer.fail(failure);
    const isStopped = stop?.aborted === true;
    if (isStopped) runtime.terminal.note((await runtime.terminal.stderrStyle()).dim("(stopped)"));
    await keep(answering, failure);
    if (!isStopped) throw error;
  }
}

function waitForTools(names: readonly string[]): Wait {
  return { text: `Running ${[...new Set(names)].join(", ")}`, brief: "Running" };
}
