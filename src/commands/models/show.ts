import { quoteForShell } from "../../terminal/quote-for-shell.ts";
import { baseModelId } from "../../models/base-model-id.ts";
import type { TokenPrices } from "../../models/catalog.ts";
import { familyOf } from "../../models/families.ts";
import { type Access, surveyAccess } from "../../discovery/access.ts";
import { surveyNamed, unlisted } from "../../discovery/name-model.ts";
import { findNamed, type NamedModel, obstacleToChat } from "../../discovery/find-named.ts";
import { wayTo } from "../../discovery/learnt-way.ts";
import type { Warning } from "../../models/discovered.ts";
import { modelFacts, type ModelFacts } from "../../models/model-facts.ts";
import {
  apiName,
  apiOf,
  isServed,
  keyAtMantle,
  nameOfWay,
  servedApi,
  sourceOfApi,
  type Way,
} from "../../models/provider-api.ts";
import { LIST_PROVISIONED, needsProfile, profileFor } from "../../models/callable.ts";
import { type ResolvedModel, targetOf } from "../../models/resolve-model.ts";
import type { ModelSurvey } from "../../discovery/survey.ts";
import { openSession } from "../../session/session.ts";
import { usageError } from "../../errors.ts";
import type { GlobalOptions } from "../../options.ts";
import type { Runtime } from "../../runtime.ts";
import { type Fact, printFacts } from "../../terminal/fact-lines.ts";
import { hang } from "../../terminal/word-wrap.ts";
import { formatAge, formatPriceColumn, formatTokens } from "../../terminal/numbers.ts";

export interface ShowOptions extends GlobalOptions {
  model: string;
  access?: boolean;
}

/**
 * Shows everything known of one model, where each fact comes from, and how to call it. Throws `model-not-found` with the
 * nearest ids.
 */
export async function run(options: ShowOptions, runtime: Runtime): Promise<void> {
  if (options.model.trim() === "")
    throw usageError("No model is named.", "List the models you can call: openclaw models list");
  const { survey, wanted } = await surveyNamed(options.model, options, runtime, { withBarred: true });
  const { load } = survey;
  const named = await findNamed(survey, wanted);
  if (!named) throw await unlisted(wanted, survey);
  const form = familyOf(named.baseId ?? baseModelId(wanted.id, load.discovered)).reasoning;
  const called = await howCalled(wanted, named.baseId ?? wanted.id, survey);
  const { way } = called;
  const facts = modelFacts({
    ...named,
    model: { ...named.model, api: named.model.api && apiName(way.api) },
    configured: wanted.configured,
    discovered: load.discovered,
    reasoningLevels: form && [...(form.off === undefined ? [] : ["off"]), ...form.levels],
  });
  const asked = await askAccess(named, survey, options);
  const { terminal } = runtime;
  const access = asked.access && terminal.told(asked.access);
  const warnings = [...load.warnings, ...named.warnings, ...asked.warnings].map((warning) =>
    terminal.told(warning),
  );
  const isUnfit = obstacleToChat(wanted, facts) !== undefined && keyAtMantle(wanted) === undefined;
  const call =
    isUnfit && facts.dimensions === null ? null : terminal.completeCommands(callLine(facts, wanted, survey));
  if (terminal.format === "json") {
    await terminal.printJson({
      ...facts,
      apiEndpoint: isServed(wanted) ? null : (way.path?.service ?? "bedrock-runtime"),
      apiPath: way.path?.prefix ?? null,
      apiSource: facts.api && called.source,
      access,
      reasoningSource: form?.source ?? null,
      call,
      region: load.region ?? null,
      source: load.source,
      fetchedAt: load.discovered ? new Date(load.discovered.fetchedAt).toISOString() : null,
      warnings,
    });
  } else {
    const { bold } = await terminal.stdoutStyle();
    await terminal.print(hang("", bold(facts.name), terminal.columns).join("\n"));
    await printFacts(factRows(facts, access, call, survey, { ...wanted, called }), terminal);
  }
  for (const { message, hint } of warnings) await terminal.warn(message, hint);
}

async function askAccess(
  { model }: NamedModel,
  survey: ModelSurvey,
  options: ShowOptions,
): Promise<{ access?: Access | undefined; warnings: Warning[] }> {
  if (!options.access) return { warnings: [] };
  const { access, warnings } = await surveyAccess({ ...survey, models: [model] }, {});
  return { access: access.get(model.key), warnings };
}

