import type { AwsSession, Surroundings } from "../session/session.ts";
import { discoverySettings } from "../config/resolve.ts";
import { knownModels } from "../chat/ask-model.ts";
import type { Ask } from "../converse/plan-request.ts";
import type { Discovered } from "../models/discovered.ts";
import { type ListedModel, listModels } from "../models/list.ts";
import { loadModels, type ModelLoad } from "../discovery/load.ts";
import { listInput } from "../discovery/survey.ts";
import { loadServed } from "../discovery/load-served.ts";

/** The model list as it was last loaded. */
export interface Shelf {
  load: ModelLoad;
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
export class ModelShelf {
  readonly #surroundings: Surroundings;
  #shelf: Shelf | undefined;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<Shelf> | undefined;
  readonly #elsewhere = new Map<string, { at: number; list: Promise<Discovered | undefined> }>();

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** The list; loaded first where there is none at all. Throws `usage`. */
  async current(): Promise<Shelf> {
    if (!this.#shelf) return this.#load();
    const age = this.#surroundings.runtime.elapsed() - this.#loadedAt;
    if (age > (isWhole(this.#shelf) ? this.#longestAge() : PATIENCE_MS)) this.#loadAside();
    return this.#shelf;
  }

  /** The list, loaded anew unless that has just been done: for a name that it does not hold. Throws `usage`. */
  async newest(): Promise<Shelf> {
    const age = this.#surroundings.runtime.elapsed() - this.#loadedAt;
    return this.#shelf && age < LEAST_AGE_MS ? this.#shelf : this.#load(true);
  }

  /** Whether there is a list, or nothing to be listed. */
  get isWarm(): boolean {
    return this.#shelf !== undefined && isWhole(this.#shelf);
  }

  /** What AWS lists in a session's region: what askModel wants to know before each call. */
  readonly known = async (session: AwsSession, question: Ask): Promise<Discovered | undefined> => {
    const { discovered } = (await this.current()).load;
    const region = session.region.value;
    if (discovered?.region === region) return discovered;
    const now = this.#surroundings.runtime.elapsed();
    const kept = this.#elsewhere.get(region);
    if (kept && now - kept.at < LEAST_AGE_MS) return kept.list;
    const list = knownModels(session, question);
    this.#elsewhere.set(region, { at: now, list });
    return list;
  };

  #longestAge(): number {
    const { refreshInterval } = discoverySettings(this.#surroundings.config.value);
    return Math.max(refreshInterval * 1000, LEAST_AGE_MS);
  }

  #load(refresh = false): Promise<Shelf> {
    this.#loading ??= this.#loadOnce(refresh).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  #loadAside(): void {
    this.#load(true).catch((error: unknown) =>
      this.#surroundings.runtime.terminal.note(`The model list could not be refreshed: ${String(error)}`),
    );
  }

  async #loadOnce(refresh: boolean): Promise<Shelf> {
    const [load, served] = await Promise.all([
      loadModels(this.#surroundings, { refresh }),
      loadServed(this.#surroundings, { refresh }),
    ]);
    const { terminal, elapsed } = this.#surroundings.runtime;
    for (const { message } of [...load.warnings, ...served.warnings]) terminal.note(message);
    if (load.error) terminal.note(load.error.message);
    this.#loadedAt = elapsed();
    // A list that could not be had does not push out one that was.
    if (!this.#shelf || load.discovered || !this.#shelf.load.discovered)
      this.#shelf = { load, models: listModels(listInput(this.#surroundings, load, served)) };
    return this.#shelf;
  }
}

function isWhole({ load, models }: Shelf): boolean {
  return load.error === undefined && (load.discovered !== undefined || models.length > 0);
}
