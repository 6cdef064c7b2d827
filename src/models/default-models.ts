import { defaultModel } from "../config/resolve.ts";
import type { Configuration } from "../config/settings.ts";

/** The model that `--emulator` asks when neither flag nor configuration names one. */
const EMULATED_MODEL = "amazon.nova-lite-v1:0";

/**
 * The default model and its fallbacks, as the config names them, in the order they are asked. Under `--emulator`, where
 * none is configured, the model that the emulator is known for.
 */
export function defaultModels(config: Configuration, { isEmulated }: { isEmulated: boolean }): string[] {
  const { primary, fallbacks } = defaultModel(config);
  if (primary !== undefined) return [primary, ...fallbacks];
  return isEmulated ? [EMULATED_MODEL] : [];
}
