import type { Surroundings } from "../../session/session.ts";
import { catalogIds } from "../../models/catalog.ts";
import { isListedByServer, speaksOpenai } from "../../models/provider-api.ts";
import { loadModels } from "../../discovery/load.ts";

/** What may be typed for a model: aliases, configured ids, and AWS's list from the cache or, without one, the catalog. */
export async function modelNames(surroundings: Surroundings): Promise<string[]> {
  const { agents, models } = surroundings.config.value;
  const { discovered } = await loadModels(surroundings, { offline: true });
  const aliases = Object.values(agents?.defaults?.models ?? {}).flatMap(({ alias }) => alias ?? []);
  const configured = Object.entries(models?.providers ?? {}).flatMap(([providerId, provider]) =>
    (provider.models ?? []).map(({ id }) =>
      speaksOpenai({ providerId, provider }) ? `${providerId}/${id}` : id,
    ),
  );
  const served = isListedByServer(surroundings.config.value) ? await servedKeys(surroundings) : [];
  const listed = discovered
    ? [...discovered.profiles, ...discovered.models].map(({ id }) => id)
    : catalogIds();
  return [...new Set([...aliases, ...configured, ...served, ...listed])].sort();
}

async function servedKeys(surroundings: Surroundings): Promise<string[]> {
  const { loadServed } = await import("../../discovery/load-served.ts");
  const { models } = await loadServed(surroundings, { offline: true });
  return [...models].flatMap(([providerId, ids]) => ids.map((id) => `${providerId}/${id}`));
}
