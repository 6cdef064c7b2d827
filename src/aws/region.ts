import { OpenclawError, usageError } from "../errors.ts";
import type { Environment } from "../runtime.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { nearestRegion } from "./known-regions.ts";
import { partitionOfRegion } from "./partition.ts";

/** A region and the place its name was taken from, in words. */
export interface Region {
  value: string;
  source: string;
}

export interface RegionClaims {
  /** `--region`. */
  flag?: string | undefined;
  /** The model's ARN, when the model is named by one. */
  arn?: { text: string; region: string } | undefined;
  /** `models.bedrockDiscovery.region`, for discovery and discovered models. */
  discovery?: string | undefined;
  /** The region in the `baseUrl` of the provider that configures the model. */
  baseUrl?: { region: string; setting: string } | undefined;
  env: Environment;
  profile?: { name: string; region: string | undefined } | undefined;
  /** Asked last, and only when credentials come from the instance. */
  askInstance?: (() => Promise<string | undefined>) | undefined;
}

/** The region of last resort. */
const FALLBACK_REGION = "us-east-1";

/** Whether a text has the form of a region name of any partition: `us-east-1`, `us-gov-west-1`, `eusc-de-east-1`. */
export function isRegionName(text: string): boolean {
  return /^[a-z]{2,5}(-[a-z]+)+-\d{1,2}$/.test(text);
}

/**
 * Decides the region without asking anything on the network; undefined when only the instance can tell.
 * Throws `usage` when `--region` is no region name or contradicts the model's ARN, `config-invalid` for a bad name elsewhere.
 */
export function decideRegion(claims: RegionClaims): Region | undefined {
  const { flag, arn, env } = claims;
  if (flag !== undefined) {
    if (!isRegionName(flag))
      throw usageError(`--region '${flag}' is not an AWS region name.`, "Try --region us-east-1.");
    if (arn && arn.region !== flag) {
      throw usageError(
        `--region ${flag} contradicts the model, which is in ${arn.region}: ${arn.text}.`,
        `Leave --region out, or name the model's ARN in ${flag}.`,
      );
    }
    return { value: flag, source: "flag --region" };
  }
  if (arn) return { value: arn.region, source: "model ARN" };
  if (claims.discovery) return named(claims.discovery, "models.bedrockDiscovery.region");
  if (claims.baseUrl) return { value: claims.baseUrl.region, source: claims.baseUrl.setting };
  for (const name of ["AWS_REGION", "AWS_DEFAULT_REGION"] as const) {
    const value = env[name]?.trim();
    if (value) return named(value, `env ${name}`);
  }
  if (claims.profile?.region) return named(claims.profile.region, `profile ${claims.profile.name}`);
  return claims.askInstance ? undefined : { value: FALLBACK_REGION, source: "default" };
}

/** Decides the region, asking the instance metadata service where nothing nearer names one. Throws `usage`. */
export async function resolveRegion(claims: RegionClaims): Promise<Region> {
  const decided = decideRegion(claims);
  if (decided) return decided;
  const value = await claims.askInstance?.();
  const isNamed = value !== undefined && isRegionName(value);
  return isNamed ? { value, source: "instance metadata" } : { value: FALLBACK_REGION, source: "default" };
}

/** A region as a setting names it. Throws `config-invalid`: the text becomes part of a host name. */
function named(value: string, source: string): Region {
  if (isRegionName(value)) return { value, source };
  throw new OpenclawError("config-invalid", {
    message: `'${value}' (${source}) is not an AWS region name.`,
    hint: `Name it as AWS does: ${commandForRegion({ value, source }, nearestRegion(value) ?? FALLBACK_REGION)}`,
  });
}

/** How to use another region, as a command or flag that goes before who named this one. */
export function commandForRegion({ source }: Region, value: string): string {
  if (source.startsWith("env ")) return `export ${source.slice(4)}=${quoteForShell(value)}`;
  if (source === "models.bedrockDiscovery.region")
    return `openclaw config set models.bedrockDiscovery.region ${quoteForShell(value)}`;
  if (source === "instance metadata") return `export AWS_REGION=${quoteForShell(value)}`;
  return `--region ${quoteForShell(value)}`;
}

interface RegionsClaims {
  /** `--regions`. */
  flag?: string | undefined;
  /** `--region`. */
  one?: string | undefined;
  /** `models.regions`. */
  setting?: readonly string[] | undefined;
}

/**
 * The regions that calls may go to, each once; undefined where nobody names several. Throws `usage` for a list that cannot
 * be, `config-invalid` for one of the settings.
 */
export function decideRegions({ flag, one, setting = [] }: RegionsClaims): string[] | undefined {
  if (flag !== undefined && one !== undefined)
    throw usageError(
      `The regions '${flag}' and the region '${one}' are both named: --regions and --region.`,
      "Leave one of them out.",
    );
  const source = flag === undefined ? "models.regions" : "--regions";
  const texts = flag === undefined ? setting : flag.split(",");
  const names = [...new Set(texts.map((text) => text.trim()))];
  if (flag === undefined && (names.length === 0 || one !== undefined)) return undefined;
  const fail = (message: string, hint: string): OpenclawError =>
    flag === undefined ? new OpenclawError("config-invalid", { message, hint }) : usageError(message, hint);
  for (const name of names) {
    if (isRegionName(name)) continue;
    const near = nearestRegion(name) ?? FALLBACK_REGION;
    throw fail(`${source} has '${name}', which is not an AWS region name.`, `Is it ${near}?`);
  }
  const partitions = new Set(names.map(partitionOfRegion));
  if (partitions.size > 1)
    throw fail(
      `${source} has regions of several partitions (${[...partitions].join(", ")}), and credentials are for one.`,
      "Name regions of one of them, and run another server for the others.",
    );
  return names;
}

/** The domains of the partitions, with their dual-stack ones, as the SDK's endpoint rules have them. */
const DOMAINS = [
  "amazonaws.com",
  "api.aws",
  "amazonaws.com.cn",
  "api.amazonwebservices.com.cn",
  "amazonaws.eu",
  "api.amazonwebservices.eu",
  "c2s.ic.gov",
  "api.aws.ic.gov",
  "sc2s.sgov.gov",
  "api.aws.scloud",
  "cloud.adc-e.uk",
  "api.cloud-aws.adc-e.uk",
  "csp.hci.ic.gov",
  "api.aws.hci.ic.gov",
];
const STANDARD_HOST = new RegExp(
  `^(bedrock-runtime|bedrock-mantle)(?:-fips)?\\.([a-z0-9-]+)\\.(?:${DOMAINS.join("|").replaceAll(".", "\\.")})$`,
);

/**
 * The region in a standard host of AWS's for the service that answers the models of a provider; undefined for any other host,
 * such as a VPC endpoint.
 */
export function regionOfBaseUrl(
  baseUrl: string,
  service: "bedrock-runtime" | "bedrock-mantle" = "bedrock-runtime",
): string | undefined {
  const host = URL.canParse(baseUrl) ? new URL(baseUrl).hostname : "";
  const [, name, region = ""] = STANDARD_HOST.exec(host) ?? [];
  return name === service && isRegionName(region) ? region : undefined;
}
