import type {
  ChatCompletion,
  ChatCompletionMessage,
  ChatCompletionMessageFunctionToolCall,
} from "openai/resources/chat/completions/completions";
import type { AnswerPart } from "./answer-parts.ts";
import type { FinishReason } from "../../../wires/chat-completions/stop-reason.ts";
import { toCompletionUsage } from "../../../wires/chat-completions/completion-usage.ts";

/** What every object of one answer carries. */
export interface AnswerHead {
  id: string;
  /** Seconds since 1970. */
  created: number;
}

/** `reasoning_content` is not OpenAI's: vLLM, DeepSeek and others send a model's reasoning under this name. */
export interface Reasoned {
  reasoning_content?: string;
}

/** Gathers the parts of an answer into one completion. Throws what the parts throw. */
export async function toCompletion(
  parts: AsyncIterable<AnswerPart>,
  head: AnswerHead,
): Promise<ChatCompletion> {
  const text: string[] = [];
  const reasoning: string[] = [];
  const calls: ChatCompletionMessageFunctionToolCall[] = [];
  let model = "";
  let finish: FinishReason = "stop";
  let usage: ChatCompletion["usage"];
  for await (const part of parts) {
    if (part.type === "start") model = part.model;
    else if (part.type === "text") text.push(part.text);
    else if (part.type === "reasoning") reasoning.push(part.text);
    else if (part.type === "call")
      calls.push({ id: part.id, type: "function", function: { name: part.name, arguments: "" } });
    else if (part.type === "arguments") {
      const call = calls[part.index];
      if (call) call.function.arguments += part.text;
    } else if (part.type === "finish") finish = part.reason;
    else usage = toCompletionUsage(part.usage);
  }
  const message: ChatCompletionMessage & Reasoned = {
    role: "assistant",
    content: text.length === 0 && calls.length > 0 ? null : text.join(""),
    refusal: null,
    ...(reasoning.length === 0 ? {} : { reasoning_content: reasoning.join("") }),
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  };
  return {
    id: head.id,
    object: "chat.completion",
    created: head.created,
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
    ...(usage ? { usage } : {}),
  };
}
