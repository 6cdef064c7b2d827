import {
  type FoundationModelSummary,
  type InferenceProfileSummary,
  type InferenceProfileType,
  ListFoundationModelsCommand,
  paginateListInferenceProfiles,
} from "@aws-sdk/client-bedrock";
import type { AwsSession } from "../aws/session.ts";
import { toOpenclawError } from "../converse/aws-errors.ts";
import { OpenclawError } from "../errors.ts";
import type { Discovered, FoundationModel, InferenceProfile, Warning } from "./discovered.ts";

/** The most ListInferenceProfiles gives in one page. */
const PAGE_SIZE = 1000;

/**
 * Asks AWS for the foundation models and the inference profiles of the session's region, all at once and all pages.
 * Without profiles the models are still worth having: that failure becomes a warning. Throws credential and service errors.
 */
export async function discover(session: AwsSession): Promise<Discovered> {
  const { runtime } = session.surroundings;
  const [models, systemProfiles, applicationProfiles] = await Promise.allSettled([
    listModels(session),
    listProfiles(session),
    // Without a type the service lists only its own profiles: https://github.com/aws/aws-cli/issues/9728
    listProfiles(session, "APPLICATION"),
  ]);
  if (models.status === "rejected")
    throw toOpenclawError(models.reason, { session, action: "bedrock:ListFoundationModels" });
  const warnings: Warning[] = [];
  const profiles = new Map<string, InferenceProfile>();
  for (const outcome of [systemProfiles, applicationProfiles]) {
    if (outcome.status === "fulfilled")
      for (const profile of outcome.value) profiles.set(profile.arn, profile);
    else {
      const warning = toWarning(
        toOpenclawError(outcome.reason, { session, action: "bedrock:ListInferenceProfiles" }),
      );
      if (!warnings.some((known) => known.message === warning.message)) warnings.push(warning);
    }
  }
  return {
    region: session.region.value,
    fetchedAt: runtime.now(),
    models: models.value,
    profiles: [...profiles.values()],
    warnings,
  };
}

/** The foundation models of the session's region. Throws what the SDK throws. */
export async function listModels(session: AwsSession): Promise<FoundationModel[]> {
  const client = await session.bedrock();
  const answer = await client.send(new ListFoundationModelsCommand({}), {
    abortSignal: session.surroundings.runtime.signal,
  });
  if (!Array.isArray(answer.modelSummaries)) {
    throw new OpenclawError("bad-response", {
      message: `${session.endpoint("bedrock")?.url ?? "Bedrock"} answered without a list of models, which AWS never does.`,
      hint: "A proxy or another server may be in between: openclaw doctor",
      requestId: answer.$metadata.requestId,
    });
  }
  return items<FoundationModelSummary>(answer.modelSummaries).map(readModel).filter(isPresent);
}

/** The inference profiles of the session's region, all pages; AWS's own unless a type is given. Throws what the SDK throws. */
export async function listProfiles(
  session: AwsSession,
  typeEquals?: InferenceProfileType,
): Promise<InferenceProfile[]> {
  const client = await session.bedrock();
  const found: InferenceProfile[] = [];
  const pages = paginateListInferenceProfiles(
    { client, pageSize: PAGE_SIZE, stopOnSameToken: true },
    typeEquals ? { typeEquals } : {},
    { abortSignal: session.surroundings.runtime.signal },
  );
  for await (const page of pages) {
    found.push(
      ...items<InferenceProfileSummary>(page.inferenceProfileSummaries).map(readProfile).filter(isPresent),
    );
  }
  return found;
}

/** The service does not keep to its own model, so every field is read as if it came from a stranger. */
function readModel(summary: Partial<FoundationModelSummary> | null): FoundationModel | undefined {
  const id = text(summary?.modelId);
  if (!summary || !id) return undefined;
  const lifecycle = summary.modelLifecycle;
  return {
    id,
    arn: text(summary.modelArn),
    name: text(summary.modelName) || id,
    provider: text(summary.providerName) || (id.split(".")[0] ?? id),
    input: words(summary.inputModalities),
    output: words(summary.outputModalities),
    streams:
      typeof summary.responseStreamingSupported === "boolean"
        ? summary.responseStreamingSupported
        : undefined,
    inferenceTypes: Array.isArray(summary.inferenceTypesSupported)
      ? words(summary.inferenceTypesSupported)
      : undefined,
    lifecycle: text(lifecycle?.status) || "ACTIVE",
    ...dates({
      startOfLife: lifecycle?.startOfLifeTime,
      legacyFrom: lifecycle?.legacyTime,
      extendedAccessFrom: lifecycle?.publicExtendedAccessTime,
      endOfLife: lifecycle?.endOfLifeTime,
    }),
  };
}

/** The dates among the values, as ISO 8601. */
function dates<Name extends string>(values: Record<Name, unknown>): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {};
  for (const [name, value] of Object.entries(values) as [Name, unknown][]) {
    if (value instanceof Date && !Number.isNaN(value.getTime())) found[name] = value.toISOString();
  }
  return found;
}

function readProfile(summary: Partial<InferenceProfileSummary> | null): InferenceProfile | undefined {
  const id = text(summary?.inferenceProfileId);
  if (!summary || !id) return undefined;
  const arn = text(summary.inferenceProfileArn);
  return {
    id,
    arn: arn || id,
    name: text(summary.inferenceProfileName) || id,
    isApplication: summary.type === "APPLICATION" || arn.includes(":application-inference-profile/"),
    isActive: (text(summary.status) || "ACTIVE") === "ACTIVE",
    ...(text(summary.description) ? { description: text(summary.description) } : {}),
    modelArns: items(summary.models)
      .map((model) => text(model?.modelArn))
      .filter((modelArn) => modelArn !== ""),
  };
}

/** A failed list of profiles, as a warning beside the models that were found. */
function toWarning(error: OpenclawError): Warning {
  return {
    code: error.code,
    message: `Inference profiles could not be listed: ${error.message}`,
    hint: error.hint ?? "Models that need a profile are shown with the tag needs-profile.",
  };
}

function items<T>(value: readonly (T | null)[] | undefined): readonly (Partial<T> | null)[] {
  return Array.isArray(value) ? (value as readonly (T | null)[]) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function words(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((word): word is string => typeof word === "string") : [];
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}
