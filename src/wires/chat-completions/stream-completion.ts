import { randomUUID } from "node:crypto";
import type { ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions";
import { beginsInReasoning } from "../../models/families.ts";
import { callServer, type ServerLine } from "../call-server.ts";
import { readAnswer, type StreamedAnswer } from "../read-answer.ts";
import { CompletionReader } from "./completion-reader.ts";

/** Asks for a streamed chat completion. Reading the answer throws what readAnswer says. Throws the errors of callServer. */
export async function streamCompletion(
  line: ServerLine,
  body: ChatCompletionCreateParamsStreaming,
  signal: AbortSignal,
): Promise<StreamedAnswer> {
  const { model } = body;
  const newId = (): string => `call_${randomUUID().replaceAll("-", "")}`;
  const reader = new CompletionReader(newId, beginsInReasoning(model));
  const answer = await callServer(line, "/chat/completions", { body, signal, model });
  return readAnswer(answer, line, model, reader);
}
