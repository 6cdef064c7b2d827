import type { Configuration } from "../../../src/config/settings.ts";
import type { Api } from "../../../src/models/families.ts";
import { eventStep } from "../../../src/emulator/converse.ts";
import { EVENT_STREAM } from "../../../src/emulator/framing.ts";
import { toFrame } from "../../../src/emulator/stream-writer.ts";
import {
  blockOf,
  ended,
  messageEvents,
  messagesRefusal,
  started,
  textOf,
} from "../../helpers/messages-events.ts";
import { chunk, counted, events, type OpenaiReply, refusal } from "../../helpers/openai-server.ts";
import { callOf, message, streams, thought } from "../../helpers/responses-events.ts";

/** An answer, whatever the wire. */
export interface Said {
  reasoning?: string;
  texts?: readonly string[];
  call?: { id: string; name: string; input: object };
  stop?: "end" | "length" | "filtered";
}

/** What each answer counts: of the input, 4 tokens were read from the cache. */
export const COUNTS = { inputTokens: 5, outputTokens: 3, cacheReadInputTokens: 4 };

/** What a request asks, whatever the wire. */
export interface Asked {
  model: unknown;
  /** The fields of the wire by what they are here; undefined where the wire has none. */
  system: unknown;
  maxTokens: unknown;
  temperature: unknown;
  tools: unknown[];
  level: unknown;
}

/** One wire: how the program is led to it, and how its server speaks. A new wire is one more of these. */
export interface Column {
  name: string;
  /** The settings and the model that lead to the scripted server; `url` has no path. */
  settings(url: string): { config: Configuration; model: string };
  /** What is asked for. */
  path: string;
  /** Whether AWS answers, so that its table tells errors. */
  isAws: boolean;
  /** What an answer ends with that is withheld, where the wire has a word of its own for it. */
  withheld?: string;
  says(said: Said): OpenaiReply;
  /** The pieces of an answer up to its first text, and nothing behind. */
  begins(text: string): string[] | Uint8Array[];
  refuses(status: number, words: string): OpenaiReply;
  asked(body: Record<string, unknown>): Asked;
}

const REASONS = {
  completions: { end: "stop", length: "length", filtered: "content_filter" },
  messages: { end: "end_turn", length: "max_tokens", filtered: "refusal" },
  converse: { end: "end_turn", length: "max_tokens", filtered: "content_filtered" },
} as const;

const BEDROCK_MODEL = "openai.gpt-oss-120b-1:0";

function saysByCompletions({ reasoning, texts = [], call, stop = "end" }: Said): OpenaiReply {
  const calls = call && [
    { index: 0, id: call.id, type: "function", function: { name: call.name, arguments: "" } },
  ];
  const inputs = call && [{ index: 0, function: { arguments: JSON.stringify(call.input) } }];
  return {
    pieces: events(
      chunk({ role: "assistant", content: "" }),
      ...(reasoning === undefined ? [] : [chunk({ reasoning_content: reasoning })]),
      ...texts.map((content) => chunk({ content })),
      ...(call ? [chunk({ tool_calls: calls }), chunk({ tool_calls: inputs })] : []),
      chunk({}, call ? "tool_calls" : REASONS.completions[stop]),
      counted({
        prompt_tokens: 9,
        completion_tokens: 3,
        total_tokens: 12,
        prompt_tokens_details: { cached_tokens: 4 },
      }),
      "[DONE]",
    ),
  };
}

const COMPLETIONS: Pick<Column, "says" | "begins" | "refuses" | "asked"> = {
  says: saysByCompletions,
  begins: (text) => [...(saysByCompletions({ texts: [text] }).pieces as string[])].slice(0, 2),
  refuses: (status, words) => refusal(status, { message: words, type: "error" }),
  asked: (body) => ({
    model: body["model"],
    system: (body["messages"] as { role: string; content: unknown }[]).find(({ role }) => role === "system")
      ?.content,
    maxTokens: body["max_tokens"],
    temperature: body["temperature"],
    tools: ((body["tools"] ?? []) as { function: { name: string } }[]).map((tool) => tool.function.name),
    level: body["reasoning_effort"],
  }),
};

