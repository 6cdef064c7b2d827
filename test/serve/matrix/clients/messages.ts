import type {
  ContentBlock,
  ContentBlockParam,
  Message,
  MessageParam,
  RawMessageStreamEvent,
} from "@anthropic-ai/sdk/resources/messages/messages";
import { type DialectClient, eventData, type Question, type Told } from "../client.ts";

const STOPS: Readonly<Record<string, Told["stop"]>> = {
  end_turn: "end",
  max_tokens: "length",
  tool_use: "tool",
  stop_sequence: "stop-sequence",
  refusal: "withheld",
};
/** The budget of the level `low`, in tokens, and an answer that has room for it. */
const LOW = 4096;
const ROOM = 8192;

/** Anthropic's Messages. */
export const messages: DialectClient = {
  name: "messages",
  tellsStops: true,
  carriesSignatures: true,
  takesSchemas: true,
  ask: (question, model, isStreamed) => ({
    path: "/v1/messages",
    headers: { "anthropic-version": "2023-06-01" },
    body: {
      model,
      max_tokens: question.maxTokens ?? ROOM,
      messages: messagesOf(question),
      ...(question.system !== undefined && { system: question.system }),
      ...(question.tools && {
        tools: question.tools.map(({ name, description, schema }) => ({
          name,
          description,
          input_schema: schema,
        })),
      }),
      ...(question.reasoning && { thinking: { type: "enabled", budget_tokens: LOW } }),
      ...(question.schema && {
        output_config: { format: { type: "json_schema", schema: question.schema } },
      }),
      ...(question.stop !== undefined && { stop_sequences: [question.stop] }),
      ...(isStreamed && { stream: true }),
    },
  }),
  whole: (body) => toTold(body as Message),
  streamed: (bytes) => {
    let message: Message | undefined;
    let error: string | undefined;
    const inputs: string[] = [];
    for (const data of eventData(bytes)) {
      const event = JSON.parse(data) as
        | RawMessageStreamEvent
        | { type: "error"; error: { message: string } }
        | { type: "ping" };
      if (event.type === "error") error = event.error.message;
      if (event.type === "message_start") ({ message } = event);
      if (!message) continue;
      if (event.type === "content_block_start") message.content[event.index] = event.content_block;
      if (event.type === "message_delta") {
        message.stop_reason = event.delta.stop_reason;
        message.usage.input_tokens = event.usage.input_tokens ?? 0;
        message.usage.output_tokens = event.usage.output_tokens;
        message.usage.cache_read_input_tokens = event.usage.cache_read_input_tokens;
      }
      if (event.type !== "content_block_delta") continue;
      const { index, delta } = event;
      const block = message.content[index];
      if (delta.type === "text_delta" && block?.type === "text") block.text += delta.text;
      if (delta.type === "thinking_delta" && block?.type === "thinking") block.thinking += delta.thinking;
      if (delta.type === "signature_delta" && block?.type === "thinking") block.signature = delta.signature;
      if (delta.type === "input_json_delta") inputs[index] = (inputs[index] ?? "") + delta.partial_json;
    }
    for (const [index, block] of message?.content.entries() ?? [])
      if (block.type === "tool_use") block.input = JSON.parse(inputs[index] ?? "");
    const told = message ? toTold(message) : NOTHING;
    return error === undefined ? told : { ...told, error };
  },
  errorOf: (body) => (body as { error: { message: string } }).error.message,
};

const NOTHING: Told = { text: "", reasoning: "", calls: [], stop: "end", usage: { input: 0, output: 0 } };

function toTold({ content, stop_reason, usage }: Message): Told {
  const thoughts = content.filter(({ type }) => type === "thinking" || type === "redacted_thinking");
  return {
    text: content.map((block) => (block.type === "text" ? block.text : "")).join(""),
    reasoning: content.map((block) => (block.type === "thinking" ? block.thinking : "")).join(""),
    ...(thoughts.length > 0 && { signed: thoughts }),
    calls: content.flatMap((block) =>
      block.type === "tool_use" ? { id: block.id, name: block.name, input: block.input } : [],
    ),
    stop: STOPS[stop_reason ?? ""] ?? "end",
    usage: {
      input:
        usage.input_tokens + (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0),
      output: usage.output_tokens,
    },
  };
}

function messagesOf({ text, image, document, rounds = [] }: Question): MessageParam[] {
  const files: ContentBlockParam[] = [
    ...(image
      ? [
          {
            type: "image" as const,
            source: {
              type: "base64" as const,
              media_type: "image/png" as const,
              data: Buffer.from(image).toString("base64"),
            },
          },
        ]
      : []),
    ...(document
      ? [
          {
            type: "document" as const,
            title: document.name,
            source: { type: "text" as const, media_type: "text/plain" as const, data: document.text },
          },
        ]
      : []),
  ];
  return [
    { role: "user", content: files.length === 0 ? text : [...files, { type: "text", text }] },
    ...rounds.flatMap(({ told, result }): MessageParam[] => [
      {
        role: "assistant",
        content: [
          ...((told.signed ?? []) as ContentBlock[]),
          { type: "text", text: told.text },
          ...told.calls.map(({ id, name, input }) => ({ type: "tool_use" as const, id, name, input })),
        ],
      },
      {
        role: "user",
        content: told.calls.map(({ id }) => ({ type: "tool_result", tool_use_id: id, content: result })),
      },
    ]),
  ];
}
