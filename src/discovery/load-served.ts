import type { Setup } from "../session/session.ts";
import { stateFolder } from "../disk/state-folder.ts";
import { discoverySettings } from "../config/resolve.ts";
import type { Warning } from "../models/discovered.ts";
import type { LoadOptions } from "./load.ts";
import { openaiProviders } from "../models/provider-api.ts";
import { OpenclawError } from "../errors.ts";
import { readServed, type ServedList, servedFile, writeServed } from "./served-cache.ts";
import { type OpenaiServer, serverOf } from "../wires/chat-completions/server.ts";

/** What the servers of providers list that name no models themselves. */
export interface Served {
  /** Ids of models, by provider. A provider whose list is not to be had is not in it. */
  models: ReadonlyMap<string, readonly string[]>;
  warnings: Warning[];
}

/** Time for a list, in ms. */
const LIST_MS = 10_000;

/**
 * Gets the models of each provider without models in its settings, from the cache while it is fresh, else from the
 * server; an older list stands in when the server cannot be asked. On the way of a fresh cache no socket is opened.
 * What goes wrong is a warning; throws only `interrupted`.
 */
export async function loadServed(
  setup: Setup,
  options: Pick<LoadOptions, "refresh" | "offline">,
): Promise<Served> {
  const { config } = setup;
  const ids = openaiProviders(config.value).filter((id) => isBare(id, setup));
  const loads = await Promise.all(ids.map((id) => load(id, setup, options)));
  return {
    models: new Map(loads.flatMap(({ id, list }) => (list ? [[id, list.ids] as const] : []))),
    warnings: loads.flatMap(({ warning }) => warning ?? []),
  };
}

/** Whether the settings of a provider leave it to its server to say which models there are. */
function isBare(id: string, { config }: Setup): boolean {
  const models = config.value.models?.providers?.[id]?.models;
  return models === undefined || models.length === 0;
}

interface Loaded {
  id: string;
  list: ServedList | undefined;
  warning?: Warning;
}

async function load(
  id: string,
  setup: Setup,
  { refresh, offline }: Pick<LoadOptions, "refresh" | "offline">,
): Promise<Loaded> {
  const { runtime, config } = setup;
  const { refreshInterval } = discoverySettings(config.value);
  const startedAt = runtime.now();
  const isFresh = ({ fetchedAt }: ServedList): boolean => {
    const age = runtime.now() - fetchedAt;
    return age >= 0 && age < refreshInterval * 1000;
  };
  let older: ServedList | undefined;
  try {
    const server = serverOf(id, config.value.models?.providers?.[id], runtime.env);
    const file =
      refreshInterval > 0 && !runtime.isEmulated ? servedFile(stateFolder(runtime), server) : undefined;
    older = file === undefined ? undefined : readServed(file);
    if (offline || (older && !refresh && isFresh(older))) return { id, list: older };
    const isRecent = (list: ServedList): boolean => (refresh ? list.fetchedAt >= startedAt : isFresh(list));
    const list =
      file === undefined || setup.keepsNothing
        ? await ask(server, setup)
        : await refreshTogether(server, file, startedAt, isRecent, setup);
    return { id, list };
  } catch (failure) {
    if (!(failure instanceof OpenclawError) || failure.code === "interrupted") throw failure;
    const what = older
      ? `The list of ${id} could not be refreshed, so an older one is shown`
      : `The models of ${id} could not be listed`;
    const hint = failure.hint ?? "openclaw doctor";
    return { id, list: older, warning: { code: failure.code, message: `${what}: ${failure.message}`, hint } };
  }
}

async function ask(server: OpenaiServer, { runtime }: Setup): Promise<ServedList> {
  const [{ openLine }, { askForModels }] = await Promise.all([
    import("../wires/chat-completions/call-server.ts"),
    import("../wires/chat-completions/list-models.ts"),
  ]);
  const line = await openLine(server, runtime, LIST_MS);
  try {
    return { ids: await askForModels(line, runtime.signal), fetchedAt: runtime.now() };
  } finally {
    line.close();
  }
}

/** Of several processes that want a list at once, one asks and the others take what it got: its list, or its failure. */
async function refreshTogether(
  server: OpenaiServer,
  file: string,
  startedAt: number,
  isRecent: (list: ServedList) => boolean,
  setup: Setup,
): Promise<ServedList> {
  const { runtime } = setup;
  const [{ tryToKeep, withCacheLock }, { mayShare, sharedFailure, shareFailure }] = await Promise.all([
    import("./cache-write.ts"),
    import("./shared-failure.ts"),
  ]);
  return withCacheLock(file, runtime, async () => {
    const written = readServed(file);
    if (written && isRecent(written)) return written;
    const failure = sharedFailure(file, startedAt);
    if (failure) throw failure;
    try {
      const list = await ask(server, setup);
      await tryToKeep(runtime, () => writeServed(file, list));
      return list;
    } catch (error) {
      if (mayShare(error)) await tryToKeep(runtime, () => shareFailure(file, error, runtime.now()));
      throw error;
    }
  });
}
