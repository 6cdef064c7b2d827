import type {
  FoundationModelSummary,
  InferenceProfileModel,
  InferenceProfileSummary,
  InferenceProfileType,
} from "@aws-sdk/client-bedrock";
import type { ResponseMetadata } from "@smithy/types";
import type { toCall } from "../session/bedrock-operations.ts";
import type { AwsSession } from "../session/session.ts";
import { toOpenclawError } from "../session/aws-errors.ts";
import { type Answered, listIn, PageTokens, strangeAnswer } from "../session/strange-answer.ts";
import type { OpenclawError } from "../errors.ts";
import { parseInTurns } from "../parse-in-turns.ts";
import type { Discovered, FoundationModel, InferenceProfile, Warning } from "../models/discovered.ts";

/** The most ListInferenceProfiles gives in one page. */
const PAGE_SIZE = 1000;
/** Far more than the profiles of an account fill: a list that is longer has no end. */
const MOST_PAGES = 20;
/** Many times what AWS lists in a region: each name that stands for none is held against all of them. */
const MOST_MODELS = 10_000;

/**
 * Asks AWS for the foundation models and the inference profiles of the session's region, all at once and all pages.
 * Without profiles the models are still worth having: that failure becomes a warning. Throws credential and service errors.
 */
export async function discover(session: AwsSession): Promise<Discovered> {
  const { runtime } = session.setup;
  const [models, systemProfiles, applicationProfiles] = await Promise.allSettled([
    listModels(session),
    listProfiles(session),
    // Without a type the service lists only its own profiles: https://github.com/aws/aws-cli/issues/9728
    listProfiles(session, "APPLICATION"),
  ]);
  if (models.status === "rejected")
    throw toOpenclawError(models.reason, { session, action: "bedrock:ListFoundationModels" });
  const warnings: Warning[] = [];
  let isPartial = false;
  const profiles = new Map<string, InferenceProfile>();
  for (const outcome of [systemProfiles, applicationProfiles]) {
    if (outcome.status === "fulfilled")
      for (const profile of outcome.value) profiles.set(profile.arn, profile);
    else {
      const failure = toOpenclawError(outcome.reason, { session, action: "bedrock:ListInferenceProfiles" });
      if (failure.code === "interrupted") throw failure;
      isPartial ||= failure.code !== "access-denied";
      const warning = toWarning(failure);
      if (!warnings.some((known) => known.message === warning.message)) warnings.push(warning);
    }
  }
  return {
    region: session.region.value,
    fetchedAt: runtime.now(),
    models: models.value,
    profiles: [...profiles.values()],
    warnings,
    ...(isPartial ? { isPartial } : {}),
  };
}

/** The foundation models of the session's region. Throws what the SDK throws, and `bad-response`. */
export async function listModels(session: AwsSession): Promise<FoundationModel[]> {
  const { document, metadata } = await ask(session, "ListFoundationModels", {});
  const summaries = modelsIn(document["modelSummaries"], { session, service: "bedrock", metadata });
  return items<FoundationModelSummary>(summaries).map(readModel).filter(isPresent);
}

/** The list of models in an answer. Throws `bad-response` for none, and for one that is too long. */
export function modelsIn<Value>(value: Value, answered: Answered): Value & readonly unknown[] {
  const models = listIn(value, "models", answered);
  if (models.length <= MOST_MODELS) return models;
  throw strangeAnswer(answered, `lists ${models.length} models, of which AWS has less than ${MOST_MODELS}`);
}

/** The inference profiles of the session's region, all pages; AWS's own unless a type is given. Throws as listModels does. */
export async function listProfiles(
  session: AwsSession,
  typeEquals?: InferenceProfileType,
): Promise<InferenceProfile[]> {
  const found: InferenceProfile[] = [];
  let answered: Answered = { session, service: "bedrock" };
  const tokens = new PageTokens();
  let nextToken: string | undefined;
  for (let page = 1; page <= MOST_PAGES; page += 1) {
    const { document, metadata } = await ask(session, "ListInferenceProfiles", {
      maxResults: PAGE_SIZE,
      nextToken,
      typeEquals,
    });
    answered = { session, service: "bedrock", metadata };
    const summaries = listIn(document["inferenceProfileSummaries"], "inference profiles", answered);
    for (const summary of items<InferenceProfileSummary>(summaries)) {
      const profile = readProfile(summary);
      if (profile) found.push(profile);
    }
    nextToken = tokens.next(readToken(document["nextToken"], answered), "inference profiles", answered);
    if (nextToken === undefined) return found;
  }
  throw strangeAnswer(answered, `has no end of inference profiles: ${MOST_PAGES} pages, and more to come`);
}

