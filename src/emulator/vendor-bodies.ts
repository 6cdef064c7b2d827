import { type JsonObject, recordsAt, textAt } from "../json.ts";
import { completionOf, completionSteps } from "./completions.ts";
import { readCompletionsRequest } from "./completions-request.ts";
import type { ConverseRequest } from "./converse-model.ts";
import type { EmulatedModel } from "./models.ts";
import { malformed, refuseUnknown } from "./nova-request.ts";
import type { AnswerName } from "./openai-request.ts";
import type { StreamStep } from "./script.ts";
import { paced, type SimulatedAnswer, splitIntoDeltas } from "./simulated-answer.ts";

/*
 * The bodies of vendors who have forms of their own for a text, or OpenAI's:
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
 */

/** What a made-up answer is given with. */
export interface Telling {
  callId: string;
  model: EmulatedModel;
  /** Pause between two deltas, in ms. */
  delayMs: number;
  /** Since the call came, in ms. */
  elapsed: () => number;
  /** In seconds since 1970. */
  createdAt: number;
}

/** How a vendor's models are asked by InvokeModel, and what they answer. */
export interface VendorBody {
  models: RegExp;
  read(body: JsonObject, model: EmulatedModel): ConverseRequest;
  whole(answer: SimulatedAnswer, telling: Telling): object;
  steps(answer: SimulatedAnswer, telling: Telling): Generator<StreamStep>;
}

/** What a body that asks with one text calls its fields. */
interface Fields {
  prompt: string;
  maxTokens: string;
  topP: string;
  stops?: string;
  /** What else it takes. */
  others?: readonly string[];
}

/** A piece of a text, of which the last has why it ended, and how much was used until then. */
interface Said {
  text: string;
  end: SimulatedAnswer["stopReason"] | null;
  inputTokens: number | null;
  outputTokens: number;
}

function textBody(models: RegExp, fields: Fields, say: (said: Said) => object): VendorBody {
  return {
    models,
    read: (body) => readText(body, fields),
    whole: (answer) => say({ ...answer, end: answer.stopReason }),
    *steps(answer, { delayMs }) {
      const { text, stopReason, inputTokens, outputTokens } = answer;
      const pieces = splitIntoDeltas(text).map((piece, nth) => ({
        text: piece,
        end: null,
        inputTokens: nth === 0 ? inputTokens : null,
        outputTokens: nth + 1,
      }));
      yield* paced(pieces, delayMs, (piece) => ({ event: "delta", payload: say(piece) }));
      const end = { text: "", end: stopReason, inputTokens: null, outputTokens };
      yield { event: "finish", payload: say(end) };
    },
  };
}

/** Throws `AwsError` in the words with which Bedrock refuses what does not fit a vendor's schema. */
function readText(
  body: JsonObject,
  { prompt, maxTokens, topP, stops, others = [] }: Fields,
): ConverseRequest {
  const known = [prompt, maxTokens, topP, "temperature", ...(stops === undefined ? [] : [stops]), ...others];
  if (body[prompt] === undefined) throw malformed(`: #: required key [${prompt}] not found`);
  refuseUnknown(body, known, "#");
  const most = body[maxTokens];
  if (typeof body[prompt] !== "string") throw malformed(`: #/${prompt}: expected type: String`);
  if (most !== undefined && !(Number.isInteger(most) && Number(most) >= 1))
    throw malformed(`: #/${maxTokens}: ${String(most)} is not greater or equal to 1`);
  const ends = stops === undefined ? undefined : body[stops];
  return {
    messages: [{ role: "user", content: [{ text: body[prompt] }] }],
    system: [],
    maxTokens: most as number | undefined,
    temperature: body["temperature"],
    topP: body[topP],
    stopSequences: Array.isArray(ends) ? ends.map(String) : [],
    additionalFields: {},
    tools: undefined,
    isVendorsForm: true,
  };
}

/** Why a text ended, in the words of Llama, Mistral and DeepSeek. */
function reasonOf(end: Said["end"]): string | null {
  return end === null ? null : end === "max_tokens" ? "length" : "stop";
}

