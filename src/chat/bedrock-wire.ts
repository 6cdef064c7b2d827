import type { ConverseTokensRequest } from "@aws-sdk/client-bedrock-runtime";
import { parseArn } from "../aws/arn.ts";
import { type Lessons, refusalOf } from "../converse/apply-lessons.ts";
import { chooseGuardrail, guardrailHeaders, unguarded } from "../converse/guardrail.ts";
import type { Invocation } from "../converse/invocation.ts";
import { type Ask, dependsOnModel, planRequest } from "../converse/plan-request.ts";
import type { RequestPlan, Wire } from "../converse/wire.ts";
import { placeOf } from "../discovery/learnt-way.ts";
import { loadModels } from "../discovery/load.ts";
import { OpenclawError, withFields } from "../errors.ts";
import { textAt } from "../json.ts";
import { once } from "../once.ts";
import { baseModelId } from "../models/base-model-id.ts";
import type { Discovered } from "../models/discovered.ts";
import { familyOf } from "../models/families.ts";
import { type AwsPath, hasMantle, isAtRuntime, isMantle, type Way } from "../models/provider-api.ts";
import { catalogIds } from "../models/catalog.ts";
import { accessCommand } from "../models/gates.ts";
import { findProfile as listedProfile, listedId } from "../models/listed-id.ts";
import { MANTLE_TARGET, type ResolvedModel, targetOf, unknownModel } from "../models/resolve-model.ts";
import { saysRetired } from "../session/error-table.ts";
import { readRefusal } from "../session/refusal-table.ts";
import { type AwsSession, openSession, type Setup } from "../session/session.ts";
import type { ServerApi } from "../wires/server-wire.ts";
import { ProfileChoice } from "./profile-choice.ts";

export interface WireOptions {
  /** Opens the session of a target: a new one unless told otherwise. */
  open?: typeof openSession | undefined;
  /** Tells what AWS lists: from the cache on the disk unless told otherwise. */
  known?: ((session: AwsSession, ask: Ask) => Promise<Discovered | undefined>) | undefined;
}

/** How a model of Amazon Bedrock is asked by one of its APIs. */
interface BedrockApi extends Pick<Wire, "open" | "explain" | "tellBreak" | "isSaid"> {
  /** How the API counts tokens, where it does. */
  countTokens?: Wire["countTokens"] | undefined;
  plan(modelId: string, known: Discovered | undefined, lessons: Lessons): Promise<RequestPlan>;
}

/** Opens the way to a model of Amazon Bedrock, by ConverseStream. Throws `usage`. */
export async function openConverse(setup: Setup, ask: Ask, options: WireOptions): Promise<Wire> {
  const loaded = import("../converse/converse-stream.ts");
  return openBedrock(
    setup,
    ask,
    { ...options, way: { api: "bedrock-converse-stream" } },
    async (session) => ({
      ...(await loaded).converseStream(session),
      plan: (modelId, known, lessons) => planRequest(ask, modelId, setup.config.value, known, lessons),
    }),
  );
}

/**
 * Opens the way to a model of Amazon Bedrock for a body in its vendor's words, by InvokeModel. Throws `usage`, and
 * `invalid-request` for a model of anybody else.
 */
export async function openInvoke(
  setup: Setup,
  ask: Ask,
  invocation: Invocation,
  options: WireOptions,
): Promise<Wire> {
  if (!isAtRuntime(ask.model)) {
    throw new OpenclawError("invalid-request", {
      message: `'${ask.model.key}' is not called at Amazon Bedrock's runtime, so no body of its own can be sent to it: ask it by Converse.`,
    });
  }
  const loaded = import("../converse/invoke-stream.ts");
  const way: Way = { api: "bedrock-converse-stream" };
  return openBedrock(setup, ask, { ...options, way }, async (session) => ({
    ...(await loaded).invokeStream(session),
    plan: async (modelId, known) => {
      const guardrail = chooseGuardrail(ask.guardrail, false, setup.config.value);
      // What embeds texts says nothing that could be held back; whoever asks for a guardrail there has AWS judge of it.
      const isGuarded =
        guardrail && (ask.guardrail ?? familyOf(baseModelId(modelId, known)).embedding === undefined);
      const headers = { ...invocation.headers, ...(isGuarded ? guardrailHeaders(guardrail) : {}) };
      const body: Invocation = { ...invocation, headers };
      return {
        input: { modelId },
        body,
        form: undefined,
        isReasoning: true,
        notices: [],
        toolNames: new Map(),
      };
    },
  }));
}

