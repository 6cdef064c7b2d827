import { createHash } from "node:crypto";
import path from "node:path";
import { quotaOfJobs } from "../../discovery/survey-quotas.ts";
import { asSentence, type ErrorCode, OpenclawError, usageError, withFields } from "../../errors.ts";
import { listedBase } from "../../models/listed-id.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import type { ObjectStore } from "../../session/object-store.ts";
import type { AwsSession } from "../../session/session.ts";
import { formatBytes } from "../../terminal/numbers.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { startSpinner, withSpinner } from "../../terminal/spinner.ts";
import type { BatchLine } from "../lines/batch-line.ts";
import { type BatchCheck, checkBatchInput, refuseProblems, tellCheck } from "../lines/check-input.ts";
import type { BatchInput } from "../lines/open-input.ts";
import { type BatchJob, explained, getJob, idOfJob, listJobs } from "./job.ts";
import { type JobContent, readJobContent } from "./job-content.ts";
import { findJobModel, type JobModel } from "./job-model.ts";
import { folderOf, type JobPlace, keyBelow, uriOf, withPlace } from "./job-place.ts";
import {
  type InvocationType,
  invocationTypeOf,
  type JobLimits,
  jobLimitsOf,
  refusedAsJob,
  refusedByBatch,
  USUAL_JOB_LIMITS,
} from "./line-rules.ts";
import { rememberJob } from "./remembered-jobs.ts";
import { isInParts, uploadContent } from "./upload-content.ts";

export interface SubmitTerms {
  place: JobPlace;
  roleArn: string;
  /** As a person names it; undefined for the one that the lines name, or the default. */
  model: string | undefined;
  /** Whether each line is a text. */
  isText: boolean;
  /** Undefined for one that is made of the file's name. */
  name: string | undefined;
  timeoutHours: number | undefined;
  /** Id, ARN or alias. */
  kmsKey: string | undefined;
  /** Twelve digits. */
  bucketOwner: string | undefined;
  tags: readonly { key: string; value: string }[];
  /** Makes a new job though the same one was submitted before. */
  again: boolean;
}

/** What a submit came to. The session is the caller's to close. */
export interface Submitted {
  job: BatchJob;
  session: AwsSession;
  check: BatchCheck;
  /** Whether this submit made it; otherwise one before did, whose answer may have been lost. */
  isNew: boolean;
}

/** How long what was left may take to be put in order after a failure, in ms: a signal ends the program within a second. */
const TIDY_MS = 700;

/**
 * Checks the lines, puts them into S3 as records and makes a job of them. Nothing is left half made: what was sent is taken away
 * again where AWS refuses the job, and where that cannot be, the error's `left` says what is there. Submitted again, the same
 * lines with the same terms are the same job. Throws `usage` for lines that no job takes, and the errors of the error table.
 */
export async function submitJob(
  input: BatchInput,
  terms: SubmitTerms,
  options: GlobalOptions,
  runtime: Runtime,
): Promise<Submitted> {
  const { terminal } = runtime;
  const { check, type, models } = await checkLines(input, terms, runtime);
  tellCheck(check, input, terminal);
  refuseProblems(check, input, terminal);
  const found = await findJobModel(terms.model, models, options, runtime);
  const { session } = found;
  try {
    const limits = await readLimits(found);
    const content = await readContent(input, { ...found, type, check }, runtime);
    refuseSize(check, content, input, limits);
    const identity = identify(content, { ...found, type }, terms, input);
    const before = await findSame(identity, session);
    if (before) return { job: before, session, check, isNew: false };
    const made = await sendAndCreate(content, identity, { ...found, type }, terms);
    await rememberJob(
      {
        arn: made.arn,
        at: new Date(runtime.now()).toISOString(),
        profile: options.profile,
        file: input.file === undefined ? undefined : path.resolve(runtime.currentFolder, input.file),
        sha256: check.sha256,
        kind: check.kind,
      },
      runtime,
    ).catch((error: unknown) => {
      // It has a use on this machine only.
      terminal.verbose(() => `the job is not remembered: ${String(error)}`);
    });
    return { job: made, session, check, isNew: true };
  } catch (error) {
    session.close();
    throw withPlace(error, terms.place);
  }
}

