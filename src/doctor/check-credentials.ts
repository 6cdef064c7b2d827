import type { InstanceAnswer } from "../credentials/imds.ts";
import { explainChosen } from "../credentials/findings.ts";
import { noCredentials } from "../credentials/no-credentials.ts";
import type { CredentialDecision } from "../credentials/order.ts";
import type { CredentialReport } from "../credentials/report.ts";
import type { ErrorCode } from "../errors.ts";
import { toOpenclawError } from "../session/aws-errors.ts";
import { type Check, fail, ok, type Outcome, skip, warn } from "./check.ts";
import { count } from "../terminal/numbers.ts";
import type { Examination } from "./examination.ts";

/** Which credential source signs, and what stands in its way. */
const credentialsCheck: Check<Examination> = {
  id: "credentials",
  title: "credential order",
  needs: [],
  hint: "aws configure",
  run: async ({ setup, credentials, instance }) => {
    const { decision } = await setup();
    return judgeCredentials(decision, await credentials(), await instance());
  },
};

/** Judges a decision and what the instance answered, where it was asked. */
function judgeCredentials(
  decision: CredentialDecision,
  report: CredentialReport,
  instance: InstanceAnswer | undefined,
): Outcome {
  const broken = explainChosen(decision);
  if (broken) return fail(broken);
  const { findings } = report;
  if (report.source === "none") {
    const general = "No AWS credentials were found: none of the four sources below has any";
    return fail(noCredentials(decision, report.detail, { instance, general }));
  }
  const detail = `${report.source}: ${report.detail}`;
  const [first] = findings;
  if (first) return warn([`${detail}.`, ...findings.map(({ message }) => message)].join(" "), first.hint);
  if (instance?.status === "role" && instance.version === "IMDSv1") {
    return warn(
      `${detail}; the tokens of IMDSv2 do not come through`,
      "Raise the hop limit: aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2",
    );
  }
  return ok(detail);
}

/** Failures that say something about the way to STS and nothing about the credentials: Bedrock may work all the same. */
const STS_ONLY: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "network",
  "timeout",
  "bad-response",
  "service-unavailable",
  "throttled",
  "access-denied",
]);

/** Who the credentials belong to, by sts:GetCallerIdentity. */
const identityCheck: Check<Examination> = {
  id: "identity",
  title: "identity",
  needs: ["credentials", "region"],
  hint: "aws sts get-caller-identity",
  run: async (examination) => {
    const identity = await examination.identity();
    if (identity === undefined)
      return skip("a Bedrock API key works for Bedrock only; STS cannot be asked who it belongs to");
    const session = await examination.session();
    const origin = identity.cacheFile === undefined ? "" : "from the AWS CLI's cache";
    const kept = origin + expiryText(identity.expiration, examination.runtime.now());
    try {
      const { arn = "an identity without ARN" } = await examination.caller();
      return ok(origin === "" ? `${arn}${kept}` : `${arn}, ${kept}`);
    } catch (failure) {
      const error = toOpenclawError(failure, { session, action: "sts:GetCallerIdentity" });
      return STS_ONLY.has(error.code)
        ? warn(
            `STS cannot be asked: ${error.message}${origin === "" ? "" : ` The credentials are ${kept}.`}`,
            error.hint,
          )
        : fail(error);
    }
  },
};

function expiryText(expiration: Date | undefined, now: number): string {
  if (expiration === undefined) return "";
  const minutes = Math.round((expiration.getTime() - now) / 60_000);
  return minutes < 120
    ? `, for ${count(minutes, "more minute")}`
    : `, for ${Math.round(minutes / 60)} more hours`;
}

/** What is asked of credentials, in the order in which it is shown. */
export const credentialsChecks = [credentialsCheck, identityCheck];
