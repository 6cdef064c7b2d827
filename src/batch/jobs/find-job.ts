import { parseArn } from "../../aws/arn.ts";
import { loadConfig } from "../../config/resolve.ts";
import { OpenclawError, shorten, usageError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { type AwsSession, openSession, readSetup } from "../../session/session.ts";
import { withSpinner } from "../../terminal/spinner.ts";
import { type BatchJob, getJob, idOfJob, listJobs } from "./job.ts";
import { type RememberedJob, rememberedJobs } from "./remembered-jobs.ts";

export interface FoundJob {
  job: BatchJob;
  session: AwsSession;
  /** What this machine knows of it besides; undefined where another one submitted it. */
  remembered: RememberedJob | undefined;
}

const ID = /^[a-z0-9]{12}$/;

/**
 * Finds a job by its ARN, its id or its name, of several the latest one; without any it is the last one that was submitted from
 * this machine. One that was submitted from it is asked for in its own region, by the profile that submitted it. Throws
 * `usage` where there is none to take or a region contradicts an ARN, `invalid-request` for a job that AWS does not know, and
 * the errors of the error table.
 */
export async function findJob(
  name: string | undefined,
  options: GlobalOptions,
  runtime: Runtime,
): Promise<FoundJob> {
  const remembered = await rememberedJobs(runtime);
  const last =
    name === undefined ? remembered[0] : remembered.find(({ arn }) => idOfJob(arn) === name.trim());
  // Where a job of this machine is, its ARN says, unless somebody says otherwise.
  const text = (options.region === undefined || name === undefined ? last?.arn : undefined) ?? name?.trim();
  if (text === undefined || text === "")
    throw usageError(
      "No job is named, and none was submitted from this machine.",
      "See which there are: openclaw batch list",
    );
  const session = await openJobSession(text, last, options, runtime);
  try {
    const job = await withSpinner(runtime, "Asking AWS for the job", () => lookUp(text, session));
    return { job, session, remembered: remembered.find(({ arn }) => arn === job.arn) };
  } catch (error) {
    session.close();
    throw error;
  }
}

/** A session for the jobs of a region: that of a job's ARN, or the usual one. Throws `usage`. */
async function openJobSession(
  text: string,
  last: RememberedJob | undefined,
  options: GlobalOptions,
  runtime: Runtime,
): Promise<AwsSession> {
  const arn = parseArn(text);
  if (text.startsWith("arn:") && (arn?.service !== "bedrock" || arn.resourceType !== "model-invocation-job"))
    throw usageError(
      `'${shorten(text)}' is no ARN of a batch job.`,
      "See which jobs there are: openclaw batch list",
    );
  const region = arn?.region;
  if (region !== undefined && options.region !== undefined && options.region !== region)
    throw usageError(
      `--region ${options.region} contradicts the ARN, which is of ${region}.`,
      "Leave --region out.",
    );
  return openSessionFor(
    { ...options, region: region ?? options.region, profile: options.profile ?? last?.profile },
    runtime,
  );
}

/** A session that is of no model in particular. */
export async function openSessionFor(options: GlobalOptions, runtime: Runtime): Promise<AwsSession> {
  const config = await loadConfig(options, runtime);
  return openSession(await readSetup(options, runtime, config), { kind: "discovery" });
}

async function lookUp(text: string, session: AwsSession): Promise<BatchJob> {
  if (parseArn(text)) return getJob(session, text);
  if (ID.test(text)) {
    try {
      return await getJob(session, text);
    } catch (error) {
      // It may be a name all the same.
      if (!(error instanceof OpenclawError) || error.code !== "invalid-request") throw error;
    }
  }
  const named = (await listJobs(session, { nameContains: text, most: MOST_LIKE })).filter(
    (job) => job.name === text,
  );
  const [latest, ...others] = named;
  if (latest === undefined)
    throw new OpenclawError("invalid-request", {
      message: `No job in ${session.region.value} has the name or id '${text}'.`,
      hint: "See which there are: openclaw batch list",
    });
  if (others.length > 0)
    session.setup.runtime.terminal.note(
      `openclaw: '${text}' is the name of ${named.length} jobs; this is the latest, ${latest.id}`,
    );
  // A list has what the job itself tells, but for what changes.
  return getJob(session, latest.arn);
}

/** So many jobs whose names are like one are looked at. */
const MOST_LIKE = 1000;
