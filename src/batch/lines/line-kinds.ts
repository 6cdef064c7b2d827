import {
  type ChatParameters,
  choicesOf,
  flagName,
  type Parameter,
  PARAMETER_ROWS,
  type ParameterName,
} from "../../config/parameters.ts";
import type { ChatEvents } from "../../converse/chat-event.ts";
import { isRecord, type JsonObject, textAt } from "../../json.ts";
import { parseExactly } from "../../json-numbers.ts";
import type { Asked } from "../../serve/answer-call.ts";
import { fromClaudeBody, isClaudeBody } from "../../serve/dialects/bedrock/claude-body.ts";
import { fromConverseRequest } from "../../serve/dialects/bedrock/from-converse-request.ts";
import { fromNovaBody, toNovaAnswer } from "../../serve/dialects/bedrock/nova-body.ts";
import { toConverseAnswer, toConverseParts, toJsonAnswer } from "../../serve/dialects/bedrock/to-converse.ts";
import { fromChatRequest } from "../../serve/dialects/chat-completions/from-chat-request.ts";
import { toChunks, toCompletion } from "../../serve/dialects/chat-completions/to-chunks.ts";
import {
  fromMessagesRequest,
  type MessagesAsk,
} from "../../serve/dialects/messages/from-messages-request.ts";
import { gatherMessage, toMessageEvents } from "../../serve/dialects/messages/to-message.ts";
import { fromResponseRequest } from "../../serve/dialects/responses/from-response-request.ts";
import { headOf } from "../../serve/dialects/responses/response-head.ts";
import { gatherResponse, ResponseTeller } from "../../serve/dialects/responses/to-response-events.ts";
import { serveEvents } from "../../serve/served-events.ts";
import { type FieldRule, judgeFields } from "../../serve/field-rules.ts";
import { refused, RequestField } from "../../serve/request-field.ts";
import type { AnswerHead, BatchLine, LineKind } from "./batch-line.ts";

/** What a line says beyond its id and its place. */
type Told = Pick<BatchLine, "words" | "asked" | "body" | "tell">;

interface Kind {
  /** Where its id stands. */
  ids: readonly string[];
  /** Reads a line. Throws `invalid-request`. */
  read: (line: RequestField, signal: AbortSignal) => Promise<Told>;
}

/** Of a line that names no model: whoever runs the batch does. */
const NO_MODEL = "";

/** What a request to Bedrock is read with: what it names in S3 is read with the rights of whoever runs the batch. */
const reading = (signal: AbortSignal) => ({ model: NO_MODEL, isStreamed: false, readsS3: true, signal });

const ENVELOPES = {
  bedrock: { recordId: "read", modelInput: "read" },
  openai: { custom_id: "read", method: "read", url: "read", body: "read" },
  messages: { custom_id: "read", params: "read" },
} as const;

const PROMPT_IDS = ["recordId", "id", "custom_id"] as const;

/** Each kind of JSON; what a file may be besides is a text a line. */
export const JSON_KINDS: Readonly<Record<Exclude<LineKind, "text">, Kind>> = {
  bedrock: {
    ids: ["recordId"],
    read: async (line, signal) => {
      const told = await readModelInput(line.at("modelInput"), signal);
      return withUnknown(told, judgeFields(line, ENVELOPES.bedrock));
    },
  },
  openai: {
    ids: ["custom_id"],
    read: async (line, signal) => {
      const unknown = judgeFields(line, ENVELOPES.openai);
      const method = line.at("method").given;
      if (method && method.text().toUpperCase() !== "POST") throw method.mustBe('"POST"');
      const path = readPath(line.at("url").given);
      const body = bodyOf(line.at("body"));
      const told = await (path === "responses" ? readResponses(body, signal) : readChat(body, signal));
      return withUnknown(told, unknown);
    },
  },
  messages: {
    ids: ["custom_id"],
    read: async (line, signal) => {
      const unknown = judgeFields(line, ENVELOPES.messages);
      const body = bodyOf(line.at("params"));
      const asked = await fromMessagesRequest(withModel(body), undefined, signal);
      return withUnknown({ words: "messages", asked, body, tell: messageTeller(asked) }, unknown);
    },
  },
  plain: { ids: PROMPT_IDS, read: async (line) => readPrompt(line) },
};

