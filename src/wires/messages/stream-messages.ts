import { isRecord } from "../../json.ts";
import { parseIfJson } from "../../json-bounds.ts";
import { MESSAGES_VERSION } from "../../models/provider-api.ts";
import { readBytes } from "../../read-bytes.ts";
import type { ServerLine } from "../call-server.ts";
import { readAnswer, type StreamedAnswer } from "../read-answer.ts";
import { MessagesReader } from "./messages-reader.ts";
import type { MessageCreateParamsStreaming } from "@anthropic-ai/sdk/resources/messages";

/** A request as it is planned: `anthropic_beta` is Bedrock's field for what servers have as a header. */
export type MessagesBody = MessageCreateParamsStreaming & { anthropic_beta?: string[] };

/** The longest count that is read, in bytes. */
const LONGEST_COUNT = 64 * 1024;

/**
 * Asks for a streamed message. Reading the answer throws what readAnswer says. Throws the errors of the line.
 */
export async function streamMessages(
  line: ServerLine,
  { anthropic_beta: betas = [], ...body }: MessagesBody,
  signal: AbortSignal,
): Promise<StreamedAnswer> {
  const { model } = body;
  const headers = headersFor(betas);
  const answer = await line.send({ path: "/messages", body, headers, model }, signal);
  return readAnswer(answer, line, model, new MessagesReader());
}

/**
 * Asks how many input tokens a request has (https://platform.claude.com/docs/en/api/messages-count-tokens); undefined where
 * the answer is no number. Throws the errors of the line.
 */
export async function countMessageTokens(
  line: ServerLine,
  { anthropic_beta: betas = [], ...asked }: MessagesBody,
  signal: AbortSignal,
): Promise<number | undefined> {
  const { model, messages, system, tools, tool_choice, thinking, output_config } = asked;
  const body = { model, messages, system, tools, tool_choice, thinking, output_config };
  const call = { path: "/messages/count_tokens", body, headers: headersFor(betas), model };
  const answer = await line.send(call, signal);
  const tooLong = (): Error => new Error(`The count is longer than ${LONGEST_COUNT} bytes.`);
  const bytes = await readBytes(answer.body, { most: LONGEST_COUNT, tooLong });
  const count = parseIfJson(bytes.toString("utf8"));
  const tokens = isRecord(count) ? count["input_tokens"] : undefined;
  return typeof tokens === "number" ? tokens : undefined;
}

function headersFor(betas: readonly string[]): Record<string, string> {
  return {
    ...MESSAGES_VERSION,
    ...(betas.length === 0 ? {} : { "anthropic-beta": betas.join(",") }),
  };
}
