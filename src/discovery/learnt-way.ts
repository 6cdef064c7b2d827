import { isLearnt } from "../converse/apply-lessons.ts";
import { parseArn } from "../aws/arn.ts";
import type { ListedModel } from "../models/list.ts";
import { listedBase } from "../models/listed-id.ts";
import { apiName, isServed, type Way, waysTo } from "../models/provider-api.ts";
import { namedModel, type ResolvedModel, targetOf } from "../models/resolve-model.ts";
import { oncePer } from "../once.ts";
import { type AwsSession, openSession, urlOf } from "../session/session.ts";
import { hasLessons, recallLessons } from "./lesson-cache.ts";
import type { ModelSurvey } from "./survey.ts";

/**
 * Where what is learnt of a model of AWS's holds: what one API refuses another takes, under the same address, too. Throws
 * `usage`.
 */
export async function placeOf(
  session: AwsSession,
  { api, path }: Way,
  id: string,
): Promise<readonly string[]> {
  const url = path
    ? `${await urlOf(session, path.service)}${path.prefix}`
    : session.endpoint("bedrock-runtime")?.url;
  return [session.region.value, url ?? "", api, id];
}

/**
 * How a model is called, and whether that is known from a refusal of a likelier way: the first way that none has refused,
 * else the likeliest. `baseId` is the foundation model behind it, where that is known. Throws `usage`.
 */
export async function wayTo(
  session: AwsSession,
  model: Pick<ResolvedModel, "providerId" | "provider" | "id">,
  baseId = model.id,
): Promise<{ way: Way; isLearnt: boolean }> {
  const ways = waysTo({ ...model, id: baseId });
  const [likeliest] = ways;
  if (isServed(model) || ways.length === 1) return { way: likeliest, isLearnt: false };
  for (const way of ways) {
    const lessons = await recallLessons(session.setup, await placeOf(session, way, model.id));
    if (!isLearnt(lessons, "other-wire")) return { way, isLearnt: way !== likeliest };
  }
  return { way: likeliest, isLearnt: false };
}

/** The models of a list, each with the API that it is called by, as refusals have taught. Throws `usage`. */
export async function withLearntApis(
  models: readonly ListedModel[],
  { setup, load: { discovered } }: Pick<ModelSurvey, "setup" | "load">,
): Promise<ListedModel[]> {
  if (!(await hasLessons(setup))) return [...models];
  // Where models are called depends on no more of them.
  const sessionTo = oncePer(
    (model: ResolvedModel) => openSession(setup, targetOf(model)),
    ({ id, providerId, configured }) =>
      JSON.stringify([providerId, configured !== undefined, parseArn(id)?.region]),
  );
  return Promise.all(
    models.map(async (listed) => {
      const model = namedModel(listed.key, setup.config.value);
      if (isServed(model)) return listed;
      const base = discovered && listedBase(model.id, discovered);
      const { way, isLearnt } = await wayTo(await sessionTo(model), model, base?.id);
      return isLearnt ? { ...listed, api: apiName(way.api) } : listed;
    }),
  );
}
