import type { Surroundings } from "../aws/session.ts";
import { catalogIds } from "../discovery/catalog.ts";
import { loadModels } from "../discovery/load.ts";

/** What may be typed for a model: aliases, configured ids, and AWS's list from the cache or, without one, the catalog. */
export async function modelNames(surroundings: Surroundings): Promise<string[]> {
  const { agents, models } = surroundings.config.value;
  const { discovered } = await loadModels(surroundings, { offline: true });
  const aliases = Object.values(agents?.defaults?.models ?? {}).flatMap(({ alias }) => alias ?? []);
  const configured = Object.values(models?.providers ?? {}).flatMap((provider) =>
    (provider.models ?? []).map(({ id }) => id),
  );
  const listed = discovered
    ? [...discovered.profiles, ...discovered.models].map(({ id }) => id)
    : catalogIds();
  return [...new Set([...aliases, ...configured, ...listed])].sort();
}
