import type { ChatCompletionChunk } from "openai/resources/chat/completions/completions";
import type { AnswerPart } from "./answer-parts.ts";
import type { AnswerHead, Reasoned } from "./to-completion.ts";
import { toCompletionUsage } from "../../../wires/chat-completions/completion-usage.ts";

type Delta = ChatCompletionChunk.Choice.Delta & Reasoned;

/** Turns the parts of an answer into chunks, one for each. Throws what the parts throw. */
export async function* toChunks(
  parts: AsyncIterable<AnswerPart>,
  head: AnswerHead,
  includesUsage: boolean,
): AsyncGenerator<ChatCompletionChunk, void, undefined> {
  let model = "";
  const chunk = (
    choices: ChatCompletionChunk["choices"],
    usage: ChatCompletionChunk["usage"] = null,
  ): ChatCompletionChunk => ({
    id: head.id,
    object: "chat.completion.chunk",
    created: head.created,
    model,
    choices,
    // Where usage is wanted, OpenAI sends the field with every chunk.
    ...(includesUsage ? { usage } : {}),
  });
  const saying = (delta: Delta): ChatCompletionChunk =>
    chunk([{ index: 0, delta, logprobs: null, finish_reason: null }]);
  for await (const part of parts) {
    switch (part.type) {
      case "start":
        model = part.model;
        yield saying({ role: "assistant", content: "", refusal: null });
        break;
      case "text":
        yield saying({ content: part.text });
        break;
      case "reasoning":
        yield saying({ reasoning_content: part.text });
        break;
      case "call": {
        const { index, id, name } = part;
        yield saying({ tool_calls: [{ index, id, type: "function", function: { name, arguments: "" } }] });
        break;
      }
      case "arguments":
        yield saying({ tool_calls: [{ index: part.index, function: { arguments: part.text } }] });
        break;
      case "finish":
        yield chunk([{ index: 0, delta: {}, logprobs: null, finish_reason: part.reason }]);
        break;
      case "usage":
        if (includesUsage) yield chunk([], toCompletionUsage(part.usage));
    }
  }
}
