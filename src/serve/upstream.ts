import { SessionPool } from "../session/session-pool.ts";
import { type Setup, readSetup } from "../session/session.ts";
import type { LoadedConfig } from "../config/resolve.ts";
import { countQuestion } from "../chat/count-question.ts";
import { nearestRegion } from "../aws/known-regions.ts";
import { decideRegions } from "../aws/region.ts";
import type { Pace, PaceTerms } from "../chat/pace.ts";
import type { PaceLimits } from "../chat/pacer.ts";
import type { QuotaSource } from "../chat/read-quotas.ts";
import { beginningOf, RegionRouter } from "../chat/region-router.ts";
import { type Candidates, type Query, runTurn, withRenewal } from "../chat/run-turn.ts";
import type { ChatEvents } from "../converse/chat-event.ts";
import type { Discovered } from "../models/discovered.ts";
import { isMantle, isServed } from "../models/provider-api.ts";
import { isAlias, namedModel, type ResolvedModel, targetOf } from "../models/resolve-model.ts";
import { judgeStop } from "../converse/outcome.ts";
import { eachOnce } from "../each-once.ts";
import { OpenclawError } from "../errors.ts";
import { Ledger } from "../ledger/ledger.ts";
import { priceOf } from "../models/price.ts";
import { type CallCost, estimateCost, type TokenUsage } from "../models/usage.ts";
import { mapInTurns } from "../next-turn.ts";
import { once } from "../once.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { type CachedModelList, ModelListCache } from "./model-list-cache.ts";
import { candidatesFor, type Place, type Wanted } from "./candidates.ts";
import {
  isKnown,
  meantBy,
  type NameMap,
  resolveName,
  servedByOthers,
  type ServedModel,
  servedNames,
} from "./model-names.ts";
import { mayAsk, type NamedModels, notAllowed } from "./keys/allowed-models.ts";
import type { ApiKey } from "./keys/key-file.ts";
import type { Network } from "./remote-image.ts";
import { settlesWithin } from "../settles-within.ts";

/** Credentials are looked for anew at most this often, in ms. */
const RENEWAL_MS = 10_000;
/** How long the question whether the server is ready waits for credentials, in ms. */
const READY_MS = 3000;
/** Between two events of an answer, in ms. */
const SILENCE_MS = 300_000;
/** What calls used is written down for so long together, in ms. */
const GATHERED_MS = 20;

/** Connections, credentials and model lists, as long as the credentials hold. */
interface Generation {
  /** Of the first region, where there are several. */
  setup: Setup;
  /** At least one. */
  places: readonly [Place, ...Place[]];
  /** Answers that are running. */
  running: number;
  /** Why credentials were looked for anew, until they have turned out to hold. */
  renewedFor?: OpenclawError | undefined;
}

/** Takes the tokens of an answer, and what they cost: null where the price is not known. */
type OnCounted = (usage: TokenUsage, cost: CallCost | null) => void;

/** Whose call it is, and who is told what it used. */
interface Caller {
  /** The name of the client's key. */
  apiKey?: string | undefined;
  onCounted: OnCounted;
  /** Told the id of the first model that is asked, where it is configured or listed: nobody makes such a name up. */
  onResolved?: ((id: string) => void) | undefined;
  /** Told that the call waits for its place below the quota. */
  onWaiting?: (() => void) | undefined;
  /** Told how long the call waited for its place below the quota, in ms. */
  onQueued?: ((ms: number) => void) | undefined;
  /** Told that the service has throttled the call, which goes back into the queue below the quota. */
  onThrottled?: (() => void) | undefined;
  /** The most that one call may cost, in USD. */
  mostUsd?: number | undefined;
  /** Throws for a model that the caller may not ask. */
  allow?: ((model: ResolvedModel) => void) | undefined;
  /** Lets the call pass, and says what it may cost at most, in USD. Throws where it may not. */
  admit?: ((asked: NamedModels) => Promise<{ mostUsd: number | undefined }>) | undefined;
}

/** The key that asks, and what it may. */
type AllowedModels = Pick<ApiKey, "name" | "models">;

/** Why the server is not ready, by what is missing; `ok` where nothing is. */
export interface Readiness {
  credentials: string;
  models: string;
}

export interface Pacing {
  /** The longest that a call waits for its place, in ms. */
  waitMs: number;
  /** In a minute, of each model in each region; what AWS tells where they are undefined. */
  tokens?: number | undefined;
  requests?: number | undefined;
}

