import { type Setup, readSetup } from "../session/session.ts";
import { asksForCode } from "../credentials/chosen.ts";
import { discoverySettings, loadConfig } from "../config/resolve.ts";
import type { Configuration } from "../config/settings.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { type ListedModel, type ListInput, type SiftedModels, siftModels } from "../models/list.ts";
import { type LoadOptions, loadModels, type ModelLoad } from "./load.ts";
import type { Served } from "./load-served.ts";
import { configuredDefaults } from "../models/default-models.ts";
import { toWarning, type Warning } from "../models/discovered.ts";
import {
  hasMantle,
  isListedByServer,
  isMantle,
  servedProviders,
  isServed,
  withoutServers,
} from "../models/provider-api.ts";
import { MANTLE_TARGET, type ResolvedModel, type Target } from "../models/resolve-model.ts";

export interface ModelSurvey {
  setup: Setup;
  load: ModelLoad;
  /** The list of the endpoint `bedrock-mantle`, where its provider is configured. */
  mantle: ModelLoad | undefined;
  models: ListedModel[];
  /** What is not among them. */
  leftOut: SiftedModels["leftOut"];
  /** What the list was made from. */
  input: ListInput;
  /** What `about` stands for. */
  wanted: ResolvedModel | undefined;
}

export interface SurveyOptions extends LoadOptions {
  all?: boolean | undefined;
  /** What turns texts into vectors in place of what answers. */
  embeddings?: boolean | undefined;
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
  const setup = await readSetup(options, runtime, config);
  const { wanted, target } = await readQuestion(question, config.value);
  const isOfMantle = wanted !== undefined && isMantle(wanted);
  const ask = (): Promise<[ModelLoad, OtherLoads]> =>
    Promise.all([
      // AWS has nothing to say about another provider's model: what is cached is enough for the names of others.
      wanted && isServed(wanted)
        ? loadModels(setup, { offline: true, target }).then(withoutComplaint)
        : loadModels(setup, { ...question, target: isOfMantle ? undefined : target }),
      loadOthers(setup, question, isOfMantle),
    ]);
  const [aws, { mantle, served }] = await withAwsSpinner(setup, "Asking AWS for its models", ask);
  const load = isOfMantle && mantle ? mantle : aws;
  const others = isOfMantle ? [] : mantleWarnings(mantle, aws);
  load.warnings = [...load.warnings, ...others, ...(served?.warnings ?? [])];
  const input = listInput(setup, { aws, mantle, served }, question);
  return { setup, load, mantle, ...siftModels(input), input, wanted };
}

/** Loads the lists beside AWS's that the configuration leads to; Mantle's where it is wanted, too. Throws `usage`. */
export async function loadOthers(
  setup: Setup,
  options: LoadOptions,
  wantsMantle = false,
): Promise<OtherLoads> {
  const config = setup.config.value;
  const [mantle, served] = await Promise.all([
    hasMantle(config) || wantsMantle ? loadMantle(setup, options) : undefined,
    isListedByServer(config) || (options.refresh && servedProviders(config).length > 0)
      ? import("./load-served.ts").then(({ loadServed }) => loadServed(setup, options))
      : undefined,
  ]);
  return { mantle, served };
}

/** The list of Mantle's models, loaded as AWS's other list is. Throws `usage`. */
export async function loadMantle(setup: Setup, options: LoadOptions): Promise<ModelLoad> {
  return loadModels(setup, { ...options, target: MANTLE_TARGET });
}

/** What a person is told where Mantle's models are missing or old, unless the same is in the way of AWS's other list. */
export function mantleWarnings(mantle: ModelLoad | undefined, { error }: ModelLoad): Warning[] {
  if (mantle === undefined) return [];
  const failure = mantle.error?.code === error?.code ? undefined : mantle.error;
  const missing = failure && toWarning(failure, "The models of bedrock-mantle could not be listed");
  return [...mantle.warnings, ...(missing ? [missing] : [])];
}

/** Shows a spinner while AWS is asked, but not over a question for an MFA code. Rejects with what `work` rejects with. */
export async function withAwsSpinner<T>(
  { runtime, decision }: Setup,
  text: string,
  work: () => Promise<T>,
): Promise<T> {
  if (!runtime.terminal.isStderrTTY || asksForCode(decision)) return work();
  return (await import("../terminal/spinner.ts")).withSpinner(runtime, text, work);
}

/** What was loaded beside AWS's list, by who lists it. */
interface OtherLoads {
  mantle: ModelLoad | undefined;
  served: Served | undefined;
}

/** What a list is made from: the configuration, what was loaded, and which of it is asked for. */
export function listInput(
  { config, options, runtime }: Setup,
  { aws, mantle, served }: OtherLoads & { aws: ModelLoad },
  {
    all,
    embeddings,
    providers,
    search,
  }: Pick<SurveyOptions, "all" | "embeddings" | "providers" | "search"> = {},
): ListInput {
  const { embeddingModel } = config.value.agents?.defaults ?? {};
  const [primary, ...fallbacks] = embeddings
    ? [embeddingModel ?? []].flat()
    : configuredDefaults(config.value, runtime);
  return {
    config: runtime.isEmulated ? withoutServers(config.value) : config.value,
    discovered: aws.discovered,
    mantle: mantle?.discovered,
    served: served?.models,
    settings: discoverySettings(config.value),
    defaults: { primary, fallbacks },
    hasCredentials: aws.hasCredentials,
    regionFlag: options.region,
    all: all === true,
    embeddings,
    providers: providers ?? [],
    search,
  };
}

function withoutComplaint(load: ModelLoad): ModelLoad {
  return { ...load, warnings: [], error: undefined };
}

async function readQuestion(
  { about }: SurveyOptions,
  config: Configuration,
): Promise<{ wanted: ResolvedModel | undefined; target: Target | undefined }> {
  if (about === undefined) return { wanted: undefined, target: undefined };
  const { namedModel, targetOf } = await import("../models/resolve-model.ts");
  const wanted = namedModel(about, config);
  return { wanted, target: targetOf(wanted) };
}
