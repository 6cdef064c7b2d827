import { isListedType, parseArn } from "../aws/arn.ts";
import { partitionOfRegion } from "../aws/partition.ts";
import { decideRegions } from "../aws/region.ts";
import { type AwsSession, openSession, type Setup, readSetup } from "../session/session.ts";
import { chooseGuardrail } from "../converse/guardrail.ts";
import { defaultModel, discoverySettings, loadConfig } from "../config/resolve.ts";
import type { Configuration } from "../config/settings.ts";
import { toOpenclawError } from "../session/aws-errors.ts";
import { once, oncePer } from "../once.ts";
import type { Warning } from "../models/discovered.ts";
import { wayTo } from "../discovery/learnt-way.ts";
import { loadModels, type ModelLoad } from "../discovery/load.ts";
import { listedBase, listedId } from "../models/listed-id.ts";
import { hasMantle, isAtRuntime, isMantle, isOfBedrock } from "../models/provider-api.ts";
import { needsProfile } from "../models/callable.ts";
import {
  isComplete,
  MANTLE_TARGET,
  resolveModel,
  type ResolvedModel,
  type Target,
  targetOf,
} from "../models/resolve-model.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { type Account, type CalledModel, resourcesOf } from "./model-resources.ts";
import type { PolicyNeeds, Purpose } from "./policy.ts";

/**
 * Finds out which calls the configuration leads to: its models in the regions they are called in, with AWS's lists for the
 * regions that their profiles route to, and the account, by STS where it can be asked. What cannot be asked becomes a
 * warning. Throws config and usage errors.
 */
export async function surveyNeeds(
  options: GlobalOptions,
  runtime: Runtime,
  purposes: readonly Purpose[],
): Promise<{ needs: PolicyNeeds; warnings: Warning[] }> {
  const config = await loadConfig(options, runtime);
  const setup = await readSetup(options, runtime, config);
  const session = await openSession(setup, { kind: "discovery" });
  try {
    const guardrail = chooseGuardrail(undefined, false, config.value)?.guardrailIdentifier;
    const [models, embedders, identity, mantleRegion] = await Promise.all([
      findWhereCalled(setup, calledModels(config.value).filter(isAtRuntime), purposes),
      findModels(setup, purposes.includes("embed") ? embeddingModels(config.value) : []),
      askAccount(session),
      findMantleRegion(setup),
    ]);
    const account = decideAccount(identity, models, guardrail, session.region.value);
    return {
      needs: {
        purposes,
        account,
        isDiscoveryOn: discoverySettings(config.value).enabled !== false,
        looksUp: models.some(({ isLookedUp }) => isLookedUp),
        models,
        embedders,
        mantleRegion,
        asked: await permissionsToAsk(models),
        guardrail,
        usesApiKey: setup.decision.chosen.source === "AWS_BEARER_TOKEN_BEDROCK",
      },
      warnings: warningsOf([...models, ...embedders], account),
    };
  } finally {
    session.close();
  }
}

/** A model with what could be learnt about its region. */
interface FoundModel extends CalledModel {
  load: ModelLoad;
  /** Whether AWS's lists tell how it is called: it goes by a name, or needs a profile. */
  isLookedUp: boolean;
}

/** The models in the region where they are called, and in those that `serve` may ask. */
async function findWhereCalled(
  setup: Setup,
  models: readonly ResolvedModel[],
  purposes: readonly Purpose[],
): Promise<FoundModel[]> {
  const { options, config } = setup;
  const setting = purposes.includes("serve") ? config.value.models?.regions : undefined;
  const served = decideRegions({ one: options.region, setting }) ?? [];
  const [here, ...elsewhere] = await Promise.all([
    findModels(setup, models),
    ...served.map(async (region) => {
      const there = models.filter(({ id }) => [undefined, "", region].includes(parseArn(id)?.region));
      const found = await findModels({ ...setup, options: { ...options, region } }, there);
      // What a region does not have is not asked there.
      return found.filter(({ id, discovered }) => !discovered || listedId(id, discovered) !== undefined);
    }),
  ]);
  const places = new Set(here.map(({ id, region }) => `${region} ${id}`));
  return [...here, ...elsewhere.flat().filter(({ id, region }) => !places.has(`${region} ${id}`))];
}

async function findModels(setup: Setup, models: readonly ResolvedModel[]): Promise<FoundModel[]> {
  const load = oncePer(
    ({ target }: { target: Target; region: string }) => loadModels(setup, { target }),
    ({ region }) => region,
  );
  // Asked for only by a name that no list of the runtime's has.
  const loadMantle = once(() => loadModels(setup, { target: MANTLE_TARGET }));
  const { value: config } = setup.config;
  const found = await Promise.all(
    models.map(async (model): Promise<FoundModel | undefined> => {
      const target = targetOf(model);
      const session = await openSession(setup, target);
      const region = session.region.value;
      session.close();
      const loaded = await load({ target, region });
      const { discovered } = loaded;
      const { id, key } = resolveModel(model.key, config, discovered);
      if (key === model.key && !isComplete(model) && hasMantle(config)) {
        const { discovered: mantle } = await loadMantle();
        if (isMantle(resolveModel(model.id, config, discovered, mantle))) return undefined;
      }
      const { way } = await wayTo(session, { ...model, id }, discovered && listedBase(id, discovered)?.id);
      const isLookedUp = !isComplete(model) || (discovered !== undefined && needsProfile(id, discovered));
      return { id, region, api: way.api, discovered, load: loaded, isLookedUp };
    }),
  );
  return found.filter((model) => model !== undefined);
}

