import { randomUUID } from "node:crypto";
import type { ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions";
import { callServer, type ServerLine } from "../call-server.ts";
import { readAnswer, type StreamedAnswer } from "../read-answer.ts";
import { CompletionReader } from "./completion-reader.ts";

/** Asks for a streamed chat completion. Reading the answer throws what readAnswer says. Throws the errors of callServer. */
export async function streamCompletion(
  line: ServerLine,
  body: ChatCompletionCreateParamsStreaming,
  signal: AbortSignal,
): Promise<StreamedAnswer> {
  const reader = new CompletionReader(() => `call_${randomUUID().replaceAll("-", "")}`);
  const { model } = body;
  const answer = await callServer(line, "/chat/completions", { body: JSON.stringify(body), signal, model });
  return readAnswer(answer, line, model, reader);
}