/** The kind of a line by the fields that only it has; undefined for one that is of none. */
export function kindOf(line: JsonObject): Exclude<LineKind, "text"> | undefined {
  const has = (name: string): boolean => Object.hasOwn(line, name);
  if (has("modelInput")) return "bedrock";
  if (has("body") || (has("custom_id") && has("url"))) return "openai";
  if (has("prompt")) return "plain";
  return has("params") ? "messages" : undefined;
}

/** A text as a line that asks for nothing besides. Throws `invalid-request` for one without anything. */
export function askText(text: string): Told {
  return { words: "plain", asked: askPrompt(text, {}), body: undefined, tell: undefined };
}

function withUnknown(told: Told, unknown: readonly string[]): Told {
  if (unknown.length === 0) return told;
  return { ...told, asked: { ...told.asked, unknown: [...unknown, ...told.asked.unknown] } };
}

function bodyOf(field: RequestField): JsonObject {
  return field.object();
}

/** The model is named for the whole batch where a request names none. */
function withModel(body: JsonObject): JsonObject {
  return (body["model"] ?? null) === null ? { ...body, model: NO_MODEL } : body;
}

/** Reads the path that a request of OpenAI's is for: its own, or that of Azure's. */
function readPath(url: RequestField | undefined): "chat/completions" | "responses" {
  const text = url?.text() ?? "/v1/chat/completions";
  const path = /^(?:https?:\/\/[^/]+)?(?:\/openai)?(?:\/v1)?\/([\w/]+)$/.exec(text)?.[1];
  if (path === "chat/completions" || path === "responses") return path;
  const what =
    path === "embeddings"
      ? "asks for vectors: give the texts to openclaw embed --lines"
      : "is not one of /v1/chat/completions and /v1/responses";
  throw refused(`'url' ${JSON.stringify(text.slice(0, 100))} ${what}.`, "url");
}

/** What InvokeModel or Converse takes: which of them it is shows in how its messages are said. */
async function readModelInput(field: RequestField, signal: AbortSignal): Promise<Told> {
  const body = bodyOf(field);
  const { messages } = body;
  const contents = Array.isArray(messages)
    ? (messages as unknown[]).map((message) => (isRecord(message) ? message["content"] : undefined))
    : [];
  // Blocks of Converse have no type: the name of their one member says what they are.
  const isTyped = contents.some(
    (content) =>
      typeof content === "string" ||
      (Array.isArray(content) && (content as unknown[]).some((block) => textAt(block, "type") !== undefined)),
  );
  if (isClaudeBody(body) || (isTyped && body["system"] !== undefined)) {
    const asked = await fromClaudeBody(body, { ...reading(signal) });
    return { words: "claude", asked, body, tell: messageTeller(asked) };
  }
  if (body["schemaVersion"] !== undefined) {
    const { guardrail, ...asked } = await fromNovaBody(body, reading(signal));
    return { words: "nova", asked: withDetails(asked, guardrail), body, tell: converseTeller(toNovaAnswer) };
  }
  if (isTyped) return readChat(body, signal);
  if (messages === undefined && Object.keys(body).length > 0) return readOwn(body);
  const { guardrail, ...asked } = await fromConverseRequest(body, reading(signal));
  const isShown = (guardrail?.trace ?? "disabled") !== "disabled";
  return {
    words: "converse",
    asked: withDetails(asked, guardrail),
    body,
    tell: converseTeller(toJsonAnswer, isShown),
  };
}

function withDetails(asked: Asked, guardrail: Asked["ask"]["guardrail"]): Asked {
  return { ...asked, ask: { ...asked.ask, ...(guardrail && { guardrail }), passesDetails: true } };
}

/** A body that only its own model takes goes to it as it is, and so does what comes back. */
function readOwn(body: JsonObject): Told {
  const invocation = { body, headers: {}, isStreamed: false };
  return {
    words: "own",
    asked: {
      model: NO_MODEL,
      ask: { messages: [], parameters: {}, invocation },
      isStreamed: false,
      notices: [],
      unknown: [],
    },
    body,
    tell: async (events) => {
      const chunks: Uint8Array[] = [];
      for await (const event of events) if (event.type === "chunk") chunks.push(event.bytes);
      const answer = parseExactly(Buffer.concat(chunks).toString("utf8"));
      return isRecord(answer) ? answer : { answer };
    },
  };
}

async function readChat(body: JsonObject, signal: AbortSignal): Promise<Told> {
  const { custom, includesUsage: _, ...asked } = await fromChatRequest(withModel(body), undefined, signal);
  return {
    words: "chat-completions",
    asked,
    body,
    tell: (events, { requestId, created }) =>
      toCompletion(toChunks(served(events, asked), { id: `chatcmpl-${requestId}`, created, custom })),
  };
}

