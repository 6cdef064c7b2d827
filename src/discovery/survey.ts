import { type Surroundings, surveySurroundings } from "../aws/session.ts";
import { defaultModel, discoverySettings, loadConfig } from "../config/resolve.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { type ListInput, listModels, type ListedModel } from "./list.ts";
import { type LoadOptions, loadModels, type ModelLoad } from "./load.ts";
import { type ResolvedModel, resolveModel, targetOf } from "./resolve-model.ts";
import { withPatience } from "./with-patience.ts";

export interface ModelSurvey {
  surroundings: Surroundings;
  load: ModelLoad;
  models: ListedModel[];
  /** What the list was made from. */
  input: ListInput;
  /** What `about` stands for. */
  wanted: ResolvedModel | undefined;
}

export interface SurveyOptions extends LoadOptions {
  all?: boolean | undefined;
  providers?: readonly string[] | undefined;
  search?: string | undefined;
  /** One model, as a person names it: then the list is that of the region it is called in. */
  about?: string | undefined;
}

/** Reads the config, gets AWS's list from cache or network, and joins the two. Throws config and usage errors. */
export async function surveyModels(
  options: GlobalOptions,
  runtime: Runtime,
  question: SurveyOptions,
): Promise<ModelSurvey> {
  const config = await loadConfig(options, runtime);
  const surroundings = await surveySurroundings(options, runtime, config);
  const wanted = question.about === undefined ? undefined : resolveModel(question.about, config.value);
  const target = wanted && targetOf(wanted);
  const load = await withPatience(surroundings, "Asking AWS for its models", () =>
    loadModels(surroundings, { ...question, target }),
  );
  const { primary, fallbacks } = defaultModel(config.value);
  const input: ListInput = {
    config: config.value,
    discovered: load.discovered,
    settings: discoverySettings(config.value),
    defaults: { primary, fallbacks },
    hasCredentials: load.hasCredentials,
    regionFlag: options.region,
    all: question.all === true,
    providers: question.providers ?? [],
    search: question.search,
  };
  return { surroundings, load, models: listModels(input), input, wanted };
}
