import { createHash } from "node:crypto";
import { isRecord, type JsonObject } from "../json.ts";
import { AwsError } from "./aws-error.ts";
import type { Catalogue } from "./catalogue.ts";
import { hasBatch } from "./jobs/batch-models.ts";
import type { EmulatedModel } from "./models.ts";

/** Values of the quotas of one account that are others than the emulator's own, by name. */
export type QuotaValues = Readonly<Record<string, number>>;

/** What is enforced of the quotas of a minute: of all models in all regions, or of one model or region alone. */
export interface MinuteLimit {
  /** A region, a model, or one of its profiles; undefined for all. */
  of?: string | undefined;
  value: number;
}

/** All that is enforced. Nothing is where both are empty. */
export interface MinuteLimits {
  tokens: readonly MinuteLimit[];
  requests: readonly MinuteLimit[];
}

/** The ways to a model that have quotas of their own, as their names begin. */
export type QuotaWay = "On-demand" | "Cross-region" | "Global cross-region";

/** What the quotas of a model are looked up by besides the model. */
interface QuotaPlace {
  region: string;
  limits: MinuteLimits;
  named: QuotaValues;
}

/** The same with what the quotas of jobs are looked up by. */
type WholeQuotaPlace = QuotaPlace & { leastRecords: number };

/** The quotas of a minute that are enforced for a model by one way; undefined is none. */
export function minuteQuotas(
  model: EmulatedModel,
  way: QuotaWay,
  { region, limits, named }: QuotaPlace,
): { tokens: number | undefined; requests: number | undefined } {
  const valueOf = (what: "tokens" | "requests"): number | undefined => {
    const limit = limitOf(limits[what], model, region);
    return limit === undefined ? undefined : (named[minuteQuotaName(model, way, what)] ?? limit);
  };
  return { tokens: valueOf("tokens"), requests: valueOf("requests") };
}

/** The nearest limit: the model's own, then the region's, then that of all. */
function limitOf(
  limits: readonly MinuteLimit[],
  { modelId }: EmulatedModel,
  region: string,
): number | undefined {
  const found =
    limits.findLast(({ of }) => of === modelId || of?.endsWith(`.${modelId}`)) ??
    limits.findLast(({ of }) => of === region) ??
    limits.findLast(({ of }) => of === undefined);
  return found?.value;
}

function minuteQuotaName(
  { modelName, providerName }: EmulatedModel,
  way: QuotaWay,
  what: "tokens" | "requests",
): string {
  return `${way} model inference ${what} per minute for ${nameInQuotas(modelName, providerName)}`;
}

/** Some of AWS's names have the vendor in front, in others it is part of the model's own. */
function nameInQuotas(modelName: string, providerName: string): string {
  return modelName.startsWith(providerName) ? modelName : `${providerName} ${modelName}`;
}

/** Values of a model that nobody has asked more for. */
const REQUESTS_PER_MINUTE = 200;
const TOKENS_PER_MINUTE = 200_000;
const TOKENS_PER_DAY = TOKENS_PER_MINUTE * 24 * 60;

type NamedQuota = readonly [name: string, value: number];

/** Of other things than a model's inference: names as they stand among the others in Service Quotas. */
const OTHERS: readonly NamedQuota[] = [
  ["APIs per Agent", 11],
  ["Characters in Agent instructions", 20_000],
  ["(Guardrails) On-demand ApplyGuardrail Content filter policy text units per second", 200],
  ["(Knowledge Bases) Retrieve requests per second", 20],
  ["Model units per provisioned model for Amazon Titan Text Embeddings V2", 0],
  ["Throttle rate limit for ListBlueprints", 5],
];

/** The names and values of the quotas for a model, as AWS words them. */
function quotasOf(model: EmulatedModel, prefixes: readonly string[], place: WholeQuotaPlace): NamedQuota[] {
  const { modelName, providerName, inferenceTypesSupported } = model;
  const name = nameInQuotas(modelName, providerName);
  const isGlobal = prefixes.includes("global");
  const ways: QuotaWay[] = [
    ...(inferenceTypesSupported.includes("ON_DEMAND") ? (["On-demand"] as const) : []),
    ...(prefixes.some((prefix) => prefix !== "global") ? (["Cross-region"] as const) : []),
    ...(isGlobal ? (["Global cross-region"] as const) : []),
  ];
  if (ways.length === 0) return [];
  const quotas: NamedQuota[] = [];
  for (const way of ways) {
    const { tokens, requests } = minuteQuotas(model, way, place);
    // Newer models are held to tokens only.
    if (requests !== undefined || !model.hasTokenQuotasOnly)
      quotas.push([minuteQuotaName(model, way, "requests"), requests ?? REQUESTS_PER_MINUTE]);
    quotas.push([minuteQuotaName(model, way, "tokens"), tokens ?? TOKENS_PER_MINUTE]);
  }
  const daily = `Model invocation max tokens per day for ${name} (doubled for cross-region calls)`;
  quotas.push([daily, TOKENS_PER_DAY]);
  if (isGlobal)
    quotas.push([`Global cross-region model inference tokens per day for ${name}`, TOKENS_PER_DAY]);
  if (!hasBatch(model)) return quotas;
  const batch = batchQuotas(model, place.named, place.leastRecords);
  for (const [key, quota] of BATCH_QUOTAS) quotas.push([`${quota} for ${modelName}`, batch[key]]);
  return quotas;
}

export interface BatchQuotas {
  leastRecords: number;
  mostRecords: number;
  mostRecordsOfFile: number;
  fileGigabytes: number;
  jobGigabytes: number;
  /** Jobs that have not ended. */
  mostJobs: number;
}

