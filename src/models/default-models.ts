import { defaultModel } from "../config/resolve.ts";
import type { Configuration } from "../config/settings.ts";
import { speaksOpenai } from "./provider-api.ts";
import { resolveModel } from "./resolve-model.ts";

/** The model that `--emulator` asks when neither flag nor configuration names one. */
const EMULATED_MODEL = "amazon.nova-lite-v1:0";

/**
 * The default model and its fallbacks, as the config names them, in the order they are asked. Under `--emulator`, which asks
 * no other server, those of others are left out, and where none is left it is the model that the emulator is known for.
 */
export function defaultModels(config: Configuration, { isEmulated }: { isEmulated: boolean }): string[] {
  const { primary, fallbacks } = defaultModel(config);
  const models = primary === undefined ? [] : [primary, ...fallbacks];
  if (!isEmulated) return models;
  const own = models.filter((name) => !speaksOpenai(resolveModel(name, config)));
  return own.length > 0 ? own : [EMULATED_MODEL];
}
