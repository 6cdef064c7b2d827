import { type Surroundings, surveySurroundings } from "../aws/session.ts";
import { defaultModel, discoverySettings, loadConfig } from "../config/resolve.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { listModels, type ListedModel } from "./list.ts";
import { type LoadOptions, loadModels, type ModelLoad } from "./load.ts";

export interface ModelSurvey {
  surroundings: Surroundings;
  load: ModelLoad;
  models: ListedModel[];
}

export interface SurveyOptions extends LoadOptions {
  all?: boolean | undefined;
  providers?: readonly string[] | undefined;
  search?: string | undefined;
}

/** Reads the config, gets AWS's list from cache or network, and joins the two. Throws config and usage errors. */
export async function surveyModels(
  options: GlobalOptions,
  runtime: Runtime,
  wanted: SurveyOptions,
): Promise<ModelSurvey> {
  const config = await loadConfig(options, runtime);
  const surroundings = await surveySurroundings(options, runtime, config);
  const load = await loadModels(surroundings, wanted);
  const { primary, fallbacks } = defaultModel(config.value);
  const models = listModels({
    config: config.value,
    discovered: load.discovered,
    settings: discoverySettings(config.value),
    defaults: { primary, fallbacks },
    hasCredentials: load.hasCredentials,
    all: wanted.all === true,
    providers: wanted.providers ?? [],
    search: wanted.search,
  });
  return { surroundings, load, models };
}
