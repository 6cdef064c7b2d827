import { matchesPattern } from "../../chat/tools/leave.ts";
import type { Configuration } from "../../config/settings.ts";
import { OpenclawError } from "../../errors.ts";
import { baseModelId } from "../../models/base-model-id.ts";
import type { ResolvedModel } from "../../models/resolve-model.ts";
import type { ApiKey } from "./key-file.ts";

/** A name as a client sends it. */
interface SentName {
  name: string;
  /** Whether it is a name of the server's own: of `--map`, or an alias. */
  isOwnName: boolean;
}

export interface NamedModels extends SentName {
  /** None of what nobody knows, or not yet. */
  models: () => Promise<readonly ResolvedModel[]>;
  config: Configuration;
}

/**
 * Whether a key may ask what a name stands for: where a pattern fits a name that the server itself has given, or where one
 * fits the id, the key or the base model of every model that would be asked, so that no name leads past the patterns.
 */
export function mayAsk(
  { models: patterns }: Pick<ApiKey, "models">,
  { name, isOwnName, models }: SentName & { models: readonly ResolvedModel[] },
): boolean {
  if (patterns === undefined) return true;
  const fits = (text: string): boolean => patterns.some((pattern) => matchesPattern(text, pattern));
  if (isOwnName && fits(name)) return true;
  return models.length > 0 && models.every(({ id, key }) => [id, key, baseModelId(id) ?? id].some(fits));
}

/** The error for what a key may not ask, with OpenAI's status and code for it. */
export function notAllowed(
  { name, models = [] }: Pick<ApiKey, "name" | "models">,
  model: string,
): OpenclawError {
  return new OpenclawError("access-denied", {
    message: `The API key '${name}' may not ask '${model}', only: ${models.join(", ")}.`,
    details: { param: "model", openaiCode: "model_not_found" },
  });
}
