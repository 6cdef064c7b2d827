import { findNamed, obstacleToChat } from "../../discovery/find-named.ts";
import { nameModel, unlisted } from "../../discovery/name-model.ts";
import { surveyModels } from "../../discovery/survey.ts";
import { notUnderEmulator, isServed } from "../../models/provider-api.ts";
import type { ResolvedModel } from "../../models/resolve-model.ts";
import type { Setup } from "../../session/session.ts";

/**
 * The model that somebody names in a session, looked up at once: in the cached list, else by asking. One that nobody could
 * be asked about is taken with a notice. Throws `model-not-found`, `invalid-request` for one that does not stream text, and
 * `usage` for another server's under `--emulator`.
 */
export async function checkModel(text: string, setup: Setup): Promise<ResolvedModel> {
  const { options, runtime } = setup;
  const model = await nameModel(text, setup);
  if (runtime.isEmulated && isServed(model)) throw notUnderEmulator(model.providerId);
  const question = { all: true, about: model.key };
  let survey = await surveyModels(options, runtime, question);
  let named = await findNamed(survey, model);
  // AWS may have opened it since the list was kept.
  if (!named?.isKnown && survey.load.source === "cache") {
    survey = await surveyModels(options, runtime, { ...question, refresh: true });
    named = await findNamed(survey, model);
  }
  const obstacle = named && obstacleToChat(model, named.model);
  if (obstacle) throw obstacle;
  if (named?.isKnown) return model;
  const { error, discovered } = survey.load;
  if (!named && (discovered !== undefined || error === undefined)) throw await unlisted(model, survey);
  const why = error ?? named?.warnings[0];
  runtime.terminal.note(
    `openclaw: whether there is ${model.id} could not be checked${why ? `: ${why.message}` : ""}`,
  );
  return model;
}
