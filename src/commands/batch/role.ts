import { parseArn } from "../../aws/arn.ts";
import { partitionOfRegion } from "../../aws/partition.ts";
import { openSessionFor } from "../../batch/jobs/find-job.ts";
import { parseJobPlace } from "../../batch/jobs/job-place.ts";
import { roleCommands, type RoleNeeds, rolePolicies } from "../../batch/jobs/role-policies.ts";
import { surveyNamed } from "../../discovery/name-model.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import { type Account, type ModelResources, resourcesOf } from "../../iam/model-resources.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { toOpenclawError } from "../../session/aws-errors.ts";
import type { AwsSession } from "../../session/session.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { withSpinner } from "../../terminal/spinner.ts";
import { readKmsKey, readOwner } from "./submit.ts";

export interface RoleOptions extends GlobalOptions {
  s3?: string;
  /** Of the role. */
  name: string;
  model?: string;
  kmsKey?: string;
  bucketOwner?: string;
}

/** Stands for an account that nobody could tell. */
const SOME_ACCOUNT = "123456789012";

/**
 * Prints what makes the role that jobs need for a bucket: its trust policy, what it may do there, and the right to pass it on, as
 * shell commands or with --json as documents. Makes nothing itself. Throws `usage`, and the errors of naming a model.
 */
export async function run(options: RoleOptions, runtime: Runtime): Promise<void> {
  const { s3, name } = options;
  const { terminal } = runtime;
  if (s3 === undefined)
    throw usageError(
      "There is no --s3: the role is for a bucket.",
      "openclaw batch role --s3 s3://BUCKET/PREFIX",
    );
  if (!/^[\w+=,.@-]{1,64}$/.test(name))
    throw usageError(
      `--name '${name}' is no name of a role.`,
      "Use at most 64 letters, digits and the characters _+=,.@-",
    );
  const place = parseJobPlace(s3);
  const bucketOwner = readOwner(options.bucketOwner);
  const key = readKmsKey(options.kmsKey);
  const session = await openSessionFor(options, runtime);
  try {
    const region = session.region.value;
    const account = await findAccount(session);
    const model =
      options.model === undefined ? undefined : await findResources(options.model, account, options, runtime);
    const needs: RoleNeeds = {
      account,
      region,
      place,
      role: name,
      bucketOwner,
      model,
      kmsKey: key === undefined || parseArn(key) ? key : keyArn(key, region, account),
    };
    const policies = rolePolicies(needs);
    if (terminal.format === "json") await terminal.printJson({ roleName: name, region, ...policies });
    else await terminal.print(terminal.completeCommands(roleCommands(policies, needs)));
    if (key?.startsWith("alias/"))
      await terminal.warn(
        "A policy cannot name a key by its alias.",
        `Put the key's own ARN in its place: aws kms describe-key --key-id ${quoteForShell(key)} --query KeyMetadata.Arn`,
      );
  } finally {
    session.close();
  }
}

function keyArn(key: string, region: string, { partition, id }: Account): string {
  const name = key.includes("/") ? key : `key/${key}`;
  return `arn:${partition}:kms:${region}:${id}:${name}`;
}

/** The account of the credentials, by STS; a made-up one, with a warning, where nobody can tell. */
async function findAccount(session: AwsSession): Promise<Account> {
  const { terminal } = session.setup.runtime;
  const partition = partitionOfRegion(session.region.value);
  const { askCallerIdentity } = await import("../../session/caller-identity.ts");
  try {
    const { account } = await withSpinner(session.setup.runtime, "Asking AWS for the account", () =>
      askCallerIdentity(session),
    );
    if (account !== undefined) return { partition, id: account };
  } catch (failure) {
    const error = toOpenclawError(failure, { session, action: "sts:GetCallerIdentity" });
    if (error.code === "interrupted") throw error;
    await terminal.warn(
      `The account is not known, so ${SOME_ACCOUNT} stands for it: ${error.message}`,
      error.hint,
    );
  }
  return { partition, id: SOME_ACCOUNT };
}

/** What a model's jobs call: an inference profile, and the models behind it. */
async function findResources(
  text: string,
  account: Account,
  options: GlobalOptions,
  runtime: Runtime,
): Promise<ModelResources> {
  const { survey, wanted } = await surveyNamed(text, options, runtime);
  const { discovered, region } = survey.load;
  if (region === undefined)
    throw new OpenclawError("model-not-found", {
      message: `The region of '${text}' is not known.`,
      hint: "Name it beside: --region us-east-1",
    });
  return resourcesOf({ id: wanted.id, region, discovered }, account);
}
