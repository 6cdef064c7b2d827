import { parseArn } from "../../aws/arn.ts";
import { parseJobPlace } from "../../batch/jobs/job-place.ts";
import { eachOnce } from "../../each-once.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import {
  type BatchNeeds,
  buildPolicy,
  NEEDED_PURPOSES,
  type PolicyDocument,
  PURPOSES,
  type Purpose,
} from "../../iam/policy.ts";
import { surveyNeeds } from "../../iam/survey-needs.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { withSpinner } from "../../terminal/spinner.ts";

export interface PolicyOptions extends GlobalOptions {
  /** Purposes, by commas. */
  for?: string;
  /** `s3://BUCKET/PREFIX` of jobs. */
  s3?: string;
  /** ARN of the role of jobs. */
  role?: string;
  /** ARN of the key of their bucket. */
  kmsKey?: string;
}

/** The most characters of a managed policy, white space not counted: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MOST_CHARACTERS = 6144;

const CHOOSE_EMBEDDER =
  "Choose one from `openclaw models list --embeddings`, then: openclaw config set agents.defaults.embeddingModel MODEL";

/**
 * Prints the least-privilege IAM policy for what the configuration leads to, ready for the AWS CLI. Throws `usage` for a
 * purpose that there is none of, `no-default-model` when there is nothing to allow.
 */
export async function run(options: PolicyOptions, runtime: Runtime): Promise<void> {
  const purposes = parsePurposes(options.for, runtime);
  const batch = readBatch(options, purposes);
  const { terminal } = runtime;
  const { needs, warnings } = await withSpinner(runtime, "Asking AWS", () =>
    surveyNeeds(options, runtime, purposes),
  );
  const policy = buildPolicy({ ...needs, batch });
  // Asked for by name it is missed; by default an account may well embed nothing.
  const lacksEmbedder =
    options.for !== undefined && purposes.includes("embed") && needs.embedders.length === 0;
  if (policy.Statement.length === 0) {
    const isForEmbed = purposes.every((purpose) => purpose === "embed");
    throw new OpenclawError("no-default-model", {
      message: `No model is configured, so there is nothing to allow for ${purposes.join(" and ")}.`,
      hint: isForEmbed
        ? CHOOSE_EMBEDDER
        : "Choose one from `openclaw models list`, then: openclaw models set MODEL",
    });
  }
  if (terminal.format === "json") await terminal.printJson(policy);
  else await terminal.printDocument(policy);
  const told = namesAnyAccount(policy) ? warnings : warnings.filter(({ code }) => code !== "account-unknown");
  for (const { message, hint } of told) await terminal.warn(message, hint);
  const isNoneCalled = needs.models.length === 0 && needs.mantleRegion === undefined;
  if (isNoneCalled && purposes.some((purpose) => ["chat", "serve", "batch", "web"].includes(purpose))) {
    await terminal.warn(
      "No model is configured, so the policy lets none be called.",
      "openclaw models set MODEL",
    );
  }
  if (lacksEmbedder)
    await terminal.warn(
      "No model for embeddings is configured, so the policy lets none be called.",
      CHOOSE_EMBEDDER,
    );
  if (purposes.includes("batch") && batch?.role === undefined)
    await terminal.warn(
      batch === undefined
        ? "No bucket is named, so the policy is for `batch run` alone, and not for jobs."
        : "No role is named, so the policy lets none be handed to Amazon Bedrock.",
      "openclaw iam policy --for batch --s3 s3://BUCKET/PREFIX --role ARN",
    );
  if (lengthOf(policy) > MOST_CHARACTERS) {
    await terminal.warn(
      `The policy has ${lengthOf(policy)} characters; a managed policy may have ${MOST_CHARACTERS}.`,
      "Attach it as an inline policy of the role: aws iam put-role-policy",
    );
  }
}

/** Whether it has resources of whichever account. */
function namesAnyAccount(policy: PolicyDocument): boolean {
  return /"arn:[^:"]*:[^:"]*:[^:"]*:\*:/.test(JSON.stringify(policy));
}

/** Where jobs read and write. Throws `usage` for what no policy can name. */
function readBatch(
  { s3, role, kmsKey }: PolicyOptions,
  purposes: readonly Purpose[],
): BatchNeeds | undefined {
  const given = Object.entries({ "--s3": s3, "--role": role, "--kms-key": kmsKey }).filter(
    ([, value]) => value !== undefined,
  );
  const [flag = ""] = given[0] ?? [];
  if (given.length > 0 && !purposes.includes("batch"))
    throw usageError(`${flag} is for the jobs of batch.`, "openclaw iam policy --for batch");
  if (s3 === undefined && given.length > 0)
    throw usageError(
      `${flag} is for the jobs of a bucket, and none is named.`,
      "openclaw iam policy --for batch --s3 s3://BUCKET/PREFIX",
    );
  if (role !== undefined && parseArn(role)?.service !== "iam")
    throw usageError(`--role '${role}' is no ARN of a role.`, "openclaw batch role --s3 s3://BUCKET/PREFIX");
  if (kmsKey !== undefined && !/^arn:[^:]+:kms:[^:]+:\d+:key\//.test(kmsKey))
    throw usageError(
      `--kms-key '${kmsKey}' is no ARN of a key: a policy names none otherwise.`,
      "aws kms describe-key --key-id KEY --query KeyMetadata.Arn",
    );
  return s3 === undefined ? undefined : { ...parseJobPlace(s3), role, kmsKey };
}

function parsePurposes(text: string | undefined, runtime: Runtime): Purpose[] {
  if (text === undefined) return [...NEEDED_PURPOSES];
  const parts = text.split(",").map((part) => part.trim());
  return eachOnce(parts, "--for", runtime).map((part) => {
    const known = PURPOSES.find((purpose) => purpose === part);
    if (known) return known;
    throw usageError(`--for '${text}' names '${part}'.`, `It takes ${PURPOSES.join(", ")}, by commas.`);
  });
}

function lengthOf(policy: PolicyDocument): number {
  return JSON.stringify(policy).length;
}
