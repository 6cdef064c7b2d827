import { openBatchInput } from "../../batch/lines/open-input.ts";
import { type BatchJob, failureOf } from "../../batch/jobs/job.ts";
import { jobDocument } from "../../batch/jobs/job-document.ts";
import { parseJobPlace, parseRole } from "../../batch/jobs/job-place.ts";
import { parseTag, submitJob, type SubmitTerms, type Submitted } from "../../batch/jobs/submit-job.ts";
import { watchJob } from "../../batch/jobs/watch-job.ts";
import { collectEarly } from "../../collect-early.ts";
import { usageError, withFields } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { count } from "../../terminal/numbers.ts";

export interface SubmitOptions extends GlobalOptions {
  file: string;
  model?: string;
  /** `s3://BUCKET/PREFIX`. */
  s3?: string;
  /** ARN. */
  role?: string;
  lines?: boolean;
  wait?: boolean;
  name?: string;
  timeoutHours?: number;
  kmsKey?: string;
  bucketOwner?: string;
  /** `KEY=VALUE` each. */
  tag?: string[];
  again?: boolean;
}

/**
 * Makes a batch inference job of the lines of a file, and prints its ARN; with --wait when it has ended. Throws `usage` for what
 * no job takes, the errors of the error table, and with --wait the one that the job ended in.
 */
export async function run(options: SubmitOptions, runtime: Runtime): Promise<void> {
  collectEarly();
  const terms = readTerms(options);
  const { terminal } = runtime;
  const input = await openBatchInput(options.file, runtime);
  let submitted: Submitted;
  try {
    submitted = await submitJob(input, terms, options, runtime);
  } finally {
    await input.close();
  }
  const { session, isNew } = submitted;
  try {
    let { job } = submitted;
    if (!isNew) tellSame(job, runtime);
    if (terminal.format === "text") await terminal.print(job.arn);
    const next = (command: string): string => `${command} ${quoteForShell(job.id)}`;
    if (options.wait) job = await watchJob(job, session, `${next("openclaw batch status")} --wait`);
    else if (isNew)
      terminal.note(
        `openclaw: ${count(submitted.check.lines, "line was", "lines were")} submitted; to wait for them: ${next("openclaw batch status")} --wait`,
      );
    const document = { ...jobDocument(job), isNew };
    const answered = `See what it has answered: ${next("openclaw batch results")} --failed FILE`;
    const failure = failureOf(job, session, answered);
    const isInVain = job.status === "Failed" && !isNew;
    if (failure) throw withFields(failure, { document, hint: isInVain ? AGAIN : failure.hint });
    if (terminal.format === "json") await terminal.printJson(document);
    else if (options.wait) terminal.note(`openclaw: done; its results: ${next("openclaw batch results")}`);
  } finally {
    session.close();
  }
}

const AGAIN = "Make a new job of the same lines: the same command with --again";

function tellSame({ name, id, submitted }: BatchJob, { terminal }: Runtime): void {
  const when = submitted === undefined ? "" : `, submitted ${submitted}`;
  terminal.note(
    `openclaw: the same lines were submitted before with the same terms: this is that job, ${name} (${id}${when}). --again makes a new one`,
  );
}

/** Ids, ARNs and aliases of keys, and the names of jobs: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_CreateModelInvocationJob.html */
const KEY =
  /^(arn:aws(-[^:]+)?:kms:[a-zA-Z0-9-]*:\d{12}:(key\/[a-zA-Z0-9-]{36}|alias\/[a-zA-Z0-9-_/]+)|[a-zA-Z0-9-]{36}|alias\/[a-zA-Z0-9-_/]+)$/;
const NAME = /^[a-zA-Z0-9]{1,63}(-*[a-zA-Z0-9+\-.]){0,63}$/;

function readTerms(options: SubmitOptions): SubmitTerms {
  const { file, s3, role, model, name, timeoutHours, again = false, lines = false, tag = [] } = options;
  const command = `openclaw batch submit ${quoteForShell(file)}`;
  if (s3 === undefined)
    throw usageError(
      "There is no --s3: a job reads its lines from a bucket, and writes its results there.",
      `${command} --s3 s3://BUCKET/PREFIX --role ARN`,
    );
  const place = parseJobPlace(s3);
  if (role === undefined)
    throw usageError(
      "There is no --role: Amazon Bedrock reads and writes the bucket as a role of your account.",
      `What the role needs, and how to make it: openclaw batch role --s3 ${quoteForShell(s3)}`,
    );
  if (name !== undefined && (name.length > 63 || !NAME.test(name)))
    throw usageError(
      `--name '${name}' is no name of a job.`,
      "Use at most 63 letters, digits, hyphens, dots and plus signs, with a letter or digit first.",
    );
  return {
    place,
    roleArn: parseRole(role).arn,
    model,
    isText: lines,
    name,
    timeoutHours,
    again,
    kmsKey: readKmsKey(options.kmsKey),
    bucketOwner: readOwner(options.bucketOwner),
    tags: tag.map(parseTag),
  };
}

/** The key of a flag. Throws `usage`. */
export function readKmsKey(kmsKey: string | undefined): string | undefined {
  if (kmsKey === undefined || KEY.test(kmsKey)) return kmsKey;
  throw usageError(
    `--kms-key '${kmsKey}' is no KMS key.`,
    "Give its ARN, its id, or its alias: --kms-key alias/NAME",
  );
}

/** The account of a flag. Throws `usage`. */
export function readOwner(owner: string | undefined): string | undefined {
  if (owner === undefined || /^\d{12}$/.test(owner)) return owner;
  throw usageError(
    `--bucket-owner '${owner}' is no account: it has twelve digits.`,
    "aws sts get-caller-identity --query Account",
  );
}
