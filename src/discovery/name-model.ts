import { parseArn } from "../aws/arn.ts";
import type { Configuration } from "../config/settings.ts";
import { OpenclawError, shorten } from "../errors.ts";
import { withoutPrefix } from "../models/base-model-id.ts";
import { catalogIds, lookUpCatalog } from "../models/catalog.ts";
import type { Discovered, FoundationModel } from "../models/discovered.ts";
import { embeddersNamed } from "../models/embedders.ts";
import { listedId } from "../models/listed-id.ts";
import {
  matchName,
  type Nameable,
  type NameMatch,
  spokenOf,
  successorOf,
  suggestIds,
} from "../models/match-name.ts";
import { nearestIds } from "../models/nearest.ts";
import { hasMantle, isMantle, isServed, keyAtMantle } from "../models/provider-api.ts";
import {
  bedrockIds,
  describeTaken,
  isComplete,
  isIdShaped,
  isListOf,
  MANTLE_TARGET,
  namedModel,
  type ResolvedModel,
  targetOf,
  unknownModel,
} from "../models/resolve-model.ts";
import { once } from "../once.ts";
import type { Setup } from "../session/session.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { accessFile, readAccess } from "./access.ts";
import { judgeAccess } from "./judge-access.ts";
import { loadModels, type ModelLoad } from "./load.ts";
import { type ModelSurvey, surveyModels, withAwsSpinner } from "./survey.ts";

/**
 * The model that a person names. AWS's list is read, or asked for, only where the name is no whole id; what is taken for
 * the name is then told in a notice. Without a list the name stays as it is. Throws `model-not-found` with the candidates
 * for a name that stands for none of them or for several.
 */
export async function nameModel(text: string, setup: Setup): Promise<ResolvedModel> {
  const config = setup.config.value;
  const exact = namedModel(text, config);
  if (isComplete(exact)) return noteTaken(text, exact, setup);
  const load = await withAwsSpinner(setup, "Asking AWS for its models", () => loadFor(exact, setup));
  if (!load.discovered) return exact;
  const mantle = (): Promise<ModelLoad> | undefined =>
    hasMantle(config) ? loadModels(setup, { target: MANTLE_TARGET }) : undefined;
  return noteTaken(text, await nameListed(text, load, setup, { mantle }), setup);
}

/**
 * Surveys all models for one that a person names, by the list of the endpoint that has it, and tells what was taken for the
 * name. `withBarred` and errors are those of `nameListed`.
 */
export async function surveyNamed(
  text: string,
  options: GlobalOptions,
  runtime: Runtime,
  { withBarred = false }: { withBarred?: boolean } = {},
): Promise<{ survey: ModelSurvey; wanted: ResolvedModel }> {
  const survey = await surveyModels(options, runtime, { all: true, about: text });
  const { setup, load, mantle } = survey;
  const terms = { withBarred, withEmbedders: true, mantle: () => mantle };
  const found = await nameListed(text, load, setup, terms);
  const wanted = noteTaken(text, found, setup);
  // What is known of a model that turned out to be Mantle's is in that list.
  return { survey: isMantle(wanted) && mantle ? { ...survey, load: mantle } : survey, wanted };
}

/**
 * The model that a name stands for in a list that is there, or else in that of Mantle, which is asked for only then; an id
 * that is like none stays as it is. One that the account is known to be refused is passed over, unless `withBarred` says that
 * it is what may be asked about. Throws `model-not-found` as `nameModel` does, and `model-access` for a name of nothing else.
 */
export async function nameListed(
  text: string,
  load: ModelLoad,
  { config }: Pick<Setup, "config">,
  {
    withBarred = false,
    withEmbedders = false,
    mantle = () => undefined,
  }: {
    withBarred?: boolean;
    /** Whether a name may be that of a model that embeds texts, where it is none of one that answers. */
    withEmbedders?: boolean;
    mantle?: () => Promise<ModelLoad> | ModelLoad | undefined;
  } = {},
): Promise<ResolvedModel> {
  const exact = namedModel(text, config.value);
  const { discovered } = load;
  if (!discovered || !isListOf(discovered, exact) || exact.configured) return exact;
  if (listedId(exact.id, discovered) !== undefined) return exact;
  if (isComplete(exact)) return (await namedAtMantle(text, exact, mantle, config.value)) ?? exact;
  const known = await nameableIn(load, config.value);
  const nameable = withBarred ? { ...known, isBarred: undefined } : known;
  const match = matchName(exact.id, nameable);
  const atMantle = match.kind === "none" ? await namedAtMantle(text, exact, mantle, config.value) : undefined;
  if (atMantle) return atMantle;
  const [embedder, ...others] =
    match.kind === "none" && withEmbedders ? embeddersNamed(exact.id, discovered) : [];
  if (embedder !== undefined && others.length === 0)
    return namedModel(`${exact.providerId}/${embedder}`, config.value);
  if (match.kind === "none" && isUnheardOf(exact.id)) return exact;
  if (match.kind === "uncallable" && known.isBarred(match.base.id))
    throw barred(match.base.id, await readKept(load), discovered.region);
  if (match.kind !== "one") throw notNamed(text, exact, match, nameable);
  return namedModel(`${exact.providerId}/${match.id}`, config.value);
}

