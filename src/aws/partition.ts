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

/** The domain of the regions of a partition, where theirs are plain: the SDK's own endpoint rules. */
const DOMAINS: Readonly<Record<string, string>> = {
  aws: "amazonaws.com",
  "aws-us-gov": "amazonaws.com",
  "aws-cn": "amazonaws.com.cn",
};

/** The dual-stack domain beside each. */
const DUAL_STACK: Readonly<Record<string, string>> = {
  "amazonaws.com": "api.aws",
  "amazonaws.com.cn": "api.amazonwebservices.com.cn",
};

/** The URL of a service in a region, without anything special wished for; undefined where that is not known here. */
export function regionalHost(service: string, region: string): string | undefined {
  const plain = DOMAINS[partitionOfRegion(region)];
  // Mantle has dual-stack hosts only: https://docs.aws.amazon.com/bedrock/latest/userguide/endpoints.html
  const domain = service === "bedrock-mantle" ? DUAL_STACK[plain ?? ""] : plain;
  return domain && /^[a-z]{2}(-[a-z]+)+-\d$/.test(region)
    ? `https://${service}.${region}.${domain}`
    : undefined;
}
