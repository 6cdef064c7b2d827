import type { Environment } from "../runtime.ts";
import type { InstanceAnswer } from "./imds.ts";
import { maskKeyId } from "./mask.ts";
import type { ChainStep, Chosen } from "./chosen.ts";
import { type ProfileSource, type RoleBase, startOf } from "./profile-source.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

/** Says what a profile takes its credentials from, without secrets: "role `Admin`, assumed with profile base". */
export function describeProfileSource(source: ProfileSource): string {
  switch (source.kind) {
    case "static":
      return `key ${maskKeyId(source.accessKeyId)}${source.hasSessionToken ? " with session token" : ""}`;
    case "assume-role":
      return `role \`${roleName(source.roleArn)}\`, assumed with ${describeBase(source.from, source.profile)}${source.mfaSerial ? " and MFA" : ""}`;
    case "web-identity":
      return `role \`${roleName(source.roleArn)}\`, web identity token from ${source.tokenFile}`;
    case "process":
      return `credential_process ${source.program}`;
    case "sso":
      return `IAM Identity Center${source.session ? ` session \`${source.session}\`` : ""}, account ${source.accountId}, role \`${source.roleName}\``;
    case "login":
      return `aws login session`;
    case "none":
      return "no credentials in it";
    case "invalid":
      return source.message;
  }
}

function describeBase(base: RoleBase, role: string): string {
  switch (base.kind) {
    case "Environment":
      return "the environment's keys";
    case "Ec2InstanceMetadata":
      return "the EC2 instance role";
    case "EcsContainer":
      return "the container's role";
    default:
      return base.profile === role
        ? "its own keys"
        : `profile ${base.profile} (${describeProfileSource(base)})`;
  }
}

/** The name in a role's ARN, with its path; any other text as it is. */
function roleName(arn: string): string {
  return /:role\/(.+)$/.exec(arn)?.[1] ?? arn;
}

/** Says what a step of the default chain is, before anybody was asked. */
export function describeStep(step: Exclude<ChainStep, "shared-config">, env: Environment): string {
  switch (step) {
    case "web-identity":
      return `role \`${roleName(env["AWS_ROLE_ARN"] ?? "")}\`, web identity token from ${env["AWS_WEB_IDENTITY_TOKEN_FILE"] ?? ""}`;
    case "container":
      return describeContainer(env);
    case "instance-metadata":
      return "EC2 instance metadata";
    case "none":
      return "nothing in shared config, web identity or container; instance metadata is off (AWS_EC2_METADATA_DISABLED)";
  }
}

function describeContainer(env: Environment): string {
  const relative = env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];
  if (relative) return "ECS task role, from the container credentials endpoint";
  const full = env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] ?? "";
  const host = URL.canParse(full) ? new URL(full).host : full;
  const isEks = /^(169\.254\.170\.23|\[fd00:ec2::23\])$/.test(host);
  return isEks ? "EKS pod identity" : `container credentials from ${host}`;
}

/** Says what the instance metadata service answered: "EC2 instance role `EC2-Bedrock-Access`, IMDSv2". */
export function describeInstance(answer: InstanceAnswer): string {
  switch (answer.status) {
    case "role":
      return `EC2 instance role \`${answer.role}\`, ${answer.version}`;
    case "no-role":
      return `EC2 instance without a role (${answer.version})`;
    default:
      return answer.reason;
  }
}

const ANOTHER_SERVER =
  "Check AWS_EC2_METADATA_SERVICE_ENDPOINT; on a machine that is no EC2 instance: export AWS_EC2_METADATA_DISABLED=true";

/** What to do about an instance that gives no credentials; undefined where this is not an instance. */
export function adviseInstance(answer: InstanceAnswer): string | undefined {
  switch (answer.status) {
    case "no-role":
      return "Attach a role: aws ec2 associate-iam-instance-profile --instance-id ID --iam-instance-profile Name=NAME";
    case "silent":
      return "In a container on EC2, raise the hop limit: aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2";
    case "failed":
      return answer.code === "bad-response" ? ANOTHER_SERVER : "Try again in a minute.";
    case "misnamed":
      return answer.error.hint;
    case "refused":
      // What it answers where it is turned off: https://repost.aws/knowledge-center/ec2-linux-metadata-retrieval
      if (answer.statusCode !== 403) return ANOTHER_SERVER;
      return "Turn instance metadata on: aws ec2 modify-instance-metadata-options --instance-id ID --http-endpoint enabled";
    default:
      return undefined;
  }
}

/** Says what was chosen, for a line of its own: "key AKIA…WXYZ from the environment". */
export function describeChosen(chosen: Chosen, instance?: InstanceAnswer): string {
  switch (chosen.source) {
    case "AWS_BEARER_TOKEN_BEDROCK":
      return "Bedrock API key from the environment";
    case "AWS_ACCESS_KEY_ID":
      return `key ${maskKeyId(chosen.accessKeyId)} from the environment${chosen.hasSessionToken ? ", with session token" : ""}`;
    case "AWS_PROFILE":
      return `${chosen.viaFlag ? "--profile" : "profile"} ${chosen.profile}: ${describeProfileSource(chosen.from)}`;
    case "default-chain":
      if (chosen.step === "shared-config") return `profile default: ${describeProfileSource(chosen.from)}`;
      if (chosen.step === "instance-metadata" && instance) return describeInstance(instance);
      return chosen.detail;
    case "invalid":
      return chosen.error.message;
  }
}

/** The one thing to do when the chosen credentials have expired or are rejected, as a command where there is one. */
export function renewalOf(chosen: Chosen): string {
  switch (chosen.source) {
    case "AWS_BEARER_TOKEN_BEDROCK":
      return "Create a new Bedrock API key and set it: export AWS_BEARER_TOKEN_BEDROCK=…";
    case "AWS_ACCESS_KEY_ID":
      return chosen.hasSessionToken
        ? "Get a new key pair and session token, and set all three: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN."
        : "Check the key pair, and set both: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.";
    case "invalid":
      return chosen.error.hint ?? "openclaw doctor";
    default:
      return "from" in chosen ? renewProfile(chosen.from) : renewStep(chosen.step);
  }
}

function renewStep(step: Exclude<ChainStep, "shared-config">): string {
  switch (step) {
    case "web-identity":
      return "Renew the web identity token in the file that AWS_WEB_IDENTITY_TOKEN_FILE names.";
    case "container":
    case "instance-metadata":
      return "The role's credentials renew themselves; check that the role still exists, then: openclaw doctor";
    case "none":
      return "openclaw doctor";
  }
}

function renewProfile(source: ProfileSource): string {
  const start = startOf(source);
  switch (start.kind) {
    case "sso":
      return `aws sso login --profile ${quoteForShell(start.profile)}`;
    case "login":
      return `aws login --profile ${quoteForShell(start.profile)}`;
    case "static":
      return start.hasSessionToken
        ? `Get new credentials and write them: aws configure set aws_session_token TOKEN --profile ${quoteForShell(start.profile)}`
        : `Check the key pair: aws configure --profile ${quoteForShell(start.profile)}`;
    case "process":
      return `Sign in again with what ${start.program} asks for, then: openclaw doctor`;
    case "web-identity":
      return `Renew the web identity token in ${start.tokenFile}.`;
    default:
      return "openclaw doctor";
  }
}
