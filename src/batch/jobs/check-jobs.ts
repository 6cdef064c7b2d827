import { quotaOfJobs } from "../../discovery/survey-quotas.ts";
import { type Check, fail, failAs, ok, type Outcome, skip, warn } from "../../doctor/check.ts";
import type { Examination } from "../../doctor/examination.ts";
import { OpenclawError } from "../../errors.ts";
import { listedBase } from "../../models/listed-id.ts";
import { isAtRuntime } from "../../models/provider-api.ts";
import { type ResolvedModel, targetOf } from "../../models/resolve-model.ts";
import { toOpenclawError } from "../../session/aws-errors.ts";
import type { AwsSession } from "../../session/session.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { isOver, listJobs } from "./job.ts";
import { folderOf, parseJobPlace, parseRole, placeInHint, withPlace } from "./job-place.ts";
import { jobLimitsOf } from "./line-rules.ts";
import { outOfRegion } from "./submit-job.ts";

interface MeantJobs {
  /** `s3://BUCKET/PREFIX`. */
  s3: string;
  /** ARN; undefined where there is none yet. */
  role: string | undefined;
}

/** So many of the latest jobs are looked at. */
const MOST_JOBS = 1000;
/** So many unfinished ones are named. */
const MOST_NAMED = 5;

/**
 * What `doctor` asks before jobs of batch inference are submitted: their bucket, their role, what a job of the default model
 * takes, and which jobs are not over. Throws `usage` for a place or a role that is none.
 */
export function jobChecks({ s3, role: roleArn }: MeantJobs): Check<Examination>[] {
  const place = parseJobPlace(s3, "--batch");
  const role = roleArn === undefined ? undefined : parseRole(roleArn);
  const folder = folderOf(place);
  const makesRole = `openclaw batch role --s3 ${quoteForShell(folder)}`;
  const check = (id: string, title: string, needs: readonly string[], run: Check<Examination>["run"]) => ({
    id,
    title,
    needs,
    hint: `openclaw iam policy --for batch --s3 ${quoteForShell(folder)}`,
    run: async (examination: Examination): Promise<Outcome> => {
      try {
        const outcome = await run(examination);
        if (!("hint" in outcome) || outcome.hint === undefined) return outcome;
        return { ...outcome, hint: placeInHint(outcome.hint, place) };
      } catch (failure) {
        if (!(failure instanceof OpenclawError) || failure.code === "interrupted") throw failure;
        return fail(withPlace(failure, place));
      }
    },
  });
  return [
    check("batch-bucket", "batch bucket", ["config", "credentials", "region"], async (examination) => {
      const { session } = await calledBy(examination);
      return judgeBucket(place.bucket, session);
    }),
    check("batch-role", "batch role", ["credentials", "region"], async (examination) =>
      role === undefined
        ? skip(`none is named with --role; what makes one: ${makesRole}`)
        : judgeRole(role, makesRole, examination),
    ),
    check("batch-model", "batch model", ["default-model"], judgeModel),
    check("batch-jobs", "batch jobs", ["credentials", "region", "network"], async (examination) =>
      tellJobs((await calledBy(examination)).session),
    ),
  ];
}

/** The model that a job asks where none is named, and the session of its region. */
async function calledBy(
  examination: Examination,
): Promise<{ model: ResolvedModel | undefined; session: AwsSession }> {
  const first = (await examination.bedrockModels()).find(({ model }) => isAtRuntime(model));
  return first ?? { model: undefined, session: await examination.session() };
}

async function judgeBucket(bucket: string, session: AwsSession): Promise<Outcome> {
  const { ObjectStore } = await import("../../session/object-store.ts");
  const store = await ObjectStore.open(session, { name: bucket });
  try {
    const { region, refusal } = await store.head();
    if (region !== undefined && region !== session.region.value)
      return fail(outOfRegion(bucket, region, session));
    return refusal ? fail(refusal) : ok(`${bucket}, in ${region ?? "a region that S3 does not tell"}`);
  } finally {
    store.close();
  }
}

