import type { AwsSession, Setup } from "../session/session.ts";
import { discoverySettings } from "../config/resolve.ts";
import { knownModels } from "../chat/bedrock-wire.ts";
import type { Ask } from "../converse/plan-request.ts";
import type { Discovered } from "../models/discovered.ts";
import { type ListedModel, siftingModels } from "../models/list.ts";
import { readingNames } from "../models/match-name.ts";
import { inSteps } from "../next-turn.ts";
import { loadModels, type ModelLoad } from "../discovery/load.ts";
import { listInput, loadMantle, mantleWarnings } from "../discovery/survey.ts";
import { hasMantle, isMantle } from "../models/provider-api.ts";
import { loadServed, type Served } from "../discovery/load-served.ts";

/** The model list as it was last loaded. */
export interface CachedModelList {
  load: ModelLoad;
  /** Of the endpoint `bedrock-mantle`, where its provider is configured. */
  mantle: ModelLoad | undefined;
  /** Of the servers of other providers. */
  served: Served;
  models: readonly ListedModel[];
}

/** Without a cache interval of its own the list is asked for again after so long, in ms. */
const LEAST_AGE_MS = 60_000;
/** After a failure it is tried again when so much time has passed, in ms. */
const PATIENCE_MS = 5000;

/**
 * Keeps the model list in memory, so that no request waits for disk or network. An old list is answered with while a new
 * one is loaded; requests at the same time share one loading.
 */
export class ModelListCache {
  readonly #setup: Setup;
  #modelList: CachedModelList | undefined;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<CachedModelList> | undefined;
  readonly #elsewhere = new Map<string, { at: number; list: Promise<Discovered | undefined> }>();

  constructor(setup: Setup) {
    this.#setup = setup;
  }

  /** The list; loaded first where there is none at all. Throws `usage`. */
  async current(): Promise<CachedModelList> {
    if (!this.#modelList) return this.#load();
    const { refreshInterval } = discoverySettings(this.#setup.config.value);
    const longest = this.isWarm ? Math.max(refreshInterval * 1000, LEAST_AGE_MS) : PATIENCE_MS;
    if (this.#age > longest) {
      const { terminal, signal } = this.#setup.runtime;
      this.#load(true).catch((error: unknown) => {
        // What has ended needs no list any more.
        if (!signal.aborted) terminal.note(`The model list could not be refreshed: ${String(error)}`);
      });
    }
    return this.#modelList;
  }

  /** The list, loaded anew unless that has just been done: for a name that it does not hold. Throws `usage`. */
  async newest(): Promise<CachedModelList> {
    return this.#modelList && this.#age < LEAST_AGE_MS ? this.#modelList : this.#load(true);
  }

  get #age(): number {
    return this.#setup.runtime.elapsed() - this.#loadedAt;
  }

  /** Whether it was loaded, whatever came of it: then nobody has to wait for it. */
  get isLoaded(): boolean {
    return this.#modelList !== undefined;
  }

  /** Whether there is a list, or nothing to be listed. */
  get isWarm(): boolean {
    const { load, models = [] } = this.#modelList ?? {};
    return load !== undefined && !load.error && (load.discovered !== undefined || models.length > 0);
  }

  /** What AWS lists in a session's region: what a wire wants to know before each call. */
  readonly known = async (session: AwsSession, question: Ask): Promise<Discovered | undefined> => {
    const { load, mantle } = await this.current();
    if (isMantle(question.model)) return mantle?.discovered;
    const { discovered } = load;
    const region = session.region.value;
    if (discovered?.region === region) return discovered;
    const now = this.#setup.runtime.elapsed();
    const kept = this.#elsewhere.get(region);
    if (kept && now - kept.at < LEAST_AGE_MS) return kept.list;
    const list = knownModels(session, question);
    this.#elsewhere.set(region, { at: now, list });
    return list;
  };

  #load(refresh = false): Promise<CachedModelList> {
    this.#loading ??= this.#loadOnce(refresh).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #loadOnce(refresh: boolean): Promise<CachedModelList> {
    const [load, mantle, served] = await Promise.all([
      loadModels(this.#setup, { refresh }),
      hasMantle(this.#setup.config.value) ? loadMantle(this.#setup, { refresh }) : undefined,
      loadServed(this.#setup, { refresh }),
    ]);
    const { terminal, elapsed } = this.#setup.runtime;
    const warnings = [...load.warnings, ...mantleWarnings(mantle, load), ...served.warnings];
    for (const { message } of warnings) terminal.note(message);
    if (load.error) terminal.note(load.error.message);
    for (const list of [load.discovered, mantle?.discovered]) if (list) await inSteps(readingNames(list));
    // A list that could not be had does not push out one that was.
    const ofMantle = mantle?.discovered ? mantle : (this.#modelList?.mantle ?? mantle);
    const input = listInput(this.#setup, { aws: load, mantle: ofMantle, served });
    const { models } = await inSteps(siftingModels(input));
    this.#loadedAt = elapsed();
    if (!this.#modelList || load.discovered || !this.#modelList.load.discovered)
      this.#modelList = { load, mantle: ofMantle, served, models };
    return this.#modelList;
  }
}
