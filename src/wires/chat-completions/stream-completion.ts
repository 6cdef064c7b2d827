import { randomUUID } from "node:crypto";
import type { ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions";
import { isLoopback, withoutBrackets } from "../../loopback.ts";
import { beginsInReasoning } from "../../models/families.ts";
import type { ServerLine } from "../call-server.ts";
import { readAnswer, type StreamedAnswer } from "../read-answer.ts";
import { CompletionReader } from "./completion-reader.ts";

/**
 * Asks for a streamed chat completion. `isReasoning`: the model is said to reason, by its settings or by the level that is
 * asked for. `tellReasoning` is called behind an answer whose text has reasoning in it. Reading the answer throws what
 * readAnswer says. Throws the errors of the line.
 */
export async function streamCompletion(
  line: ServerLine,
  body: ChatCompletionCreateParamsStreaming,
  signal: AbortSignal,
  isReasoning = false,
  tellReasoning?: () => void,
): Promise<StreamedAnswer> {
  const { model } = body;
  const newId = (): string => `call_${randomUUID().replaceAll("-", "")}`;
  // A server on this machine is mostly one that leaves all to the model; others would only be slow to show their answers.
  const isBare = isReasoning && !line.isAws && isLoopback(withoutBrackets(line.server.url.hostname));
  const reader = new CompletionReader(newId, isBare || (!line.isAws && beginsInReasoning(model)));
  const answer = await line.send({ path: "/chat/completions", body, model }, signal);
  const streamed = readAnswer(answer, line, model, reader);
  return {
    ...streamed,
    batches: untilOver(streamed.batches, () => reader.saysReasoning && tellReasoning?.()),
  };
}

async function* untilOver(
  batches: StreamedAnswer["batches"],
  whenOver: () => unknown,
): StreamedAnswer["batches"] {
  try {
    yield* batches;
  } finally {
    whenOver();
  }
}
