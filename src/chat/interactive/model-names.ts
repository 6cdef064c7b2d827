import type { Setup } from "../../session/session.ts";
import { catalogIds } from "../../models/catalog.ts";
import { hasMantle, isListedByServer, isMantle, isServed } from "../../models/provider-api.ts";
import { MANTLE_TARGET } from "../../models/resolve-model.ts";
import { loadModels } from "../../discovery/load.ts";

/** What may be typed for a model: aliases, configured ids, and AWS's list from the cache or, without one, the catalog. */
export async function modelNames(setup: Setup): Promise<string[]> {
  const { agents, models } = setup.config.value;
  const { discovered } = await loadModels(setup, { offline: true });
  const aliases = Object.values(agents?.defaults?.models ?? {}).flatMap(({ alias }) => alias ?? []);
  const configured = Object.entries(models?.providers ?? {}).flatMap(([providerId, provider]) =>
    (provider.models ?? []).map(({ id }) =>
      isServed({ providerId, provider }) || isMantle({ providerId }) ? `${providerId}/${id}` : id,
    ),
  );
  const served = isListedByServer(setup.config.value) ? await servedKeys(setup) : [];
  const listed = discovered
    ? [...discovered.profiles, ...discovered.models].map(({ id }) => id)
    : catalogIds();
  const ofMantle = hasMantle(setup.config.value) ? await mantleKeys(setup) : [];
  return [...new Set([...aliases, ...configured, ...served, ...ofMantle, ...listed])].sort();
}

async function mantleKeys(setup: Setup): Promise<string[]> {
  const { discovered } = await loadModels(setup, { offline: true, target: MANTLE_TARGET });
  return (discovered?.models ?? []).map(({ id }) => `${MANTLE_TARGET.providerId}/${id}`);
}

async function servedKeys(setup: Setup): Promise<string[]> {
  const { loadServed } = await import("../../discovery/load-served.ts");
  const { models } = await loadServed(setup, { offline: true });
  return [...models].flatMap(([providerId, ids]) => ids.map((id) => `${providerId}/${id}`));
}