/** The model of Mantle's list that a bare id or name stands for; undefined for a key, which says where its model is. */
async function namedAtMantle(
  text: string,
  exact: ResolvedModel,
  load: () => Promise<ModelLoad> | ModelLoad | undefined,
  config: Configuration,
): Promise<ResolvedModel | undefined> {
  if (exact.id !== text.trim()) return undefined;
  const mantle = await load();
  if (!mantle?.discovered) return undefined;
  const { discovered } = mantle;
  if (listedId(exact.id, discovered) !== undefined) return namedModel(spokenOf(exact.id, discovered), config);
  if (isComplete(exact)) return undefined;
  const nameable = await nameableIn(mantle, config);
  const match = matchName(exact.id, nameable);
  if (match.kind === "one") return namedModel(spokenOf(match.id, discovered), config);
  if (match.kind !== "several") return undefined;
  throw notNamed(text, exact, match, nameable);
}

/** AWS's list; asked for again where the one that was kept does not know the name. */
async function loadFor(model: ResolvedModel, setup: Setup): Promise<ModelLoad> {
  const target = targetOf(model);
  if (isUnheardOf(model.id)) return loadModels(setup, { target, offline: true });
  const load = await loadModels(setup, { target });
  if (load.source !== "cache" || !load.discovered) return load;
  if (matchName(model.id, await nameableIn(load, setup.config.value)).kind !== "none") return load;
  const newest = await loadModels(setup, { target, refresh: true });
  return newest.discovered ? newest : load;
}

/**
 * Whether what is written as an id is like none of the catalog's, with the prefix of a profile or without: then it may be
 * one that is newer than both the catalog and the list, and AWS says whether there is such a model.
 */
function isUnheardOf(id: string): boolean {
  if (!isIdShaped(id)) return false;
  const discovered = wholeCatalog();
  return [id, id.slice(id.indexOf(".") + 1)].every((text) => matchName(text, { discovered }).kind === "none");
}

/** Tells what a model was taken for, where it is not what was typed. Returns the model. */
function noteTaken(text: string, model: ResolvedModel, { runtime, config }: Setup): ResolvedModel {
  const taken = describeTaken(text, model, config.value);
  if (taken !== undefined) runtime.terminal.note(`openclaw: ${taken}`);
  return model;
}

/** The refusal that AWS would answer, by what is kept of its answers. */
function barred(modelId: string, answers: KeptAccess, region: string): OpenclawError {
  const answer = answers.get(modelId);
  const verdict = answer && judgeAccess(answer, { modelId, region });
  return new OpenclawError("model-access", {
    message: `This account has no access to '${modelId}' in ${region}: ${verdict?.reason ?? "AWS refuses it"}.`,
    hint: verdict?.hint ?? undefined,
    details: { gate: verdict?.gate ?? undefined },
  });
}

type KeptAccess = Awaited<ReturnType<typeof readAccess>>;

/** What AWS has said of access to the models of a list. */
async function readKept({ cacheFile }: ModelLoad): Promise<KeptAccess> {
  return cacheFile === undefined ? new Map() : readAccess(accessFile(cacheFile));
}

