import type { ChatEvents } from "../../converse/chat-event.ts";
import type { JsonObject } from "../../json.ts";
import type { Asked } from "../../serve/answer-call.ts";

/**
 * What lines of a file may be: records of Bedrock's batch inference
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-data.html), requests of OpenAI's Batch API
 * (https://platform.openai.com/docs/api-reference/batch/request-input), requests of Anthropic's Message Batches
 * (https://platform.claude.com/docs/en/api/creating-message-batches), objects with a prompt, or texts. A file has one kind.
 */
export type LineKind = "bedrock" | "openai" | "messages" | "plain" | "text";

/** In whose words a line asks: what Converse takes, a model's own body for InvokeModel, or the API of another service. */
export type LineWords =
  | "converse"
  | "claude"
  | "nova"
  | "chat-completions"
  | "responses"
  | "messages"
  /** A body that nobody here reads: only its own model takes it. */
  | "own"
  | "plain";

export interface AnswerHead {
  /** For the id of the answer, where its form has one. */
  requestId: string;
  /** Seconds since 1970. */
  created: number;
  /** Since the line was asked, in ms. */
  since: () => number;
}

export interface BatchLine {
  /** Of the line in its file, from 1; lines without anything count, too. */
  number: number;
  /** Of the line's own id, or its number where it has none. */
  recordId: string;
  /** Whether it has an id of its own. */
  hasId: boolean;
  kind: LineKind;
  words: LineWords;
  /** The model that the line itself names; undefined where it names none. */
  model: string | undefined;
  /**
   * What is asked, by the dialect's own reader, with `model` empty where the line names none. The answer's signatures belong
   * into it: ask with `passesSignatures`.
   */
  asked: Asked;
  /** The request as it came: `modelInput`, `body` or `params`; undefined for a prompt. */
  body: JsonObject | undefined;
  /**
   * The answer in the words of the request; undefined for a prompt. Throws what the events throw, and `bad-response` for an
   * answer without end.
   */
  tell: ((events: ChatEvents, head: AnswerHead) => Promise<object>) | undefined;
}
