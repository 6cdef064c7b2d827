/** The name of each partition by how its regions begin, longest first: the partitions of the SDK's own endpoint rules. */
const PARTITIONS: readonly (readonly [string, string])[] = [
  ["us-gov-", "aws-us-gov"],
  ["us-iso-", "aws-iso"],
  ["us-isob-", "aws-iso-b"],
  ["us-isof-", "aws-iso-f"],
  ["eu-isoe-", "aws-iso-e"],
  ["eusc-", "aws-eusc"],
  ["cn-", "aws-cn"],
];

/** The partition that a region belongs to, as its ARNs have it: `aws`, `aws-us-gov`, `aws-cn` and so on. */
export function partitionOfRegion(region: string): string {
  return PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1] ?? "aws";
}
