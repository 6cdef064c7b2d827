import { surveyNamed, unlisted } from "../discovery/name-model.ts";
import { findNamed } from "../discovery/find-named.ts";
import { type MissingPart, type QuotaWay, surveyQuotas } from "../discovery/survey-quotas.ts";
import { type ModelSurvey, withAwsSpinner } from "../discovery/survey.ts";
import { OpenclawError, usageError } from "../errors.ts";
import { baseModelId } from "../models/base-model-id.ts";
import { profileCalled } from "../models/callable.ts";
import { defaultModels } from "../models/default-models.ts";
import { familyOf, PLAIN_BURNDOWN } from "../models/families.ts";
import { describeNamed, type ListedModel } from "../models/list.ts";
import { idOfProfile } from "../models/listed-id.ts";
import { isMantle, isOfBedrock } from "../models/provider-api.ts";
import { bedrockIds, isComplete, namedModel, type ResolvedModel, targetOf } from "../models/resolve-model.ts";
import { judgeCall, reservation, settlement } from "../models/quotas.ts";
import { loadConfig } from "../config/resolve.ts";
import type { Runtime } from "../runtime.ts";
import { openSession } from "../session/session.ts";
import type { CallReport, ModelReport, QuotaOptions } from "./quota/model-report.ts";

/** What is not known where a service says nothing. */
const UNKNOWN_WITHOUT: Readonly<Record<MissingPart["service"], string>> = {
  "Service Quotas": "The quotas are not known, which Service Quotas tells",
  CloudWatch: "What was used lately is not known, which CloudWatch tells",
};

/**
 * Shows what this account may ask of a model in a minute and a day, what was used of it lately, and whether one call fits.
 * Without a model it is the default model with its fallbacks, else every configured one. Throws `no-default-model`,
 * `model-not-found`, `invalid-request` for a model of another server, and the errors of Service Quotas but a missing
 * permission, which is told.
 */
export async function run(options: QuotaOptions, runtime: Runtime): Promise<void> {
  const reports: ModelReport[] = [];
  for (const name of await namesOf(options, runtime)) reports.push(await report(name, options, runtime));
  const missing = new Map<string, MissingPart>();
  for (const { survey } of reports) for (const part of survey.missing) missing.set(part.action, part);
  const { terminal } = runtime;
  if (terminal.format === "json") {
    const { quotaDocument } = await import("./quota/quota-document.ts");
    await terminal.printJson(quotaDocument(reports, [...missing.values()], terminal));
  } else {
    const { printReports } = await import("./quota/quota-table.ts");
    await printReports(reports, options, terminal);
  }
  for (const { service, action, error } of missing.values())
    await terminal.warn(
      `${UNKNOWN_WITHOUT[service]}${error.code === "access-denied" ? ` (${action})` : ""}: ${error.message}`,
      error.hint,
    );
}

async function namesOf({ model, ...options }: QuotaOptions, runtime: Runtime): Promise<string[]> {
  if (model?.trim() === "")
    throw usageError("No model is named.", "List the models you can call: openclaw models list");
  if (model !== undefined) return [model];
  const { value: config } = await loadConfig(options, runtime);
  const defaults = defaultModels(config, runtime).filter((name) => isOfBedrock(namedModel(name, config)));
  const names = defaults.length > 0 ? defaults : bedrockIds(config);
  if (names.length > 0) return names;
  throw new OpenclawError("no-default-model", {
    message: "No model is named, and the configuration has none of Amazon Bedrock.",
    hint: "Name one: openclaw quota MODEL, from `openclaw models list`",
  });
}

async function report(text: string, options: QuotaOptions, runtime: Runtime): Promise<ModelReport> {
  const { survey, wanted } = await surveyNamed(text, options, runtime);
  const { load, setup } = survey;
  if (!isOfBedrock(wanted))
    throw new OpenclawError("invalid-request", {
      message: `'${wanted.key}' is a model of another server, of which AWS has no quota.`,
      hint: "Name a model of Amazon Bedrock, from `openclaw models list`",
    });
  const named = await findNamed(survey, wanted);
  // Who may not list models may know their quotas, but not what a name stands for.
  const isDenied = load.error?.code === "access-denied" && isComplete(wanted);
  if (!named && !isDenied) throw await unlisted(wanted, survey);
  const { discovered } = load;
  const { model, base, baseId } = named ?? describeUnlisted(wanted, survey);
  const session = await openSession(setup, targetOf(wanted));
  try {
    const isAtMantle = isMantle(wanted);
    const asked = { id: wanted.id, base, discovered, isAtMantle };
    const quotas = await withAwsSpinner(setup, "Asking AWS for its quotas", () =>
      surveyQuotas(session, asked),
    );
    const through = discovered && profileCalled(wanted.id, discovered);
    const id = through ? idOfProfile(through) : wanted.id;
    const way = quotas.ways.find(
      (candidate) => candidate.id === id && isAtMantle === (candidate.scope === "mantle"),
    );
    // Mantle counts input and output apart, one for one.
    const family = familyOf(baseId ?? base?.id ?? wanted.id);
    const defaultMaxTokens = model.maxTokens ?? 0;
    const burndown = isAtMantle ? PLAIN_BURNDOWN : (family.burndown ?? PLAIN_BURNDOWN);
    return {
      id,
      name: base?.name ?? model.name,
      region: session.region.value,
      defaultMaxTokens,
      burndown,
      survey: quotas,
      way,
      call: callReport(options, model, defaultMaxTokens, burndown.output, way),
    };
  } finally {
    session.close();
  }
}

function describeUnlisted(wanted: ResolvedModel, { input }: ModelSurvey) {
  const baseId = baseModelId(wanted.id);
  return { model: describeNamed(input, wanted, baseId), base: undefined, baseId };
}

function callReport(
  { inputTokens, maxTokens }: QuotaOptions,
  { limitsSource }: Pick<ListedModel, "limitsSource">,
  most: number,
  burndown: number,
  way: QuotaWay | undefined,
): CallReport | undefined {
  if (inputTokens === undefined && maxTokens === undefined) return undefined;
  const call = { inputTokens: inputTokens ?? 0, maxTokens: maxTokens ?? most };
  return {
    ...call,
    maxTokensSource: maxTokens === undefined ? "model" : "flag",
    reserves: reservation(call),
    settlesAtMost: settlement({ inputTokens: call.inputTokens, outputTokens: call.maxTokens }, burndown),
    verdict: judgeCall(
      call,
      way?.quota ?? {},
      way?.used?.now,
      // What is only assumed of a model bounds no advice.
      limitsSource === "default" ? undefined : most,
    ),
  };
}
