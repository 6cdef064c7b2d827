import { defaultModel } from "../config/resolve.ts";
import type { Configuration } from "../config/settings.ts";
import { EMULATED_MODEL } from "../emulator/default-model.ts";

/**
 * The default model and its fallbacks, as the config names them, in the order they are asked. Under `--emulator`, where
 * none is configured, the model that the emulator is known for.
 */
export function defaultModels(config: Configuration, { isEmulated }: { isEmulated: boolean }): string[] {
  const { primary, fallbacks } = defaultModel(config);
  if (primary !== undefined) return [primary, ...fallbacks];
  return isEmulated ? [EMULATED_MODEL] : [];
}
