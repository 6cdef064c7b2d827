import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionContentPart,
  ChatCompletionMessageParam,
} from "openai/resources/chat/completions/completions";
import { type DialectClient, eventData, type Question, type Told } from "../client.ts";

const STOPS: Readonly<Record<string, Told["stop"]>> = {
  stop: "end",
  length: "length",
  tool_calls: "tool",
  content_filter: "withheld",
};

/** OpenAI's chat completions, with `reasoning_content` as other servers send it. */
export const chatCompletions: DialectClient = {
  name: "chat completions",
  tellsStops: false,
  carriesSignatures: false,
  takesSchemas: true,
  ask: (question, model, isStreamed) => ({
    path: "/v1/chat/completions",
    body: {
      model,
      messages: messagesOf(question),
      ...(question.tools && {
        tools: question.tools.map(({ name, description, schema }) => ({
          type: "function",
          function: { name, description, parameters: schema },
        })),
      }),
      ...(question.reasoning && { reasoning_effort: question.reasoning }),
      ...(question.schema && {
        response_format: {
          type: "json_schema",
          json_schema: { name: "answer", schema: question.schema, strict: true },
        },
      }),
      ...(question.stop !== undefined && { stop: question.stop }),
      ...(question.maxTokens !== undefined && { max_tokens: question.maxTokens }),
      ...(isStreamed && { stream: true, stream_options: { include_usage: true } }),
    },
  }),
  whole: (body) => {
    const { choices, usage } = body as ChatCompletion;
    const [choice] = choices;
    const { content, tool_calls = [], ...message } = choice?.message ?? { content: null };
    return {
      text: content ?? "",
      reasoning: (message as { reasoning_content?: string }).reasoning_content ?? "",
      calls: tool_calls.flatMap((call) =>
        call.type === "function"
          ? { id: call.id, name: call.function.name, input: JSON.parse(call.function.arguments) as unknown }
          : [],
      ),
      stop: STOPS[choice?.finish_reason ?? ""] ?? "end",
      usage: { input: usage?.prompt_tokens ?? 0, output: usage?.completion_tokens ?? 0 },
    };
  },
  streamed: (bytes) => {
    const told: Told = {
      text: "",
      reasoning: "",
      calls: [],
      stop: "end",
      usage: { input: 0, output: 0 },
    };
    const inputs: string[] = [];
    for (const data of eventData(bytes)) {
      if (data === "[DONE]") continue;
      const event = JSON.parse(data) as ChatCompletionChunk & { error?: { message: string } };
      if (event.error) {
        told.error = event.error.message;
        continue;
      }
      const [choice] = event.choices;
      const delta = (choice?.delta ?? {}) as ChatCompletionChunk.Choice.Delta & {
        reasoning_content?: string;
      };
      told.text += delta.content ?? "";
      told.reasoning += delta.reasoning_content ?? "";
      for (const { index, id = "", function: called } of delta.tool_calls ?? []) {
        told.calls[index] ??= { id, name: called?.name ?? "", input: undefined };
        inputs[index] = (inputs[index] ?? "") + (called?.arguments ?? "");
      }
      if (choice?.finish_reason) told.stop = STOPS[choice.finish_reason] ?? "end";
      if (event.usage)
        told.usage = { input: event.usage.prompt_tokens, output: event.usage.completion_tokens };
    }
    const calls = told.calls.map((call, index) => ({
      ...call,
      input: JSON.parse(inputs[index] ?? "") as unknown,
    }));
    return { ...told, calls };
  },
  errorOf: (body) => (body as { error: { message: string } }).error.message,
};

function messagesOf({ text, system, image, document, rounds = [] }: Question): ChatCompletionMessageParam[] {
  const files: ChatCompletionContentPart[] = [
    ...(image
      ? [
          {
            type: "image_url" as const,
            image_url: { url: `data:image/png;base64,${Buffer.from(image).toString("base64")}` },
          },
        ]
      : []),
    ...(document
      ? [
          {
            type: "file" as const,
            file: {
              filename: document.name,
              file_data: `data:text/plain;base64,${Buffer.from(document.text).toString("base64")}`,
            },
          },
        ]
      : []),
  ];
  return [
    ...(system === undefined ? [] : [{ role: "system" as const, content: system }]),
    { role: "user", content: files.length === 0 ? text : [...files, { type: "text", text }] },
    ...rounds.flatMap(({ told, result }): ChatCompletionMessageParam[] => [
      {
        role: "assistant",
        content: told.text,
        tool_calls: told.calls.map(({ id, name, input }) => ({
          id,
          type: "function",
          function: { name, arguments: JSON.stringify(input) },
        })),
      },
      ...told.calls.map(({ id }) => ({ role: "tool" as const, tool_call_id: id, content: result })),
    ]),
  ];
}
