import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";

/** A body in the words of a model's vendor, which InvokeModel takes as it is. */
export interface Invocation {
  body: object;
  /** What InvokeModel has beside the body, by lower-case name: guardrail, tier, latency, marks for the invocation logs. */
  headers: Readonly<Record<string, string>>;
  isStreamed: boolean;
}

/** A piece of an answer in the vendor's words, and with the first of them what was said beside it. */
export interface InvokedChunk {
  bytes: Uint8Array;
  /** By lower-case name: `content-type`, and those of Bedrock. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** The chunk that a part is; undefined for one that is none. */
export function chunkOf({ $unknown }: ConverseStreamOutput): InvokedChunk | undefined {
  return $unknown?.[0] === "chunk" ? ($unknown[1] as InvokedChunk) : undefined;
}