/** What these are called: https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-data.html */
const BATCH_NAMES: Readonly<Record<keyof BatchQuotas, string>> = {
  leastRecords: "Minimum number of records per batch inference job",
  mostRecords: "Records per batch inference job",
  mostRecordsOfFile: "Records per input file per batch inference job",
  fileGigabytes: "Batch inference input file size (in GB)",
  jobGigabytes: "Batch inference job size (in GB)",
  mostJobs: "Sum of in-progress and submitted batch inference jobs using a base model",
};
const BATCH_QUOTAS = Object.entries(BATCH_NAMES) as [keyof BatchQuotas, string][];

/** The quotas of batch inference of a model. */
export function batchQuotas(
  { modelName }: Pick<EmulatedModel, "modelName">,
  named: QuotaValues,
  leastRecords: number,
): BatchQuotas {
  const quotas: BatchQuotas = {
    leastRecords,
    mostRecords: 50_000,
    mostRecordsOfFile: 50_000,
    fileGigabytes: 1,
    jobGigabytes: 5,
    mostJobs: 20,
  };
  for (const [key, quota] of BATCH_QUOTAS) quotas[key] = named[`${quota} for ${modelName}`] ?? quotas[key];
  return quotas;
}

/** All quotas of the account for Amazon Bedrock in a region, by code, as Service Quotas describes them. */
function describeQuotas(catalogue: Catalogue, place: WholeQuotaPlace): (object & { QuotaCode: string })[] {
  const named = new Map<string, number>(OTHERS);
  const profiles = catalogue.offeredProfiles().filter(({ type }) => type === "SYSTEM_DEFINED");
  for (const model of catalogue.models) {
    const prefixes = profiles
      .filter(({ modelId }) => modelId === model.modelId)
      .map(({ inferenceProfileId }) => inferenceProfileId.split(".", 1)[0] ?? "");
    for (const [name, value] of quotasOf(model, prefixes, place)) named.set(name, value);
  }
  for (const [name, value] of Object.entries(place.named)) named.set(name, value);
  const quotas = [...named].map(([name, value]) => {
    const code = codeOf(name);
    return {
      ServiceCode: "bedrock",
      ServiceName: "Amazon Bedrock",
      QuotaArn: catalogue.accountArn(`bedrock/${code}`, "servicequotas"),
      QuotaCode: code,
      QuotaName: name,
      Value: value,
      Unit: "None",
      Adjustable: / tokens per minute /.test(name),
      GlobalQuota: false,
      QuotaAppliedAtLevel: "ACCOUNT",
      Description: "Simulated by the openclaw emulator.",
    };
  });
  return quotas.sort((one, other) => (one.QuotaCode < other.QuotaCode ? -1 : 1));
}

function codeOf(name: string): string {
  return `L-${createHash("sha256").update(name).digest("hex").slice(0, 8).toUpperCase()}`;
}

/** Where a quota may apply: https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_ListServiceQuotas.html */
const LEVELS: ReadonlySet<unknown> = new Set(["ACCOUNT", "RESOURCE", "ALL"]);

/** Answers one page of ListServiceQuotas. Throws `AwsError` for an unknown service and what else is wrong in it. */
export function listServiceQuotas(body: unknown, catalogue: Catalogue, place: WholeQuotaPlace): object {
  const request = requestOf(body);
  const length = request["MaxResults"] ?? 100;
  if (typeof length !== "number" || !Number.isInteger(length) || length < 1 || length > 100)
    throw illegal("MaxResults must be between 1 and 100.");
  const start = readToken(request["NextToken"]);
  const { QuotaCode: code, QuotaAppliedAtLevel: level } = request;
  if (code !== undefined && !/^[a-zA-Z][a-zA-Z0-9-]{1,127}$/.test(String(code)))
    throw illegal("QuotaCode must be the code of a quota.");
  if (level !== undefined && !LEVELS.has(level))
    throw illegal(`QuotaAppliedAtLevel must be one of ${[...LEVELS].join(", ")}.`);
  const found = describeQuotas(catalogue, place).filter(
    ({ QuotaCode }) => level !== "RESOURCE" && (code === undefined || QuotaCode === code),
  );
  const end = start + length;
  return {
    Quotas: found.slice(start, end),
    ...(end < found.length ? { NextToken: Buffer.from(`quotas-from-${end}`).toString("base64") } : {}),
  };
}

/** The fields of a request, which is about Bedrock's quotas. */
function requestOf(body: unknown): JsonObject {
  if (!isRecord(body)) throw new AwsError("SerializationException", "The request is not a JSON object.");
  checkService(body["ServiceCode"]);
  return body;
}

function checkService(code: unknown): void {
  if (typeof code !== "string" || code === "") throw illegal("ServiceCode must not be empty.");
  if (code === "bedrock") return;
  throw new AwsError(
    "NoSuchResourceException",
    "The request failed because the specified service does not exist.",
  );
}

function readToken(token: unknown): number {
  if (token === undefined || token === null) return 0;
  const start = /^quotas-from-(\d+)$/.exec(Buffer.from(String(token), "base64").toString())?.[1];
  if (start !== undefined) return Number(start);
  // https://github.com/cloudquery/cloudquery/issues/11706
  throw new AwsError(
    "InvalidPaginationTokenException",
    "You specified an invalid value for nextToken. You must get the value from the response to the previous API call.",
  );
}

function illegal(message: string): AwsError {
  return new AwsError("IllegalArgumentException", message);
}
