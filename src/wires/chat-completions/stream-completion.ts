import { randomUUID } from "node:crypto";
import type { ChatCompletionCreateParamsStreaming } from "openai/resources/chat/completions";
import { OpenclawError } from "../../errors.ts";
import { callServer, type ServerAnswer, type ServerLine } from "../call-server.ts";
import { readAnswer, type StreamedAnswer } from "../read-answer.ts";
import { adaptRequest } from "./completion-request.ts";
import { CompletionReader } from "./completion-reader.ts";

/**
 * Asks for a streamed chat completion, in other words once more where the server's refusal asks for them. Reading the
 * answer throws what readAnswer says. Throws the errors of callServer.
 */
export async function streamCompletion(
  line: ServerLine,
  body: ChatCompletionCreateParamsStreaming,
  signal: AbortSignal,
): Promise<StreamedAnswer> {
  const reader = new CompletionReader(() => `call_${randomUUID().replaceAll("-", "")}`);
  return readAnswer(await post(line, body, signal), line, body.model, reader);
}

async function post(
  line: ServerLine,
  body: ChatCompletionCreateParamsStreaming,
  signal: AbortSignal,
): Promise<ServerAnswer> {
  try {
    const text = JSON.stringify(body);
    return await callServer(line, "/chat/completions", { body: text, signal, model: body.model });
  } catch (error) {
    if (!(error instanceof OpenclawError) || error.code !== "invalid-request") throw error;
    const adapted = adaptRequest(body, String(error.details?.["serverMessage"] ?? ""));
    if (!adapted) throw error;
    line.runtime.terminal.verbose(() => `${line.server.name}: ${error.message}; asking in other words`);
    return post(line, adapted, signal);
  }
}