async function readResponses(body: JsonObject, signal: AbortSignal): Promise<Told> {
  const { clientTools, ...asked } = await fromResponseRequest(withModel(body), undefined, signal);
  return {
    words: "responses",
    asked,
    body,
    tell: (events, { requestId, created }) => {
      const teller = new ResponseTeller(headOf(body, `resp_${requestId}`, created), asked.model, clientTools);
      return gatherResponse(teller.tell(served(events, asked)));
    },
  };
}

function messageTeller(asked: MessagesAsk): NonNullable<BatchLine["tell"]> {
  return (events, { requestId }) =>
    gatherMessage(
      toMessageEvents(served(events, asked), { id: () => `msg_${requestId}`, stops: asked.stops }),
    );
}

/** Answers as Converse does, said on by `say`. */
function converseTeller(
  say: (answer: Awaited<ReturnType<typeof toConverseAnswer>>) => object,
  showsGuardrail = false,
): NonNullable<BatchLine["tell"]> {
  return async (events, { since }) =>
    say(await toConverseAnswer(toConverseParts(served(events), { since, showsGuardrail })));
}

/** An answer as Converse tells it, whatever it was asked in. Throws what the events throw. */
export const tellConverse = converseTeller(toJsonAnswer);

/** An answer as a chat completion, whatever it was asked in. Throws what the events throw. */
export function tellCompletion(events: ChatEvents, { requestId, created }: AnswerHead): Promise<object> {
  return toCompletion(toChunks(served(events), { id: `chatcmpl-${requestId}`, created }));
}

/** An answer as a message, whatever it was asked in. Throws what the events throw. */
export function tellMessage(events: ChatEvents, { requestId }: AnswerHead): Promise<object> {
  return gatherMessage(toMessageEvents(served(events), { id: () => `msg_${requestId}`, stops: [] }));
}

/** An answer as every dialect takes it. */
function served(
  events: ChatEvents,
  { mayCallInParallel = true }: Pick<Asked, "mayCallInParallel"> = {},
): ChatEvents {
  return serveEvents(events, { mayCallInParallel });
}

/** The names under which a line may say a parameter: its own, with underscores, and those of OpenAI's API. */
const PARAMETER_NAMES: ReadonlyMap<string, readonly [ParameterName, Parameter]> = new Map(
  PARAMETER_ROWS.flatMap(([name, row]) => {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    const names: readonly string[] = [...(row.completion?.fields ?? []), snake, name];
    return names.map((each) => [each, [name, row]] as const);
  }),
);

const PROMPT_RULES: Readonly<Record<string, FieldRule>> = Object.fromEntries(
  ["prompt", "system", "model", ...PROMPT_IDS, ...PARAMETER_NAMES.keys()].map((name) => [name, "read"]),
);

function readPrompt(line: RequestField): Told {
  const unknown = judgeFields(line, PROMPT_RULES);
  const parameters: Record<string, unknown> = {};
  for (const each of Object.keys(line.object())) {
    const [name, row] = PARAMETER_NAMES.get(each) ?? [];
    const given = row && line.at(each).given;
    if (!given || name === undefined) continue;
    if (parameters[name] !== undefined) throw given.refused(`'${given.param}' is said twice, by two names.`);
    parameters[name] = readParameter(given, row);
  }
  const model = line.at("model").given?.text() ?? NO_MODEL;
  const asked = askPrompt(line.at("prompt").text(), parameters, line.at("system").given?.text());
  return { words: "plain", asked: { ...asked, model, unknown }, body: undefined, tell: undefined };
}

function readParameter(field: RequestField, row: Parameter): unknown {
  const { setting, completion } = row;
  switch (setting.type.kind) {
    case "integer":
      return field.count();
    case "number":
      return field.number();
    case "list":
      return field.texts();
    default: {
      const choices = choicesOf(row);
      const word = completion?.words?.[field.text()];
      return typeof word === "string" ? word : field.choice(choices);
    }
  }
}

function askPrompt(text: string, parameters: ChatParameters, system?: string): Asked {
  if (text.trim() === "") throw refused("'prompt' is empty.", "prompt");
  return {
    model: NO_MODEL,
    ask: {
      messages: [{ role: "user", content: [{ text }] }],
      system: system === undefined || system.trim() === "" ? undefined : [{ text: system }],
      parameters,
      nameOf: flagName,
    },
    isStreamed: false,
    notices: [],
    unknown: [],
  };
}
