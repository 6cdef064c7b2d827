/** The parts of an ARN (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html). */
export interface Arn {
  /** `aws`, `aws-us-gov`, `aws-cn`, `aws-iso` and the like. */
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
  return {
    partition: match[1] ?? "",
    service: match[2] ?? "",
    region: match[3] ?? "",
    account: match[4] ?? "",
    resourceType: match[5] ?? "",
    resourceId: match[6] ?? "",
  };
}

/**
 * What the ARNs that Converse takes are the names of, by service and resource type, in words. From the pattern of
 * ConversationalModelId in Bedrock Runtime's service model.
 */
const CALLED_BY_ARN: Readonly<Record<string, string>> = {
  "bedrock:foundation-model": "foundation model",
  "bedrock:inference-profile": "inference profile",
  "bedrock:application-inference-profile": "application inference profile",
  "bedrock:prompt-router": "prompt router",
  "bedrock:default-prompt-router": "default prompt router",
  "bedrock:imported-model": "imported model",
  "bedrock:custom-model": "custom model",
  "bedrock:custom-model-deployment": "custom model deployment",
  "bedrock:provisioned-model": "provisioned throughput",
  "bedrock:prompt": "prompt of Prompt Management",
  "sagemaker:endpoint": "SageMaker endpoint",
};

/** What an ARN names, in words, when Converse takes it as a model; undefined for the ARN of anything else. */
export function describeModelArn({ service, resourceType }: Arn): string | undefined {
  const name = `${service}:${resourceType}`;
  return Object.hasOwn(CALLED_BY_ARN, name) ? CALLED_BY_ARN[name] : undefined;
}

const LISTED_TYPES: ReadonlySet<string> = new Set([
  "foundation-model",
  "inference-profile",
  "application-inference-profile",
]);

/** Whether AWS's lists of models and profiles would hold the resource. Deployments, routers and the like never are there. */
export function isListedType({ service, resourceType }: Arn): boolean {
  return service === "bedrock" && LISTED_TYPES.has(resourceType);
}
