import { describe, expect, it } from "vitest";
import { describeModelArn, isListedType, parseArn } from "../../src/aws/arn.ts";

/** One ARN of each kind that ConversationalModelId takes, and of each partition, with what it says. */
const ARNS: [
  text: string,
  partition: string,
  region: string,
  account: string,
  names: string,
  listed: boolean,
][] = [
  [
    "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0",
    "aws",
    "us-east-1",
    "",
    "foundation model",
    true,
  ],
  ["arn:aws:bedrock:::foundation-model/anthropic.claude-sonnet-5", "aws", "", "", "foundation model", true],
  [
    "arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
    "aws-us-gov",
    "us-gov-west-1",
    "",
    "foundation model",
    true,
  ],
  [
    "arn:aws-us-gov:bedrock:us-gov-east-1:123456789012:inference-profile/us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "aws-us-gov",
    "us-gov-east-1",
    "123456789012",
    "inference profile",
    true,
  ],
  [
    "arn:aws-cn:bedrock:cn-north-1:123456789012:application-inference-profile/k9m2x7q4w1ab",
    "aws-cn",
    "cn-north-1",
    "123456789012",
    "application inference profile",
    true,
  ],
  [
    "arn:aws-iso:bedrock:us-iso-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
    "aws-iso",
    "us-iso-east-1",
    "",
    "foundation model",
    true,
  ],
  [
    "arn:aws-iso-b:bedrock:us-isob-east-1:123456789012:inference-profile/us-isob.anthropic.claude-3-haiku-20240307-v1:0",
    "aws-iso-b",
    "us-isob-east-1",
    "123456789012",
    "inference profile",
    true,
  ],
  [
    "arn:aws-eusc:bedrock:eusc-de-east-1::foundation-model/amazon.nova-pro-v1:0",
    "aws-eusc",
    "eusc-de-east-1",
    "",
    "foundation model",
    true,
  ],
  [
    "arn:aws:bedrock:us-west-2:123456789012:default-prompt-router/anthropic.claude:1",
    "aws",
    "us-west-2",
    "123456789012",
    "default prompt router",
    false,
  ],
  [
    "arn:aws:bedrock:us-west-2:123456789012:prompt-router/ab12cd34ef56",
    "aws",
    "us-west-2",
    "123456789012",
    "prompt router",
    false,
  ],
  [
    "arn:aws:bedrock:eu-central-1:123456789012:imported-model/ab12cd34ef56",
    "aws",
    "eu-central-1",
    "123456789012",
    "imported model",
    false,
  ],
  [
    "arn:aws:bedrock:us-east-1:123456789012:custom-model/amazon.nova-lite-v1:0:300k/ab12cd34ef56",
    "aws",
    "us-east-1",
    "123456789012",
    "custom model",
    false,
  ],
  [
    "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/ab12cd34ef56",
    "aws",
    "us-east-1",
    "123456789012",
    "custom model deployment",
    false,
  ],
  [
    "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/ab12cd34ef56",
    "aws",
    "us-east-1",
    "123456789012",
    "provisioned throughput",
    false,
  ],
  [
    "arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDE12345:1",
    "aws",
    "us-east-1",
    "123456789012",
    "prompt of Prompt Management",
    false,
  ],
  [
    "arn:aws:sagemaker:us-east-1:123456789012:endpoint/my-endpoint",
    "aws",
    "us-east-1",
    "123456789012",
    "SageMaker endpoint",
    false,
  ],
];

describe("an ARN", () => {
  it.each(ARNS)("%s", (text, partition, region, account, names, isListed) => {
    const arn = parseArn(text);
    expect(arn).toMatchObject({ partition, region, account });
    if (!arn) return;
    expect(describeModelArn(arn)).toBe(names);
    expect(isListedType(arn)).toBe(isListed);
    const { service, resourceType, resourceId } = arn;
    expect(`arn:${partition}:${service}:${region}:${account}:${resourceType}/${resourceId}`).toBe(text);
  });

  it.each([
    "amazon.nova-lite-v1:0",
    "arn:aws:s3:::bucket",
    "arn:aws:bedrock:us-east-1:123456789012",
    "arn:aws:bedrock:us-east-1:not-a-number:imported-model/x",
    "",
  ])("is not %j", (text) => expect(parseArn(text)).toBeUndefined());

  it.each([
    "arn:aws:iam::123456789012:role/EC2-Bedrock-Access",
    "arn:aws:bedrock:us-east-1:123456789012:guardrail/abcd1234efgh",
    "arn:aws:bedrock:us-east-1:123456789012:constructor/x",
  ])("of %s is not of a model", (text) => {
    const arn = parseArn(text);
    expect(arn && describeModelArn(arn)).toBeUndefined();
    expect(arn).toBeDefined();
  });
});
