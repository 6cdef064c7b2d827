import type { CitationsDelta, ConverseStreamTrace, MessageStopEvent } from "@aws-sdk/client-bedrock-runtime";
import type { TokenUsage } from "../models/usage.ts";
import type { CitedSource } from "./cited-source.ts";
import type { LengthBound } from "./length-bound.ts";
import type { InvokedChunk } from "./invocation.ts";

/**
 * What a streamed answer consists of, in the order it arrives. The lines of `--ndjson` are these, but for a call's pieces.
 * What only Converse tells (`index` of a text's content block, `delta`, `ownFields`, `trace`, `latencyMs`) is there where the
 * question passes details.
 */
export type ChatEvent =
  /** `region` is null for a model that is not one of Amazon Bedrock. */
  | { type: "start"; model: string; region: string | null; requestId?: string | undefined; attempts: number }
  | { type: "reasoning"; text: string; index?: number | undefined }
  /**
   * A piece of what proves the reasoning before it, or of reasoning that was withheld; `index` is that of the content block.
   * Only where the question passes signatures.
   */
  | {
      type: "signature";
      index: number;
      signature?: string | undefined;
      redactedContent?: Uint8Array | undefined;
    }
  | { type: "text"; text: string; index?: number | undefined }
  /** A piece of an answer in the words of the model's vendor, where it was asked in them. */
  | ({ type: "chunk" } & InvokedChunk)
  /** Where what was said just before is from. */
  | ({
      type: "citation";
      index?: number | undefined;
      /** As the service has it. */
      delta?: CitationsDelta | undefined;
    } & CitedSource)
  | {
      type: "stop";
      stopReason: string;
      /** The text of `stopSequences` that ended the answer, where the model says which. */
      matchedStop?: string | undefined;
      /** Fields of the model's own that were asked for. */
      ownFields?: MessageStopEvent["additionalModelResponseFields"];
      /** Set for an answer without words: the tools it calls that nobody gave it; none where all it has is reasoning. */
      wordless?: string[] | undefined;
      /** What holds the answer to the most tokens that it may have. For people: `--ndjson` has it not. */
      bound?: LengthBound | undefined;
    }
  /** The model begins to call a tool. `index` is that of the content block, `id` the model's own. */
  | { type: "tool-start"; index: number; id: string; name: string }
  /** A piece of the JSON that a model calls a tool with. Only requests with tools have both. */
  | { type: "tool-input"; index: number; text: string }
  | ({
      type: "usage";
      requestId?: string | undefined;
      /** The guardrail policies that acted, in words, when the trace was asked for. */
      guardrail?: string[] | undefined;
      /** The model that a prompt router chose. */
      invokedModel?: string | undefined;
      /** Of a guardrail and of a prompt router, to the letter. */
      trace?: ConverseStreamTrace | undefined;
      /** How long the service took, in ms. */
      latencyMs?: number | undefined;
    } & TokenUsage);

/** The counts of an event that tells them. */
export function usageOf(event: Extract<ChatEvent, { type: "usage" }>): TokenUsage {
  const { type: _type, requestId: _id, guardrail: _guardrail, invokedModel: _model, ...more } = event;
  const { trace: _trace, latencyMs: _latency, ...usage } = more;
  return usage;
}

/** An answer's events as they arrive. */
export type ChatEvents = AsyncGenerator<ChatEvent, void, undefined>;
