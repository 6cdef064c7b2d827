import { adviseInstance } from "../credentials/describe.ts";
import type { InstanceAnswer } from "../credentials/imds.ts";
import type { CredentialDecision } from "../credentials/order.ts";
import type { CredentialReport } from "../credentials/report.ts";
import { OpenclawError } from "../errors.ts";
import { type Check, fail, ok, type Outcome, warn } from "./check.ts";
import type { Examination } from "./examination.ts";

/** Which credential source signs, and what stands in its way. */
export const credentialsCheck: Check<Examination> = {
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
  const { chosen, findings } = decision;
  if (chosen.source === "invalid") return fail(chosen.error);
  if (report.source === "none") {
    return fail(
      new OpenclawError("no-credentials", {
        message: `No AWS credentials were found: none of the four sources below has any (${report.detail}).`,
        hint:
          (instance && adviseInstance(instance)) ??
          "Set some up with: aws configure   (on EC2, attach an instance role)",
      }),
    );
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
