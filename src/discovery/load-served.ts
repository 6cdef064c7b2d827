import path from "node:path";
import { sha256Hex } from "../aws/digest.ts";
import { discoverySettings } from "../config/resolve.ts";
import { stateFolder } from "../disk/state-folder.ts";
import { type ErrorCode, OpenclawError } from "../errors.ts";
import { toWarning, type Warning } from "../models/discovered.ts";
import { servedProviders } from "../models/provider-api.ts";
import type { Setup } from "../session/session.ts";
import { type OpenaiServer, serverOf } from "../wires/server.ts";
import { isFresh, isSince } from "./cache.ts";
import { entryFile, readEntry } from "./cache-entry.ts";
import type { LoadOptions } from "./load.ts";

/** What the servers of providers list that name no models themselves. */
export interface Served {
  /** Ids of models, by provider. A provider whose list is not to be had is not in it. */
  models: ReadonlyMap<string, readonly string[]>;
  warnings: Warning[];
}

/** A server's list of models. */
interface ServedList {
  /** Milliseconds since 1970. */
  fetchedAt: number;
  /** In the server's own order. */
  ids: string[];
}

/** Time for a list, in ms. */
const LIST_MS = 10_000;
/** Raised when the form of an entry changes; entries of another form are ignored. */
const FORM = "served-1";

/**
 * Gets the models of each provider without models in its settings, from the cache while it is fresh, else from the
 * server; an older list stands in when the server cannot be asked. On the way of a fresh cache no socket is opened.
 * With `refresh` the servers of the others are asked as well, whether they are there.
 * What goes wrong is a warning; throws only `interrupted`.
 */
export async function loadServed(
  setup: Setup,
  options: Pick<LoadOptions, "refresh" | "offline">,
): Promise<Served> {
  const { config } = setup;
  // Under --emulator nobody else is asked, nor is what they said before a part of it.
  const ids = setup.runtime.isEmulated ? [] : servedProviders(config.value);
  const [loads, silent] = await Promise.all([
    Promise.all(ids.filter((id) => isBare(id, setup)).map((id) => load(id, setup, options))),
    options.refresh
      ? findSilent(
          ids.filter((id) => !isBare(id, setup)),
          setup,
        )
      : [],
  ]);
  return {
    models: new Map(loads.flatMap(({ id, list }) => (list ? [[id, list.ids] as const] : []))),
    warnings: [...loads.flatMap(({ warning }) => warning ?? []), ...silent],
  };
}

/** Failures of a server that is not there. One that has no list may well answer. */
const ABSENT: ReadonlySet<ErrorCode> = new Set(["network", "timeout", "service-unavailable"]);

/** Warns of servers that do not answer, whose models are listed all the same because the settings have them. */
async function findSilent(ids: readonly string[], setup: Setup): Promise<Warning[]> {
  const warnings = await Promise.all(
    ids.map(async (id) => {
      try {
        await ask(serverOf(id, setup.config.value.models?.providers?.[id], setup.runtime.env), setup);
        return [];
      } catch (failure) {
        if (!(failure instanceof OpenclawError) || failure.code === "interrupted") throw failure;
        const what = `The models of ${id} are those of the configuration, and their server does not answer`;
        return ABSENT.has(failure.code) ? [toWarning(failure, what)] : [];
      }
    }),
  );
  return warnings.flat();
}

/** Whether the settings of a provider leave it to its server to say which models there are. */
function isBare(id: string, { config }: Setup): boolean {
  const models = config.value.models?.providers?.[id]?.models;
  return models === undefined || models.length === 0;
}

async function load(
  id: string,
  setup: Setup,
  { refresh, offline }: Pick<LoadOptions, "refresh" | "offline">,
): Promise<{ id: string; list: ServedList | undefined; warning?: Warning }> {
  const { runtime, config } = setup;
  const startedAt = runtime.now();
  let older: ServedList | undefined;
  try {
    const server = serverOf(id, config.value.models?.providers?.[id], runtime.env);
    const isCached = discoverySettings(config.value).refreshInterval > 0 && !runtime.isEmulated;
    const file = isCached ? servedFile(stateFolder(runtime), server) : undefined;
    older = file === undefined ? undefined : await readServed(file);
    if (offline || (older && !refresh && isFresh(older, setup))) return { id, list: older };
    if (file === undefined || setup.keepsNothing) return { id, list: await ask(server, setup) };
    const { refreshTogether } = await import("./cache-write.ts");
    const { list } = await refreshTogether(file, runtime, {
      find: async () => {
        const written = await readServed(file);
        const isRecent =
          written &&
          (refresh ? isSince(written.fetchedAt, startedAt, runtime.now()) : isFresh(written, setup));
        return isRecent ? written : undefined;
      },
      ask: () => ask(server, setup),
      keep: (list) => writeServed(file, list),
      startedAt,
    });
    return { id, list };
  } catch (failure) {
    if (!(failure instanceof OpenclawError) || failure.code === "interrupted") throw failure;
    const what = older
      ? `The list of ${id} could not be refreshed, so an older one is shown`
      : `The models of ${id} could not be listed`;
    return { id, list: older, warning: toWarning(failure, what) };
  }
}

async function ask(server: OpenaiServer, { runtime, shared, decision }: Setup): Promise<ServedList> {
  const [{ openLine }, { askForModels }] = await Promise.all([
    import("../wires/call-server.ts"),
    import("../wires/list-models.ts"),
  ]);
  const line = await openLine(server, runtime, LIST_MS, shared.profiles.get(decision.profileName));
  try {
    return { ids: await askForModels(line, runtime.signal), fetchedAt: runtime.now() };
  } finally {
    line.close();
  }
}

/** The file of a server's list: by its name and address, and a digest of what is sent to it, which may decide what it lists. */
export function servedFile(stateFolder: string, { name, url, headers }: OpenaiServer): string {
  const sent = Object.entries(headers).sort(([left], [right]) => (left < right ? -1 : 1));
  return entryFile(stateFolder, [FORM, name, url.href, sha256Hex(JSON.stringify(sent))]);
}

/** Reads a kept list; undefined when there is none, or when what is there is not one. */
export async function readServed(file: string): Promise<ServedList | undefined> {
  const { fetchedAt, ids } = (await readEntry(file, FORM)) ?? {};
  if (typeof fetchedAt !== "number" || !Array.isArray(ids)) return undefined;
  return { fetchedAt, ids: ids.filter((id): id is string => typeof id === "string") };
}

/** Keeps a list, readable by its owner only. */
export async function writeServed(file: string, list: ServedList): Promise<void> {
  const { replaceFile } = await import("../disk/replace-file.ts");
  await replaceFile(file, JSON.stringify({ form: FORM, ...list }));
  const { forget } = await import("./cache-write.ts");
  await forget(path.dirname(file), "lessons");
}
