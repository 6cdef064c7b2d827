import { describe, expect, it } from "vitest";
import { buildPolicy, NEEDED_PURPOSES, type Purpose, PURPOSES } from "../../src/iam/policy.ts";
import { adviseDenial, describeDenial, readDenial } from "../../src/session/denial.ts";

const WHO = "User: arn:aws:sts::123456789012:assumed-role/EC2-Bedrock-Access/i-0abc";
const ACTION = "bedrock:InvokeModelWithResponseStream";
const PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0";
const ELSEWHERE = "arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-lite-v1:0";
const SCP = "arn:aws:organizations::111111111111:policy/o-abcdef1234/service_control_policy/p-guardrail";
const BOUNDARY = "arn:aws:iam::123456789012:policy/DeveloperBoundary";

// The wordings are AWS's: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html, with the ARN
// of the policy at the end where AWS names it.
describe("an IAM denial", () => {
  it.each<[string, string, string, string]>([
    [
      "nothing in the identity's policies",
      `${WHO} is not authorized to perform: ${ACTION} on resource: ${PROFILE} because no identity-based policy allows the ${ACTION} action`,
      `These credentials may not call ${ACTION} on ${PROFILE}: no identity-based policy allows it.`,
      `Allow ${ACTION} to the role EC2-Bedrock-Access; a policy with all that is needed: openclaw iam policy`,
    ],
    [
      "a Deny in the identity's policies",
      `${WHO} is not authorized to perform: ${ACTION} on resource: ${PROFILE} with an explicit deny in an identity-based policy`,
      "an identity-based policy denies it explicitly.",
      `Lift the Deny of ${ACTION}`,
    ],
    [
      "nothing in a service control policy",
      `${WHO} is not authorized to perform: bedrock:ListFoundationModels because no service control policy allows the bedrock:ListFoundationModels action`,
      "These credentials may not call bedrock:ListFoundationModels: no service control policy allows it.",
      "service control policies allow bedrock:ListFoundationModels.",
    ],
    [
      "a service control policy, in another region than the call",
      `${WHO} is not authorized to perform: ${ACTION} on resource: ${ELSEWHERE} with an explicit deny in a service control policy: ${SCP}`,
      `on ${ELSEWHERE}: a service control policy denies it explicitly (${SCP}).`,
      `service control policies allow ${ACTION} in us-west-2.`,
    ],
    [
      "a service control policy, for a global profile",
      `${WHO} is not authorized to perform: ${ACTION} on resource: arn:aws:bedrock:::foundation-model/amazon.nova-2-lite-v1:0 with an explicit deny in a service control policy`,
      "a service control policy denies it explicitly.",
      'where aws:RequestedRegion is "unspecified"',
    ],
    [
      "a resource control policy",
      `${WHO} is not authorized to perform: ${ACTION} on resource: ${PROFILE} with an explicit deny in a resource control policy`,
      "a resource control policy denies it explicitly.",
      "resource control policies allow",
    ],
    [
      "a permissions boundary that says nothing",
      `${WHO} is not authorized to perform: ${ACTION} on resource: ${PROFILE} because no permissions boundary allows the ${ACTION} action`,
      "no permissions boundary allows it.",
      `Allow ${ACTION} in the permissions boundary of the role EC2-Bedrock-Access.`,
    ],
    [
      "a permissions boundary that denies",
      `${WHO} is not authorized to perform: ${ACTION} on resource: ${PROFILE} with an explicit deny in a permissions boundary: ${BOUNDARY}.`,
      `a permissions boundary denies it explicitly (${BOUNDARY}).`,
      "in the permissions boundary of the role EC2-Bedrock-Access.",
    ],
    [
      "a session policy",
      `${WHO} is not authorized to perform: ${ACTION} on resource: ${PROFILE} because no session policy allows the ${ACTION} action`,
      "no session policy allows it.",
      "Assume the role again with a session policy that allows",
    ],
    [
      "a session policy, as AWS's page spells it",
      `${WHO} is not authorized to perform: ${ACTION} on resource: ${PROFILE} with an explicit deny in a sessions policy`,
      "a session policy denies it explicitly.",
      "Assume the role again",
    ],
    [
      "a VPC endpoint policy",
      `${WHO} is not authorized to perform: ${ACTION} on resource: ${PROFILE} because no VPC endpoint policy allows the ${ACTION} action`,
      "no VPC endpoint policy allows it.",
      "aws ec2 describe-vpc-endpoints",
    ],
    [
      "a VPC endpoint policy that denies",
      `${WHO} is not authorized to perform: ${ACTION} on resource: ${PROFILE} with an explicit deny in a VPC endpoint policy`,
      "a VPC endpoint policy denies it explicitly.",
      "aws ec2 describe-vpc-endpoints",
    ],
    [
      "a resource-based policy",
      `${WHO} is not authorized to perform: bedrock:ApplyGuardrail on resource: arn:aws:bedrock:us-east-1:1:guardrail/abc with an explicit deny in a resource-based policy`,
      "a resource-based policy denies it explicitly.",
      "Allow bedrock:ApplyGuardrail in the policy of arn:aws:bedrock:us-east-1:1:guardrail/abc.",
    ],
    [
      "a role trust policy",
      `${WHO} is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::1:role/Admin because no role trust policy allows the sts:AssumeRole action`,
      "no role trust policy allows it.",
      "in the trust policy of arn:aws:iam::1:role/Admin.",
    ],
    [
      "no reason at all",
      `${WHO} is not authorized to perform: ${ACTION} on resource: ${PROFILE}`,
      `These credentials may not call ${ACTION} on ${PROFILE}.`,
      "openclaw iam policy",
    ],
    [
      "a reason of a kind that is not known",
      `${WHO} is not authorized to perform: sts:GetCallerIdentity with an explicit deny`,
      "These credentials may not call sts:GetCallerIdentity: a policy denies it explicitly.",
      "Lift the Deny of sts:GetCallerIdentity",
    ],
  ])("by %s is told with action, resource and policy", (_, message, says, hint) => {
    const denial = readDenial(message);
    if (!denial) throw new Error("It was not read.");
    expect(describeDenial(denial)).toContain(says);
    expect(adviseDenial(denial, "key AKIA…MPLE")).toContain(hint);
  });

  it.each([
    [
      "User: arn:aws:iam::123456789012:user/ops/jane is not authorized to perform: bedrock:X",
      "the user ops/jane",
    ],
    [
      "User: arn:aws:sts::123456789012:federated-user/jane is not authorized to perform: bedrock:X",
      "arn:aws:sts::123456789012:federated-user/jane",
    ],
    ["You are not authorized to perform: bedrock:X", "key AKIA…MPLE"],
  ])("%s", (message, who) => {
    const denial = readDenial(message);
    if (!denial) throw new Error("It was not read.");
    expect(adviseDenial(denial, "key AKIA…MPLE")).toContain(`Allow bedrock:X to ${who};`);
  });

  it.each(["Authentication failed: Please make sure your API Key is valid.", "Access denied.", ""])(
    "is not read into %j",
    (message) => expect(readDenial(message)).toBeUndefined(),
  );
});