async function checkLines(
  input: BatchInput,
  { place, isText, model }: SubmitTerms,
  runtime: Runtime,
): Promise<{ check: BatchCheck; type: InvocationType; models: ReadonlySet<string> }> {
  const models = new Set<string>();
  let type: InvocationType | undefined;
  const judge = (line: BatchLine): string | undefined => {
    if (model === undefined && line.model !== undefined && models.size < MOST_MODELS) models.add(line.model);
    type ??= invocationTypeOf(line);
    return refusedByBatch(line, { type, folder: folderOf(place) });
  };
  const check = await withSpinner(runtime, "Checking the lines", () =>
    checkBatchInput(input, { isText, signal: runtime.signal, judge }),
  );
  return { check, type: type ?? "Converse", models };
}

/** So many names are told where there should be one. */
const MOST_MODELS = 10;

async function readContent(
  input: BatchInput,
  {
    model,
    modelId,
    discovered,
    session,
    type,
    check,
  }: JobModel & { type: InvocationType; check: BatchCheck },
  runtime: Runtime,
): Promise<JobContent> {
  const config = session.setup.config.value;
  const terms = { model, modelId, discovered, config, type, kind: check.kind };
  const content = await withSpinner(runtime, "Making records of the lines", () =>
    readJobContent(input, terms, runtime.signal),
  );
  for (const notice of content.notices) runtime.terminal.note(`openclaw: ${notice}`);
  return content;
}

/** What a job of the model takes, by its quotas where these credentials may know them. */
async function readLimits({ model: { id }, discovered, session }: JobModel): Promise<JobLimits> {
  const { runtime } = session.setup;
  const base = discovered && listedBase(id, discovered);
  try {
    const quota = await withSpinner(runtime, "Asking AWS for its quotas", () =>
      quotaOfJobs(session, { id, base, discovered }),
    );
    return quota ? jobLimitsOf(quota) : USUAL_JOB_LIMITS;
  } catch (error) {
    // The job itself is judged by AWS all the same.
    if (!(error instanceof OpenclawError) || error.code === "interrupted") throw error;
    runtime.terminal.verbose(() => `the quotas of jobs are not known: ${error.message}`);
    return USUAL_JOB_LIMITS;
  }
}

function refuseSize(
  { lines }: BatchCheck,
  { bytes }: JobContent,
  { label, file }: BatchInput,
  limits: JobLimits,
): void {
  const reason = refusedAsJob({ lines, bytes }, limits);
  if (reason === undefined) return;
  const isTooFew = lines < limits.least;
  throw new OpenclawError("invalid-request", {
    message: `${label} is no batch job of this model: ${reason}`,
    hint: isTooFew
      ? `Ask them from this machine: openclaw batch run ${quoteForShell(file ?? "FILE")}`
      : `Make several jobs of it: split -l ${Math.min(limits.most, Math.floor(lines / Math.ceil(bytes / limits.mostBytes)))} ${quoteForShell(file ?? "FILE")} part-`,
    details: { lines, bytes },
  });
}

interface Identity {
  name: string;
  token: string;
  /** Of the records in the bucket. */
  key: string;
}

/** The longest name of a job. */
const LONGEST_NAME = 63;

