import type {
  Response as ResponseObject,
  ResponseInputContent,
  ResponseInputItem,
  ResponseOutputItem,
  ResponseStreamEvent,
} from "openai/resources/responses/responses";
import { type DialectClient, eventData, type Question, type Told } from "../client.ts";

/** OpenAI's Responses: the items of an answer go back as they came. */
export const responses: DialectClient = {
  name: "Responses",
  tellsStops: false,
  carriesSignatures: true,
  takesSchemas: true,
  ask: (question, model, isStreamed) => ({
    path: "/v1/responses",
    body: {
      model,
      input: inputOf(question),
      ...(question.system !== undefined && { instructions: question.system }),
      ...(question.tools && {
        tools: question.tools.map(({ name, description, schema }) => ({
          type: "function",
          name,
          description,
          parameters: schema,
          strict: false,
        })),
      }),
      ...(question.reasoning && { reasoning: { effort: question.reasoning, summary: "auto" } }),
      ...(question.schema && {
        text: { format: { type: "json_schema", name: "answer", schema: question.schema, strict: true } },
      }),
      ...(question.stop !== undefined && { stop: question.stop }),
      ...(question.maxTokens !== undefined && { max_output_tokens: question.maxTokens }),
      store: false,
      include: ["reasoning.encrypted_content"],
      ...(isStreamed && { stream: true }),
    },
  }),
  whole: (body) => toldBy(body as ResponseObject),
  streamed: (bytes) => {
    let response: ResponseObject | undefined;
    let text = "";
    let error: string | undefined;
    for (const data of eventData(bytes)) {
      const event = JSON.parse(data) as ResponseStreamEvent;
      if (event.type === "response.output_text.delta") text += event.delta;
      if (event.type === "response.failed") error = event.response.error?.message;
      if (event.type === "response.completed" || event.type === "response.incomplete") ({ response } = event);
    }
    const told = response ? toldBy(response) : { ...NOTHING, text };
    if (told.text !== text) throw new Error(`The pieces are '${text}', and the answer '${told.text}'.`);
    return error === undefined ? told : { ...told, error };
  },
  errorOf: (body) => (body as { error: { message: string } }).error.message,
};

const NOTHING: Told = { text: "", reasoning: "", calls: [], stop: "end", usage: { input: 0, output: 0 } };

function toldBy({ output, usage, incomplete_details }: ResponseObject): Told {
  const calls = output.flatMap((item) =>
    item.type === "function_call"
      ? { id: item.call_id, name: item.name, input: JSON.parse(item.arguments) as unknown }
      : [],
  );
  const cut = incomplete_details?.reason === "max_output_tokens" ? "length" : "withheld";
  const textOf = (item: ResponseOutputItem): string =>
    item.type === "message"
      ? item.content.map((part) => (part.type === "output_text" ? part.text : "")).join("")
      : "";
  return {
    text: output.map(textOf).join(""),
    reasoning: output
      .flatMap((item) => (item.type === "reasoning" ? item.summary.map(({ text }) => text) : []))
      .join(""),
    signed: output,
    calls,
    stop: incomplete_details ? cut : calls.length > 0 ? "tool" : "end",
    usage: { input: usage?.input_tokens ?? 0, output: usage?.output_tokens ?? 0 },
  };
}

function inputOf({ text, image, document, rounds = [] }: Question): ResponseInputItem[] {
  const base64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString("base64");
  const content: ResponseInputContent[] = [
    ...(image
      ? [
          {
            type: "input_image" as const,
            detail: "auto" as const,
            image_url: `data:image/png;base64,${base64(image)}`,
          },
        ]
      : []),
    ...(document
      ? [
          {
            type: "input_file" as const,
            filename: document.name,
            file_data: `data:text/plain;base64,${base64(document.text)}`,
          },
        ]
      : []),
    { type: "input_text", text },
  ];
  return [
    { role: "user", content },
    ...rounds.flatMap(({ told, result }) => [
      ...(told.signed as ResponseInputItem[]),
      ...told.calls.map(({ id }) => ({
        type: "function_call_output" as const,
        call_id: id,
        output: result,
      })),
    ]),
  ];
}
