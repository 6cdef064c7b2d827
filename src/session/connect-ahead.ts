import { plainEndpoint } from "../aws/endpoint.ts";
import { profileInForce } from "../credentials/shared-config.ts";
import { OpenclawError } from "../errors.ts";
import type { Target } from "../models/resolve-model.ts";
import { ConnectionsAhead } from "../network/connections-ahead.ts";
import type { BedrockService } from "./regional-endpoint.ts";
import { endpointOf, regionWithoutAsking, serviceOf, type Setup } from "./session.ts";

/**
 * Begins to connect to where a target will most likely be called, at a service or at the one that answers its models: so
 * many connections. Resolves when that is under way, to the set-up that has them. Nobody is connected to where nothing signs, where the place is not plain without asking, and
 * where something is wrong with region, endpoint or model, which is told in its turn.
 */
export async function connectAhead(
  setup: Setup,
  service: BedrockService | "models",
  targetOf: () => Target | undefined,
  count = 1,
): Promise<Setup> {
  const { runtime, decision, shared } = setup;
  const { chosen } = decision;
  const isUnsigned = chosen.source === "invalid" || ("step" in chosen && chosen.step === "none");
  const url = isUnsigned ? undefined : placeOf(setup, service, targetOf);
  if (url === undefined) return setup;
  const ahead = new ConnectionsAhead();
  await ahead.open(url, count, runtime, profileInForce(shared, decision.profileName));
  return { ...setup, ahead };
}

function placeOf(
  setup: Setup,
  wanted: BedrockService | "models",
  targetOf: () => Target | undefined,
): string | undefined {
  try {
    const target = targetOf();
    if (!target) return undefined;
    const service = wanted === "models" ? serviceOf(target) : wanted;
    return endpointOf(setup, service, target)?.url ?? ownEndpoint(setup, service, target);
  } catch (error) {
    if (error instanceof OpenclawError) return undefined;
    throw error;
  }
}

function ownEndpoint(setup: Setup, service: BedrockService, target: Target): string | undefined {
  const { runtime, decision, shared } = setup;
  const region = regionWithoutAsking(setup, target)?.value;
  const profile = profileInForce(shared, decision.profileName);
  return region === undefined ? undefined : plainEndpoint(service, region, runtime.env, profile);
}