function identify(
  content: JobContent,
  { modelId, session, type }: Pick<JobModel, "modelId" | "session"> & { type: InvocationType },
  terms: SubmitTerms,
  input: BatchInput,
): Identity {
  const { place, roleArn, name, timeoutHours, kmsKey, bucketOwner, tags, again } = terms;
  const asked = {
    sha256: content.sha256,
    region: session.region.value,
    place: uriOf(place, ""),
    modelId,
    type,
    roleArn,
    name,
    timeoutHours,
    kmsKey,
    bucketOwner,
    tags,
    ...(again ? { again: session.setup.runtime.now() + session.setup.runtime.random() } : {}),
  };
  const token = createHash("sha256").update(JSON.stringify(asked)).digest("hex");
  const stem = stemOf(input);
  const end = `-${token.slice(0, 10)}`;
  return {
    name: name ?? `${stem.slice(0, LONGEST_NAME - end.length).replace(/[-.]+$/, "")}${end}`,
    token,
    key: keyBelow(place, `input/${stem.slice(0, 40)}-${content.sha256.slice(0, 32)}.jsonl`),
  };
}

/** The name of the file, in the characters that the names of jobs and S3's keys have in common. */
function stemOf({ file }: BatchInput): string {
  const base = path.basename(file ?? "lines").replace(/\.(jsonl?|ndjson|txt)$/i, "");
  const fit = base.replaceAll(/[^A-Za-z0-9.-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "");
  return fit === "" ? "lines" : fit;
}

/** The job that the same submit made before; undefined where there is none, or these credentials may not know. */
async function findSame({ name, token }: Identity, session: AwsSession): Promise<BatchJob | undefined> {
  try {
    const like = await listJobs(session, { nameContains: name, most: 100 });
    const same = like.find((job) => job.token === token);
    return same && (await getJob(session, same.arn));
  } catch (error) {
    if (error instanceof OpenclawError && error.code === "access-denied") return undefined;
    throw error;
  }
}

async function sendAndCreate(
  content: JobContent,
  identity: Identity,
  called: Pick<JobModel, "modelId" | "session"> & { type: InvocationType },
  terms: SubmitTerms,
): Promise<BatchJob> {
  const { session } = called;
  const { runtime } = session.setup;
  const { place, bucketOwner, kmsKey } = terms;
  const { ObjectStore } = await import("../../session/object-store.ts");
  const store = await ObjectStore.open(session, { name: place.bucket, owner: bucketOwner, kmsKey });
  try {
    await checkRegion(store, place, session);
    const isOurs = await send(content, identity, store, runtime, place);
    try {
      const arn = await create(identity, called, terms);
      return await tellMade(arn, identity, called, terms);
    } catch (error) {
      const made = await madeAllTheSame(error, identity, session);
      if (made) return made;
      if (!isRefusal(error)) throw leaving(error, [{ what: recordsAt(identity, place) }]);
      throw isOurs ? await tidied(error, store, identity, { place, isOurs, isInParts: false }) : error;
    }
  } finally {
    store.close();
  }
}

/** A job reads in its own region. Throws `invalid-request`. */
async function checkRegion(store: ObjectStore, { bucket }: JobPlace, session: AwsSession): Promise<void> {
  const region = await store.region();
  if (region !== undefined && region !== session.region.value) throw outOfRegion(bucket, region, session);
}

/** The error of a bucket in another region than that of the jobs. */
export function outOfRegion(bucket: string, region: string, session: AwsSession): OpenclawError {
  return new OpenclawError("invalid-request", {
    message: `The bucket '${bucket}' is in ${region}, and a job of ${session.region.value} reads from none but its own region.`,
    hint: `Submit it there: --region ${quoteForShell(region)}`,
    details: { bucket, region },
  });
}

/** Puts the records into S3, unless they are there. Resolves to whether it was this submit that did. */
async function send(
  content: JobContent,
  identity: Identity,
  store: ObjectStore,
  runtime: Runtime,
  place: JobPlace,
): Promise<boolean> {
  const { signal, terminal } = runtime;
  const length = await store.lengthOf(identity.key);
  if (length === content.bytes) return false;
  // What may have been there before may be what another job reads.
  const isOurs = length === null;
  let uploadId: string | undefined;
  const spinner = startSpinner(runtime, { text: "Sending the records to S3", brief: "Sending" });
  try {
    const onSent = (sent: number, total: number): void => spinner?.tellUpload(sent, total);
    const onBegun = (id: string): void => void (uploadId = id);
    const reused = await uploadContent(store, identity.key, content, { signal, onSent, onBegun });
    if (reused > 0)
      terminal.note(
        `openclaw: ${formatBytes(reused)} of ${formatBytes(content.bytes)} were in S3 already, and were not sent again`,
      );
    return isOurs;
  } catch (error) {
    // Parts are what the next submit goes on with where only the network was in the way.
    if (isPassing(error) && isInParts(content))
      throw leaving(error, [{ what: unfinishedAt(identity, place) }]);
    throw await tidied(error, store, identity, {
      place,
      isOurs,
      isInParts: isInParts(content),
      uploadId,
    });
  } finally {
    spinner?.end();
  }
}

async function create(
  { name, token, key }: Identity,
  { modelId, session, type }: Pick<JobModel, "modelId" | "session"> & { type: InvocationType },
  { place, roleArn, timeoutHours, kmsKey, bucketOwner, tags }: SubmitTerms,
): Promise<string> {
  const owner = bucketOwner === undefined ? {} : { s3BucketOwner: bucketOwner };
  const { jobArn } = await withSpinner(session.setup.runtime, "Making the job", () =>
    explained(
      session,
      "CreateModelInvocationJob",
      ({ callBedrock }) =>
        callBedrock(session, "CreateModelInvocationJob", {
          jobName: name,
          roleArn,
          clientRequestToken: token,
          modelId,
          modelInvocationType: type,
          inputDataConfig: {
            s3InputDataConfig: { s3Uri: `s3://${place.bucket}/${key}`, s3InputFormat: "JSONL", ...owner },
          },
          outputDataConfig: {
            s3OutputDataConfig: {
              s3Uri: folderOf(place),
              ...(kmsKey === undefined ? {} : { s3EncryptionKeyId: kmsKey }),
              ...owner,
            },
          },
          ...(timeoutHours === undefined ? {} : { timeoutDurationInHours: timeoutHours }),
          ...(tags.length === 0 ? {} : { tags: [...tags] }),
        }),
      { modelId, jobName: name },
    ),
  );
  if (jobArn !== undefined) return jobArn;
  throw new OpenclawError("bad-response", {
    message: "The answer to CreateModelInvocationJob names no job.",
    hint: "See whether it is there: openclaw batch list",
  });
}

/** The job that was made, also where these credentials may make one and not look at it. */
async function tellMade(
  arn: string,
  { name, token, key }: Identity,
  { modelId, session, type }: Pick<JobModel, "modelId" | "session"> & { type: InvocationType },
  { place, roleArn, bucketOwner }: SubmitTerms,
): Promise<BatchJob> {
  try {
    return await getJob(session, arn);
  } catch (error) {
    if (!(error instanceof OpenclawError)) throw error;
    return {
      arn,
      id: idOfJob(arn),
      name,
      token,
      modelId,
      type,
      roleArn,
      inputOwner: bucketOwner,
      outputOwner: bucketOwner,
      status: "Submitted",
      message: undefined,
      submitted: undefined,
      modified: undefined,
      ended: undefined,
      expires: undefined,
      inputUri: `s3://${place.bucket}/${key}`,
      outputUri: folderOf(place),
      counts: undefined,
    };
  }
}

/** The job, where its answer was lost and it can be asked for. */
async function madeAllTheSame(
  error: unknown,
  identity: Identity,
  session: AwsSession,
): Promise<BatchJob | undefined> {
  if (isRefusal(error) || session.setup.runtime.signal.aborted) return undefined;
  try {
    return await findSame(identity, session);
  } catch (again) {
    // What was in the way of the answer still is.
    if (again instanceof OpenclawError) return undefined;
    throw again;
  }
}

/** Whether AWS has said no: then there is no job. */
function isRefusal(error: unknown): boolean {
  return error instanceof OpenclawError && !isPassing(error) && error.code !== "interrupted";
}

/** Errors after which nobody knows whether AWS has heard of it. */
const UNHEARD: ReadonlySet<ErrorCode> = new Set([
  "network",
  "timeout",
  "bad-response",
  "service-unavailable",
  "stream-broken",
]);

/** Whether it may be that AWS has done what was asked, or will when it is asked again. */
function isPassing(error: unknown): boolean {
  return error instanceof OpenclawError && UNHEARD.has(error.code);
}

const LATER = "The same command goes on from there, and makes no second job.";

/** What is left in S3, and the command that takes it away; undefined where the next submit goes on from it. */
interface Left {
  what: string;
  command?: string;
}

/** What of a submit may lie in S3. */
interface Sent {
  place: JobPlace;
  /** Whether the records were not there before. */
  isOurs: boolean;
  isInParts: boolean;
  /** Of those parts; undefined where it is not known. */
  uploadId?: string | undefined;
}

/** Takes away what was sent. Resolves to the error that it was for, which says what could not be taken away. */
async function tidied(
  cause: unknown,
  store: ObjectStore,
  identity: Identity,
  { place, isOurs, isInParts: hasParts, uploadId }: Sent,
): Promise<unknown> {
  const tidy = store.endingWith(AbortSignal.timeout(TIDY_MS));
  const left: Left[] = [];
  const orLeave = async (what: string, command: () => string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (failure) {
      if (!(failure instanceof OpenclawError)) throw failure;
      left.push({ what, command: command() });
    }
  };
  const { key } = identity;
  const uri = recordsAt(identity, place);
  const at = `--bucket ${quoteForShell(place.bucket)}`;
  let begun = uploadId;
  // `aws s3 rm` takes away no part of what is no object yet.
  const abort = (): string =>
    begun !== undefined
      ? `aws s3api abort-multipart-upload ${at} --key ${quoteForShell(key)} --upload-id ${quoteForShell(begun)}`
      : `aws s3api list-multipart-uploads ${at} --prefix ${quoteForShell(key)}`;
  await Promise.all([
    isOurs
      ? orLeave(
          uri,
          () => `aws s3 rm ${quoteForShell(uri)}`,
          () => tidy.remove(key),
        )
      : undefined,
    hasParts
      ? orLeave(unfinishedAt(identity, place), abort, async () => {
          begun ??= (await tidy.findUnfinished(key))?.id;
          if (begun !== undefined) await tidy.abortUpload(key, begun);
        })
      : undefined,
  ]);
  return left.length === 0 ? cause : leaving(cause, left);
}

function recordsAt(identity: Identity, place: JobPlace): string {
  return uriOf(place, nameOf(identity, place));
}

function nameOf({ key }: Identity, { prefix }: JobPlace): string {
  return prefix === "" ? key : key.slice(prefix.length + 1);
}

function unfinishedAt(identity: Identity, place: JobPlace): string {
  return `an unfinished upload of ${recordsAt(identity, place)}`;
}

/** The same error, which says what is left in S3, and what takes it away where nobody goes on from it. */
function leaving(error: unknown, left: readonly Left[]): unknown {
  if (!(error instanceof OpenclawError)) return error;
  const { hint, details } = error;
  const whats = left.map(({ what }) => what);
  const commands = left.flatMap(({ command }) => command ?? []);
  const then = commands.length === 0 ? LATER : `Take it away: ${commands.join("; ")}`;
  return withFields(error, {
    hint: `${hint === undefined ? "" : `${asSentence(hint)} `}Left in S3: ${whats.join(" and ")}. ${then}`,
    details: { ...details, left: whats },
  });
}

/** Reads `KEY=VALUE` as a tag. Throws `usage`. */
export function parseTag(text: string): { key: string; value: string } {
  const [, key, value] = /^([a-zA-Z0-9\s._:/+@-]{1,128})=([a-zA-Z0-9\s._:/=+@-]{0,256})$/.exec(text) ?? [];
  if (key === undefined || value === undefined)
    throw usageError(`--tag '${text}' is no tag.`, "Write it as --tag KEY=VALUE");
  return { key, value };
}