function saysByResponses({ reasoning, texts = [], call, stop = "end" }: Said): OpenaiReply {
  const items = [
    ...(reasoning === undefined ? [] : [thought(reasoning)]),
    ...(texts.length === 0 ? [] : [message(texts.join(""))]),
    ...(call ? [callOf(call.name, call.input, call.id)] : []),
  ];
  const reason = { length: "max_output_tokens", filtered: "content_filter", end: undefined }[stop];
  return streams(items, reason === undefined ? {} : { status: "incomplete", incomplete_details: { reason } });
}

const RESPONSES: Pick<Column, "says" | "begins" | "refuses" | "asked"> = {
  says: saysByResponses,
  begins: (text) => {
    const pieces = saysByResponses({ texts: [text] }).pieces as string[];
    const last = pieces.findLastIndex((piece) => piece.includes("response.output_text.delta"));
    return pieces.slice(0, last + 1);
  },
  refuses: COMPLETIONS.refuses,
  asked: (body) => ({
    model: body["model"],
    system: body["instructions"],
    maxTokens: body["max_output_tokens"],
    temperature: body["temperature"],
    tools: ((body["tools"] ?? []) as { name: string }[]).map(({ name }) => name),
    level: (body["reasoning"] as { effort?: unknown } | undefined)?.effort,
  }),
};

function saysByMessages({ reasoning, texts = [], call, stop = "end" }: Said): OpenaiReply {
  let index = 0;
  const usage = { input_tokens: 5, cache_read_input_tokens: 4, output_tokens: 1 };
  const thinking = { type: "thinking", thinking: "", signature: "" };
  const json = { type: "input_json_delta", partial_json: JSON.stringify(call?.input) };
  return {
    pieces: messageEvents(
      started(usage),
      ...(reasoning === undefined
        ? []
        : blockOf(index++, thinking, { type: "thinking_delta", thinking: reasoning })),
      ...(texts.length === 0 ? [] : textOf(index++, ...texts)),
      ...(call ? blockOf(index++, { type: "tool_use", id: call.id, name: call.name, input: {} }, json) : []),
      ...ended(call ? "tool_use" : REASONS.messages[stop], { output_tokens: 3 }),
    ),
  };
}

const CLAUDE = "us.anthropic.claude-opus-4-6-v1";

const MESSAGES: Pick<Column, "says" | "begins" | "refuses" | "asked" | "withheld"> = {
  withheld: "refusal",
  says: saysByMessages,
  begins: (text) => [...(saysByMessages({ texts: [text] }).pieces as string[])].slice(0, 3),
  refuses: (status, words) =>
    messagesRefusal(status, MESSAGES_ERRORS[status] ?? "invalid_request_error", words),
  asked: (body) => ({
    model: body["model"],
    system: body["system"],
    maxTokens: body["max_tokens"],
    temperature: body["temperature"],
    tools: ((body["tools"] ?? []) as { name: string }[]).map(({ name }) => name),
    level: (body["output_config"] as { effort?: unknown } | undefined)?.effort,
  }),
};

/** https://platform.claude.com/docs/en/api/errors */
const MESSAGES_ERRORS: Readonly<Record<number, string>> = {
  401: "authentication_error",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
  500: "api_error",
  503: "overloaded_error",
};

const frame = (event: string, payload: Record<string, unknown>): Uint8Array =>
  toFrame(eventStep(event, payload) as Parameters<typeof toFrame>[0], EVENT_STREAM);

function framesOf({ reasoning, texts = [], call, stop = "end" }: Said): Uint8Array[] {
  let index = 0;
  const block = (...deltas: object[]): Uint8Array[] => {
    const contentBlockIndex = index;
    index += 1;
    return [
      ...deltas.map((delta) => frame("contentBlockDelta", { contentBlockIndex, delta })),
      frame("contentBlockStop", { contentBlockIndex }),
    ];
  };
  const toolUse = call && { toolUseId: call.id, name: call.name };
  return [
    frame("messageStart", { role: "assistant" }),
    ...(reasoning === undefined ? [] : block({ reasoningContent: { text: reasoning } })),
    ...(texts.length === 0 ? [] : block(...texts.map((text) => ({ text })))),
    ...(call
      ? [
          frame("contentBlockStart", { contentBlockIndex: index, start: { toolUse } }),
          ...block({ toolUse: { input: JSON.stringify(call.input) } }),
        ]
      : []),
    frame("messageStop", { stopReason: call ? "tool_use" : REASONS.converse[stop] }),
    frame("metadata", { usage: { ...COUNTS, totalTokens: 12 }, metrics: { latencyMs: 1 } }),
  ];
}