/** Opens the way to a model of Amazon Bedrock by an API of other services, under a path of AWS's. Throws `usage`. */
export async function openOverAws(
  setup: Setup,
  ask: Ask,
  options: WireOptions,
  { way, path, api }: { way: Way; path: AwsPath; api: ServerApi },
): Promise<Wire> {
  return openBedrock(setup, ask, { ...options, way }, async (session) => {
    const [{ awsStream, openAwsLine }, { countByApi }] = await Promise.all([
      import("../wires/aws-line.ts"),
      import("../wires/server-wire.ts"),
    ]);
    const line = await openAwsLine(session, path);
    // Responses of the runtime take the headers and answer as without them:
    // https://github.com/aws-samples/sample-per-model-bedrock (99-cross-cutting/03-production-hardening.ipynb)
    const takesGuardrails = path.service === "bedrock-runtime" && way.api !== "openai-responses";
    return {
      ...awsStream(line, api),
      // The runtime has CountTokens, and no counter under these paths.
      ...(path.service === "bedrock-mantle" &&
        api.countTokens && { countTokens: (plan) => countByApi(line, api, plan) }),
      plan: async (modelId, known, lessons) => {
        if (!takesGuardrails && chooseGuardrail(ask.guardrail, false, setup.config.value))
          throw unguarded(
            ask.model.key,
            "is called by an API on which guardrails do not act",
            ask.guardrail !== undefined,
          );
        return api.plan(line, lessons, { modelId, baseId: baseModelId(modelId, known) });
      },
    };
  });
}

/**
 * Opens the way to a model of Amazon Bedrock, by whichever of its APIs. A base model that needs an inference profile is
 * called through the region's geographic one: known beforehand from the cached list, or learnt from AWS's refusal, once.
 * Throws `usage`.
 */
async function openBedrock(
  setup: Setup,
  ask: Ask,
  { open = openSession, known: tellKnown = knownModels, way }: WireOptions & { way: Way },
  use: (session: AwsSession) => Promise<BedrockApi>,
): Promise<Wire> {
  const { id } = ask.model;
  const session = await open(setup, targetOf(ask.model));
  const { plan: planFor, countTokens: countByItself, ...stream } = await use(session);
  const place = await placeOf(session, way, id);
  const list = once(() => tellKnown(session, ask));
  const profile = new ProfileChoice(session, ask.model);
  let known: Discovered | undefined;
  return {
    ...stream,
    region: session.region.value,
    place,
    // AWS's list knows better which models the region has.
    isListed: () =>
      known ? listedId(id, known) !== undefined : catalogIds().includes(baseModelId(id) ?? id),
    plan: async (lessons) => {
      known = await list();
      profile.choose(known, lessons);
      const plan = await planFor(profile.id ?? id, known, lessons);
      return profile.notice === undefined ? plan : { ...plan, notices: [profile.notice, ...plan.notices] };
    },
    learn: async (refusal) => {
      const lessons = await profile.learn(refusal);
      if (lessons) return lessons;
      const param = textAt(refusal.details, "refusedField");
      return readRefusal({ message: refusalOf(refusal.details), param });
    },
    explainUnknown: async (refusal) => {
      const { insteadOf } = await import("../discovery/name-model.ts");
      const isRetired = saysRetired(String(refusal.details?.["awsMessage"] ?? ""));
      const load = await loadModels(setup, { target: targetOf(ask.model) });
      const refused = profile.id ?? id;
      const instead = await insteadOf(refused, isRetired, load, setup.config.value);
      const key = await keyInMantlesList(setup, ask.model);
      // What AWS lists and does not answer is closed by a gate, and another model is no way through it.
      if (!isRetired && !key && load.discovered && listedId(refused, load.discovered) !== undefined)
        return withFields(unknownModel(id, instead, refusal), { hint: accessHint(refused, session) });
      return unknownModel(
        id,
        [...(key ?? []), ...instead.filter((other) => other !== id)],
        refusal,
        isRetired,
      );
    },
    countTokens: async (plan) => {
      if (countByItself) return countByItself(plan);
      return isMantle(ask.model)
        ? { uncounted: "Bedrock's endpoint bedrock-mantle was not asked for a count, so it is estimated" }
        : count(session, baseModelId(plan.input.modelId ?? "", known), plan);
    },
    baseIdOf: ({ input }) => baseModelId(input.modelId ?? "", known),
    profileOf: ({ input }) => known && listedProfile(input.modelId ?? "", known),
    close: () => session.close(),
  };
}