/**
 * A role is handed on within its own account only: https://repost.aws/knowledge-center/iam-passrole-error.
 * What it allows would take iam:GetRole, which who submits need not have, and is read by AWS with each job.
 */
async function judgeRole(
  { arn, account }: { arn: string; account: string },
  makesRole: string,
  examination: Examination,
): Promise<Outcome> {
  const whose = await ownAccount(examination);
  if (whose instanceof OpenclawError)
    return warn(`${arn}; whether it is of this account is not known: ${whose.message}`, whose.hint);
  if (whose !== account)
    return failAs(
      "invalid-request",
      `The role ${arn} is of the account ${account}, and these credentials are of ${whose}, which cannot hand it on.`,
      `Name a role of ${whose}; what makes one: ${makesRole}`,
    );
  return ok(
    `${arn}, of this account; whether it is there, and what it allows, is not looked up (iam:GetRole). What it needs: ${makesRole}`,
  );
}

/** The account of the credentials, or why nobody tells. */
async function ownAccount(examination: Examination): Promise<string | OpenclawError> {
  const unknown = (message: string): OpenclawError => new OpenclawError("bad-response", { message });
  if ((await examination.identity()) === undefined)
    return unknown("STS cannot be asked about a Bedrock API key.");
  try {
    return (await examination.caller()).account ?? unknown("STS tells no account.");
  } catch (failure) {
    const session = await examination.session();
    const error = toOpenclawError(failure, { session, action: "sts:GetCallerIdentity" });
    if (error.code === "interrupted") throw error;
    return error;
  }
}

/** Whether jobs can be made of the default model, by its quotas of them, and how many records one takes. */
async function judgeModel(examination: Examination): Promise<Outcome> {
  const { model, session } = await calledBy(examination);
  if (model === undefined)
    return skip("no default model is called at Amazon Bedrock's runtime; batch submit takes -m MODEL");
  const lists = await examination.listsFor(targetOf(model));
  const [models, profiles] = await Promise.allSettled([lists.models(), lists.profiles()]);
  const discovered =
    models.status === "fulfilled" && profiles.status === "fulfilled"
      ? {
          region: session.region.value,
          fetchedAt: 0,
          models: models.value,
          profiles: profiles.value,
          warnings: [],
        }
      : // Why they are not to be had is told by their own checks; the id tells most of it.
        undefined;
  const { id } = model;
  try {
    const base = discovered && listedBase(id, discovered);
    const quota = await quotaOfJobs(session, { id, base, discovered });
    if (!quota)
      return warn(
        `${id}: Service Quotas has none for its batch jobs in ${session.region.value}, so there are none`,
        "Submit with another model (openclaw batch submit FILE -m MODEL), or ask the lines from this machine: openclaw batch run FILE",
      );
    const { least, most } = jobLimitsOf(quota);
    return ok(`${id}: a job takes ${least} to ${most} records`);
  } catch (failure) {
    if (!(failure instanceof OpenclawError) || failure.code === "interrupted") throw failure;
    // A job is judged by AWS all the same.
    return warn(`${id}: how many records a job takes is not known: ${failure.message}`, failure.hint);
  }
}

async function tellJobs(session: AwsSession): Promise<Outcome> {
  try {
    const open = (await listJobs(session, { most: MOST_JOBS })).filter((job) => !isOver(job));
    if (open.length === 0) return ok(`none is unfinished in ${session.region.value}`);
    const named = open.slice(0, MOST_NAMED).map(({ name, id, status }) => `${name} (${id}, ${status})`);
    const more = open.length > named.length ? `, and ${open.length - named.length} more` : "";
    return ok(`${open.length} unfinished in ${session.region.value}: ${named.join(", ")}${more}`);
  } catch (failure) {
    // Jobs are submitted and followed by their ids without it.
    if (failure instanceof OpenclawError && failure.code === "access-denied")
      return warn(failure.message, failure.hint);
    throw failure;
  }
}
