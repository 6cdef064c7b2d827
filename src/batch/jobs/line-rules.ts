import type {
  ContentBlock,
  SystemContentBlock,
  ToolResultContentBlock,
} from "@aws-sdk/client-bedrock-runtime";
import { blocksOf } from "../../converse/conversation.ts";
import type { JobQuota } from "../../models/quotas.ts";
import type { BatchLine, LineWords } from "../lines/batch-line.ts";

/** How a job asks its model: its lines are all of one. */
export type InvocationType = "Converse" | "InvokeModel";

/** Bodies that InvokeModel takes as they are; everything else is said to Converse. */
const OWN_BODIES: ReadonlySet<LineWords> = new Set(["claude", "nova", "own"]);

/** How a line is asked in a job: a model's own body goes to it as it is. */
export function invocationTypeOf({ kind, words }: Pick<BatchLine, "kind" | "words">): InvocationType {
  return kind === "bedrock" && OWN_BODIES.has(words) ? "InvokeModel" : "Converse";
}

export interface JobRules {
  type: InvocationType;
  /** The folder in S3 that the job reads, with its slash; undefined where nobody has said it yet. */
  folder?: string | undefined;
}

/**
 * Why Bedrock's batch inference would refuse a line, as a sentence to stand behind its number; undefined where it would not.
 * By https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference.html (tools),
 * https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-data.html (files in S3) and
 * https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html.
 */
export function refusedByBatch(line: BatchLine, { type, folder }: JobRules): string | undefined {
  const { ask } = line.asked;
  if (invocationTypeOf(line) !== type)
    return type === "Converse"
      ? "Its modelInput is in the model's own words, and the lines before are in those of Converse: a job takes one of them."
      : "It is asked through Converse, and the lines before are in their model's own words: a job takes one of them.";
  if (type === "Converse" && (ask.tools || ask.searchesWeb === true))
    return "It has tools, and a batch job of Converse takes none: ask it with openclaw batch run.";
  if ((ask.parameters.cache ?? "off") !== "off" || hasCachePoint(line))
    return "It has a cache point, and batch jobs cache no prompts: leave it out, or ask it with openclaw batch run.";
  const strange = folder === undefined ? undefined : s3UrisOf(line).find((uri) => !uri.startsWith(folder));
  return strange && `It names '${strange}', and a batch job reads only what lies in ${folder}.`;
}

function hasCachePoint({ asked: { ask } }: BatchLine): boolean {
  const system = typeof ask.system === "string" ? [] : (ask.system ?? []);
  const blocks: readonly (ContentBlock | SystemContentBlock)[] = [...system, ...blocksOf(ask)];
  const tools = ask.tools?.tools ?? [];
  return blocks.some(({ cachePoint }) => cachePoint) || tools.some(({ cachePoint }) => cachePoint);
}

function s3UrisOf({ asked: { ask } }: Pick<BatchLine, "asked">): string[] {
  const blocks = blocksOf(ask);
  const results = blocks.flatMap(({ toolResult }) => toolResult?.content ?? []);
  return [...blocks, ...results].flatMap(urisOf);
}

function urisOf({ image, document, video, ...rest }: ContentBlock | ToolResultContentBlock): string[] {
  const audio = "audio" in rest ? rest.audio : undefined;
  return [image, document, video, audio].flatMap((file) => file?.source?.s3Location?.uri ?? []);
}

/** How much a job takes: each model has quotas of its own, by which these are told where Service Quotas may be asked. */
export interface JobLimits {
  /** Of all records. */
  least: number;
  /** Of the records of one file. */
  most: number;
  /** Of one file. */
  mostBytes: number;
}

/** What most models have: https://docs.aws.amazon.com/general/latest/gr/bedrock.html#limits_bedrock */
export const USUAL_JOB_LIMITS: JobLimits = { least: 100, most: 50_000, mostBytes: 1024 ** 3 };

/** What the jobs of a model take, as far as its quotas tell. */
export function jobLimitsOf({
  leastRecords,
  mostRecords,
  mostRecordsOfFile,
  fileGigabytes,
}: JobQuota): JobLimits {
  const { least, most, mostBytes } = USUAL_JOB_LIMITS;
  return {
    least: leastRecords ?? least,
    most: Math.min(mostRecordsOfFile ?? mostRecords ?? most, mostRecords ?? Number.POSITIVE_INFINITY),
    mostBytes: fileGigabytes === undefined ? mostBytes : fileGigabytes * 1024 ** 3,
  };
}

/** Why a job would not take a file of so many records and bytes, as a sentence; undefined where it would. */
export function refusedAsJob(
  { lines, bytes }: { lines: number; bytes: number },
  { least, most, mostBytes }: JobLimits,
): string | undefined {
  if (lines < least)
    return `A batch job takes at least ${least} lines, and there ${lines === 1 ? "is" : "are"} ${lines}.`;
  if (lines > most) return `A batch job takes at most ${most} lines, and there are ${lines}.`;
  if (bytes <= mostBytes) return undefined;
  return `A batch job takes at most ${inMegabytes(mostBytes)}, and the lines have ${inMegabytes(bytes)}.`;
}

function inMegabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 ** 2)} MB`;
}
