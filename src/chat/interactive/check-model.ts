import { findNamed, obstacleToChat } from "../../discovery/find-named.ts";
import { nameModel, unlisted } from "../../discovery/name-model.ts";
import { surveyModels } from "../../discovery/survey.ts";
import { calledThrough, requireProfile } from "../../models/callable.ts";
import { isMantle, isServed, notUnderEmulator } from "../../models/provider-api.ts";
import type { ResolvedModel } from "../../models/resolve-model.ts";
import type { Setup } from "../../session/session.ts";

/**
 * The model that somebody names in a session, looked up at once: in the cached list, else by asking. One that nobody could
 * be asked about is taken with a notice; so is one that is called through a profile, which is `noted`. Throws
 * `model-not-found`, `needs-inference-profile`, `invalid-request` for one that does not stream text, and `usage` for another
 * server's under `--emulator`.
 */
export async function checkModel(text: string, setup: Setup, noted: Set<string>): Promise<ResolvedModel> {
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
  const { error, discovered } = survey.load;
  if (named?.isKnown) {
    const profile = discovered && !isMantle(model) && requireProfile(model.id, discovered, "/model");
    if (profile) {
      const notice = calledThrough(model.id, profile.id);
      runtime.terminal.note(`openclaw: ${notice}`);
      noted.add(notice);
    }
    return model;
  }
  if (!named && (discovered !== undefined || error === undefined)) throw await unlisted(model, survey);
  const why = error ?? named?.warnings[0];
  runtime.terminal.note(
    `openclaw: whether there is ${model.id} could not be checked${why ? `: ${why.message}` : ""}`,
  );
  return model;
}
