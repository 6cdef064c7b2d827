/** The parts of an ARN (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html). */
export interface Arn {
  partition: string;
  service: string;
  /** Empty where the resource has no region. */
  region: string;
  /** Empty for AWS's own resources, such as foundation models. */
  account: string;
  /** For example `inference-profile`. */
  resourceType: string;
  /** What follows the resource type, for example `us.amazon.nova-lite-v1:0`. */
  resourceId: string;
}

/** Reads an ARN such as `arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0`; undefined for other text. */
export function parseArn(text: string): Arn | undefined {
  const match = /^arn:([a-z0-9-]+):([a-z0-9-]+):([a-z0-9-]*):([0-9]*):([a-z-]+)\/(.+)$/.exec(text);
  if (!match) return undefined;
  const [, partition = "", service = "", region = "", account = "", resourceType = "", resourceId = ""] =
    match;
  return { partition, service, region, account, resourceType, resourceId };
}