/** The region in which Mantle is called, where its provider is configured or a model is named as its. */
async function findMantleRegion(setup: Setup): Promise<string | undefined> {
  const { value } = setup.config;
  if (!hasMantle(value) && !calledModels(value).some(isMantle)) return undefined;
  const session = await openSession(setup, MANTLE_TARGET);
  session.close();
  return session.region.value;
}

/** What is asked about ARNs that AWS's lists never hold. */
async function permissionsToAsk(models: readonly FoundModel[]): Promise<PolicyNeeds["asked"]> {
  const unlisted = models.filter(({ id }) => {
    const arn = parseArn(id);
    return arn && !isListedType(arn);
  });
  if (unlisted.length === 0) return [];
  const { permissionsAboutArn } = await import("../session/ask-about-arn.ts");
  return unlisted.flatMap(({ id }) => permissionsAboutArn(id));
}

/** The model of `embed`. */
function embeddingModels(config: Configuration): ResolvedModel[] {
  const { embeddingModel } = config.agents?.defaults ?? {};
  return embeddingModel === undefined ? [] : [resolveModel(embeddingModel, config)].filter(isOfBedrock);
}

/** The models of the configuration that Bedrock answers: default, fallbacks, those of the providers, those with an alias. */
function calledModels(config: Configuration): ResolvedModel[] {
  const { primary, fallbacks } = defaultModel(config);
  const texts = [
    ...(primary === undefined ? [] : [primary]),
    ...fallbacks,
    ...Object.entries(config.models?.providers ?? {}).flatMap(([id, { models = [] }]) =>
      models.map((model) => `${id}/${model.id}`),
    ),
    ...Object.keys(config.agents?.defaults?.models ?? {}),
  ];
  const models = new Map(texts.map((text) => resolveModel(text, config)).map((model) => [model.key, model]));
  return [...models.values()];
}

/** Account and partition by STS; undefined where it cannot be asked. */
async function askAccount(session: AwsSession): Promise<Account | undefined> {
  const { runtime } = session.setup;
  const { source } = session.decision.chosen;
  if (source === "AWS_BEARER_TOKEN_BEDROCK" || source === "invalid") return undefined;
  const { askCallerIdentity } = await import("../session/caller-identity.ts");
  try {
    const { arn, account } = await askCallerIdentity(session);
    if (account === undefined) return undefined;
    return {
      id: account,
      partition: /^arn:([^:]+):/.exec(arn ?? "")?.[1] ?? partitionOfRegion(session.region.value),
    };
  } catch (failure) {
    const error = toOpenclawError(failure, { session, action: "sts:GetCallerIdentity" });
    if (error.code === "interrupted" || error.code === "internal") throw error;
    runtime.terminal.verbose(() => `STS was not asked: ${error.message}`);
    return undefined;
  }
}

/** The account: STS's answer, else that of an ARN that is known to be the account's own, else `*`. */
function decideAccount(
  identity: Account | undefined,
  models: readonly FoundModel[],
  guardrail: string | undefined,
  region: string,
): Account {
  if (identity) return identity;
  const arns = [
    ...models.flatMap(({ discovered }) => discovered?.profiles.map(({ arn }) => arn) ?? []),
    ...models.map(({ id }) => id),
    ...(guardrail === undefined ? [] : [guardrail]),
  ];
  for (const text of arns) {
    const arn = parseArn(text);
    if (arn?.account) return { partition: arn.partition, id: arn.account };
  }
  return { partition: partitionOfRegion(region), id: "*" };
}

function warningsOf(models: readonly FoundModel[], account: Account): Warning[] {
  const failures = new Map(
    models.flatMap(({ load: { error } }) => (error === undefined ? [] : [[error.message, error] as const])),
  );
  const vague = models.filter((model) => !resourcesOf(model, account).isExact).map(({ id }) => id);
  const foreign = models.filter((model) => !resourcesOf(model, account).isCovered).map(({ id }) => id);
  const warnings: Warning[] = [...failures.values()].map(({ code, message, hint }) => ({
    code,
    message: `AWS's lists could not be read: ${message}`,
    hint: hint ?? "openclaw doctor",
  }));
  if (vague.length > 0) {
    warnings.push({
      code: "not-exact",
      message: `AWS does not tell which regions ${named(vague)} ${vague.length === 1 ? "is" : "are"} answered in, so the policy allows every region.`,
      hint: "Run it with credentials that may list models and profiles: openclaw models list --refresh",
    });
  }
  if (foreign.length > 0) {
    warnings.push({
      code: "not-covered",
      message: `The permissions for ${named(foreign)} are of another kind and not in the policy.`,
      hint: "https://docs.aws.amazon.com/bedrock/latest/userguide/security_iam_id-based-policy-examples.html",
    });
  }
  if (account.id === "*") {
    warnings.push({
      code: "account-unknown",
      message: "The account could not be found out, so the policy has * in its place.",
      hint: "Put the number of your account there: aws sts get-caller-identity --query Account",
    });
  }
  return warnings;
}

/** The first three of a list, and how many more there are. */
function named(ids: readonly string[]): string {
  const more = ids.length > 3 ? ` and ${ids.length - 3} more` : "";
  return `${ids.slice(0, 3).join(", ")}${more}`;
}
