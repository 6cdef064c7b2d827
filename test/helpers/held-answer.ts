import type { RecordedCall, StreamStep } from "../../src/emulator/emulator.ts";
import type { ScriptedAnswer } from "../../src/emulator/script.ts";
import { textAnswerSteps, textStep } from "./answer-steps.ts";
import { gate } from "./served.ts";

/** An answer that is let go by the test. */
interface HeldAnswer {
  emulator: { script: (call: RecordedCall) => ScriptedAnswer | undefined };
  finish: () => void;
  /** Resolves when a model is asked. */
  asked: Promise<void>;
  /** Resolves when nobody reads it any more. */
  left: Promise<void>;
}

/** An answer whose first words come at once, and the rest when it is let go; of the calls of ConverseStream that are to be held. */
export function heldAnswer(isHeld = (_call: RecordedCall): boolean => true): HeldAnswer {
  const { opened, open: finish } = gate();
  const { opened: left, open: leave } = gate();
  const { opened: asked, open: begin } = gate();
  async function* steps(): AsyncGenerator<StreamStep> {
    begin();
    try {
      yield textStep("first ");
      yield { wait: opened };
      yield* textAnswerSteps(["last"]);
    } finally {
      leave();
    }
  }
  const script = (call: RecordedCall): ScriptedAnswer | undefined =>
    call.route === "ConverseStream" && isHeld(call) ? { stream: steps() } : undefined;
  return { emulator: { script }, finish, asked, left };
}
