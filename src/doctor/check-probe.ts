import { askModel } from "../chat/ask-model.ts";
import { userMessage } from "../converse/request.ts";
import { Ledger } from "../ledger/ledger.ts";
import { type Check, ok, skip } from "./check.ts";
import { tokensInAndOut } from "../models/usage.ts";
import type { Examination } from "./examination.ts";

const PROMPT = "Reply with the word OK.";
const MAX_TOKENS = 16;
/** How long the call may take, in ms: a model that was not called for a while may be slow to start. */
const PROBE_MS = 30_000;

/** One small billed call of the default model, with the time to its first token. */
export const probeCheck: Check<Examination> = {
  id: "probe",
  title: "probe",
  needs: ["default-model"],
  hint: 'openclaw chat "Hello"',
  run: async (examination) => {
    const [model] = await examination.models();
    if (model === undefined) return skip("no default model is set");
    const { elapsed } = examination.runtime;
    const started = elapsed();
    let firstTokenMs: number | undefined;
    let called = model.id;
    let tokens = "";
    const setup = await examination.setup();
    const ledger = new Ledger(examination.runtime, setup.config.value, { command: "doctor" });
    const meter = ledger.meter(model, setup.decision);
    const question = {
      model,
      messages: [userMessage(PROMPT)],
      parameters: { maxTokens: MAX_TOKENS },
      bounds: { firstEventMs: PROBE_MS, silenceMs: PROBE_MS, totalMs: PROBE_MS },
    };
    try {
      for await (const event of askModel(setup, question)) {
        meter.take(event);
        if (event.type === "start") called = event.model;
        if (event.type === "text" || event.type === "reasoning") firstTokenMs ??= elapsed() - started;
        if (event.type === "usage") tokens = `, ${tokensInAndOut(event)}`;
      }
    } finally {
      meter.end();
      await ledger.settle();
    }
    const totalMs = Math.round(elapsed() - started);
    const first = firstTokenMs === undefined ? "no text" : `first token after ${Math.round(firstTokenMs)} ms`;
    return ok(`${called}: ${first}, ${totalMs} ms in all${tokens}`);
  },
};
