import { plainEndpoint, type Service } from "../aws/endpoint.ts";
import { profileInForce } from "../credentials/shared-config.ts";
import { OpenclawError } from "../errors.ts";
import { defaultModels } from "../models/default-models.ts";
import { isServed } from "../models/provider-api.ts";
import { namedModel, type Target, targetOf } from "../models/resolve-model.ts";
import { ConnectionsAhead } from "../network/connections-ahead.ts";
import { endpointOf, regionWithoutAsking, serviceOf, type Setup } from "./session.ts";

/** Connections that are wanted to a service, or to the one that answers the models of the target. */
interface Wish {
  service: Service | "models";
  target: Target;
  count: number;
}

/**
 * Begins to connect to where targets will most likely be called. Resolves when that is under way, to the set-up that has the
 * connections. Nobody is connected to where nothing signs, where the place is not plain without asking, and where something
 * is wrong with region, endpoint or model, which is told in its turn: a wish may throw it.
 */
export async function connectAhead(setup: Setup, ...wishes: (() => Wish | undefined)[]): Promise<Setup> {
  const { runtime, decision, shared } = setup;
  const { chosen } = decision;
  const isUnsigned = chosen.source === "invalid" || ("step" in chosen && chosen.step === "none");
  if (isUnsigned) return setup;
  const ahead = new ConnectionsAhead();
  const profile = profileInForce(shared, decision.profileName);
  await Promise.all(
    wishes.map(async (wish) => {
      const place = placeOf(setup, wish);
      if (place) await ahead.open(place.url, place.count, runtime, profile);
    }),
  );
  return { ...setup, ahead };
}

function placeOf(setup: Setup, wish: () => Wish | undefined): { url: string; count: number } | undefined {
  try {
    const wished = wish();
    if (!wished) return undefined;
    const { target, count } = wished;
    const service = wished.service === "models" ? serviceOf(target) : wished.service;
    const url = endpointOf(setup, service, target)?.url ?? ownEndpoint(setup, service, target);
    return url === undefined ? undefined : { url, count };
  } catch (error) {
    if (error instanceof OpenclawError) return undefined;
    throw error;
  }
}

function ownEndpoint(setup: Setup, service: Service, target: Target): string | undefined {
  const { runtime, decision, shared } = setup;
  const region = regionWithoutAsking(setup, target)?.value;
  const profile = profileInForce(shared, decision.profileName);
  return region === undefined ? undefined : plainEndpoint(service, region, runtime.env, profile);
}

/**
 * Where a model of AWS will be called, as far as its name and the configuration say it: the first of the names in `a,b,c`,
 * else the default model. Throws what is wrong with them.
 */
export function likelyTarget(names: string | undefined, { config, runtime }: Setup): Target | undefined {
  const name = names?.split(",")[0]?.trim() ?? defaultModels(config.value, runtime)[0];
  const named = name ? namedModel(name, config.value) : undefined;
  return named && !isServed(named) ? targetOf(named) : undefined;
}
