import { parseArn } from "../aws/arn.ts";
import { baseModelId } from "./base-model-id.ts";
import { reachesEveryRegion } from "./callable.ts";
import type { InferenceProfile } from "./discovered.ts";
import { familyOf } from "./families.ts";

/** A quota of the account in one region, as Service Quotas lists it. */
export interface ServiceQuota {
  /** In AWS's words, which change. */
  name: string;
  /** `L-` and eight digits. */
  code: string;
  value: number;
  /** Whether Service Quotas takes a request for more; otherwise AWS Support does. */
  isAdjustable: boolean;
}

/** The ways to a model that have quotas of their own; those of the Mantle endpoint count input and output apart. */
export type QuotaScope = "on-demand" | "cross-region" | "global" | "mantle";

/** What a model may be asked through one way. What AWS lists no quota of is undefined, and then there is none, or one unsaid. */
export interface ModelQuota {
  requestsPerMinute?: ServiceQuota | undefined;
  tokensPerMinute?: ServiceQuota | undefined;
  tokensPerDay?: ServiceQuota | undefined;
  /** Of the Mantle endpoint. */
  inputTokensPerMinute?: ServiceQuota | undefined;
  outputTokensPerMinute?: ServiceQuota | undefined;
}

type QuotaField = keyof ModelQuota;

interface QuotaName {
  scopes: readonly QuotaScope[];
  field: QuotaField;
  /** The model as AWS writes it here: `Anthropic Claude Sonnet 4.5 V1`. */
  model: string;
  /** Whether the value counts twice for calls across regions. */
  isDoubled: boolean;
}

/** A form that names of quotas have; `unit`, `per` and `model` are what it captures. */
interface Wording {
  pattern: RegExp;
  scopes: readonly QuotaScope[];
}

const RATE = String.raw`(?<unit>tokens|requests) per (?<per>minute|day) for (?<model>.+)`;
/** What a call is called, which AWS has changed several times and sometimes leaves out. */
const CALL = String.raw`(?:(?:model inference|model invocation|invokemodel) )?(?:max )?`;

/**
 * The forms of the names, of which AWS has had several for one thing: those of
 * https://docs.aws.amazon.com/general/latest/gr/bedrock.html#limits_bedrock and of
 * https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-runtime.html. Latency-optimized inference, batches and
 * everything that is not the inference of a model have none here.
 */
const WORDINGS: readonly Wording[] = [
  {
    pattern: new RegExp(String.raw`^\[bedrock-mantle endpoint\] (?<direction>input|output) ${RATE}$`, "i"),
    scopes: ["mantle"],
  },
  { pattern: new RegExp(`^global cross-region ${CALL}${RATE}$`, "i"), scopes: ["global"] },
  { pattern: new RegExp(`^cross-region ${CALL}${RATE}$`, "i"), scopes: ["cross-region"] },
  { pattern: new RegExp(`^on-demand ${CALL}${RATE}$`, "i"), scopes: ["on-demand"] },
  // Without a way in its name a quota is for a model within a region or a geography: the global ones have it in theirs.
  { pattern: new RegExp(`^${CALL}${RATE}$`, "i"), scopes: ["on-demand", "cross-region"] },
];

/** Behind the model's name, where the quota of a day is told for one region. */
const DOUBLED = / \(doubled for cross-region calls\)$/i;

/** Reads a quota's name. Undefined for those that are not of a model's inference per minute or day. */
export function readQuotaName(name: string): QuotaName | undefined {
  for (const { pattern, scopes } of WORDINGS) {
    const { direction, unit = "", per = "", model = "" } = pattern.exec(name.trim())?.groups ?? {};
    if (model === "") continue;
    const field = fieldOf(direction, unit, per);
    if (field === undefined) return undefined;
    return { scopes, field, model: model.replace(DOUBLED, ""), isDoubled: DOUBLED.test(model) };
  }
  return undefined;
}

function fieldOf(direction: string | undefined, unit: string, per: string): QuotaField | undefined {
  const isDaily = per.toLowerCase() === "day";
  if (direction !== undefined) {
    if (isDaily) return undefined;
    return direction.toLowerCase() === "input" ? "inputTokensPerMinute" : "outputTokensPerMinute";
  }
  if (unit.toLowerCase() === "requests") return isDaily ? undefined : "requestsPerMinute";
  return isDaily ? "tokensPerDay" : "tokensPerMinute";
}

/** A foundation model, by what quotas name it by. */
export interface QuotaModel {
  id: string;
  /** As AWS's list prints it. */
  name: string;
  provider: string;
}

