import { defaultModel } from "../config/resolve.ts";
import type { Configuration } from "../config/settings.ts";
import { eachOnce } from "../each-once.ts";
import { usageError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { isServed } from "./provider-api.ts";
import { resolveModel } from "./resolve-model.ts";

/** The names in `a,b,c`, as `--model` has them, each once. Throws `usage` where one is empty. */
export function splitModelNames(names: string, runtime: Pick<Runtime, "terminal">): string[] {
  const split = names.split(",").map((text) => text.trim());
  if (split.every((text) => text !== "")) return eachOnce(split, "--model", runtime);
  throw usageError(
    `--model '${names}' names no model.`,
    "List the models you can call: openclaw models list",
  );
}

/** The model that `--emulator` asks when neither flag nor configuration names one. */
const EMULATED_MODEL = "amazon.nova-lite-v1:0";

/** The model that `embed --emulator` asks when neither flag nor configuration names one. */
export const EMULATED_EMBEDDING_MODEL = "amazon.titan-embed-text-v2:0";

/**
 * The default model and its fallbacks, in the order they are asked: those of `configuredDefaults`, and under `--emulator`,
 * where none is left, the model that the emulator is known for.
 */
export function defaultModels(config: Configuration, { isEmulated }: { isEmulated: boolean }): string[] {
  const models = configuredDefaults(config, { isEmulated });
  return isEmulated && models.length === 0 ? [EMULATED_MODEL] : models;
}

/**
 * The default model and its fallbacks, as the config names them. Under `--emulator`, which asks no other server, those of
 * others are left out.
 */
export function configuredDefaults(config: Configuration, { isEmulated }: { isEmulated: boolean }): string[] {
  const { primary, fallbacks } = defaultModel(config);
  const models = primary === undefined ? [] : [primary, ...fallbacks];
  return isEmulated ? models.filter((name) => !isServed(resolveModel(name, config))) : models;
}
