import { flagName } from "../../config/parameters.ts";
import { shorten } from "../../errors.ts";
import { isRecord, numberOf } from "../../json.ts";
import { ANSWER_TOKENS } from "../../models/families.ts";
import { isOnlyBlanks } from "../../only-blanks.ts";
import type { Input, Mending } from "./recipient.ts";

/**
 * Temperature and top-p are in their ranges, and one of them where the model takes no more. No text that ends an answer is
 * empty, or blank where the model minds.
 */
export function mendSampling(
  input: Input,
  { family, modelId, asked = {}, nameOf = flagName, tell }: Mending,
): Input {
  const { inferenceConfig } = input;
  if (!inferenceConfig) return input;
  const { stopSequences, ...config } = inferenceConfig;
  const bounds = { temperature: family.temperature?.most ?? 1, topP: 1 };
  for (const name of ["temperature", "topP"] as const) {
    const value = config[name];
    const nearest = value === undefined ? undefined : Math.min(Math.max(value, 0), bounds[name]);
    if (nearest === value || nearest === undefined) continue;
    tell(`'${modelId}' takes ${nameOf(name)} from 0 to ${bounds[name]}, so ${value} becomes ${nearest}`);
    config[name] = nearest;
  }
  const { temperature, topP } = config;
  if (family.oneSampling && temperature !== undefined && topP !== undefined) {
    const isOneAsked = (asked.temperature === undefined) !== (asked.topP === undefined);
    // Of two that are meant alike, the one that says something: 1 is what both are by themselves.
    const isTopPMeant = isOneAsked ? asked.topP !== undefined : temperature === 1 && topP < 1;
    const left = isTopPMeant ? "temperature" : "topP";
    const either = `${nameOf("temperature")} or ${nameOf("topP")}`;
    tell(`'${modelId}' takes either ${either}, so ${nameOf(left)} ${config[left]} is left out`);
    delete config[left];
  }
  const isFit = (text: string): boolean => (family.stopsWithWords ? !isOnlyBlanks(text) : text !== "");
  const stops = stopSequences?.filter(isFit) ?? [];
  const dropped = stopSequences?.filter((text) => !isFit(text)) ?? [];
  if (dropped.length > 0) {
    const which = dropped.map((text) => JSON.stringify(shorten(text))).join(", ");
    tell(`'${modelId}' takes no blank ${nameOf("stopSequences")}, so ${which} is left out`);
  }
  const mended = { ...config, ...(stops.length === 0 ? {} : { stopSequences: stops }) };
  const { inferenceConfig: _, ...rest } = input;
  return Object.keys(mended).length === 0 ? rest : { ...rest, inferenceConfig: mended };
}

/** An answer may be longer than what the model may think: the service's own default may not be. */
export function mendLength(input: Input, { mostTokens = Number.POSITIVE_INFINITY }: Mending): Input {
  const fields = input.additionalModelRequestFields;
  const thinking = isRecord(fields) ? fields["thinking"] : undefined;
  const budget = numberOf(isRecord(thinking) ? thinking["budget_tokens"] : undefined);
  if (budget === undefined || input.inferenceConfig?.maxTokens !== undefined) return input;
  const maxTokens = Math.min(budget + ANSWER_TOKENS, mostTokens);
  return { ...input, inferenceConfig: { ...input.inferenceConfig, maxTokens } };
}