function notNamed(
  text: string,
  { id }: ResolvedModel,
  match: Exclude<NameMatch, { kind: "one" }>,
  nameable: Nameable,
): OpenclawError {
  const name = shorten(text.trim());
  if (match.kind === "none") return unknownModel(text.trim(), suggestIds(id, nameable));
  if (match.kind === "several") {
    const ids = match.ids.map((own) => spokenOf(own, nameable.discovered));
    const more = ids.length > MOST_NAMED ? ` and ${ids.length - MOST_NAMED} more` : "";
    return new OpenclawError("model-not-found", {
      message: `'${name}' is the name of several models: ${ids.slice(0, MOST_NAMED).join(", ")}${more}.`,
      hint: `Name one of them, for example ${ids[0]}`,
      details: { model: text.trim(), nearest: ids },
    });
  }
  const { base, globalId, otherId, successor } = match;
  const { region } = nameable.discovered;
  const nearest = [otherId ?? successor ?? globalId ?? []].flat();
  const details = { model: text.trim(), nearest };
  if (base.lifecycle !== "ACTIVE")
    return new OpenclawError("model-not-found", {
      message: `'${name}' is ${base.id}, which AWS calls ${base.lifecycle}.`,
      hint: successor
        ? `Ask its successor: openclaw chat --model ${quoteForShell(successor)}`
        : `If it is that one that you want: openclaw chat --model ${quoteForShell(base.id)}`,
      details,
    });
  if (otherId !== undefined)
    return new OpenclawError("model-not-found", {
      message: `'${name}' is ${base.id}, which has no inference profile of that name in ${region}.`,
      hint: `What it is called by there: openclaw chat --model ${quoteForShell(otherId)}`,
      details,
    });
  if (globalId !== undefined)
    return new OpenclawError("needs-inference-profile", {
      message: `'${name}' is ${base.id}, which only a global inference profile reaches from ${region}.`,
      hint: `If your data may go to any region: openclaw chat --model ${quoteForShell(globalId)}`,
      details: { ...details, nearest: [globalId] },
    });
  return new OpenclawError("model-not-found", {
    message: `'${name}' is ${base.id}, which cannot be called in ${region}.`,
    hint: successor
      ? `Ask another of its family: openclaw chat --model ${quoteForShell(successor)}`
      : `openclaw models show ${quoteForShell(base.id)} --access`,
    details,
  });
}

/** A message names so many candidates; its details have them all. */
const MOST_NAMED = 6;

/** What a name may stand for by a list, or by the catalog where there is none. */
export async function nameableIn(
  load: ModelLoad,
  config: Configuration,
): Promise<Nameable & { isBarred: (baseId: string) => boolean }> {
  const { discovered = catalogList(load.region ?? "") } = load;
  const answers = await readKept(load);
  return {
    discovered,
    configuredIds: bedrockIds(config, discovered.endpoint),
    isBarred: (baseId) => {
      const answer = answers.get(baseId);
      const place = { modelId: baseId, region: discovered.region };
      const verdict = answer && judgeAccess(answer, place);
      // The form is missing for all models of its vendor: an older one is no way around it.
      return verdict?.callable === false && verdict.gate !== "form";
    },
  };
}

/**
 * What may have been meant in place of a model that AWS refused, nearest first: what can be called only. A retired model's
 * successor is the one of its family.
 */
export async function insteadOf(
  id: string,
  isRetired: boolean,
  load: ModelLoad,
  config: Configuration,
): Promise<string[]> {
  const nameable = await nameableIn(load, config);
  if (isRetired) return [successorOf(id, nameable) ?? []].flat();
  // AWS's list has every id that can be called, but not every ARN.
  const others = bedrockIds(config).filter((own) => !load.discovered || parseArn(own) !== undefined);
  return suggestIds(id, nameable, others);
}

/**
 * The error for a model that neither the configuration nor a list has: `model-not-found`, or what is in the way of every
 * list. Without credentials nobody knows which models there are.
 */
export async function unlisted(
  { id, providerId, provider }: ResolvedModel,
  { load, mantle, models, setup }: ModelSurvey,
): Promise<OpenclawError> {
  if (!isServed({ providerId, provider })) {
    if (load.error) return load.error;
    if (!load.hasCredentials && !load.discovered) {
      const { nothingSigns } = await import("../credentials/no-credentials.ts");
      return nothingSigns(setup.decision, setup.runtime);
    }
    const atMantle = mantle?.discovered?.models.some((model) => model.id === id)
      ? `${MANTLE_TARGET.providerId}/${id}`
      : keyAtMantle({ providerId, id });
    const instead = await insteadOf(id, false, load, setup.config.value);
    return unknownModel(id, [...(atMantle === undefined ? [] : [atMantle]), ...instead]);
  }
  const own = models
    .filter((model) => model.provider === providerId && !model.missing)
    .map((model) => model.id);
  return unknownModel(id, nearestIds(id, own));
}

const wholeCatalog = once(() => catalogList(""));

/** The catalog's models in the form of a list, for where AWS's is not to be had: which of them can be called is not known. */
function catalogList(region: string): Discovered {
  // Whether the region has a profile nobody can tell here: the call finds it.
  const ids = catalogIds().filter((id) => withoutPrefix(id) === id);
  const models = ids.map((id): FoundationModel => {
    const { name = id, provider = "" } = lookUpCatalog(id) ?? {};
    const known = { id, arn: "", name, provider, lifecycle: "ACTIVE", inferenceTypes: undefined };
    return Object.assign(known, { input: ["TEXT"], output: ["TEXT"], streams: true });
  });
  return { region, fetchedAt: 0, models, profiles: [], warnings: [] };
}