/** What to do about a model of AWS's list that it says it does not know. */
function accessHint(modelId: string, { region }: AwsSession): string {
  return `AWS lists it, so see which gate is closed: ${accessCommand({ modelId, region: region.value })}`;
}

/** The key of a model that was asked for at the runtime endpoint and is in the list of Mantle's, where that is configured. */
async function keyInMantlesList(setup: Setup, model: ResolvedModel): Promise<[string] | undefined> {
  if (isMantle(model) || !hasMantle(setup.config.value)) return undefined;
  const { discovered } = await loadModels(setup, { target: MANTLE_TARGET });
  if (!discovered || listedId(model.id, discovered) === undefined) return undefined;
  return [`${MANTLE_TARGET.providerId}/${model.id}`];
}

/** What AWS lists in the session's region, from the cache; asked for only where the request depends on it. */
export async function knownModels(session: AwsSession, ask: Ask): Promise<Discovered | undefined> {
  const { setup, region } = session;
  const load = async (options: { offline?: boolean }): Promise<Discovered | undefined> => {
    const target = isMantle(ask.model) ? targetOf(ask.model) : undefined;
    const { discovered } = await loadModels(setup, { ...options, target });
    return discovered?.region === region.value ? discovered : undefined;
  };
  const cached = await load({ offline: true });
  const { id } = ask.model;
  const isNamedByAws = parseArn(id)?.resourceType === "application-inference-profile";
  if (!isNamedByAws || baseModelId(id, cached) !== undefined) return cached;
  return dependsOnModel(ask, setup.config.value) ? ((await load({})) ?? cached) : cached;
}

/** Asks AWS for the tokens of a request, free of charge; it counts for foundation models only. */
async function count(
  session: AwsSession,
  baseId: string | undefined,
  { input }: RequestPlan,
): ReturnType<Wire["countTokens"]> {
  if (baseId === undefined)
    return { uncounted: "AWS counts tokens only for known models, so the count is estimated" };
  const { messages, system, toolConfig, additionalModelRequestFields } = input;
  const request: ConverseTokensRequest = { messages, system, toolConfig, additionalModelRequestFields };
  try {
    const { countTokens } = await import("../session/count-tokens.ts");
    const tokens = await countTokens(session, baseId, request);
    return tokens === undefined ? { uncounted: "AWS gave no count, so it is estimated" } : { tokens };
  } catch (error) {
    if (!(error instanceof OpenclawError) || error.code === "interrupted" || error.code === "usage")
      throw error;
    const why = String(error.details?.["awsMessage"] ?? error.message).replace(/\.$/, "");
    return { uncounted: `AWS did not count the tokens (${why}), so the count is estimated`, failure: error };
  }
}
