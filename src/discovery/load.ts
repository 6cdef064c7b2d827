import type { Target } from "../models/resolve-model.ts";
import {
  type AwsSession,
  endpointOf,
  openSession,
  regionWithoutAsking,
  type Setup,
} from "../session/session.ts";
import { stateFolder } from "../disk/state-folder.ts";
import { discoverySettings } from "../config/resolve.ts";
import { fingerprintCredentials } from "../credentials/fingerprint.ts";
import { OpenclawError } from "../errors.ts";
import { cacheFile, readCache } from "./cache.ts";
import type { Discovered, Warning } from "../models/discovered.ts";

export interface LoadOptions {
  /** Ask AWS now, whatever the cache holds. */
  refresh?: boolean | undefined;
  /** Never ask AWS. */
  offline?: boolean | undefined;
  /** The model the list is wanted for, when there is one: its region counts. */
  target?: Target | undefined;
}

/** What is known of AWS's models, and how it came to be known. */
export interface ModelLoad {
  /** Undefined when only the instance metadata service could tell, and it was not asked. */
  region: string | undefined;
  source: "network" | "cache" | "stale" | "config";
  discovered: Discovered | undefined;
  warnings: Warning[];
  hasCredentials: boolean;
  /** Where the list is kept; undefined where it is not. */
  cacheFile: string | undefined;
  /** Why AWS's models are missing, when they should be there. */
  error: OpenclawError | undefined;
}

/**
 * Gets the model list from the cache while it is fresh, else from AWS; an older list stands in when AWS cannot be
 * asked. On the way of a fresh cache no SDK is loaded, no socket opened, no credentials resolved. Service and
 * credential failures come back in `error`; throws `usage` for a bad region or endpoint.
 */
export async function loadModels(setup: Setup, options: LoadOptions): Promise<ModelLoad> {
  const { runtime, config, decision, shared } = setup;
  const settings = discoverySettings(config.value);
  const target = options.target ?? { kind: "discovery" };
  const region = regionWithoutAsking(setup, target)?.value;
  const nothing: ModelLoad = {
    region,
    source: "config",
    discovered: undefined,
    warnings: [],
    hasCredentials: decision.chosen.source !== "invalid",
    cacheFile: undefined,
    error: undefined,
  };
  if (settings.enabled === false) return nothing;
  if (decision.chosen.source === "invalid") return { ...nothing, error: decision.chosen.error };
  const isCached = settings.refreshInterval > 0 && !runtime.isEmulated;
  const file = cacheFile(stateFolder(runtime), {
    region: region ?? "instance",
    endpoint: endpointOf(setup, "bedrock", target)?.url,
    fingerprint: fingerprintCredentials(decision, runtime.env, shared),
  });
  if (isCached) nothing.cacheFile = file;
  const startedAt = runtime.now();
  const isFresh = ({ fetchedAt }: Discovered): boolean => {
    const age = runtime.now() - fetchedAt;
    return age >= 0 && age < settings.refreshInterval * 1000;
  };
  const older = isCached ? readCache(file) : undefined;
  if (older && (options.offline || (!options.refresh && isFresh(older)))) {
    return fromCache(nothing, older, isFresh(older) ? "cache" : "stale");
  }
  if (options.offline) return { ...nothing, warnings: [nothingCached(region)] };

  if (settings.enabled === undefined) {
    const { detectCredentials } = await import("../credentials/provider.ts");
    if (!(await detectCredentials(decision, runtime))) return { ...nothing, hasCredentials: false };
  }
  const session = await openSession(setup, target);
  try {
    const load =
      isCached && !setup.keepsNothing
        ? await refreshTogether(session, file, startedAt, (entry) =>
            options.refresh ? entry.fetchedAt >= startedAt : isFresh(entry),
          )
        : { discovered: await ask(session), source: "network" as const };
    const { warnings, isPartial } = load.discovered;
    if (isPartial && older) return { ...fromCache(nothing, older, "stale"), warnings };
    return { ...nothing, ...load, region: session.region.value, warnings };
  } catch (failure) {
    if (!(failure instanceof OpenclawError) || failure.code === "interrupted") throw failure;
    if (!older) {
      const hasCredentials = failure.code !== "no-credentials" && failure.code !== "credentials-expired";
      return { ...nothing, region: session.region.value, hasCredentials, error: failure };
    }
    const warning = {
      code: failure.code,
      message: `The list could not be refreshed, so an older one is shown: ${failure.message}`,
      hint: failure.hint ?? "openclaw doctor",
    };
    return { ...fromCache(nothing, older, "stale"), warnings: [...older.warnings, warning] };
  } finally {
    session.close();
  }
}

async function ask(session: AwsSession): Promise<Discovered> {
  const { discover } = await import("./discover.ts");
  return discover(session);
}

/**
 * Of several processes that want a list at once, one asks AWS and the others take what it got: its list, or its failure.
 */
async function refreshTogether(
  session: AwsSession,
  file: string,
  startedAt: number,
  isRecentEnough: (entry: Discovered) => boolean,
): Promise<{ discovered: Discovered; source: "network" | "cache" }> {
  const { runtime } = session.setup;
  const [
    { partialFile, sharePartial, tryToKeep, withCacheLock, writeCache },
    { mayShare, sharedFailure, shareFailure },
  ] = await Promise.all([import("./cache-write.ts"), import("./shared-failure.ts")]);
  return withCacheLock(file, runtime, async () => {
    const written = readCache(file);
    if (written && isRecentEnough(written)) return { discovered: written, source: "cache" };
    const partial = readCache(partialFile(file));
    if (partial && partial.fetchedAt >= startedAt) return { discovered: partial, source: "cache" };
    const failure = sharedFailure(file, startedAt);
    if (failure) throw failure;
    try {
      const discovered = await ask(session);
      const keep = discovered.isPartial ? sharePartial : writeCache;
      await tryToKeep(runtime, () => keep(file, discovered));
      return { discovered, source: "network" };
    } catch (error) {
      if (mayShare(error)) await tryToKeep(runtime, () => shareFailure(file, error, runtime.now()));
      throw error;
    }
  });
}

function fromCache(nothing: ModelLoad, entry: Discovered, source: "cache" | "stale"): ModelLoad {
  return { ...nothing, region: entry.region, source, discovered: entry, warnings: entry.warnings };
}

function nothingCached(region: string | undefined): Warning {
  return {
    code: "network",
    message: `No model list is cached${region ? ` for ${region}` : ""}, and --offline keeps from asking AWS.`,
    hint: "openclaw models list --refresh",
  };
}
