import type { Setup } from "../../session/session.ts";
import { loadModels } from "../../discovery/load.ts";
import { listInput, loadOthers } from "../../discovery/survey.ts";
import { likelyIds } from "../../models/callable.ts";
import { listModels } from "../../models/list.ts";
import { shortKey } from "../../models/provider-api.ts";

/**
 * What may be typed for a model: aliases, and what `models list` has in this region. Where AWS's list is not cached, what
 * the catalog knows that can be called here stands in for it.
 */
export async function modelNames(setup: Setup): Promise<string[]> {
  const config = setup.config.value;
  const aliases = Object.values(config.agents?.defaults?.models ?? {}).flatMap(({ alias }) => alias ?? []);
  const [aws, others] = await Promise.all([
    loadModels(setup, { offline: true }),
    loadOthers(setup, { offline: true }),
  ]);
  const listed = listModels(listInput(setup, { aws, ...others })).map(({ key }) => shortKey(key));
  const known = aws.discovered ? [] : likelyIds(aws.region ?? "");
  return [...new Set([...aliases, ...listed, ...known])].sort();
}
