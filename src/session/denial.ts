import { parseArn } from "../aws/arn.ts";
import { OpenclawError } from "../errors.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

export interface Denial {
  /** Who was denied, in words: `the role EC2-Bedrock-Access`; undefined where AWS does not tell. */
  principal?: string | undefined;
  action: string;
  resource?: string | undefined;
  /** The kind of policy that decided, in AWS's words: `service control policy`; undefined where AWS does not tell. */
  policy?: PolicyKind | undefined;
  /** Whether a policy forbids the call; otherwise simply nothing allows it. */
  isExplicit: boolean;
  policyArn?: string | undefined;
}

const POLICY_KINDS = [
  "identity-based policy",
  "resource-based policy",
  "service control policy",
  "resource control policy",
  "permissions boundary",
  "session policy",
  "VPC endpoint policy",
  "role trust policy",
] as const;

export type PolicyKind = (typeof POLICY_KINDS)[number];

// AWS's page spells one of its examples "sessions policy".
const KIND = `(${POLICY_KINDS.join("|").replace("session policy", "sessions? policy")})`;
const EXPLICIT = new RegExp(`explicit deny in (?:an?|the) ${KIND}(?:: *(arn:\\S+))?`, "i");
const IMPLICIT = new RegExp(`because no ${KIND} allows`, "i");

/**
 * Reads IAM's denial: `User: … is not authorized to perform: ACTION on resource: ARN because no KIND allows the ACTION
 * action`, or `… with an explicit deny in a KIND: ARN`. Undefined for a message of any other form. The wordings are those of
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html.
 */
export function readDenial(message: string): Denial | undefined {
  const match = /not authorized to perform:? ([\w-]+:[\w*]+)(?:\s+on resource:? "?([^\s"]+))?/i.exec(message);
  if (!match?.[1]) return undefined;
  const explicit = EXPLICIT.exec(message);
  const kind = explicit?.[1] ?? IMPLICIT.exec(message)?.[1];
  return {
    principal: principalOf(message),
    action: match[1],
    resource: withoutStop(match[2]),
    policy: POLICY_KINDS.find(
      (known) => known.toLowerCase() === kind?.toLowerCase().replace("sessions", "session"),
    ),
    isExplicit: explicit !== null || /explicit deny/i.test(message),
    policyArn: withoutStop(explicit?.[2]),
  };
}

/** The error for an action of a service that takes no Bedrock API key. `command` is this one with other credentials. */
export function notForApiKey(action: string, command: string): OpenclawError {
  return new OpenclawError("access-denied", {
    message: `A Bedrock API key opens Amazon Bedrock only, and does not allow ${action}.`,
    hint: `Name AWS credentials for this: ${command}`,
    details: { action },
  });
}

/** Says what was denied, on what and by which kind of policy, in one sentence. */
export function describeDenial({ action, resource, policy, isExplicit, policyArn }: Denial): string {
  const on = resource === undefined || resource === "*" ? "" : ` on ${resource}`;
  const what = `These credentials may not call ${action}${on}`;
  if (!policy) return isExplicit ? `${what}: a policy denies it explicitly.` : `${what}.`;
  if (!isExplicit) return `${what}: no ${policy} allows it.`;
  const article = policy.startsWith("identity") ? "an" : "a";
  return `${what}: ${article} ${policy} denies it explicitly${policyArn ? ` (${policyArn})` : ""}.`;
}

/**
 * What jobs do. S3 asks of a key for whoever calls it, as they do:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuAndPermissions.html
 */
const IS_OF_JOBS = /^s3:|^bedrock:\w+ModelInvocationJobs?$/;

/** What `openclaw iam policy` allows only where its `--for` names it. */
const EXTRA_POLICIES: readonly (readonly [command: string, actions: RegExp])[] = [
  ["openclaw batch role --s3 s3://BUCKET/PREFIX has the statement", /^iam:PassRole$/],
  ["openclaw iam policy --for batch --s3 s3://BUCKET/PREFIX", IS_OF_JOBS],
  ["openclaw iam policy --for quota", /^(?:servicequotas|cloudwatch):/],
  [
    "openclaw iam policy --for access",
    /^bedrock:(?:Put(?:UseCaseForModelAccess|AccountDataRetention)|CreateFoundationModelAgreement|ListFoundationModelAgreementOffers)$|^aws-marketplace:(?:Subscribe|ViewSubscriptions)$/,
  ],
  ["openclaw iam policy --for web", /^bedrock:InvokeTool$/],
];

/**
 * The one thing to do about a denial. `credentials` says whose policy it is where AWS does not, in words; `called` is the
 * action that was tried, which another one may be denied for.
 */
export function adviseDenial(denial: Denial, credentials: string, called = denial.action): string {
  const { action, policy, isExplicit } = denial;
  const principal = denial.principal ?? credentials;
  switch (policy) {
    case "service control policy":
    case "resource control policy":
      return `Ask whoever administers your AWS organization to let its ${policy.replace(/y$/, "ies")} allow ${action}${placeOf(denial)}.`;
    case "permissions boundary":
      return `Allow ${action} in the permissions boundary of ${principal}.`;
    case "session policy":
      return `Assume the role again with a session policy that allows ${action}, or with none.`;
    case "VPC endpoint policy":
      return `Allow ${action} in the policy of the VPC endpoint: aws ec2 describe-vpc-endpoints --query "VpcEndpoints[].[VpcEndpointId,ServiceName]"`;
    case "resource-based policy":
      return `Allow ${action} in the policy of ${denial.resource ?? "the resource"}.`;
    case "role trust policy":
      return `Allow ${action} to these credentials in the trust policy of ${denial.resource ?? "the role"}.`;
    default: {
      if (isExplicit) return `Lift the Deny of ${action} in the IAM policies of ${principal}.`;
      const command =
        action.startsWith("kms:") && IS_OF_JOBS.test(called) ? keyPolicy(denial) : extraPolicy(action);
      if (command !== undefined) return `Allow ${action} to ${principal}: ${command}`;
      return /^bedrock(-mantle)?:/.test(action)
        ? `Allow ${action} to ${principal}; a policy with all that is needed: openclaw iam policy`
        : `Allow ${action} in the IAM policy of ${principal}.`;
    }
  }
}

function extraPolicy(action: string): string | undefined {
  const [command] = EXTRA_POLICIES.find(([, actions]) => actions.test(action)) ?? [];
  return command;
}

function keyPolicy({ resource = "ARN" }: Denial): string {
  return `openclaw iam policy --for batch --s3 s3://BUCKET/PREFIX --kms-key ${quoteForShell(resource)}`;
}

/** Where a policy has to allow the call: an inference profile's models are called in other regions, too. */
function placeOf({ resource }: Denial): string {
  const arn = resource === undefined ? undefined : parseArn(resource);
  if (arn?.resourceType !== "foundation-model") return "";
  // https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
  return arn.region === "" ? ' where aws:RequestedRegion is "unspecified"' : ` in ${arn.region}`;
}

/** The role or user of `User: arn:aws:sts::123456789012:assumed-role/NAME/SESSION is not authorized`. */
function principalOf(message: string): string | undefined {
  const arn = /User: (arn:\S+) is not authorized/i.exec(message)?.[1];
  const role = /:assumed-role\/([^/]+)\//.exec(arn ?? "")?.[1];
  if (role) return `the role ${role}`;
  const user = /:user\/(\S+)$/.exec(arn ?? "")?.[1];
  return user ? `the user ${user}` : arn;
}

function withoutStop(text: string | undefined): string | undefined {
  return text?.replace(/[.,;:]+$/, "");
}