/** The quotas of a model through one way. */
export function quotaOf(model: QuotaModel, scope: QuotaScope, quotas: readonly ServiceQuota[]): ModelQuota {
  const names = spellingsOf(model);
  const vendor = vendorWords(model);
  const found: ModelQuota = {};
  const closeness: Partial<Record<QuotaField, number>> = {};
  for (const quota of quotas) {
    const read = readQuotaName(quota.name);
    if (!read?.scopes.includes(scope)) continue;
    const words = wordsOf(read.model, vendor);
    const close = Math.max(...names.map((name) => closenessOf(words, name)));
    const { field } = read;
    if (close === 0 || close < (closeness[field] ?? 0)) continue;
    const value = read.isDoubled && scope === "cross-region" ? quota.value * 2 : quota.value;
    // Two wordings of one quota: the lower one is safe.
    if (close === closeness[field] && value >= (found[field]?.value ?? Number.POSITIVE_INFINITY)) continue;
    closeness[field] = close;
    found[field] = { ...quota, value };
  }
  return found;
}

/** What one batch inference job of a model may have; undefined where AWS lists no such quota. */
export interface JobQuota {
  leastRecords?: number | undefined;
  mostRecords?: number | undefined;
  /** Of one file. */
  mostRecordsOfFile?: number | undefined;
  /** Of one file, in GB. */
  fileGigabytes?: number | undefined;
}

/** What these are called: https://docs.aws.amazon.com/bedrock/latest/userguide/batch-inference-data.html. Where the unit stands differs. */
const JOB_WORDINGS: readonly { pattern: RegExp; field: keyof JobQuota }[] = [
  { pattern: /^minimum number of records per batch inference job for (.+)$/i, field: "leastRecords" },
  { pattern: /^records per batch inference job for (.+)$/i, field: "mostRecords" },
  { pattern: /^records per input file per batch inference job for (.+)$/i, field: "mostRecordsOfFile" },
  {
    pattern: /^batch inference input file size (?:\(in GB\) )?for (.+?)(?: \(in GB\))?$/i,
    field: "fileGigabytes",
  },
];

/** What a batch inference job of a model may have; undefined for one that has no quota of jobs, and so none of them. */
export function jobQuotaOf(model: QuotaModel, quotas: readonly ServiceQuota[]): JobQuota | undefined {
  const names = spellingsOf(model);
  const vendor = vendorWords(model);
  const found: JobQuota = {};
  for (const { name, value } of quotas) {
    for (const { pattern, field } of JOB_WORDINGS) {
      const [, of] = pattern.exec(name.trim()) ?? [];
      if (of !== undefined && names.some((own) => closenessOf(wordsOf(of, vendor), own) > 0))
        found[field] = value;
    }
  }
  return Object.keys(found).length === 0 ? undefined : found;
}

/** 2 for the same words, 1 where the quota's leave sizes of the model out (`Llama 4 Maverick` for 17B Instruct), else 0. */
function closenessOf(quota: ReadonlySet<string>, model: ReadonlySet<string>): number {
  if (![...quota].every((word) => model.has(word))) return 0;
  const missing = [...model].filter((word) => !quota.has(word));
  if (missing.length === 0) return 2;
  return quota.size > 1 && missing.every((word) => /^a?\d+b$/.test(word)) ? 1 : 0;
}

function spellingsOf(model: QuotaModel): ReadonlySet<string>[] {
  const vendor = vendorWords(model);
  const { quotaName } = familyOf(model.id);
  return [model.name, ...(quotaName ? [quotaName.name] : [])]
    .map((name) => wordsOf(name, vendor))
    .filter((words) => words.size > 0);
}

/** Words that stand in one of AWS's spellings of a name and not in another. */
const IDLE = new Set(["", "v1", "instruct", "it", "dense"]);

/** The words of the vendor's name, which some quotas put before the model's. */
function vendorWords({ provider, id }: QuotaModel): ReadonlySet<string> {
  return new Set(["ai", "labs", ...foldWords(provider), ...foldWords(id.split(".", 1)[0] ?? "")]);
}

function wordsOf(name: string, vendor: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(foldWords(name).filter((word) => !vendor.has(word) && !IDLE.has(word)));
}

/** `Claude 3.5 Sonnet v2` is claude, 35, sonnet, 2; `Ministral 14B 3.0` is ministral, 14b, 3. */
function foldWords(text: string): string[] {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll("+", " plus ")
    .replaceAll(/(\d)\.0(?![\d.])/g, "$1")
    .replaceAll(/(\d)\.(?=\d)/g, "$1")
    .split(/[^\p{L}\p{N}]+/u)
    .map((word) => (/^v\d+$/.test(word) && word !== "v1" ? word.slice(1) : word));
}

/** The way that calls of a profile take. */
export function scopeOfProfile(profile: InferenceProfile): QuotaScope {
  if (reachesEveryRegion(profile)) return "global";
  const regions = new Set(profile.modelArns.map((modelArn) => parseArn(modelArn)?.region));
  // An application profile of a model in one region only counts its calls.
  return profile.isApplication && regions.size === 1 ? "on-demand" : "cross-region";
}