const AMAZON = { "content-type": "application/vnd.amazon.eventstream" };

const CONVERSE: Column = {
  name: "Converse",
  settings: () => ({ config: {}, model: BEDROCK_MODEL }),
  path: `/model/${encodeURIComponent(BEDROCK_MODEL)}/converse-stream`,
  isAws: true,
  says: (said) => ({ headers: AMAZON, pieces: framesOf(said) }),
  begins: (text) => framesOf({ texts: [text] }).slice(0, 2),
  refuses: (status, words) => ({
    status,
    headers: { "x-amzn-errortype": AWS_NAMES[status] ?? "ValidationException" },
    body: { message: words },
  }),
  asked: (body) => ({
    model: BEDROCK_MODEL,
    system: (body["system"] as { text: string }[] | undefined)?.[0]?.text,
    maxTokens: (body["inferenceConfig"] as Record<string, unknown> | undefined)?.["maxTokens"],
    temperature: (body["inferenceConfig"] as Record<string, unknown> | undefined)?.["temperature"],
    tools: (
      (body["toolConfig"] as { tools?: { toolSpec: { name: string } }[] } | undefined)?.tools ?? []
    ).map(({ toolSpec }) => toolSpec.name),
    level: (body["additionalModelRequestFields"] as Record<string, unknown> | undefined)?.[
      "reasoning_effort"
    ],
  }),
};

const AWS_NAMES: Readonly<Record<number, string>> = {
  401: "UnrecognizedClientException",
  403: "AccessDeniedException",
  404: "ResourceNotFoundException",
  429: "ThrottlingException",
  500: "InternalServerException",
  503: "ServiceUnavailableException",
};

/** A provider of the settings with one model. */
const served =
  (api: Exclude<Api, "bedrock-converse-stream">, id = "m") =>
  (url: string): ReturnType<Column["settings"]> => ({
    config: {
      models: { providers: { lab: { api, baseUrl: `${url}/v1`, models: [{ id }] } } },
    },
    model: `lab/${id}`,
  });

/** All models of Amazon Bedrock by one API. */
const overAws =
  (api: Exclude<Api, "bedrock-converse-stream">, model = BEDROCK_MODEL) =>
  (): ReturnType<Column["settings"]> => ({
    config: { models: { providers: { "amazon-bedrock": { api } } } },
    model,
  });

export const COLUMNS: readonly Column[] = [
  CONVERSE,
  {
    ...COMPLETIONS,
    name: "chat completions of a server",
    settings: served("openai-completions"),
    path: "/v1/chat/completions",
    isAws: false,
  },
  {
    ...COMPLETIONS,
    name: "chat completions of Bedrock",
    settings: overAws("openai-completions"),
    path: "/openai/v1/chat/completions",
    isAws: true,
  },
  {
    ...RESPONSES,
    name: "Responses of a server",
    settings: served("openai-responses"),
    path: "/v1/responses",
    isAws: false,
  },
  {
    ...RESPONSES,
    name: "Responses of Bedrock",
    settings: overAws("openai-responses"),
    path: "/openai/v1/responses",
    isAws: true,
  },
  {
    ...MESSAGES,
    name: "Messages of a server",
    settings: served("anthropic-messages", "claude-opus-4-6"),
    path: "/v1/messages",
    isAws: false,
  },
  {
    ...MESSAGES,
    name: "Messages of Bedrock",
    settings: overAws("anthropic-messages", CLAUDE),
    path: "/anthropic/v1/messages",
    isAws: true,
  },
];
