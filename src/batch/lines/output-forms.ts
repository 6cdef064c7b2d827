import { type ErrorCode, OpenclawError } from "../../errors.ts";
import { type ChatEvents, usageOf } from "../../converse/chat-event.ts";
import { judgeStop } from "../../converse/outcome.ts";
import { withoutUndefined, wellFormed } from "../../json.ts";
import { parseExactlyIfJson } from "../../json-bounds.ts";
import { toJson } from "../../json-numbers.ts";
import type { CallCost, TokenUsage } from "../../models/usage.ts";
import { toErrorBody } from "../../serve/content/openai-error.ts";
import { errorBody } from "../../serve/dialects/messages/message-error.ts";
import { type ErrorAnswer, toErrorAnswer } from "../../serve/error-answer.ts";
import type { AnswerHead, BatchLine, LineKind } from "./batch-line.ts";
import { tellCompletion, tellConverse, tellMessage } from "./line-kinds.ts";

export type OutputFormat = "bedrock" | "openai" | "messages" | "plain";

export interface AnswerContext extends AnswerHead {
  /** What the tokens of the model that answered cost; null where nobody knows. */
  costOf: (usage: TokenUsage, model: string) => CallCost | null;
}

type Identified = Pick<BatchLine, "recordId">;

export interface OutputForm {
  /** The answer to a line. Throws what the events throw, and `bad-response` for an answer without end. */
  answer: (line: BatchLine, events: ChatEvents, context: AnswerContext) => Promise<object>;
  /** What stands in its place where it failed. */
  failure: (line: Identified, error: OpenclawError, requestId: string) => object;
}

/** The form of the answers to lines of each kind where nobody asks for another. */
export const USUAL_FORMAT: Readonly<Record<LineKind, OutputFormat>> = {
  bedrock: "bedrock",
  openai: "openai",
  messages: "messages",
  plain: "plain",
  text: "plain",
};

export const OUTPUT_FORMS: Readonly<Record<OutputFormat, OutputForm>> = {
  // https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-results.html, without the question.
  bedrock: {
    answer: async (line, events, context) => {
      const isOwn = line.kind === "bedrock" && line.tell !== undefined;
      const tell = isOwn ? line.tell : tellConverse;
      return { recordId: line.recordId, modelOutput: await (tell ?? tellConverse)(events, context) };
    },
    failure: ({ recordId }, { code, message }) => ({ recordId, error: { code, message } }),
  },
  // https://platform.openai.com/docs/api-reference/batch/request-output
  openai: {
    answer: async (line, events, context) => {
      refuseOwn(line, "openai");
      const isOwn = line.words === "responses" || line.words === "chat-completions";
      const body = await (isOwn && line.tell ? line.tell : tellCompletion)(events, context);
      const response = responseOf(200, context.requestId, body);
      return { ...openAiHead(line, context.requestId), response, error: null };
    },
    // Some who read it look at the status and some at the error: both are there where a service has answered.
    failure: (line, error, requestId) => {
      const { code, message } = error;
      const answer = inItsOwnWords(error);
      const response = UNANSWERED.has(code)
        ? null
        : responseOf(answer.status, error.requestId ?? requestId, toErrorBody(answer));
      return { ...openAiHead(line, requestId), response, error: { code, message } };
    },
  },
  // https://platform.claude.com/docs/en/api/retrieving-message-batch-results
  messages: {
    answer: async (line, events, context) => {
      refuseOwn(line, "messages");
      const isOwn = line.words === "messages" || line.words === "claude";
      const message = await (isOwn && line.tell ? line.tell : tellMessage)(events, context);
      return { custom_id: line.recordId, result: { type: "succeeded", message } };
    },
    failure: ({ recordId }, error, requestId) => ({
      custom_id: recordId,
      result: { type: "errored", error: errorBody(inItsOwnWords(error), requestId) },
    }),
  },
  plain: {
    answer: async (line, events, { costOf }) => {
      refuseOwn(line, "plain");
      return { recordId: line.recordId, ...(await tellPlain(events, costOf)) };
    },
    failure: ({ recordId }, { code, message }) => ({ recordId, error: { code, message } }),
  },
};

