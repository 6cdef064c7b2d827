import { parseArn } from "../aws/arn.ts";
import { KNOWN_REGIONS } from "../aws/known-regions.ts";
import type { Setup } from "../session/session.ts";
import type { Configuration } from "../config/settings.ts";
import { nameableIn, nameListed } from "../discovery/name-model.ts";
import { listedId } from "../models/listed-id.ts";
import { isMantle, isServed } from "../models/provider-api.ts";
import { suggestIds } from "../models/match-name.ts";
import { keyOf, LONGEST_ID, namedModel, type ResolvedModel, unknownModel } from "../models/resolve-model.ts";
import { eachOnce } from "../each-once.ts";
import { usageError } from "../errors.ts";
import { mapInTurns } from "../next-turn.ts";
import type { Runtime } from "../runtime.ts";
import type { CachedModelList } from "./model-list-cache.ts";

/** What names stand for: each for a model, or for several that are asked in turn. */
export type NameMap = ReadonlyMap<string, readonly string[]>;

/** Reads `--map NAME=MODEL`; several models by commas are fallbacks, each of them once. Throws `usage`. */
export function parseNameMap(entries: readonly string[], runtime: Pick<Runtime, "terminal">): NameMap {
  const map = new Map<string, readonly string[]>();
  for (const entry of entries) {
    const equals = entry.indexOf("=");
    const name = entry.slice(0, Math.max(equals, 0)).trim();
    const models = entry
      .slice(equals + 1)
      .split(",")
      .map((text) => text.trim());
    if (name === "" || models.includes(""))
      throw usageError(
        `--map '${entry}' is not NAME=MODEL.`,
        "For example: --map gpt-4o=us.amazon.nova-pro-v1:0",
      );
    if (map.has(name)) throw usageError(`--map names '${name}' twice.`, "Leave one of them out.");
    map.set(name, eachOnce(models, `--map ${name}`, runtime));
  }
  return map;
}

/** What a name stands for, in the order in which it is asked: itself, or what the map has for it. */
export function meantBy(name: string, map: NameMap): readonly string[] {
  return map.get(name) ?? [name];
}

/** The model that a text names at a server that is not AWS's; undefined for every other. Throws `model-not-found`. */
export function servedByOthers(text: string, config: Configuration): ResolvedModel | undefined {
  const named = namedModel(text, config);
  return isServed(named) && named.provider ? named : undefined;
}

/** Whether a model is configured or in a list: nobody makes such a name up. */
export function isKnown({ configured, id }: ResolvedModel, list: CachedModelList | undefined): boolean {
  const { models = [], load } = list ?? {};
  return (
    configured !== undefined ||
    (load?.discovered !== undefined && listedId(id, load.discovered) !== undefined) ||
    models.some((model) => model.id === id)
  );
}

/** Clients may send any name: of so many what it stands for is remembered. */
const MOST_REMEMBERED = 1000;

/** What may be asked for by its own name, by each list: clients name the same few models again and again. */
const remembered = new WeakMap<CachedModelList, Map<string, ResolvedModel>>();

/**
 * The model that is meant by a text in the region of a list. Ids, keys, ARNs, aliases, printed names and families are taken.
 * Throws `model-not-found` with the nearest to `name`, which was sent, for what nobody knows.
 */
export async function resolveName(
  text: string,
  { name, map }: { name: string; map: NameMap },
  setup: Setup,
  modelList: CachedModelList,
): Promise<ResolvedModel> {
  const { value: config } = setup.config;
  const named = remembered.get(modelList) ?? new Map<string, ResolvedModel>();
  remembered.set(modelList, named);
  const known = named.get(text);
  if (known) return known;
  const model = namedModel(text, config);
  if (isCallable(model, setup, modelList)) {
    if (named.size >= MOST_REMEMBERED) named.clear();
    named.set(text, model);
    return model;
  }
  const load = (isMantle(model) ? modelList.mantle : undefined) ?? modelList.load;
  if (load.discovered) {
    const meant = await nameListed(text, load, setup, { mantle: () => modelList.mantle });
    if (meant.key !== model.key) return meant;
  }
  const names = [...map.keys(), ...aliasesOf(config)];
  throw unknownModel(name, suggestIds(name, await nameableIn(load, config), names));
}

export interface ServedModel {
  id: string;
  /** Seconds since 1970. */
  created: number;
  owner: string;
}

/**
 * Every name that a client may send, but for keys and ARNs that AWS does not list, and whose it is: listed models under
 * their bare ids, or under their keys where the bare id means another model; then names of the map and aliases. Others have
 * their turn in between.
 */
export async function servedNames(
  map: NameMap,
  config: Configuration,
  models: CachedModelList["models"],
): Promise<Map<string, string>> {
  const named = await mapInTurns(models, ({ id, key, provider }): [string, string] => [
    keyOf(id, config) === key ? id : key,
    provider,
  ]);
  const names = new Map(named);
  for (const name of [...map.keys(), ...aliasesOf(config)]) if (!names.has(name)) names.set(name, "openclaw");
  return names;
}

function aliasesOf(config: Configuration): string[] {
  return Object.values(config.agents?.defaults?.models ?? {}).flatMap(({ alias }) => alias ?? []);
}

/**
 * Whether a model may be asked for: configured, listed by AWS, or an ARN, of which AWS lists only some. A region that
 * does not exist would be a host that does not, either.
 */
function isCallable(
  { id, configured, providerId, provider }: ResolvedModel,
  { options }: Setup,
  { load, mantle }: CachedModelList,
): boolean {
  if (configured !== undefined) return true;
  // AWS lists what Converse calls; the server of any other provider knows its models itself.
  if (isServed({ providerId, provider })) return provider !== undefined;
  const arn = parseArn(id);
  if (arn) {
    const isElsewhere = options.region !== undefined && arn.region !== "" && arn.region !== options.region;
    return !isElsewhere && (arn.region === "" || KNOWN_REGIONS.includes(arn.region));
  }
  if (id === "" || /\s/.test(id) || id.length > LONGEST_ID) return false;
  const { discovered } = (isMantle({ providerId }) ? mantle : load) ?? {};
  return discovered === undefined || listedId(id, discovered) !== undefined;
}
