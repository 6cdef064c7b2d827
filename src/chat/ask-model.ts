import type { ChatEvents } from "../converse/chat-event.ts";
import { boundsFor, Deadlines, type WantedBounds } from "../converse/deadlines.ts";
import type { Ask } from "../converse/plan-request.ts";
import { readEvents } from "../converse/read-events.ts";
import { toStreamError } from "../converse/stream-failure.ts";
import type { TurnRecorder } from "../converse/message-assembler.ts";
import type { RequestPlan, RequestPlans, Wire } from "../converse/wire.ts";
import { OpenclawError } from "../errors.ts";
import { unknownModel } from "../models/resolve-model.ts";
import type { Runtime } from "../runtime.ts";
import type { Setup } from "../session/session.ts";
import type { WireOptions } from "./converse-wire.ts";
import { openWire } from "./open-wire.ts";

export interface Question extends Ask, WireOptions {
  bounds: WantedBounds;
  /** Keeps what is sent and what comes back; none where nothing follows the answer. */
  recorder?: TurnRecorder | undefined;
}

/**
 * Puts a question to a model and yields the answer's events. Throws the errors of its wire; `model-not-found` names the
 * nearest ids, `stream-broken` an answer that is not whole.
 */
export async function* askModel(setup: Setup, question: Question): ChatEvents {
  const wire = await openWire(setup, question, question);
  const asking: Asking = { wire, question, runtime: setup.runtime, noted: new Set() };
  try {
    yield* askInForms(asking, await wire.plan());
  } catch (error) {
    if (!(error instanceof OpenclawError)) throw error;
    if (error.code === "model-not-found") throw unknownModel(question.model.id, await wire.knownIds(), error);
    const others = await wire.replan?.(error);
    if (!others) throw error;
    yield* askInForms(asking, others);
  } finally {
    wire.close();
  }
}

/** One question on its way. */
interface Asking {
  wire: Wire;
  question: Question;
  runtime: Runtime;
  /** The notices that were told: once, however many forms are tried. */
  noted: Set<string>;
}

/** Asks in the first form that is not refused. */
async function* askInForms({ wire, question, runtime, noted }: Asking, plans: RequestPlans): ChatEvents {
  const { schema } = question;
  for (const [index, plan] of plans.entries()) {
    for (const notice of plan.notices.filter((text) => !noted.has(text))) {
      noted.add(notice);
      runtime.terminal.note(`openclaw: ${notice}`);
    }
    const events = streamAnswer(wire, plan, { ...question, runtime });
    if (!schema || !plan.form) return yield* events;
    const { isFormRefused, readStructured } = await import("../converse/structured-output.ts");
    let hasStarted = false;
    try {
      for await (const event of readStructured(events, plan.form, schema)) {
        hasStarted = true;
        yield event;
      }
      return;
    } catch (error) {
      const next = plans[index + 1];
      if (hasStarted || !next || !isFormRefused(error)) throw error;
      runtime.terminal.verbose(() => `schema as ${plan.form}: ${String(error)}; trying ${next.form}`);
    }
  }
}

/**
 * Sends one request and yields its answer: within its deadlines, recorded, and whole only with a `messageStop`. Throws
 * the errors of the wire, `timeout`, `stream-broken` and `interrupted`.
 */
export async function* streamAnswer(
  wire: Pick<Wire, "region" | "open" | "explain" | "tellBreak" | "isSaid">,
  plan: RequestPlan,
  { bounds, recorder, runtime }: Pick<Question, "bounds" | "recorder"> & { runtime: Runtime },
): ChatEvents {
  const model = plan.input.modelId ?? "";
  const deadlines = new Deadlines(boundsFor(bounds, plan.isReasoning), runtime.signal, runtime.elapsed);
  const { signal } = deadlines;
  try {
    recorder?.begin(plan);
    const { batches, requestId, attempts } = await wire.open(plan, deadlines);
    yield { type: "start", model, region: wire.region, requestId, attempts };
    yield* readEvents(batches, {
      requestId,
      deadlines,
      hasTools: plan.input.toolConfig !== undefined,
      toolNames: plan.toolNames,
      coalesces: runtime.terminal.format !== "ndjson",
      recorder,
      toFailure: (failure) => toStreamError(failure, wire, { signal, model, requestId, hasBegun: true }),
      isSaid: (failure) => wire.isSaid(failure),
    });
  } finally {
    deadlines.stop();
  }
}
