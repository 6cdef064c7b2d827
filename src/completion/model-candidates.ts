import { type ModelSurvey, surveyModels } from "../discovery/survey.ts";
import type { GlobalOptions } from "../options.ts";
import { BEDROCK, shortKey } from "../models/provider-api.ts";
import { LONGEST_ID } from "../models/resolve-model.ts";
import type { Runtime } from "../runtime.ts";
import type { Candidate } from "./value-kinds.ts";

/**
 * The models that may be meant: aliases, then the ids of Amazon Bedrock and the keys of others, from the configuration
 * and the cached list; keys of all once one was begun.
 */
export async function modelCandidates(
  text: string,
  options: GlobalOptions,
  runtime: Runtime,
): Promise<Candidate[]> {
  const { models, setup } = await readModels(options, runtime);
  const isKey = text.startsWith(`${BEDROCK}/`);
  const named = Object.entries(setup.config.value.agents?.defaults?.models ?? {});
  const aliases = named.flatMap(([key, { alias }]) =>
    alias ? [{ value: alias, description: shortKey(key) }] : [],
  );
  // A server may list what no call takes.
  const callable = models.filter(({ key }) => key.length <= LONGEST_ID);
  const names = callable.map(({ key, id, name }) => ({
    value: isKey ? key : shortKey(key),
    description: name === id ? undefined : name,
  }));
  return [...aliases, ...names];
}

/**
 * The models of the configuration and of the cached list, without the configuration's own filter, and without what can
 * only be provisioned: that is called by an ARN of its own.
 */
export async function readModels(options: GlobalOptions, runtime: Runtime): Promise<ModelSurvey> {
  const survey = await surveyModels(options, runtime, { offline: true, all: true });
  return { ...survey, models: survey.models.filter(({ tags }) => !tags.includes("provisioned")) };
}
