import type { Target } from "../models/resolve-model.ts";
import { connectAhead } from "../session/connect-ahead.ts";
import {
  type AwsSession,
  endpointOf,
  openSession,
  regionWithoutAsking,
  serviceOf,
  type Setup,
} from "../session/session.ts";
import { stateFolder } from "../disk/state-folder.ts";
import { discoverySettings } from "../config/resolve.ts";
import { fingerprintCredentials } from "../credentials/fingerprint.ts";
import { OpenclawError } from "../errors.ts";
import { cacheFile, isFresh, isSince, readCache } from "./cache.ts";
import { type Discovered, toWarning, type Warning } from "../models/discovered.ts";

export interface LoadOptions {
  /** Ask AWS now, whatever the cache holds. */
  refresh?: boolean | undefined;
  /** Never ask AWS. */
  offline?: boolean | undefined;
  /** The model the list is wanted for, when there is one: its region counts, and its endpoint where that has a list of its own. */
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
  const isMantle = serviceOf(target) === "bedrock-mantle";
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
  if (decision.chosen.source === "invalid") {
    const { explainChosen } = await import("../credentials/findings.ts");
    return { ...nothing, error: explainChosen(decision) };
  }
  const isCached = settings.refreshInterval > 0 && !runtime.isEmulated;
  const file = cacheFile(stateFolder(runtime), {
    region: region ?? "instance",
    endpoint: endpointOf(setup, isMantle ? "bedrock-mantle" : "bedrock", target)?.url,
    fingerprint: fingerprintCredentials(decision, runtime.env, shared),
    service: isMantle ? "bedrock-mantle" : undefined,
  });
  if (isCached) nothing.cacheFile = file;
  const startedAt = runtime.now();
  const older = isCached ? await readCache(file) : undefined;
  if (older && (options.offline || (!options.refresh && isFresh(older, setup)))) {
    return fromCache(nothing, older, isFresh(older, setup) ? "cache" : "stale");
  }
  if (options.offline) return { ...nothing, warnings: [nothingCached(region, isMantle)] };

  // As many as discover.ts asks at once.
  const connected = await (isMantle
    ? connectAhead(setup, () => ({ service: "bedrock-mantle", target, count: 1 }))
    : connectAhead(setup, () => ({ service: "bedrock", target, count: 3 })));
  if (settings.enabled === undefined) {
    const { detectCredentials } = await import("../credentials/provider.ts");
    if (!(await detectCredentials(decision, runtime))) {
      connected.ahead?.close();
      return { ...nothing, hasCredentials: false };
    }
  }
  const session = await openSession(connected, target);
  try {
    const isShared = isCached && !setup.keepsNothing;
    const load = isShared
      ? refreshTogether(session, file, startedAt, (entry) =>
          options.refresh ? isSince(entry.fetchedAt, startedAt, runtime.now()) : isFresh(entry, setup),
        )
      : ask(session).then((list) => ({ list, source: "network" as const }));
    const { list, source } = await load;
    const { warnings, isPartial } = list;
    if (isPartial && older) return { ...fromCache(nothing, older, "stale"), warnings };
    return { ...nothing, source, discovered: list, region: session.region.value, warnings };
  } catch (failure) {
    if (!(failure instanceof OpenclawError) || failure.code === "interrupted") throw failure;
    if (!older) {
      const hasCredentials = failure.code !== "no-credentials" && failure.code !== "credentials-expired";
      return { ...nothing, region: session.region.value, hasCredentials, error: failure };
    }
    const warning = toWarning(failure, "The list could not be refreshed, so an older one is shown");
    return { ...fromCache(nothing, older, "stale"), warnings: [...older.warnings, warning] };
  } finally {
    session.close();
  }
}

async function ask(session: AwsSession): Promise<Discovered> {
  if (serviceOf(session.target) === "bedrock-mantle")
    return (await import("./list-mantle.ts")).discoverMantle(session);
  const { discover } = await import("./discover.ts");
  return discover(session);
}

async function refreshTogether(
  session: AwsSession,
  file: string,
  startedAt: number,
  isRecent: (entry: Discovered) => boolean,
): Promise<{ list: Discovered; source: "network" | "cache" }> {
  const { partialFile, refreshTogether, sharePartial, writeCache } = await import("./cache-write.ts");
  return refreshTogether<Discovered>(file, session.setup.runtime, {
    find: async () => {
      const written = await readCache(file);
      if (written && isRecent(written)) return written;
      const partial = await readCache(partialFile(file));
      return partial && isSince(partial.fetchedAt, startedAt, session.setup.runtime.now())
        ? partial
        : undefined;
    },
    ask: () => ask(session),
    keep: (list) => (list.isPartial ? sharePartial : writeCache)(file, list),
    startedAt,
  });
}

function fromCache(nothing: ModelLoad, entry: Discovered, source: "cache" | "stale"): ModelLoad {
  return { ...nothing, region: entry.region, source, discovered: entry, warnings: entry.warnings };
}

function nothingCached(region: string | undefined, isMantle: boolean): Warning {
  const list = isMantle ? "list of the models of bedrock-mantle" : "model list";
  return {
    code: "network",
    message: `No ${list} is cached${region ? ` for ${region}` : ""}, and --offline keeps from asking AWS.`,
    hint: "openclaw models list --refresh",
  };
}
