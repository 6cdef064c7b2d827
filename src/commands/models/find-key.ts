import { parseArn } from "../../aws/arn.ts";
import { loadConfig } from "../../config/resolve.ts";
import { findNamed, type NamedModel, obstacleToChat } from "../../discovery/find-named.ts";
import { insteadOf, surveyNamed, unlisted } from "../../discovery/name-model.ts";
import type { ModelSurvey } from "../../discovery/survey.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import { calledThrough, requireProfile } from "../../models/callable.ts";
import { notUnderEmulator, isServed } from "../../models/provider-api.ts";
import { namedModel, type ResolvedModel } from "../../models/resolve-model.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";

/** The words of the command line that a model goes behind, such as `openclaw models set`. */
type Command = string;

/**
 * The key of what is to be called, which is a profile for a model that needs one. Throws `model-not-found` with the nearest
 * ids for a model that is neither configured nor discovered, `invalid-request` for one that chat cannot call, and
 * `usage` for an empty name. With `force` nobody is asked, and the key is that of the name as it is. Hints have `command`
 * with another model.
 */
export async function findKey(
  command: Command,
  options: GlobalOptions & { model: string; force?: boolean },
  runtime: Runtime,
): Promise<string> {
  if (options.model.trim() === "")
    throw usageError("No model is named.", "List the models you can call: openclaw models list");
  if (options.force) return namedModel(options.model, (await loadConfig(options, runtime)).value).key;
  const { survey, wanted } = await surveyNamed(options.model, options, runtime);
  const { load } = survey;
  if (runtime.isEmulated && isServed(wanted)) throw notUnderEmulator(wanted.providerId);
  const named = await requireKnown(command, survey, wanted, await findNamed(survey, wanted));
  await warnOfEnd(command, named, survey, runtime);
  const profile =
    named.base && !parseArn(wanted.id) ? profileToStore(command, named.base.id, wanted, load) : undefined;
  if (profile === undefined) return wanted.key;
  runtime.terminal.note(`openclaw: ${calledThrough(wanted.id, profile)}`);
  return `${wanted.providerId}/${profile}`;
}

/** The profile that a base model is called through; undefined where it needs none, is configured as it is, or AWS tells none. */
function profileToStore(
  command: Command,
  baseId: string,
  { id, configured }: ResolvedModel,
  { discovered }: ModelSurvey["load"],
): string | undefined {
  if (!discovered || configured || id !== baseId) return undefined;
  return requireProfile(id, discovered, command)?.id;
}

async function requireKnown(
  command: Command,
  survey: ModelSurvey,
  wanted: ResolvedModel,
  named: NamedModel | undefined,
): Promise<NamedModel> {
  if (!named?.isKnown) {
    if (survey.load.error) throw survey.load.error;
    throw named ? notSure(command, named, wanted, survey) : await unlisted(wanted, survey);
  }
  const obstacle = obstacleToChat(wanted, named.model);
  if (obstacle) throw obstacle;
  return named;
}

/** The error for a model that may exist: nobody who knows could be asked. */
function notSure(
  command: Command,
  { warnings }: NamedModel,
  { id }: ResolvedModel,
  { load }: ModelSurvey,
): OpenclawError {
  const why =
    warnings[0]?.message ??
    (load.discovered
      ? `AWS's lists do not hold '${id}', and it cannot be asked about it.`
      : `Whether this account has '${id}' is not known, because AWS was not asked.`);
  return new OpenclawError("model-not-found", {
    message: why,
    hint: `If you are sure: ${command} ${quoteForShell(id)} --force`,
    details: { model: id },
  });
}

async function warnOfEnd(
  command: Command,
  { base }: NamedModel,
  { load, setup }: ModelSurvey,
  { terminal }: Runtime,
): Promise<void> {
  if (!base || base.lifecycle === "ACTIVE") return;
  const end = base.endOfLife ? `; it ends on ${base.endOfLife.slice(0, 10)}` : "";
  const [successor] = await insteadOf(base.id, true, load, setup.config.value);
  await terminal.warn(
    `AWS calls ${base.id} ${base.lifecycle}${end}.`,
    successor === undefined
      ? "Choose a current one: openclaw models list"
      : `Its successor: ${command} ${quoteForShell(successor)}`,
  );
}