function factRows(
  facts: ModelFacts,
  access: Access | undefined,
  call: string | null,
  { load, setup }: ModelSurvey,
  wanted: ResolvedModel & { called: Called },
): Fact[] {
  const { base, sources, arn } = facts;
  const origin = (source: string | null): string =>
    source === null ? "" : ` (${source === "aws" ? "AWS" : source})`;
  return [
    ["key", facts.key],
    [
      "kind",
      isServed(wanted)
        ? `behind ${servedApi(apiOf(wanted)).maker}'s API`
        : kindInWords(facts, load.discovered !== undefined),
    ],
    ["api", isServed(wanted) ? null : facts.api === null ? "InvokeModel" : apiInWords(wanted.called)],
    ["description", facts.description],
    ["provider", facts.provider],
    ...(arn ? arnRows(arn) : [["ARN", facts.kind === "foundation-model" ? base?.arn : null] as const]),
    ["lifecycle", base && lifecycleInWords(base.lifecycle)],
    [
      "input",
      `${facts.input.replaceAll("+", ", ")}${origin(sources.input)}${asAwsSays(base?.inputModalities)}`,
    ],
    ["output", base?.outputModalities.join(", ").toLowerCase()],
    ["context", `${tokens(facts.contextWindow)}${origin(sources.contextWindow)}`],
    ["max out", facts.maxTokens === null ? null : `${tokens(facts.maxTokens)}${origin(sources.maxTokens)}`],
    ["vectors", facts.dimensions && dimensionsInWords(facts.dimensions)],
    ["reasoning", reasoningInWords(facts, origin(sources.reasoning))],
    ["price", priceInWords(facts)],
    ...(facts.cost?.tiers ?? []).map((tier): Fact => [
      `above ${formatTokens(tier.inputTokensAbove)}`,
      `${pricesInWords(tier)}, for prompts of more than ${tokens(tier.inputTokensAbove)}`,
    ]),
    ["inference", base && inferenceInWords(base.inferenceTypes)],
    ["regions", regionsInWords(facts) || "unknown"],
    ["tags", facts.tags.join(", ")],
    ["access", access && accessInWords(access)],
    ...facts.profiles.map((profile): Fact => ["profile", `${profile.id} → ${regionsInWords(profile)}`]),
    ["asked", askedInWords(load, setup.runtime)],
    call === null ? ["call it", whyNoCall(facts)] : ["call it", call, "whole"],
  ];
}

function whyNoCall({ tags }: ModelFacts): string {
  return tags.includes("provisioned")
    ? `by the ARN of its provisioned throughput: ${LIST_PROVISIONED}`
    : "chat cannot: it does not stream text";
}

/** How a model is called first, and who says so: the settings, a refusal of a likelier way, or a page. */
interface Called {
  way: Way;
  source: string | null;
}

async function howCalled(wanted: ResolvedModel, baseId: string, { setup }: ModelSurvey): Promise<Called> {
  const { way, isLearnt } = await wayTo(await openSession(setup, targetOf(wanted)), wanted, baseId);
  return { way, source: isLearnt ? "learnt" : sourceOfApi({ ...wanted, id: baseId }) };
}

/** The API that a model of AWS's is called by first, where, and who says so. */
function apiInWords({ way, source }: Called): string {
  const place = way.path ? ` of ${way.path.service}` : "";
  const [page = ""] = /[^/]+$/.exec(source ?? "") ?? [];
  return `${nameOfWay(way)}${place} (${page.endsWith(".html") ? `AWS, ${page.slice(0, -5)}` : page})`;
}

function kindInWords({ kind, base, arn }: ModelFacts, isListKnown: boolean): string {
  const unlisted = isListKnown ? "not listed by AWS" : "known from the catalog";
  const name = kind === "other" ? (arn?.names ?? unlisted) : kind.replace("-", " ");
  return base && kind !== "foundation-model" ? `${name} of ${base.id}` : name;
}

function arnRows(arn: NonNullable<ModelFacts["arn"]>): Fact[] {
  const owner = arn.account === "" ? "" : `, account ${arn.account}`;
  const place = `partition ${arn.partition}${arn.region === "" ? "" : `, region ${arn.region}`}${owner}`;
  return [
    ["ARN", arn.arn],
    ["belongs to", place],
    ["status", arn.status],
    ["made of", arn.architecture],
    ...arn.targets.map((target): Fact => ["routes to", target]),
  ];
}