/** Failures of which no service has told. */
const UNANSWERED: ReadonlySet<ErrorCode> = new Set([
  "internal",
  "usage",
  "no-credentials",
  "credentials-expired",
  "timeout",
  "network",
  "stream-broken",
  "budget-exceeded",
  "interrupted",
]);

/** An error as a status, and as it is told here: whoever reads it runs the batch. */
function inItsOwnWords(error: OpenclawError): ErrorAnswer {
  return { ...toErrorAnswer(error), message: error.message };
}

/**
 * Why the answer to a line cannot be told in a form, as a sentence; undefined where it can: a body that only its own model
 * takes has an answer that no other form has a place for.
 */
export function refusedInForm({ words }: Pick<BatchLine, "words">, format: OutputFormat): string | undefined {
  if (words !== "own" || format === "bedrock") return undefined;
  return "Its modelInput is in its model's own words, and the answer to that has no other form: --format bedrock.";
}

/** Throws `invalid-request` for such a line. */
function refuseOwn(line: BatchLine, format: OutputFormat): void {
  const message = refusedInForm(line, format);
  if (message !== undefined) throw new OpenclawError("invalid-request", { message });
}

function openAiHead({ recordId }: Identified, requestId: string): object {
  return { id: `batch_req_${requestId}`, custom_id: recordId };
}

function responseOf(status: number, requestId: string, body: object): object {
  return { status_code: status, request_id: requestId, body };
}

/** A call of a tool, as its pieces come. */
interface PlainCall {
  toolUseId: string;
  name: string;
  json: string;
}

/** The words of an answer and what it took. Throws what the events throw, and `blocked` for one that was withheld. */
async function tellPlain(events: ChatEvents, costOf: AnswerContext["costOf"]): Promise<object> {
  const text: string[] = [];
  const reasoning: string[] = [];
  const calls = new Map<number, PlainCall>();
  let model: string | null = null;
  let stopReason: string | null = null;
  let usage: TokenUsage | undefined;
  // What came is counted whatever becomes of it, and the counts come last.
  let failure: OpenclawError | undefined;
  for await (const event of events) {
    switch (event.type) {
      case "start":
        ({ model } = event);
        break;
      case "text":
        text.push(event.text);
        break;
      case "reasoning":
        reasoning.push(event.text);
        break;
      case "tool-start":
        calls.set(event.index, { toolUseId: event.id, name: event.name, json: "" });
        break;
      case "tool-input": {
        const call = calls.get(event.index);
        if (call) call.json += event.text;
        break;
      }
      case "stop": {
        ({ stopReason } = event);
        failure = judgeStop(stopReason, model ?? "").error;
        break;
      }
      case "usage":
        usage = usageOf(event);
    }
  }
  if (failure) throw failure;
  const called = [...calls.values()].map(({ toolUseId, name, json }) => ({
    toolUseId,
    name,
    input: parseExactlyIfJson(json === "" ? "{}" : json) ?? json,
  }));
  return withoutUndefined({
    text: text.join(""),
    reasoning: reasoning.length === 0 ? undefined : reasoning.join(""),
    calls: called.length === 0 ? undefined : called,
    stopReason,
    usage: usage && withoutUndefined(usage),
    cost: usage && model !== null ? costOf(usage, model) : null,
    model,
  });
}

/** Line ends that JSON may have in its texts as they are, and that many a reader of lines takes for some. */
const LINE_ENDS = /[\u0085\u2028\u2029]/g;

/**
 * An object as one line of JSON, with its end: whatever texts it holds, no reader of lines finds a second one in it, and it
 * is valid UTF-8.
 */
export function toLine(value: object): string {
  const json = toJson(wellFormed(value));
  return `${json.replace(LINE_ENDS, (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, "0")}`)}\n`;
}