const COHERE: Fields = {
  prompt: "message",
  maxTokens: "max_tokens",
  topP: "p",
  stops: "stop_sequences",
  others: [
    "chat_history",
    "documents",
    "frequency_penalty",
    "k",
    "preamble",
    "presence_penalty",
    "prompt_truncation",
    "raw_prompting",
    "return_prompt",
    "search_queries_only",
    "seed",
    "tool_results",
    "tools",
  ],
};

/** A message, with those before it and what stands above all. */
function readCohere(body: JsonObject): ConverseRequest {
  const { messages, ...request } = readText(body, COHERE);
  const before = recordsAt(body, "chat_history").map(({ role, message }) => ({
    role: role === "CHATBOT" ? ("assistant" as const) : ("user" as const),
    content: [{ text: String(message) }],
  }));
  const preamble = textAt(body, "preamble");
  return {
    ...request,
    messages: [...before, ...messages],
    system: preamble === undefined ? [] : [{ text: preamble }],
  };
}

function cohereAnswer(answer: SimulatedAnswer, { callId }: Telling): object {
  const { text, inputTokens, outputTokens } = answer;
  return {
    response_id: callId,
    text,
    generation_id: callId,
    finish_reason: cohereReason(answer),
    meta: { billed_units: { input_tokens: inputTokens, output_tokens: outputTokens } },
  };
}

function cohereReason({ stopReason }: SimulatedAnswer): string {
  return stopReason === "max_tokens" ? "MAX_TOKENS" : "COMPLETE";
}

/** The last event of each stream is a `finish`. */
export const TEXT_BODIES: readonly VendorBody[] = [
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html
  textBody(
    /^meta\.llama/,
    { prompt: "prompt", maxTokens: "max_gen_len", topP: "top_p", others: ["images"] },
    ({ text, end, inputTokens, outputTokens }) => ({
      generation: text,
      prompt_token_count: inputTokens,
      generation_token_count: outputTokens,
      stop_reason: reasonOf(end),
    }),
  ),
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html
  textBody(
    /^mistral\.(mistral-7b|mixtral|mistral-(large|small)-2402)/,
    { prompt: "prompt", maxTokens: "max_tokens", topP: "top_p", stops: "stop", others: ["top_k"] },
    ({ text, end }) => ({ outputs: [{ text, stop_reason: reasonOf(end) }] }),
  ),
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-deepseek.html
  textBody(
    /^deepseek\.r1/,
    { prompt: "prompt", maxTokens: "max_tokens", topP: "top_p", stops: "stop" },
    ({ text, end }) => ({ choices: [{ text, stop_reason: reasonOf(end) }] }),
  ),
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command-r-plus.html
  {
    models: /^cohere\.command-r/,
    read: readCohere,
    whole: cohereAnswer,
    *steps(answer, telling) {
      const { callId, delayMs } = telling;
      const event = (type: string, more: object): StreamStep => ({
        event: type === "text-generation" ? "delta" : type === "stream-end" ? "finish" : "start",
        payload: { is_finished: type === "stream-end", event_type: type, ...more },
      });
      yield event("stream-start", { generation_id: callId });
      yield* paced(splitIntoDeltas(answer.text), delayMs, (text) => event("text-generation", { text }));
      const response = cohereAnswer(answer, telling);
      yield event("stream-end", { finish_reason: cohereReason(answer), response });
    },
  },
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-openai.html, whose reasoning stands before the text;
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-jamba.html
  {
    models: /^(openai\.gpt-oss|ai21\.jamba)/,
    read: readCompletionsRequest,
    whole: (answer, telling) => completionOf(withReasoningInText(answer), nameOf(telling)),
    *steps(answer, telling) {
      const named = { ...nameOf(telling), delayMs: telling.delayMs };
      // What ends a stream of server-sent events is no event of a vendor's.
      for (const step of completionSteps(withReasoningInText(answer), named))
        if (!("bytes" in step)) yield step;
    },
  },
];

function nameOf({ callId, model, createdAt }: Telling): AnswerName {
  return { callId, body: { model: model.modelId }, createdAt };
}

function withReasoningInText({ reasoning, ...answer }: SimulatedAnswer): SimulatedAnswer {
  const thought = reasoning ? `<reasoning>${reasoning.text}</reasoning>` : "";
  return { ...answer, reasoning: undefined, text: thought + answer.text };
}