/** What is called, by its id alone: `global.`, the prefix of a geography, or none. */
export function scopeOfId(id: string): QuotaScope {
  const base = baseModelId(id);
  if (base === undefined || base === id || id.includes(":foundation-model/")) return "on-demand";
  return /(?:^|\/)global\./.test(id) ? "global" : "cross-region";
}

/** The most tokens a day of the account, for all models together. */
export function dailyQuotaOfAccount(quotas: readonly ServiceQuota[]): ServiceQuota | undefined {
  return quotas.find(({ name }) => /^cross-model max tokens per day$/i.test(name.trim()));
}

/** The tokens of one call. */
export interface CallTokens {
  inputTokens: number;
  cacheReadInputTokens?: number | undefined;
  cacheWriteInputTokens?: number | undefined;
  /** The most that the answer may have. */
  maxTokens: number;
}

/**
 * The tokens of quota that are taken when a call begins: all that goes in, and all that may come out, one for one.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-token-burndown.html
 */
export function reservation(call: CallTokens): number {
  const { inputTokens, cacheReadInputTokens = 0, cacheWriteInputTokens = 0, maxTokens } = call;
  return inputTokens + cacheReadInputTokens + cacheWriteInputTokens + maxTokens;
}

/** The tokens of quota that an ended call has used: what was read from the cache is free, output counts `burndown` times. */
export function settlement(
  usage: { inputTokens: number; cacheWriteInputTokens?: number | undefined; outputTokens: number },
  burndown: number,
): number {
  return usage.inputTokens + (usage.cacheWriteInputTokens ?? 0) + usage.outputTokens * burndown;
}

/** What was used of a way's quota in the last minute. */
export interface RecentUse {
  requests: number;
  tokens: number;
}

/** Minutes that are looked back upon. */
export const USE_MINUTES = 15;

/** What was used through one id in the last minutes. */
export interface QuotaUse {
  /** The most of one minute. */
  busiest: RecentUse;
  /** Of the last 60 seconds, as far as they are told already: the metrics come some minutes late. */
  now: RecentUse;
  /** Calls that were throttled in all these minutes. */
  throttles: number;
}

/** Whether a call may begin now: it fits, it fits in so many seconds, or it never does as it is. */
export type CallVerdict =
  | { answer: "fits" }
  | { answer: "wait"; waitSeconds: number }
  /** `fittingMaxTokens` is the most that would fit; undefined where the input alone is too much. */
  | { answer: "too-large"; fittingMaxTokens?: number | undefined }
  | { answer: "no-quota" }
  | { answer: "unknown" };

/**
 * Judges a call by the quota of its way; what was used counts where that is known, and no more than `mostOutput`
 * tokens, which are the most that the model puts out, are said to fit. Of Mantle:
 * https://docs.aws.amazon.com/bedrock/latest/userguide/quotas-mantle.html
 */
export function judgeCall(
  call: CallTokens,
  quota: ModelQuota,
  used?: RecentUse,
  mostOutput = Number.POSITIVE_INFINITY,
): CallVerdict {
  const { requestsPerMinute, tokensPerDay, outputTokensPerMinute } = quota;
  // Mantle takes --max-tokens from the tokens of the input until it knows better.
  const tokensPerMinute = quota.tokensPerMinute ?? quota.inputTokensPerMinute;
  const limits = [requestsPerMinute, tokensPerMinute, tokensPerDay, outputTokensPerMinute].flatMap(
    (limit) => limit ?? [],
  );
  if (limits.some(({ value }) => value === 0)) return { answer: "no-quota" };
  const tokens = [tokensPerMinute, tokensPerDay].flatMap((limit) => limit?.value ?? []);
  if (tokens.length === 0) return { answer: "unknown" };
  const most = Math.min(...tokens);
  const reserved = reservation(call);
  if (reserved > most) {
    const fitting = Math.min(most - (reserved - call.maxTokens), mostOutput);
    return { answer: "too-large", fittingMaxTokens: fitting >= 1 ? fitting : undefined };
  }
  const waits = [
    secondsUntil(reserved, used?.tokens, tokensPerMinute?.value),
    secondsUntil(1, used?.requests, requestsPerMinute?.value),
  ];
  const waitSeconds = Math.max(...waits);
  return waitSeconds > 0 ? { answer: "wait", waitSeconds } : { answer: "fits" };
}

/** Seconds until so much of a minute's quota is free, which comes back evenly over the minute. */
function secondsUntil(wanted: number, used = 0, perMinute = Number.POSITIVE_INFINITY): number {
  const lacking = wanted - (perMinute - used);
  return lacking > 0 ? Math.min(60, Math.ceil((lacking * 60) / perMinute)) : 0;
}
