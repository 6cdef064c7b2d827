import type { ErrorCode, OpenclawError } from "../errors.ts";
import { baseModelId } from "../models/base-model-id.ts";
import { lookUpCatalog } from "../models/catalog.ts";
import type { Discovered, FoundationModel } from "../models/discovered.ts";
import { baseOf, basesOf, findProfile, idOfProfile } from "../models/listed-id.ts";
import {
  dailyQuotaOfAccount,
  type JobQuota,
  jobQuotaOf,
  type ModelQuota,
  quotaOf,
  type QuotaModel,
  type QuotaScope,
  type QuotaUse,
  scopeOfId,
  scopeOfProfile,
  type ServiceQuota,
} from "../models/quotas.ts";
import { oncePer } from "../once.ts";
import type { AwsSession } from "../session/session.ts";

/** One way to a model, and what the account has through it. */
export interface QuotaWay {
  /** What a call names. */
  id: string;
  scope: QuotaScope;
  /** Undefined where Service Quotas could not be asked. */
  quota: ModelQuota | undefined;
  /** Undefined where CloudWatch could not be asked, and for Mantle, which it does not count by model. */
  used: QuotaUse | undefined;
}

/** What could not be asked. */
export interface MissingPart {
  service: "Service Quotas" | "CloudWatch";
  /** The permission that it needs. */
  action: string;
  error: OpenclawError;
}

export interface QuotaSurvey {
  ways: QuotaWay[];
  /** The most tokens a day of the account, for all models together. */
  ofAccount: ServiceQuota | undefined;
  missing: MissingPart[];
}

/** A model whose quotas are asked for: as it is called, and the foundation model behind it. */
export interface AskedModel {
  id: string;
  base: FoundationModel | undefined;
  discovered: Discovered | undefined;
  /** Whether it is called at the endpoint bedrock-mantle, which is a way of its own, and no metric counts. */
  isAtMantle?: boolean;
}

/** Failures that are the credentials' or the process's own, which no part of the answer survives. */
export const COMMON_FAILURES: ReadonlySet<ErrorCode> = new Set([
  "interrupted",
  "internal",
  "usage",
  "no-credentials",
  "credentials-expired",
  "credentials-rejected",
]);

/**
 * Finds what the account may ask of a model through each way to it, and what was used of that lately. What a permission is
 * missing for comes back in `missing`; without metrics there are quotas all the same. Throws the other errors of
 * `listBedrockQuotas`.
 */
export async function surveyQuotas(session: AwsSession, asked: AskedModel): Promise<QuotaSurvey> {
  const model = quotaModelOf(asked);
  const ways = waysTo(asked);
  const missing: MissingPart[] = [];
  const { readQuotaUse } = await import("../session/quota-operations.ts");
  const attempt = async <T>(
    part: Omit<MissingPart, "error">,
    work: Promise<T>,
    isForgiven: (error: OpenclawError) => boolean,
  ): Promise<T | undefined> => {
    try {
      return await work;
    } catch (failure) {
      const error = failure as OpenclawError;
      if (!isForgiven(error)) throw failure;
      missing.push({ ...part, error });
      return undefined;
    }
  };
  const [quotas, uses] = await Promise.all([
    attempt(
      { service: "Service Quotas", action: "servicequotas:ListServiceQuotas" },
      quotasOf(session),
      ({ code }) => code === "access-denied",
    ),
    asked.isAtMantle
      ? undefined
      : attempt(
          { service: "CloudWatch", action: "cloudwatch:GetMetricData" },
          readQuotaUse(
            session,
            ways.map(({ id }) => id),
          ),
          ({ code }) => code !== undefined && !COMMON_FAILURES.has(code),
        ),
  ]);
  const shown = ways.map(({ id, scope }): QuotaWay => ({
    id,
    scope,
    quota: quotas && quotaOf(model, scope, quotas),
    used: uses?.get(id),
  }));
  const mantle = quotas && !asked.isAtMantle ? quotaOf(model, "mantle", quotas) : {};
  return {
    ways:
      Object.keys(mantle).length > 0
        ? [...shown, { id: model.id, scope: "mantle", quota: mantle, used: undefined }]
        : shown,
    ofAccount: quotas && dailyQuotaOfAccount(quotas),
    missing,
  };
}

/** What the account may ask of a model by the way that its id names, or at Mantle. Throws the errors of `listBedrockQuotas`. */
export async function quotaOfCall(session: AwsSession, asked: AskedModel): Promise<ModelQuota> {
  const ways = waysTo(asked);
  const way = ways.find(({ id }) => id === asked.id) ?? ways[0];
  return quotaOf(quotaModelOf(asked), way?.scope ?? scopeOfId(asked.id), await quotasOf(session));
}

/**
 * What a batch inference job of a model may have; undefined for one that has no quota of jobs. Throws the errors of
 * `listBedrockQuotas`.
 */
export async function quotaOfJobs(session: AwsSession, asked: AskedModel): Promise<JobQuota | undefined> {
  return jobQuotaOf(quotaModelOf(asked), await quotasOf(session));
}

/** The list of a session's region and account is the same for all of its models. */
const quotasOf = oncePer(
  async (session: AwsSession) => (await import("../session/quota-operations.ts")).listBedrockQuotas(session),
  (session) => session,
);

function quotaModelOf({ id, base, discovered }: AskedModel): QuotaModel {
  if (base) return base;
  const baseId = baseModelId(id, discovered) ?? id;
  const { name = baseId, provider = "" } = lookUpCatalog(baseId) ?? {};
  return { id: baseId, name, provider };
}

/** The ids that reach a model, and the kind of quota that each takes. What is asked for comes first where it is none of the lists'. */
function waysTo({ id, base, discovered, isAtMantle }: AskedModel): { id: string; scope: QuotaScope }[] {
  if (isAtMantle) return [{ id, scope: "mantle" }];
  if (!base || !discovered) return [{ id, scope: scopeOfId(id) }];
  const bases = basesOf(discovered);
  const profiles = discovered.profiles.filter(
    (profile) => profile.isActive && baseOf(profile, bases)?.id === base.id,
  );
  const isOnDemand = base.inferenceTypes === undefined || base.inferenceTypes.includes("ON_DEMAND");
  const ways = [
    ...(isOnDemand || profiles.length === 0 ? [{ id: base.id, scope: "on-demand" as const }] : []),
    ...profiles.map((profile) => ({ id: idOfProfile(profile), scope: scopeOfProfile(profile) })),
  ];
  const asked = findProfile(id, discovered);
  const name = asked ? idOfProfile(asked) : id;
  const isThere = ways.some((way) => way.id === name) || name === base.id;
  return isThere ? ways : [{ id: name, scope: scopeOfId(name) }, ...ways];
}
