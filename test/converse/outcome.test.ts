import { expect, it } from "vitest";
import { judgeStop } from "../../src/converse/outcome.ts";

// Stop reasons of Converse's own list, and `refusal`, which Claude models send.
it.each([
  ["end_turn", undefined, false],
  ["stop_sequence", undefined, false],
  ["tool_use", undefined, false],
  ["max_tokens", undefined, true],
  ["model_context_window_exceeded", undefined, true],
  ["guardrail_intervened", "blocked", false],
  ["content_filtered", "blocked", false],
  ["refusal", "blocked", false],
  ["malformed_model_output", "model-error", false],
  ["malformed_tool_use", "model-error", false],
  ["something_new", undefined, false],
])("%s ends in %s", (stopReason, code, hasNotice) => {
  const { error, notice } = judgeStop(stopReason, "m");
  expect(error?.code).toBe(code);
  expect(notice !== undefined).toBe(hasNotice);
});
