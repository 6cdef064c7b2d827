import { updateConfig } from "../../config/update.ts";
import { catalogIds } from "../../discovery/catalog.ts";
import { keyOf } from "../../discovery/list.ts";
import { unknownModel } from "../../discovery/resolve-model.ts";
import { surveyModels } from "../../discovery/survey.ts";
import { usageError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";

export interface SetOptions extends GlobalOptions {
  model: string;
  force?: boolean;
}

/** Makes a configured or discovered model the default. Throws `model-not-found` with the nearest ids for any other. */
export async function run(options: SetOptions, runtime: Runtime): Promise<void> {
  if (options.model.trim() === "")
    throw usageError("No model is named.", "List the models you can call: openclaw models list");
  const { models, surroundings, load } = await surveyModels(options, runtime, { all: true });
  const config = surroundings.config.value;
  const key = keyOf(options.model.trim(), config);
  // A default that AWS does not list is in the list only because it is the default.
  const isKnown = models.some(
    (model) => model.key === key && (!model.missing || model.tags.includes("configured")),
  );
  const isUnlisted =
    load.discovered === undefined && models.every((model) => !model.tags.includes("configured"));
  if (!isKnown && !options.force) {
    if (load.error) throw load.error;
    const known = models.filter(({ missing }) => !missing).map(({ id }) => id);
    throw unknownModel(key.slice(key.indexOf("/") + 1), isUnlisted ? catalogIds() : known);
  }
  const isObject = typeof config.agents?.defaults?.model === "object";
  const path = ["agents", "defaults", "model", ...(isObject ? ["primary"] : [])];
  const { file } = await updateConfig(options, runtime, [{ op: "set", path, value: key }]);
  const { terminal } = runtime;
  if (terminal.format === "json") await terminal.printJson({ model: key, file });
  else await terminal.print(`Default model: ${key}`);
}