function regionsInWords({ regions, everyRegion }: Pick<ModelFacts, "regions" | "everyRegion">): string {
  return [...regions, ...(everyRegion ? ["any other region"] : [])].join(", ");
}

function lifecycleInWords(lifecycle: NonNullable<ModelFacts["base"]>["lifecycle"]): string {
  const date = (text: string | null, words: string): string[] =>
    text === null ? [] : [`${words} ${text.slice(0, 10)}`];
  return [
    lifecycle.status.toLowerCase(),
    ...date(lifecycle.startOfLife, "came on"),
    ...date(lifecycle.legacyFrom, "legacy from"),
    ...date(lifecycle.extendedAccessFrom, "dearer from"),
    ...date(lifecycle.endOfLife, "ends on"),
  ].join(", ");
}

function asAwsSays(modalities: readonly string[] | undefined): string {
  return modalities ? `; AWS says ${modalities.join(", ").toLowerCase()}` : "";
}

function tokens(count: number): string {
  return `${count.toLocaleString("en-US")} tokens`;
}

function dimensionsInWords([usual = 0, ...others]: readonly number[]): string {
  const either = others.length === 0 ? "" : `; --dimensions ${[usual, ...others].join("|")}`;
  return `${usual.toLocaleString("en-US")} numbers${either}`;
}

function reasoningInWords({ reasoning, reasoningLevels }: ModelFacts, origin: string): string {
  if (!reasoning) return `no${origin}`;
  if (reasoningLevels === null) return `yes${origin}; which levels it takes is not known`;
  if (reasoningLevels.length === 0) return `always${origin}; it takes no level`;
  return `yes${origin}; --reasoning ${reasoningLevels.join("|")}`;
}

function priceInWords({ cost, priceSource }: ModelFacts): string {
  if (!cost) return "unknown";
  return `${pricesInWords(cost)} per million tokens (${priceSource}, estimate)`;
}

function pricesInWords({ input, output, cacheRead, cacheWrite }: TokenPrices): string {
  // Of money two decimals are read at once.
  const format = (price: number): string => `$${formatPriceColumn([price])(price)}`;
  return [
    `${format(input)} in`,
    `${format(output)} out`,
    ...(cacheRead === undefined ? [] : [`cache read ${format(cacheRead)}`]),
    ...(cacheWrite === undefined ? [] : [`cache write ${format(cacheWrite)}`]),
  ].join(", ");
}

const INFERENCE_WORDS: Readonly<Record<string, string>> = {
  ON_DEMAND: "on demand",
  INFERENCE_PROFILE: "inference profile",
  PROVISIONED: "provisioned throughput",
};

function inferenceInWords(types: readonly string[] | null): string | null {
  if (types === null) return null;
  return types.map((type) => INFERENCE_WORDS[type] ?? type).join(", ") || "none that AWS names";
}

function accessInWords({ status, reason, hint }: Access): string {
  if (status === "available") return "yes";
  return `${status.replaceAll("-", " ")}: ${reason}${reason?.endsWith(".") ? "" : "."}${hint ? ` ${hint}` : ""}`;
}

function askedInWords({ discovered, source, region }: ModelSurvey["load"], { now }: Runtime): string {
  if (!discovered) return "config and catalog only; AWS was not asked";
  const age = source === "network" ? "just now" : `${formatAge(now() - discovered.fetchedAt)} ago`;
  return `AWS in ${region ?? discovered.region}, ${age}`;
}

/** The command that calls it, or has it make vectors. */
function callLine(facts: ModelFacts, wanted: ResolvedModel, { load: { discovered } }: ModelSurvey): string {
  const isBedrock = wanted.providerId === "amazon-bedrock";
  const through =
    discovered && facts.kind === "foundation-model" && needsProfile(wanted.id, discovered)
      ? (profileFor(wanted.id, discovered)?.id ?? facts.profiles[0]?.id)
      : undefined;
  const model = keyAtMantle(wanted) ?? through ?? (isBedrock ? wanted.id : wanted.key);
  const command = facts.dimensions ? "openclaw embed" : "openclaw chat";
  return `${command} --model ${quoteForShell(model)} "Hello"`;
}
