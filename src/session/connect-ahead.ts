import { decideWishes } from "../aws/endpoint.ts";
import { partitionOfRegion } from "../aws/partition.ts";
import type { Target } from "../models/resolve-model.ts";
import { ConnectionsAhead } from "../network/connections-ahead.ts";
import { namesProxy } from "../network/names-proxy.ts";
import type { BedrockService } from "./regional-endpoint.ts";
import { endpointOf, regionWithoutAsking, type Setup } from "./session.ts";

/** The domain of the regions of a partition: the SDK's own endpoint rules. */
const DOMAINS: Readonly<Record<string, string>> = {
  aws: "amazonaws.com",
  "aws-us-gov": "amazonaws.com",
  "aws-cn": "amazonaws.com.cn",
};

/**
 * Begins to connect to where a target will most likely be called: so many connections. Nobody is connected to where that is
 * not plain without asking, where nothing signs, and through a proxy.
 */
export function connectAhead(setup: Setup, service: BedrockService, target: Target, count = 1): Setup {
  const { runtime, decision, shared } = setup;
  const { env } = runtime;
  const { chosen, profileName } = decision;
  const isUnsigned = chosen.source === "invalid" || ("step" in chosen && chosen.step === "none");
  if (isUnsigned || runtime.isEmulated || namesProxy(env)) return setup;
  const url = endpointOf(setup, service, target)?.url ?? plainEndpoint(setup, service, target);
  if (!url?.startsWith("https:")) return setup;
  const ahead = setup.ahead ?? new ConnectionsAhead();
  ahead.open(new URL(url), count, async () => {
    const { decideCaBundle, readCertificates } = await import("../network/certificates.ts");
    const bundle = decideCaBundle(env, shared.profiles.get(profileName));
    return bundle && readCertificates(bundle);
  });
  return { ...setup, ahead };
}

/** The region's own endpoint where nothing wishes for another one; undefined where that takes more to say. */
function plainEndpoint(setup: Setup, service: BedrockService, target: Target): string | undefined {
  const { runtime, decision, shared } = setup;
  const keys = shared.profiles.get(decision.profileName)?.keys;
  const { fips, dualStack } = decideWishes(runtime.env, keys);
  const region = regionWithoutAsking(setup, target)?.value;
  const domain = region && !region.includes("fips") && DOMAINS[partitionOfRegion(region)];
  return domain && !fips && !dualStack ? `https://${service}.${region}.${domain}` : undefined;
}
