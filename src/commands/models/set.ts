import { loadConfig } from "../../config/resolve.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { updateConfig } from "../../config/update.ts";
import { catalogIds } from "../../models/catalog.ts";
import { findNamed, type NamedModel } from "../../discovery/find-named.ts";
import { speaksOpenai } from "../../models/provider-api.ts";
import { type ResolvedModel, namedModel, unknownModel } from "../../models/resolve-model.ts";
import { type ModelSurvey, surveyModels } from "../../discovery/survey.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";

export interface SetOptions extends GlobalOptions {
  model: string;
  force?: boolean;
}

/**
 * Makes a configured or discovered model the default. Throws `model-not-found` with the nearest ids for any other, and
 * `invalid-request` for one that does not stream text; `--force` asks nobody.
 */
export async function run(options: SetOptions, runtime: Runtime): Promise<void> {
  const { terminal } = runtime;
  if (options.model.trim() === "")
    throw usageError("No model is named.", "List the models you can call: openclaw models list");
  const { value: config } = await loadConfig(options, runtime);
  const wanted = namedModel(options.model, config);
  if (!options.force) await warnOfEnd(await requireKnown(options, wanted, runtime), runtime);
  const isRecord = typeof config.agents?.defaults?.model === "object";
  const path = ["agents", "defaults", "model", ...(isRecord ? ["primary"] : [])];
  const { file } = await updateConfig(options, runtime, [{ op: "set", path, value: wanted.key }]);
  if (terminal.format === "json") await terminal.printJson({ model: wanted.key, file });
  else await terminal.print(`Default model: ${wanted.key}`);
}

async function requireKnown(
  options: SetOptions,
  wanted: ResolvedModel,
  runtime: Runtime,
): Promise<NamedModel> {
  const survey = await surveyModels(options, runtime, { all: true, about: options.model });
  const named = await findNamed(survey, wanted);
  if (!named?.isKnown) {
    if (survey.load.error) throw survey.load.error;
    throw named ? notSure(named, wanted, survey) : unknown(wanted, survey);
  }
  if (named.model.tags.includes("no-chat")) {
    throw new OpenclawError("invalid-request", {
      message: `AWS has '${wanted.id}', but it does not stream text, so chat cannot call it.`,
      hint: "Choose another: openclaw models list",
    });
  }
  return named;
}

/** The error for a model that may exist: nobody who knows could be asked. */
function notSure({ warnings }: NamedModel, { id }: ResolvedModel, { load }: ModelSurvey): OpenclawError {
  const why =
    warnings[0]?.message ??
    (load.discovered
      ? `AWS's lists do not hold '${id}', and it cannot be asked about it.`
      : `Whether this account has '${id}' is not known, because AWS was not asked.`);
  return new OpenclawError("model-not-found", {
    message: why,
    hint: `If you are sure: openclaw models set ${quoteForShell(id)} --force`,
    details: { model: id },
  });
}

function unknown({ id, ...wanted }: ResolvedModel, { load, models }: ModelSurvey): OpenclawError {
  if (speaksOpenai(wanted)) {
    const own = models.filter(({ provider, missing }) => provider === wanted.providerId && !missing);
    return unknownModel(
      id,
      own.map((model) => model.id),
    );
  }
  const isUnlisted =
    load.discovered === undefined && models.every(({ tags }) => !tags.includes("configured"));
  const known = models.filter(({ missing }) => !missing).map((model) => model.id);
  return unknownModel(id, isUnlisted ? catalogIds() : known);
}

async function warnOfEnd({ base }: NamedModel, { terminal }: Runtime): Promise<void> {
  if (!base || base.lifecycle === "ACTIVE") return;
  const end = base.endOfLife ? `; it ends on ${base.endOfLife.slice(0, 10)}` : "";
  await terminal.warn(
    `AWS calls ${base.id} ${base.lifecycle}${end}.`,
    "Choose a current one: openclaw models list",
  );
}
