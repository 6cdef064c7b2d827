import type { ConverseStreamCommandInput, Message } from "@aws-sdk/client-bedrock-runtime";
import type { OpenclawError } from "../errors.ts";
import type { InferenceProfile } from "../models/discovered.ts";
import type { Lesson } from "../session/refusal-table.ts";
import type { AttemptGate } from "../session/rest-client.ts";
import type { AnswerParts } from "./answer-batches.ts";
import type { Lessons } from "./apply-lessons.ts";
import type { Deadlines } from "./deadlines.ts";
import type { StructuredForm } from "./structured-output.ts";

export interface RequestPlan {
  /** In Converse's terms, whatever the wire: what is kept of a conversation is in them. */
  input: ConverseStreamCommandInput;
  /** The newest message as it was asked, with its files: what is kept of it, whatever it is sent together with. */
  question?: Message | undefined;
  /** In the wire's own terms, as it is sent. */
  body: unknown;
  /** Set when the answer is held to a schema. */
  form: StructuredForm | undefined;
  /** Whether the model will reason, which takes its time. */
  isReasoning: boolean;
  /** What was asked for and cannot be sent as it is, for the person who asked. */
  notices: string[];
  /** The caller's names of the tools that are sent under another, by that one. */
  toolNames: ReadonlyMap<string, string>;
  /** Identifies the system prompt and the tools, to which reasoning is bound; undefined where there are none. */
  promptDigest?(): string | undefined;
  /** That the answer is asked for whole, since the model takes no tools where it streams. */
  isWhole?: true | undefined;
  /** That the reasoning of earlier answers was refused in this conversation. */
  endsReasoning?: true | undefined;
}

/** An answer whose model has said something. */
export interface OpenAnswer {
  /** From its beginning, in the parts of a ConverseStream. */
  batches: AnswerParts;
  requestId: string | undefined;
  attempts: number;
}

/** Input tokens of a request as the service counts them, or why it does not, and what it failed with where it did. */
export type CountedTokens = { tokens: number } | { uncounted: string; failure?: OpenclawError };

/**
 * The way to one model: how it is asked in the words of its API. Everything that does not depend on the API (what is
 * learnt from refusals, deadlines, recording, fallbacks) stands above it, once.
 */
export interface Wire {
  /** Null for a model that is not one of Amazon Bedrock. */
  readonly region: string | null;
  /** Identifies the model where it is called: what is learnt of it holds there. */
  readonly place: readonly string[];
  /** Whether AWS's list or the catalog has the model, whatever a refusal says of its id. */
  isListed(): boolean;
  /** Plans the request for the question that the wire was opened with, by what was learnt. Throws `bad-attachment`. */
  plan(lessons: Lessons): Promise<RequestPlan>;
  /** What a refusal teaches about what was sent, most likely first. Throws the refusal where it knows it better. */
  learn(refusal: OpenclawError): Promise<readonly Lesson[]>;
  /**
   * Sends a request until the model says something, by the retry rules of AWS's SDKs: what fails before that may be tried
   * again, but with a `gate` not what was throttled. Throws the error that it came to.
   */
  open(plan: RequestPlan, deadlines: Deadlines, gate?: AttemptGate): Promise<OpenAnswer>;
  /** The error that a failure of an answer of `model` is known as; undefined for one that just broke off. */
  explain(failure: unknown, model: string): OpenclawError | undefined;
  /** How an answer broke off that nobody can explain: "The connection broke off". */
  tellBreak(failure: unknown): string;
  /** Whether a failure is something the service said, which counts after the last word, too. */
  isSaid(failure: unknown): boolean;
  /** The `model-not-found` error that a refusal comes to, with what can be called instead. */
  explainUnknown(refusal: OpenclawError): Promise<OpenclawError>;
  /** Throws `interrupted` and `usage`. */
  countTokens(plan: RequestPlan): Promise<CountedTokens>;
  /** The foundation model behind a request's model, where that is another and known. */
  baseIdOf(plan: RequestPlan): string | undefined;
  /** The inference profile that a request names, where it is one that AWS lists. */
  profileOf(plan: RequestPlan): InferenceProfile | undefined;
  close(): void;
}
