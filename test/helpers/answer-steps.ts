import { EventStreamCodec } from "@smithy/eventstream-codec";
import { eventStep } from "../../src/emulator/converse.ts";
import type { RecordedCall, StreamStep } from "../../src/emulator/emulator.ts";

/** One piece of text of a content block. */
export function textStep(text: string, contentBlockIndex = 0): StreamStep {
  return eventStep("contentBlockDelta", { contentBlockIndex, delta: { text } });
}

/**
 * The whole stream of a text answer: start, a delta for each text, stop, metadata. `delayMs` is the pause before each
 * delta after the first. For scripts that only care about the text.
 */
export function* textAnswerSteps(
  texts: Iterable<string>,
  options: { stopReason?: string; usage?: object; delayMs?: number } = {},
): Generator<StreamStep> {
  const { stopReason = "end_turn", delayMs = 0 } = options;
  yield eventStep("messageStart", { role: "assistant" });
  let isFirst = true;
  for (const text of texts) {
    if (delayMs > 0 && !isFirst) yield { wait: delayMs };
    isFirst = false;
    yield textStep(text);
  }
  yield eventStep("contentBlockStop", { contentBlockIndex: 0 });
  yield eventStep("messageStop", { stopReason });
  const usage = options.usage ?? { inputTokens: 1, outputTokens: 1, totalTokens: 2 };
  yield eventStep("metadata", { usage, metrics: { latencyMs: 1 } });
}

/** The text that a call of Converse ends with: what was asked. */
export function promptOf({ body }: RecordedCall): string {
  const { messages } = body as { messages: { content: { text: string }[] }[] };
  return messages.at(-1)?.content[0]?.text ?? "";
}

const codec = new EventStreamCodec(
  (bytes) => (typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8")),
  (text) => Buffer.from(text, "utf8"),
);

/** The event stream protocol's own error frame, which has a code and a message in its headers and no payload. */
export function encodeError(code: string, message: string): Buffer {
  const frame = codec.encode({
    headers: {
      ":message-type": { type: "string", value: "error" },
      ":error-code": { type: "string", value: code },
      ":error-message": { type: "string", value: message },
    },
    body: new Uint8Array(),
  });
  return Buffer.from(frame);
}
