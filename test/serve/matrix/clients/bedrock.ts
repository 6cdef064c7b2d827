import { FrameReader } from "../../../../src/converse/frame-reader.ts";
import type { DialectClient, Question, Told } from "../client.ts";

/** A block of Converse's, as JSON has it. */
interface Block {
  text?: string;
  reasoningContent?: { reasoningText?: { text: string; signature?: string }; redactedContent?: string };
  toolUse?: { toolUseId: string; name: string; input: unknown };
}

interface Usage {
  inputTokens: number;
  outputTokens: number;
  cacheReadInputTokens?: number;
}

const STOPS: Readonly<Record<string, Told["stop"]>> = {
  end_turn: "end",
  max_tokens: "length",
  tool_use: "tool",
  stop_sequence: "stop-sequence",
  content_filtered: "withheld",
  guardrail_intervened: "withheld",
};

/** An event of AWS's streams: its name, or that of the exception, and what it carries. */
function framesOf(bytes: Uint8Array): { type: string; name: string; payload: unknown }[] {
  const frames: { type: string; name: string; payload: unknown }[] = [];
  const reader = new FrameReader();
  reader.push(bytes, ({ type, name, payload }) =>
    frames.push({ type, name, payload: JSON.parse(payload) as unknown }),
  );
  if (!reader.isBetweenFrames) throw new Error("The stream ends inside a frame.");
  return frames;
}

/** Bedrock's own Converse. */
export const bedrock: DialectClient = {
  name: "Bedrock's Converse",
  tellsStops: true,
  carriesSignatures: true,
  takesSchemas: true,
  ask: (question, model, isStreamed) => ({
    path: `/model/${encodeURIComponent(model)}/converse${isStreamed ? "-stream" : ""}`,
    body: bodyOf(question, model),
  }),
  whole: (body) => {
    const { output, stopReason, usage } = body as {
      output: { message: { content: Block[] } };
      stopReason: string;
      usage: Usage;
    };
    return told(output.message.content, stopReason, usage);
  },
  streamed: (bytes) => {
    const blocks: (Block & { input?: string })[] = [];
    let [stopReason, usage, error]: [string, Usage, string | undefined] = [
      "",
      { inputTokens: 0, outputTokens: 0 },
      undefined,
    ];
    for (const { type, name, payload } of framesOf(bytes)) {
      const event = payload as {
        contentBlockIndex: number;
        start?: { toolUse: { toolUseId: string; name: string } };
        delta?: {
          text?: string;
          toolUse?: { input: string };
          reasoningContent?: { text?: string; signature?: string; redactedContent?: string };
        };
        stopReason?: string;
        usage?: Usage;
        message?: string;
      };
      if (type === "exception") error = event.message ?? name;
      const { delta, start, contentBlockIndex: at } = event;
      if (start) blocks[at] = { toolUse: { ...start.toolUse, input: {} }, input: "" };
      if (delta) {
        const block = (blocks[at] ??= {});
        const { text, toolUse, reasoningContent: thought } = delta;
        if (text !== undefined) block.text = (block.text ?? "") + text;
        if (toolUse) block.input = (block.input ?? "") + toolUse.input;
        if (thought?.redactedContent !== undefined)
          block.reasoningContent = { redactedContent: thought.redactedContent };
        else if (thought) {
          const { text: before = "", signature } = block.reasoningContent?.reasoningText ?? {};
          const signed = thought.signature ?? signature;
          block.reasoningContent = {
            reasoningText: {
              text: before + (thought.text ?? ""),
              ...(signed === undefined ? {} : { signature: signed }),
            },
          };
        }
      }
      stopReason = event.stopReason ?? stopReason;
      usage = event.usage ?? usage;
    }
    const content = blocks.map(({ input, ...block }): Block =>
      block.toolUse && error === undefined
        ? { toolUse: { ...block.toolUse, input: JSON.parse(input ?? "") as unknown } }
        : block,
    );
    return { ...told(content, stopReason, usage), ...(error === undefined ? {} : { error }) };
  },
  errorOf: (body) => (body as { message: string }).message,
};

function told(content: readonly Block[], stopReason: string, usage: Usage): Told {
  return {
    text: content.map(({ text = "" }) => text).join(""),
    reasoning: content.map(({ reasoningContent }) => reasoningContent?.reasoningText?.text ?? "").join(""),
    signed: content,
    calls: content.flatMap(({ toolUse }) =>
      toolUse ? [{ id: toolUse.toolUseId, name: toolUse.name, input: toolUse.input }] : [],
    ),
    stop: STOPS[stopReason] ?? "end",
    usage: { input: usage.inputTokens + (usage.cacheReadInputTokens ?? 0), output: usage.outputTokens },
  };
}

function bodyOf(
  { text, system, image, document, tools, reasoning, schema, stop, maxTokens, rounds = [] }: Question,
  model: string,
): object {
  const content = [
    ...(image
      ? [{ image: { format: "png", source: { bytes: Buffer.from(image).toString("base64") } } }]
      : []),
    ...(document
      ? [
          {
            document: {
              format: "txt",
              name: document.name,
              source: { bytes: Buffer.from(document.text).toString("base64") },
            },
          },
        ]
      : []),
    { text },
  ];
  const inferenceConfig = {
    ...(stop === undefined ? {} : { stopSequences: [stop] }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
  };
  // Each vendor has a field of its own for it, as with AWS.
  const own = model.includes("anthropic")
    ? { thinking: { type: "enabled", budget_tokens: 4096 } }
    : { reasoning_effort: reasoning };
  return {
    messages: [
      { role: "user", content },
      ...rounds.flatMap(({ told: before, result }) => [
        { role: "assistant", content: before.signed },
        {
          role: "user",
          content: before.calls.map(({ id }) => ({
            toolResult: { toolUseId: id, content: [{ text: result }] },
          })),
        },
      ]),
    ],
    ...(system === undefined ? {} : { system: [{ text: system }] }),
    ...(Object.keys(inferenceConfig).length > 0 ? { inferenceConfig } : {}),
    ...(reasoning ? { additionalModelRequestFields: own } : {}),
    ...(tools
      ? {
          toolConfig: {
            tools: tools.map(({ name, description, schema: json }) => ({
              toolSpec: { name, description, inputSchema: { json } },
            })),
          },
        }
      : {}),
    ...(schema
      ? {
          outputConfig: {
            textFormat: {
              type: "json_schema",
              structure: { jsonSchema: { name: "answer", schema: JSON.stringify(schema) } },
            },
          },
        }
      : {}),
  };
}
