import { CHARACTERS_PER_TOKEN, guessTokens } from "../../chat/count-question.ts";
import { settlement } from "../../models/quotas.ts";
import type { TokenUsage } from "../../models/usage.ts";
import type { BatchLine } from "../lines/batch-line.ts";

/** What an answer is expected to have where nobody knows better, in tokens: a few paragraphs. */
export const USUAL_OUTPUT_TOKENS = 400;

export interface TallyTerms {
  /** What an answer mostly has, in tokens. */
  outputTokens: number;
  /** The most that an answer may have where its line says nothing, in tokens; undefined where nobody knows. */
  mostTokens: number | undefined;
  /** How many tokens of the quota one of output takes. */
  burndown: number;
  /** What a call costs on demand, in USD; null where nobody knows. */
  usdOf: (usage: TokenUsage) => number | null;
}

export interface LineTally {
  lines: number;
  inputTokens: number;
  /** As answers mostly are. */
  outputTokens: number;
  /** If every answer were as long as it may be; null where that is not bounded by anything. */
  mostOutputTokens: number | null;
  /** What all of it takes of the quota. */
  quotaTokens: number;
  /** On demand, in USD; null where a price is not known. */
  usd: number | null;
  mostUsd: number | null;
}

export const NO_LINES: LineTally = {
  lines: 0,
  inputTokens: 0,
  outputTokens: 0,
  mostOutputTokens: 0,
  quotaTokens: 0,
  usd: 0,
  mostUsd: 0,
};

/** The tokens that a line asks with, by their length: about as many, give or take a quarter. */
export function inputTokensOf({ asked: { ask } }: Pick<BatchLine, "asked">): number {
  if (ask.invocation) return Math.ceil(JSON.stringify(ask.invocation.body).length / CHARACTERS_PER_TOKEN);
  const system = typeof ask.system === "string" ? [{ text: ask.system }] : [...(ask.system ?? [])];
  return guessTokens({ modelId: undefined, messages: [...ask.messages], system, toolConfig: ask.tools });
}

/** The tally with one more line. */
export function addLine(tally: LineTally, line: Pick<BatchLine, "asked">, terms: TallyTerms): LineTally {
  const inputTokens = inputTokensOf(line);
  const most = line.asked.ask.parameters.maxTokens ?? terms.mostTokens ?? null;
  const outputTokens = Math.min(terms.outputTokens, most ?? Number.POSITIVE_INFINITY);
  const usdOf = (output: number | null): number | null =>
    output === null
      ? null
      : terms.usdOf({ inputTokens, outputTokens: output, totalTokens: inputTokens + output });
  return {
    lines: tally.lines + 1,
    inputTokens: tally.inputTokens + inputTokens,
    outputTokens: tally.outputTokens + outputTokens,
    mostOutputTokens: sum(tally.mostOutputTokens, most),
    quotaTokens: tally.quotaTokens + settlement({ inputTokens, outputTokens }, terms.burndown),
    usd: sum(tally.usd, usdOf(outputTokens)),
    mostUsd: sum(tally.mostUsd, usdOf(most)),
  };
}

/** Two counts together; null where one of them is not known. */
export function sum(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one + other;
}