/** The name of the next page; empty when there is none. Throws `bad-response` for one that no request can carry. */
function readToken(value: unknown, answered: Answered): string {
  if (value === undefined || value === null || value === "") return "";
  const token = identifier(value);
  if (token === "") throw strangeAnswer(answered, "names a next page that nobody can ask for");
  return token;
}

/** Calls the control plane, and reads its document. Throws what the client throws, and `bad-response`. */
async function ask(
  session: AwsSession,
  ...call: Parameters<typeof toCall>
): Promise<{ document: Record<string, unknown>; metadata: ResponseMetadata }> {
  const [client, { toCall }, { readBody }] = await Promise.all([
    session.rest("bedrock"),
    import("../session/bedrock-operations.ts"),
    import("../session/read-answer.ts"),
  ]);
  const { value, metadata } = await client.send(toCall(...call), readBody, session.setup.runtime.signal);
  return { document: await readDocument(value, { session, service: "bedrock", metadata }), metadata };
}

/** A document of the control plane; an empty one for no text. Throws `bad-response` for anything but a JSON object. */
async function readDocument(json: Buffer, answered: Answered): Promise<Record<string, unknown>> {
  const message = `answers ${answered.metadata?.httpStatusCode ?? ""} with something that is not AWS's`;
  let document: unknown;
  try {
    document = json.length === 0 ? {} : await parseInTurns(json);
  } catch (cause) {
    throw strangeAnswer(answered, message, cause);
  }
  if (typeof document !== "object" || document === null) throw strangeAnswer(answered, message);
  return document as Record<string, unknown>;
}

/** The service does not keep to its own model, so every field is read as if it came from a stranger. */
function readModel(summary: Partial<FoundationModelSummary> | null): FoundationModel | undefined {
  const id = identifier(summary?.modelId);
  if (!summary || !id) return undefined;
  const lifecycle = summary.modelLifecycle;
  return {
    id,
    arn: text(summary.modelArn),
    name: line(summary.modelName) || id,
    provider: line(summary.providerName) || (id.split(".")[0] ?? id),
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
    // Date.parse takes more than dates.
    const time = /^\d{4}-\d{2}-\d{2}T/.test(text(value)) ? Date.parse(text(value)) : Number.NaN;
    if (!Number.isNaN(time)) found[name] = new Date(time).toISOString();
  }
  return found;
}

function readProfile(summary: Partial<InferenceProfileSummary> | null): InferenceProfile | undefined {
  const id = identifier(summary?.inferenceProfileId);
  if (!summary || !id) return undefined;
  const arn = identifier(summary.inferenceProfileArn);
  return {
    id,
    arn: arn || id,
    name: line(summary.inferenceProfileName) || id,
    isApplication: summary.type === "APPLICATION" || arn.includes(":application-inference-profile/"),
    isActive: (text(summary.status) || "ACTIVE") === "ACTIVE",
    ...(line(summary.description) ? { description: line(summary.description) } : {}),
    modelArns: items<InferenceProfileModel>(summary.models)
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

function items<T>(value: unknown): readonly (Partial<T> | null)[] {
  return Array.isArray(value) ? (value as readonly (T | null)[]) : [];
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** What names a thing: without white space, control characters and half characters, which no request could carry. */
export function identifier(value: unknown): string {
  return typeof value === "string" && !/[\s\p{Cc}\p{Cs}]/u.test(value) ? value : "";
}

/** A text of one line: what a line of a list is made of must not make two. */
function line(value: unknown): string {
  return text(value)
    .replaceAll(/[\s\u0085]+/g, " ")
    .trim();
}

function words(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((word): word is string => typeof word === "string") : [];
}

function isPresent<T>(value: T | undefined): value is T {
  return value !== undefined;
}
