import { discoverySettings } from "../../config/resolve.ts";
import type { Access } from "../../discovery/access.ts";
import type { Warning } from "../../models/discovered.ts";
import type { ListedModel } from "../../models/list.ts";
import type { SortField } from "../../models/sort-models.ts";
import type { GlobalOptions } from "../../options.ts";
import { isListedByServer } from "../../models/provider-api.ts";
import { type ModelSurvey, surveyModels } from "../../discovery/survey.ts";
import { OpenclawError, withFields } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import { CATALOG_DATE } from "../../models/catalog.ts";
import { keyLines, modelLines } from "./model-lines.ts";
import { jsonLine } from "../../terminal/terminal.ts";

export interface ListOptions extends GlobalOptions {
  provider?: string[];
  search?: string;
  all?: boolean;
  embeddings?: boolean;
  sort?: SortField;
  access?: boolean;
  plain?: boolean;
  refresh?: boolean;
  offline?: boolean;
}

/** A line of the list; with `--access` also whether it can be called. */
type ShownModel = ListedModel & { access?: Access };

/** What a program reads where it could not even be told what to list. */
const NOTHING_LISTED = {
  region: null,
  source: "config",
  fetchedAt: null,
  catalogDate: CATALOG_DATE,
  count: 0,
  models: [],
  warnings: [],
};

/**
 * Prints configured and discovered models: what there is even when AWS could not be asked, and then throws. What went into a
 * pipe is kept in `ready`, where that is named.
 */
export async function showModelList(
  options: ListOptions,
  runtime: Runtime,
  ready: string | undefined,
): Promise<void> {
  const startedAt = runtime.now();
  const question = { ...options, providers: options.provider };
  const survey = await surveyModels(options, runtime, question).catch(async (error: unknown) => {
    if (!(error instanceof OpenclawError)) throw error;
    throw withFields(error, { document: await documentWithoutAws(error, options, runtime) });
  });
  const { load } = survey;
  const { terminal } = runtime;
  const { models, accessWarnings } = await addAccess(
    await inOrder(survey, options, runtime),
    survey,
    options,
    runtime,
  );
  const warnings = [
    ...load.warnings,
    ...withoutAws(survey),
    ...accessWarnings,
    ...(await idleFilters(survey)),
  ].map((warning) => terminal.told(warning));
  const document = documentOf(survey, models, warnings);
  const warn = async (): Promise<void> => {
    for (const { message, hint } of warnings) await terminal.warn(message, hint);
  };
  const error = load.error ?? (await nothingToList(survey));
  if (error) {
    if (terminal.format === "text") {
      await printModels(models, options, runtime);
      await warn();
    }
    throw withFields(error, { document });
  }
  if (terminal.format === "json") await terminal.printJson(document);
  else await printModels(models, options, runtime);
  if (ready !== undefined && warnings.length === 0) {
    const text = terminal.format === "json" ? jsonLine(document) : pipedLines(models, options);
    await keepReady(ready, survey, text, startedAt);
  }
  await warn();
  if (terminal.format === "text" && terminal.isStdoutTTY && !options.plain)
    await printFooter(survey, runtime);
}

function documentOf({ load }: ModelSurvey, models: readonly ShownModel[], warnings: readonly Warning[]) {
  return {
    region: load.region ?? null,
    source: load.source,
    fetchedAt: load.discovered ? new Date(load.discovered.fetchedAt).toISOString() : null,
    catalogDate: CATALOG_DATE,
    count: models.length,
    models,
    warnings,
  };
}

/** What a program gets to read where nobody waits for AWS any more: what the configuration has, and an older list. */
async function documentWithoutAws(
  { code }: OpenclawError,
  options: ListOptions,
  runtime: Runtime,
): Promise<Record<string, unknown>> {
  if (code !== "interrupted" || runtime.terminal.format !== "json") return NOTHING_LISTED;
  const question = { ...options, providers: options.provider, offline: true, refresh: false };
  const survey = await surveyModels(options, runtime, question).catch(() => undefined);
  return survey ? documentOf(survey, await inOrder(survey, options, runtime), []) : NOTHING_LISTED;
}

async function inOrder(
  survey: ModelSurvey,
  { sort }: ListOptions,
  { terminal }: Runtime,
): Promise<readonly ListedModel[]> {
  const { models } = survey;
  const sorted = sort ? (await import("../../models/sort-models.ts")).sortModels(models, sort) : models;
  // Only in JSON it is told how each is called.
  if (terminal.format !== "json") return sorted;
  return (await import("../../discovery/learnt-way.ts")).withLearntApis(sorted, survey);
}

