import { editDistance } from "../edit-distance.ts";
import { partitionOfRegion } from "./partition.ts";

/**
 * Regions with an endpoint of Amazon Bedrock, from botocore's data/endpoints.json, service `bedrock`. For suggestions
 * only: any region name is taken.
 */
export const KNOWN_REGIONS: readonly string[] = [
  "us-east-1",
  "us-east-2",
  "us-west-1",
  "us-west-2",
  "af-south-1",
  "ap-east-2",
  "ap-northeast-1",
  "ap-northeast-2",
  "ap-northeast-3",
  "ap-south-1",
  "ap-south-2",
  "ap-southeast-1",
  "ap-southeast-2",
  "ap-southeast-3",
  "ap-southeast-4",
  "ap-southeast-5",
  "ap-southeast-6",
  "ap-southeast-7",
  "ca-central-1",
  "ca-west-1",
  "eu-central-1",
  "eu-central-2",
  "eu-north-1",
  "eu-south-1",
  "eu-south-2",
  "eu-west-1",
  "eu-west-2",
  "eu-west-3",
  "eusc-de-east-1",
  "il-central-1",
  "me-central-1",
  "me-south-1",
  "mx-central-1",
  "sa-east-1",
  "us-gov-east-1",
  "us-gov-west-1",
  "us-iso-east-1",
  "us-isob-east-1",
  "us-isof-east-1",
  "us-isof-south-1",
];

/**
 * Regions with the `bedrock-mantle` endpoint: https://docs.aws.amazon.com/bedrock/latest/userguide/endpoints-region-availability.html,
 * and GovCloud, where OpenAI's models came to it in June 2026. For hints only: any region is asked.
 */
export const MANTLE_REGIONS: readonly string[] = [
  "us-east-1",
  "us-east-2",
  "us-west-2",
  "ap-northeast-1",
  "ap-south-1",
  "ap-southeast-2",
  "ap-southeast-3",
  "eu-central-1",
  "eu-north-1",
  "eu-south-1",
  "eu-west-1",
  "eu-west-2",
  "sa-east-1",
  "us-gov-west-1",
];

/** The other regions of botocore's data/endpoints.json, which have no endpoint of Amazon Bedrock. */
const OTHER_REGIONS: readonly string[] = [
  "ap-east-1",
  "cn-north-1",
  "cn-northwest-1",
  "eu-isoe-west-1",
  "us-iso-west-1",
  "us-isob-west-1",
];

export const REGIONS: readonly string[] = [...KNOWN_REGIONS, ...OTHER_REGIONS];

/** Whether AWS is known to have a region, with Bedrock or without it. */
export function isKnownRegion(name: string): boolean {
  return REGIONS.includes(name);
}

/** What has fewer edits than this is a slip of the fingers. */
const SLIP = 3;

/**
 * The region that is meant by a name that is none: the nearest of `regions`, those with Bedrock unless told otherwise, else
 * the first as an example. Undefined for a region that AWS is known to have: nobody wrote that by a slip.
 */
export function nearestRegion(name: string, regions = KNOWN_REGIONS): string | undefined {
  if (isKnownRegion(name)) return undefined;
  const [nearest] = byDistance(name.toLowerCase(), regions);
  return nearest !== undefined && nearest.edits < SLIP ? nearest.region : regions[0];
}

/**
 * One of `regions`, those with Bedrock unless told otherwise, in place of one that has none: of the same partition, where the
 * credentials count as well, and of the same part of the world, where there is one.
 */
export function neighborOf(name: string, regions = KNOWN_REGIONS): string | undefined {
  const partition = partitionOfRegion(name);
  const inPartition = regions.filter((region) => partitionOfRegion(region) === partition);
  const [part = ""] = name.split("-", 1);
  const near = [part, ...(NEXT_TO[part] ?? [])]
    .map((place) => inPartition.filter((region) => region.startsWith(`${place}-`)))
    .find((found) => found.length > 0);
  return byDistance(name, near ?? inPartition)[0]?.region;
}

/** Where the parts of the world that have few regions are next to. */
const NEXT_TO: Readonly<Record<string, readonly string[]>> = {
  ca: ["us"],
  mx: ["us"],
  af: ["eu"],
  il: ["eu"],
  me: ["eu"],
};

function byDistance(name: string, regions: readonly string[]): { region: string; edits: number }[] {
  return regions
    .map((region) => ({ region, edits: editDistance(name, region) }))
    .toSorted((left, right) => left.edits - right.edits);
}
