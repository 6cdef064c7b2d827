import { guessTokensOfBody } from "../../chat/count-question.ts";
import { mostUsdOf, mostUsdOfBody } from "../../chat/limit-cost.ts";
import { mostTokensIn, USUAL_MAX_TOKENS } from "../../chat/pace.ts";
import type { Configuration } from "../../config/settings.ts";
import { mergeParameters } from "../../converse/request.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import { baseModelId } from "../../models/base-model-id.ts";
import { knownLimits } from "../../models/catalog.ts";
import type { Discovered } from "../../models/discovered.ts";
import { familyOf } from "../../models/families.ts";
import { priceOf } from "../../models/price.ts";
import { isMantle, isServed } from "../../models/provider-api.ts";
import type { ResolvedModel } from "../../models/resolve-model.ts";
import { estimateCost } from "../../models/usage.ts";
import { inputTokensOf } from "../estimate/line-tally.ts";
import type { BatchLine } from "../lines/batch-line.ts";
import { AnswerLength, FIRST_REASONING } from "./answer-length.ts";
import type { RunModel } from "./run-lines.ts";

/** Lines of one model that are asked at once, at most, where nobody says: those of Bedrock, below its quotas, and of a server. */
const MOST_AT_ONCE = 64;
const MOST_AT_SERVER = 8;

export interface ModelLimits {
  /** Of each answer whose line names none, in tokens. */
  maxTokens: number | undefined;
  /** Lines of one model that are asked at once, at most. */
  concurrency: number | undefined;
  /** Of the whole run, in USD. */
  maxCost: number | undefined;
}

/** What is known of a model before its lines are asked. Throws `usage` where its answers cannot be as long as they are to be. */
export function runModel(
  name: string,
  { model, known }: { model: ResolvedModel; known: Discovered | undefined },
  config: Configuration,
  { maxTokens, concurrency, maxCost = 0 }: ModelLimits,
): RunModel {
  const baseId = baseModelId(model.id, known) ?? model.id;
  const limits = knownLimits(model, baseId);
  const configured = mergeParameters({}, config, [model.id, model.key]);
  const most = limits.maxTokens;
  if (maxTokens !== undefined && most !== undefined && maxTokens > most)
    throw usageError(
      `--max-tokens ${maxTokens} is more than an answer of '${name}' may have: ${most}.`,
      `--max-tokens ${most}`,
    );
  const price = priceOf(model, model.id) ?? priceOf(model, baseId);
  const asked = maxTokens ?? configured.maxTokens;
  const answerLength = asked === undefined ? new AnswerLength(most) : undefined;
  const isUnpaced = isServed(model) || isMantle(model);
  return {
    name,
    model,
    concurrency: concurrency ?? (isUnpaced ? MOST_AT_SERVER : MOST_AT_ONCE),
    hasFlex: !isUnpaced && familyOf(baseId).flex !== undefined,
    answerLength,
    usualLength: asked ?? Math.max(most ?? 0, FIRST_REASONING),
    reserved: (line) => {
      const { ask } = line.asked;
      const inputTokens = tokensToPace(line);
      if (!ask.invocation) {
        const allowed = asked ?? answerLength?.allowedFor(ask) ?? USUAL_MAX_TOKENS;
        return { inputTokens, maxTokens: ask.parameters.maxTokens ?? allowed };
      }
      const isEmbedding = familyOf(baseId).embedding !== undefined;
      const named = isEmbedding ? 0 : mostTokensIn(ask.invocation.body);
      return { inputTokens, maxTokens: named ?? most ?? USUAL_MAX_TOKENS };
    },
    costOf: (usage, called) => estimateCost(usage, priceOf(model, called) ?? price),
    mostUsd: ({ asked: { ask } }, wanted) => {
      const terms = { modelId: model.id, price, mostUsd: maxCost };
      if (ask.invocation) return mostUsdOfBody(ask.invocation, { ...terms, maxTokens: most }, baseId);
      const bound = wanted ?? configured.maxTokens ?? most;
      if (bound === undefined && price !== undefined) throw unbounded(name);
      const system = typeof ask.system === "string" ? [{ text: ask.system }] : [...(ask.system ?? [])];
      return mostUsdOf(
        { messages: [...ask.messages], system, toolConfig: ask.tools },
        {
          ...terms,
          window: limits.contextWindow,
          maxTokens: bound ?? 0,
          parameters: mergeParameters(ask.parameters, config, [model.id, model.key]),
        },
      );
    },
  };
}

/** The tokens of a line's own by which its call is paced. */
export function tokensToPace(line: BatchLine): number {
  const { invocation } = line.asked.ask;
  return invocation ? guessTokensOfBody(invocation.body) : inputTokensOf(line);
}

function unbounded(name: string): OpenclawError {
  return new OpenclawError("invalid-request", {
    message: `--max-cost cannot be kept: nobody knows how long an answer of '${name}' may be.`,
    hint: "Bound it: --max-tokens N",
  });
}