interface UpstreamOptions extends GlobalOptions {
  ignoreBudget?: boolean;
  /** Whether keys have budgets. */
  hasKeyBudgets?: () => boolean;
  /** By commas. */
  regions?: string;
  pacing?: Pacing | undefined;
}

/** Bedrock, as the server calls it: over connections that stay open, with credentials that renew themselves. */
export class Upstream {
  readonly #options: GlobalOptions;
  readonly #runtime: Runtime;
  readonly #config: LoadedConfig;
  readonly #names: NameMap;
  readonly #regions: readonly string[] | undefined;
  readonly #router: RegionRouter;
  /** How calls are kept below the quotas; undefined where they are not. */
  readonly #paceTerms: (() => Promise<PaceTerms>) | undefined;
  #pace: Pace | undefined;
  /** What its calls used and cost. */
  readonly ledger: Ledger;
  #current: Promise<Generation> | undefined;
  #served: { of: readonly CachedModelList[]; models: ServedModel[] } | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;

  /**
   * `runtime` outlives every call: its signal is that of the server's end. `command` is what the ledger calls it. Throws as
   * decideRegions does.
   */
  constructor(
    { regions, pacing, hasKeyBudgets, ...options }: UpstreamOptions,
    runtime: Runtime,
    config: LoadedConfig,
    names: NameMap,
    command = "serve",
  ) {
    this.#names = names;
    const setting = config.value.models?.regions;
    this.#regions = decideRegions({ flag: regions, one: options.region, setting });
    const named = regions?.split(",").map((text) => text.trim()) ?? setting ?? [];
    if (this.#regions) eachOnce(named, regions === undefined ? "models.regions" : "--regions", runtime);
    for (const name of this.#regions ?? []) {
      const near = nearestRegion(name);
      if (near !== undefined) runtime.terminal.note(`'${name}' is no region that is known: is it ${near}?`);
    }
    this.#router = new RegionRouter(this.#regions ?? [], runtime.elapsed);
    this.#paceTerms = pacing && once(() => this.#beginToPace(pacing));
    this.ledger = new Ledger(runtime, config.value, {
      command,
      ignoresBudget: options.ignoreBudget,
      hasOtherBudgets: hasKeyBudgets,
      gathersMs: GATHERED_MS,
    });
    this.#options = options;
    this.#runtime = runtime;
    this.#config = config;
  }

  /** Begins to resolve credentials and to load the model list, before anybody asks. Never throws. */
  warm(): void {
    this.readiness().catch((error: unknown) => this.#runtime.terminal.note(String(error)));
    this.#paceTerms?.().catch((error: unknown) => this.#runtime.terminal.note(String(error)));
  }

  /** What decides proxy and certificates of other calls than those to AWS. Throws `usage`. */
  async network(): Promise<Network> {
    const { shared, decision } = (await this.#generation()).setup;
    return { env: this.#runtime.env, profile: shared.profiles.get(decision.profileName) };
  }

  /**
   * The models that clients are told of, those that a key may ask. Throws the error of the list where there is nothing to
   * list.
   */
  async servedModels(key: AllowedModels | undefined): Promise<ServedModel[]> {
    const { setup, places } = await this.#generation();
    const current = await listsOf(places);
    const [{ load }] = current as [CachedModelList];
    const models = current.flatMap((list) => list.models);
    if (load.error && models.length === 0) throw load.error;
    // Put together once for the same lists: it takes longer than all else of the request.
    if (!this.#served || current.some((list, nth) => this.#served?.of[nth] !== list)) {
      // AWS does not tell when it opened each model; clients want a number.
      const created = Math.floor((load.discovered?.fetchedAt ?? 0) / 1000);
      const names = await servedNames(this.#names, setup.config.value, models);
      this.#served = { of: current, models: [...names].map(([id, owner]) => ({ id, created, owner })) };
    }
    const all = this.#served.models;
    if (key?.models === undefined) return all;
    const isAllowed = await mapInTurns(all, ({ id }) => this.#mayAsk(key, id));
    return all.filter((_, index) => isAllowed[index]);
  }

  /**
   * One model, by any name that a request may send. Throws `model-not-found` with the nearest names, and `access-denied` for
   * one that the key may not ask.
   */
  async servedModel(name: string, key: AllowedModels | undefined): Promise<ServedModel> {
    const listed = (await this.servedModels(undefined)).find(({ id }) => id === name);
    const { places } = await this.#generation();
    const candidates = candidatesFor(this.#wanted(name, places, ""));
    const owner = listed?.owner ?? (await candidates.next())?.model.providerId ?? "";
    if (key && !(await this.#mayAsk(key, name))) throw notAllowed(key, name);
    return listed ?? { id: name, created: 0, owner };
  }

  /** Whether a key may ask what a name stands for. One that stands for nothing at the moment is nobody's to ask. */
  async #mayAsk(key: AllowedModels, name: string): Promise<boolean> {
    if (key.models === undefined) return true;
    const isOwnName = this.isOwnName(name);
    // What is listed under its id needs no search.
    const byId = isOwnName ? [] : [namedModel(name, this.#config.value)];
    return (
      mayAsk(key, { name, isOwnName, models: byId }) ||
      mayAsk(key, { name, isOwnName, models: await this.#modelsOf(name) })
    );
  }

  /** Whether a name is of the server's own making: of `--map`, or an alias. */
  isOwnName(name: string): boolean {
    if (this.#names.has(name)) return true;
    return isAlias(name, this.#config.value);
  }

  /** All that a name stands for, by the lists that are there; none for a name that nobody knows, or not yet. */
  async #modelsOf(name: string): Promise<ResolvedModel[]> {
    const { places } = await this.#generation();
    const [first] = places;
    const loaded = places.filter(({ modelList }) => modelList.isLoaded);
    const { resolve, texts } = this.#wanted(name, places, "");
    const found = await Promise.all(
      texts.map(async (text) => {
        for (const place of loaded.length > 0 ? loaded : [first]) {
          const model = await resolve(text, place, "current").catch(ignoreUnknown);
          if (model) return model;
        }
        return undefined;
      }),
    );
    return found.flatMap((model) => model ?? []);
  }

  /** The first model that a name stands for, where that is configured or listed, by the lists that are there. */
  async knownAs(name: string): Promise<string | undefined> {
    let known: string | undefined;
    const { places } = await this.#generation();
    const place = places.find(({ modelList }) => modelList.isLoaded);
    const onResolved = (id: string): void => {
      known = id;
    };
    const { resolve, texts } = this.#wanted(name, places, "", { onResolved });
    const [text] = texts;
    if (place && text !== undefined) await resolve(text, place, "current").catch(ignoreUnknown);
    return known;
  }

  /** The model that is asked first under a name, and what AWS lists. Throws `model-not-found` with the nearest names. */
  async firstModel(name: string): Promise<{ model: ResolvedModel; known: Discovered | undefined }> {
    const { places } = await this.#generation();
    const candidate = await candidatesFor(this.#wanted(name, places, "")).next();
    if (!candidate) throw new Error(`'${name}' names no model.`);
    const { load } = await places[0].modelList.current();
    return { model: candidate.model, known: load.discovered };
  }

  /** What may be asked of a model in a minute, as far as that is known beforehand; nothing where calls are not paced. */
  async limitsOf(model: ResolvedModel): Promise<PaceLimits> {
    if (!this.#paceTerms) return {};
    const { pace, isNamed } = await this.#paceTerms();
    const { id: modelId } = model;
    if (isNamed) return pace.limitsOf({ region: null, modelId, baseId: undefined });
    if (isMantle(model) || isServed(model)) return {};
    const [{ setup, pool }] = (await this.#generation()).places;
    const session = await pool.open(setup, targetOf(model));
    return pace.limitsOf({ region: session.region.value, modelId, baseId: undefined });
  }

  /** What its next call is made with, and the models that AWS and servers list. Throws `usage`. */
  async current(): Promise<{ setup: Setup; modelList: CachedModelList }> {
    const [{ setup, modelList }] = (await this.#generation()).places;
    return { setup, modelList: await modelList.current() };
  }

  /** Whether credentials resolve and the model list is there. Throws `usage`. */
  async readiness(): Promise<Readiness> {
    const generation = await this.#generation();
    const { places } = generation;
    const [credentials, lists] = await Promise.all([
      stateOf(async () => {
        if (await settlesWithin(READY_MS, places[0].pool.authenticate({ kind: "discovery" }))) return;
        throw new OpenclawError("timeout", { message: `Not done within ${READY_MS} ms.` });
      }),
      Promise.all(
        places.map(async ({ modelList }) => {
          const state = await stateOf(async () => {
            const loading = modelList.current();
            // One region that is out does not hold back what is known of the others.
            if (places.length > 1 && !(await settlesWithin(READY_MS, loading)))
              throw new OpenclawError("timeout", { message: `Not done within ${READY_MS} ms.` });
            const { load } = await loading;
            if (load.error) throw load.error;
          });
          return state === "ok" && !modelList.isWarm ? "no-models" : state;
        }),
      ),
    ]);
    // Credentials may come after the server: a role that is attached later, a file that is written later.
    if (credentials !== "ok") await this.#renew(generation);
    // One region is enough.
    return { credentials, models: lists.includes("ok") ? "ok" : (lists[0] ?? "ok") };
  }

  /**
   * Asks the first of the models of a name that is available. Credentials that turn out not to hold are looked for anew,
   * once, before anything was said. Throws `model-not-found` with the nearest names, `budget-exceeded`, and the errors of
   * askModel.
   */
  async *askByName(name: string, query: Omit<Query, "bounds">, runtime: Runtime, caller: Caller): ChatEvents {
    let asked = await this.#generation();
    const pacing = this.#paceTerms && {
      ...(await this.#paceTerms()),
      onWaiting: caller.onWaiting,
      onQueued: caller.onQueued,
      onThrottled: caller.onThrottled,
    };
    const beginning = this.#regions ? beginningOf(query) : "";
    const { mostUsd } = (await caller.admit?.({
      name,
      isOwnName: this.isOwnName(name),
      models: () => this.#modelsOf(name),
      config: this.#config.value,
    })) ?? { mostUsd: caller.mostUsd };
    const run = (): ChatEvents => {
      const all = this.#wanted(name, asked.places, beginning, caller);
      // What is said in the words of one model is for no other, and vectors of two compare with nothing.
      const texts = query.invocation ? all.texts.slice(0, 1) : all.texts;
      const wanted = { ...all, texts, pacing };
      return this.#askWith(asked, candidatesFor(wanted), query, runtime, { ...caller, mostUsd });
    };
    yield* withRenewal(run, async (failure) => {
      if (!(await this.#renew(asked))) return false;
      asked = await this.#generation();
      asked.renewedFor ??= failure;
      return true;
    });
  }

  /**
   * The input tokens of a question to the first of the models of a name, as its service counts them, or an estimate, and
   * then why. Throws `model-not-found` with the nearest names, `access-denied` for a model that the key may not ask, and
   * what planning it throws.
   */
  async countByName(
    name: string,
    ask: Omit<Query, "bounds">,
    runtime: Runtime,
    key: AllowedModels | undefined,
  ): ReturnType<typeof countQuestion> {
    if (key && !(await this.#mayAsk(key, name))) throw notAllowed(key, name);
    const { places } = await this.#generation();
    const beginning = this.#regions ? beginningOf(ask) : "";
    const all = this.#wanted(name, places, beginning);
    // Each model counts by itself.
    const candidates = candidatesFor({ ...all, texts: all.texts.slice(0, 1) });
    let counted: Awaited<ReturnType<typeof countQuestion>> | undefined;
    for (
      let candidate = await candidates.next();
      candidate;
      candidate = counted.failure && (await candidates.next(counted.failure))
    ) {
      const { model, place } = candidate;
      const { setup, ...ways } = place ?? { setup: places[0].setup };
      counted = await countQuestion({ ...setup, runtime }, { ...ask, ...ways, model });
    }
    if (!counted) throw new Error(`'${name}' names no model.`);
    return counted;
  }

  async close(): Promise<void> {
    const current = await this.#current?.catch(() => undefined);
    if (current) await closePlaces(current);
    await this.ledger.settle();
  }

  async *#askWith(
    generation: Generation,
    candidates: Candidates,
    query: Omit<Query, "bounds">,
    runtime: Runtime,
    { apiKey, onCounted, mostUsd }: Caller,
  ): ChatEvents {
    const { setup } = generation;
    let called = "";
    let asked: ResolvedModel | undefined;
    generation.running += 1;
    try {
      const question = {
        ...query,
        bounds: { firstEventMs: undefined, silenceMs: SILENCE_MS, totalMs: undefined },
      };
      const arrivals = runTurn({ ...setup, runtime }, candidates, question, {
        ledger: this.ledger,
        apiKey,
        mostUsd,
      });
      for await (const { model, event } of arrivals) {
        if (generation.renewedFor)
          this.#runtime.terminal.note(`${generation.renewedFor.message} New credentials are there.`);
        generation.renewedFor = undefined;
        if (event.type === "start") called = event.model;
        asked = model;
        if (event.type === "usage")
          onCounted(event, estimateCost(event, priceOf(model, event.invokedModel ?? called)));
        const notice = event.type === "stop" && event.wordless && judgeStop("", called, event).notice;
        if (notice) runtime.terminal.note(`openclaw: ${notice}`);
        yield event;
      }
    } catch (error) {
      // An answer without anything in it is billed all the same.
      const used = error instanceof OpenclawError ? error.details?.["usage"] : undefined;
      if (used)
        onCounted(
          used as TokenUsage,
          asked ? estimateCost(used as TokenUsage, priceOf(asked, called)) : null,
        );
      throw error;
    } finally {
      generation.running -= 1;
      await this.#closeRetired(generation);
    }
  }

  #wanted(
    name: string,
    places: Generation["places"],
    beginning: string,
    { allow, onResolved }: Pick<Caller, "allow" | "onResolved"> = {},
  ): Wanted {
    let isFirst = true;
    return {
      texts: meantBy(name, this.#names),
      places,
      router: this.#router,
      beginning,
      resolve: async (text, { setup, modelList }, list) => {
        // The servers of others know their models themselves: nobody waits for AWS to ask one of them.
        let model = modelList.isLoaded ? undefined : servedByOthers(text, setup.config.value);
        let current: CachedModelList | undefined;
        if (!model) {
          current = await modelList[list]();
          model = await resolveName(text, { name, map: this.#names }, setup, current);
        }
        if (isFirst && isKnown(model, current)) onResolved?.(model.id);
        isFirst = false;
        allow?.(model);
        return model;
      },
    };
  }

  async #beginToPace({ waitMs, ...given }: Pacing): Promise<PaceTerms> {
    const { Pace, paceClock } = await import("../chat/pace.ts");
    const { quotaReader } = await import("../chat/read-quotas.ts");
    const { terminal, elapsed } = this.#runtime;
    this.#pace = new Pace(
      paceClock(elapsed),
      quotaReader(given, (region) => this.#quotasIn(region), this.#runtime, {
        note: (text) => terminal.note(text),
      }),
    );
    const isNamed = given.tokens !== undefined || given.requests !== undefined;
    return { pace: this.#pace, mostMs: waitMs, isNamed };
  }

  async #quotasIn(region: string): Promise<QuotaSource> {
    const { places } = await this.#generation();
    const place = places.find((other) => other.region === region) ?? places[0];
    const { setup, pool, modelList } = place;
    const session = await pool.open(setup, { kind: "discovery" });
    return { session, discovered: (await modelList.current()).load.discovered };
  }

  #generation(): Promise<Generation> {
    this.#current ??= this.#begin();
    return this.#current;
  }

  async #begin(): Promise<Generation> {
    // Credentials are decided, and resolved, once for all regions.
    const common = await readSetup(this.#options, this.#runtime, this.#config);
    const placeIn = (region: string | undefined): Place => {
      const options = region === undefined ? common.options : { ...common.options, region };
      const setup = { ...common, options };
      return { region, setup, pool: new SessionPool(setup), modelList: new ModelListCache(setup) };
    };
    const [first, ...others] = this.#regions ?? [undefined];
    const home = placeIn(first);
    return { setup: home.setup, places: [home, ...others.map(placeIn)], running: 0 };
  }

  /** Lets the next call begin anew; those that are running end as they are. False where that was done just now. */
  async #renew(stale: Generation): Promise<boolean> {
    if ((await this.#current) !== stale) return true;
    const { elapsed } = this.#runtime;
    if (elapsed() - this.#renewedAt < RENEWAL_MS) return false;
    this.#renewedAt = elapsed();
    this.#current = this.#begin();
    await this.#closeRetired(stale);
    return true;
  }

  async #closeRetired(generation: Generation): Promise<void> {
    if (generation.running > 0 || (await this.#current) === generation) return;
    await closePlaces(generation);
  }
}

/** The lists of all places, without those that are long in coming where others are there. */
async function listsOf(places: Generation["places"]): Promise<CachedModelList[]> {
  const all = Promise.all(places.map(({ modelList }) => modelList.current()));
  if (places.length === 1 || (await settlesWithin(READY_MS, all))) return all;
  const there = places.filter(({ modelList }) => modelList.isLoaded);
  return there.length === 0 ? all : Promise.all(there.map(({ modelList }) => modelList.current()));
}

async function closePlaces({ places }: Generation): Promise<void> {
  await Promise.all(places.map(({ pool }) => pool.close()));
}

/** Of a name that nobody knows there is nothing. Throws every other error. */
function ignoreUnknown(error: unknown): undefined {
  if (!(error instanceof OpenclawError) || error.code !== "model-not-found") throw error;
}

async function stateOf(work: () => Promise<void>): Promise<string> {
  try {
    await work();
    return "ok";
  } catch (error) {
    return error instanceof OpenclawError ? error.code : "internal";
  }
}
