/** Token counts of one call, in AWS's names. Cached tokens are counted beside `inputTokens`, not within. */
export interface TokenUsage {
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
  cacheReadInputTokens?: number;
  cacheWriteInputTokens?: number;
}

/** What a streamed answer consists of, in the order it arrives. The lines of `--ndjson` are these. */
export type ChatEvent =
  | { type: "start"; model: string; region: string; requestId?: string; attempts: number }
  | { type: "reasoning"; text: string }
  | { type: "text"; text: string }
  | { type: "stop"; stopReason: string }
  | ({ type: "usage"; requestId?: string } & TokenUsage);
