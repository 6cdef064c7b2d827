import { loadConfig } from "../../config/resolve.ts";
import { surveyNamed } from "../../discovery/name-model.ts";
import { OpenclawError, shorten, usageError } from "../../errors.ts";
import { calledThrough, likelyProfile, profileNeeded } from "../../models/callable.ts";
import { defaultModels } from "../../models/default-models.ts";
import type { Discovered } from "../../models/discovered.ts";
import { idOfProfile } from "../../models/listed-id.ts";
import { isAtRuntime, isOfBedrock } from "../../models/provider-api.ts";
import { namedModel, type ResolvedModel, targetOf } from "../../models/resolve-model.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { type AwsSession, openSession } from "../../session/session.ts";

export interface JobModel {
  model: ResolvedModel;
  /** What the job calls it by: its id, or the profile that it needs. */
  modelId: string;
  discovered: Discovered | undefined;
  session: AwsSession;
}

/**
 * Finds the model of a job by the name that was given, else by what the lines name, else the default one, and opens a session
 * in its region. Throws `usage` where the lines name several, `no-default-model`, `model-not-found`, and `invalid-request` for
 * a model that is not called at Bedrock's runtime.
 */
export async function findJobModel(
  given: string | undefined,
  named: ReadonlySet<string>,
  options: GlobalOptions,
  runtime: Runtime,
): Promise<JobModel> {
  const text = given ?? (await nameOf(named, options, runtime));
  const { survey, wanted } = await surveyNamed(text, options, runtime);
  if (!isAtRuntime(wanted))
    throw new OpenclawError("invalid-request", {
      message: `'${wanted.key}' is not called at Amazon Bedrock's runtime, and takes no batch jobs.`,
      hint: "Ask its lines from this machine: openclaw batch run FILE",
    });
  const session = await openSession(survey.setup, targetOf(wanted));
  const { discovered } = survey.load;
  const modelId = calledAs(wanted.id, session.region.value, discovered);
  if (modelId !== wanted.id) runtime.terminal.note(`openclaw: ${calledThrough(wanted.id, modelId)}`);
  return { model: wanted, modelId, discovered, session };
}

function calledAs(id: string, region: string, discovered: Discovered | undefined): string {
  if (!discovered) return likelyProfile(id, region) ?? id;
  const profile = profileNeeded(id, discovered);
  return profile ? idOfProfile(profile) : id;
}

async function nameOf(named: ReadonlySet<string>, options: GlobalOptions, runtime: Runtime): Promise<string> {
  const [first, ...others] = named;
  if (first !== undefined && others.length > 0)
    throw usageError(
      `A job has one model, and the lines name ${[...named]
        .slice(0, 5)
        .map((each) => `'${shorten(each)}'`)
        .join(", ")}.`,
      "Name one for all of them with --model, or split the file.",
    );
  if (first !== undefined) return first;
  const { value: config } = await loadConfig(options, runtime);
  const name = defaultModels(config, runtime).find((each) => isOfBedrock(namedModel(each, config)));
  if (name !== undefined) return name;
  throw new OpenclawError("no-default-model", {
    message: "No model is named, and the configuration has none of Amazon Bedrock.",
    hint: "Name one of `openclaw models list` with --model",
  });
}
