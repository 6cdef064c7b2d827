import { OpenclawError } from "../errors.ts";
import type { EndpointWishes, Service } from "../aws/endpoint.ts";
import { partition, resolveRegionConfig } from "../network/sdk-parts.ts";

/** The services of Amazon Bedrock, whose hosts are named after themselves and the region, everywhere. */
export type BedrockService = Extract<Service, "bedrock" | "bedrock-runtime" | "bedrock-mantle">;

/** The services that RestClient calls. */
export type CalledService = BedrockService | Extract<Service, "service-quotas" | "cloudwatch">;

/** What the hosts of a service begin with, where that is not its id. */
const HOSTS: Partial<Record<Service, string>> = {
  "service-quotas": "servicequotas",
  cloudwatch: "monitoring",
};

/**
 * Where a service is called when nobody names its endpoint, and the region that is signed for: `fips-us-east-1` is another
 * one's FIPS endpoint. Throws as regionalEndpoint does.
 */
export async function locateService(
  service: Service,
  name: string,
  wishes: EndpointWishes,
): Promise<{ region: string; url: string }> {
  const resolved = resolveRegionConfig({ region: name, useFipsEndpoint: wishes.fips });
  const [region, fips] = await Promise.all([resolved.region(), resolved.useFipsEndpoint()]);
  return { region, url: regionalEndpoint(service, region, { ...wishes, fips }) };
}

/**
 * The region's own endpoint of a service, from the SDK's table of partitions and by the rules of its clients, which know
 * nothing of Mantle: its hosts are dual-stack ones, and none of them is for FIPS
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/endpoints.html).
 * Throws `config-invalid` where the partition has no endpoint of the kind that is wished for.
 */
export function regionalEndpoint(service: Service, region: string, wishes: EndpointWishes): string {
  const { name, dnsSuffix, dualStackDnsSuffix, supportsFIPS, supportsDualStack } = partition(region);
  const isMantle = service === "bedrock-mantle";
  if (wishes.fips && (!supportsFIPS || isMantle)) throw noSuchEndpoint(service, region, "FIPS");
  if (wishes.dualStack && !supportsDualStack) throw noSuchEndpoint(service, region, "dual-stack");
  // These of GovCloud are FIPS endpoints under their plain names.
  const isPlainFips =
    name === "aws-us-gov" &&
    (service === "cloudwatch" || (!wishes.dualStack && (service === "sts" || service === "service-quotas")));
  const isPlain = !wishes.fips || isPlainFips;
  const suffix = wishes.dualStack || isMantle ? dualStackDnsSuffix : dnsSuffix;
  return `https://${HOSTS[service] ?? service}${isPlain ? "" : "-fips"}.${region}.${suffix}`;
}

function noSuchEndpoint(service: Service, region: string, kind: "FIPS" | "dual-stack"): Error {
  const word = kind === "FIPS" ? "fips" : "dualstack";
  return new OpenclawError("config-invalid", {
    message: `There is no ${kind} endpoint of ${service} in ${region}.`,
    hint: `Unset AWS_USE_${word.toUpperCase()}_ENDPOINT and use_${word}_endpoint of the profile, or choose another --region.`,
  });
}