describe("what to do about a denial", () => {
  const NOVA = "amazon.nova-premier-v1:0";
  const actionsFor = (purposes: readonly Purpose[]): string[] => {
    const model = { id: NOVA, region: "us-east-1", api: undefined, discovered: undefined };
    const policy = buildPolicy({
      purposes,
      account: { id: "123456789012", partition: "aws" },
      isDiscoveryOn: true,
      looksUp: true,
      models: [model],
      embedders: [model],
      mantleRegion: "us-east-1",
      asked: [],
      guardrail: "abc",
      usesApiKey: true,
    });
    return policy.Statement.flatMap(({ Action }) => Action);
  };
  const advice = (action: string): string => adviseDenial({ action, isExplicit: false }, "the user u");
  const usual = actionsFor(NEEDED_PURPOSES);

  it.each(PURPOSES.filter((purpose) => !NEEDED_PURPOSES.includes(purpose)))(
    "names a policy that allows each action of --for %s",
    (purpose) => {
      const own = actionsFor([purpose]).filter((action) => !usual.includes(action));
      expect(own.length).toBeGreaterThan(0);
      for (const action of own) {
        const [, named] = /openclaw iam policy --for (\w+)/.exec(advice(action)) ?? [];
        const known = PURPOSES.find((other) => other === named);
        expect(known && actionsFor([known]), action).toContain(action);
      }
    },
  );

  it("names the key of a bucket where S3 may not use it, and no batch where that is not what was called", () => {
    const denial = {
      action: "kms:Decrypt",
      resource: "arn:aws:kms:us-east-1:123456789012:key/1",
      isExplicit: false,
    };
    expect(adviseDenial(denial, "the user u", "s3:GetObject")).toBe(
      `Allow kms:Decrypt to the user u: openclaw iam policy --for batch --s3 s3://BUCKET/PREFIX --kms-key ${denial.resource}`,
    );
    expect(adviseDenial(denial, "the user u", "bedrock:InvokeModel")).toBe(
      "Allow kms:Decrypt in the IAM policy of the user u.",
    );
  });

  it("names the usual policy for what that allows", () => {
    for (const action of usual) expect(advice(action)).toMatch(/: openclaw iam policy$/);
  });
});
