import type { ListedModel } from "../discovery/list.ts";
import { surveyModels } from "../discovery/survey.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import type { Candidate } from "./command-tree.ts";

const BEDROCK = "amazon-bedrock/";

/**
 * The models that may be meant: aliases, then the ids of Amazon Bedrock and the keys of others, from the configuration
 * and the cached list; keys of all once one was begun.
 */
export async function modelCandidates(
  text: string,
  options: GlobalOptions,
  runtime: Runtime,
): Promise<Candidate[]> {
  const models = await readModels(options, runtime);
  const isKey = text.startsWith(BEDROCK);
  const aliases = models.flatMap(({ tags, id }) =>
    tags
      .filter((tag) => tag.startsWith("alias:"))
      .map((tag) => ({ value: tag.slice("alias:".length), description: id })),
  );
  const names = models.map(({ key, id, name }) => ({
    value: isKey || !key.startsWith(BEDROCK) ? key : id,
    description: name === id ? undefined : name,
  }));
  return [...aliases, ...names];
}

/** The keys of the models in the configuration and the cached list. */
export async function modelKeys(options: GlobalOptions, runtime: Runtime): Promise<string[]> {
  return (await readModels(options, runtime)).map(({ key }) => key);
}

/** The providers of the models in the configuration and the cached list, without the configuration's own filter. */
export async function providerNames(options: GlobalOptions, runtime: Runtime): Promise<string[]> {
  return [...new Set((await readModels(options, runtime)).map(({ provider }) => provider))];
}

/** What can only be provisioned is called by an ARN of its own. */
async function readModels(options: GlobalOptions, runtime: Runtime): Promise<ListedModel[]> {
  const { models } = await surveyModels(options, runtime, { offline: true, all: true });
  return models.filter(({ tags }) => !tags.includes("provisioned"));
}