/** Keeps what was printed for the next call, where the files and variables that `readyFile` knows of are all that made it. */
async function keepReady(
  file: string,
  { setup, load, mantle }: ModelSurvey,
  text: string,
  startedAt: number,
): Promise<void> {
  const { runtime, config, shared } = setup;
  const { AWS_CONFIG_FILE = "", AWS_SHARED_CREDENTIALS_FILE = "" } = runtime.env;
  const readsMore =
    config.hasReferences === true ||
    isListedByServer(config.value) ||
    (AWS_CONFIG_FILE + AWS_SHARED_CREDENTIALS_FILE).includes("$");
  const lists = mantle ? [load, mantle] : [load];
  const kept = lists.flatMap(({ source, discovered, cacheFile }) =>
    source === "cache" && discovered && cacheFile !== undefined ? { cacheFile, ...discovered } : [],
  );
  if (readsMore || kept.length < lists.length) return;
  const { tryToKeep, writeReady } = await import("../../discovery/cache-write.ts");
  const files = [config.file, shared.configFile, shared.credentialsFile].concat(
    kept.map(({ cacheFile }) => cacheFile),
  );
  const oldest = Math.min(...kept.map(({ fetchedAt }) => fetchedAt));
  const until = oldest + discoverySettings(config.value).refreshInterval * 1000;
  await tryToKeep(runtime, () => writeReady(file, { text, files, startedAt, until }));
}

async function addAccess(
  models: readonly ListedModel[],
  survey: ModelSurvey,
  options: ListOptions,
  { terminal }: Runtime,
): Promise<{ models: ShownModel[]; accessWarnings: Warning[] }> {
  if (!options.access) return { models: [...models], accessWarnings: [] };
  const { surveyAccess } = await import("../../discovery/access.ts");
  const { access, warnings } = await surveyAccess(survey, options);
  const shown = models.map((model): ShownModel => {
    const own = access.get(model.key);
    return own ? { ...model, access: terminal.told(own) } : model;
  });
  return { models: shown, accessWarnings: warnings };
}

async function printModels(
  models: readonly ShownModel[],
  options: ListOptions,
  runtime: Runtime,
): Promise<void> {
  const { terminal } = runtime;
  if (options.plain || !terminal.isStdoutTTY) return terminal.write(pipedLines(models, options));
  if (models.length === 0) return;
  const style = await terminal.stdoutStyle();
  const { accessLines, modelTable } = await import("./model-table.ts");
  // Sorted by what goes across providers, they stay in that order.
  const isGrouped = options.sort === undefined || options.sort === "provider";
  const lines = [
    modelTable(models, terminal.columns, style, isGrouped),
    accessLines(models, terminal.columns, style),
  ];
  await terminal.print(lines.flat().join("\n"));
}

function pipedLines(models: readonly ShownModel[], { plain }: ListOptions): string {
  const lines = plain ? keyLines(models) : modelLines(models);
  return lines.map((line) => `${line}\n`).join("");
}

/** What a person is told besides, quietly. */
async function printFooter(survey: ModelSurvey, { terminal, now }: Runtime): Promise<void> {
  const { dim } = await terminal.stderrStyle();
  const { footerLines } = await import("./list-footer.ts");
  for (const line of footerLines(survey, now())) terminal.note(dim(line));
}

function withoutAws({ load, models }: ModelSurvey) {
  if (load.hasCredentials || load.error || models.length === 0) return [];
  return [
    {
      code: "no-credentials",
      message: "No AWS credentials were found, so only configured models are listed.",
      hint: "openclaw doctor",
    },
  ];
}

/** Looked for where there is a filter, or nothing that one let through. */
async function idleFilters({ input, models }: ModelSurvey): Promise<Warning[]> {
  const isFiltered = input.providers.length > 0 || input.settings.providerFilter.length > 0;
  if (!isFiltered && models.length > 0) return [];
  return (await import("../../models/idle-filters.ts")).findIdleFilters(input, models);
}

/** Without credentials and without a configured model there is nothing to show, and that is the credentials' fault. */
async function nothingToList(survey: ModelSurvey): Promise<OpenclawError | undefined> {
  const { load, models, setup } = survey;
  const { enabled } = discoverySettings(setup.config.value);
  if (load.hasCredentials || models.length > 0 || enabled === false) return undefined;
  const { withoutCredentials } = await import("./first-steps.ts");
  return withoutCredentials(survey);
}
