import { type ErrorCode, OpenclawError, usageError } from "../errors.ts";
import { baseModelId } from "../models/base-model-id.ts";
import { lookUpCatalog } from "../models/catalog.ts";
import type { FoundationModel } from "../models/discovered.ts";
import { isMantle, isServed } from "../models/provider-api.ts";
import { type ResolvedModel, targetOf } from "../models/resolve-model.ts";
import type { GlobalOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { type AwsSession, openSession } from "../session/session.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { AVAILABILITY, type AskedGates, createGateAsker } from "./ask-gates.ts";
import { findNamed } from "./find-named.ts";
import type { Gate, GatePlace } from "./judge-access.ts";
import { surveyNamed, unlisted } from "./name-model.ts";
import { askQuotaGate } from "./quota-gate.ts";
import { type ModelSurvey, withAwsSpinner } from "./survey.ts";

/** What was seen of the gates of a model that a person names. */
export interface GateLook {
  survey: ModelSurvey;
  /** The model's key, and its name. */
  key: string;
  name: string;
  place: GatePlace;
  asked: AskedGates;
  quota: Gate;
  /** Open, for whoever goes on with it, and closes it. */
  session: AwsSession;
  /** Asks AWS about the gates again. */
  ask: () => Promise<AskedGates>;
}

/** Failures that no question escapes: then nothing is known of any gate. */
const FATAL: ReadonlySet<ErrorCode> = new Set([
  "no-credentials",
  "credentials-expired",
  "credentials-rejected",
  "network",
  "timeout",
  "bad-response",
  "model-not-found",
]);

/**
 * Asks AWS about each gate between this identity and a model that a person names. Throws `model-not-found`, `usage` for a
 * model of another server, and what keeps AWS from answering anything.
 */
export async function lookAtGates(
  model: string,
  options: GlobalOptions,
  runtime: Runtime,
): Promise<GateLook> {
  const { survey, wanted } = await surveyNamed(model, options, runtime, { withBarred: true });
  const { load, setup } = survey;
  if (isServed(wanted))
    throw usageError(
      `'${wanted.key}' is no model of Amazon Bedrock, and has no gates there.`,
      `openclaw models show ${quoteForShell(wanted.key)}`,
    );
  const { baseId, base, name } = await findBase(survey, wanted);
  const session = await openSession(setup, targetOf(wanted));
  try {
    const place = {
      modelId: baseId,
      region: session.region.value,
      isAtMantle: isMantle(wanted),
      isListed: base !== undefined,
    };
    const ask = (): Promise<AskedGates> => createGateAsker(session).askAll(baseId);
    const asking = { id: wanted.id, base, discovered: load.discovered, isAtMantle: place.isAtMantle };
    const [asked, quota] = await withAwsSpinner(setup, "Asking AWS about access", () =>
      Promise.all([ask(), askQuotaGate(session, asking, place)]),
    );
    const failure = asked.failures.get(AVAILABILITY);
    // The control plane knows nothing of what Mantle alone has.
    const isOnlyThere = place.isAtMantle && place.isListed && failure?.code === "model-not-found";
    if (failure && FATAL.has(failure.code) && !isOnlyThere) throw failure;
    return { survey, key: wanted.key, name, place, asked, quota, session, ask };
  } catch (error) {
    session.close();
    throw error;
  }
}

/** The foundation model that answers in the end, and its name. Throws `model-not-found`, and why AWS's list is missing. */
async function findBase(
  survey: ModelSurvey,
  wanted: ResolvedModel,
): Promise<{ baseId: string; base: FoundationModel | undefined; name: string }> {
  const { load } = survey;
  const named = await findNamed(survey, wanted);
  const baseId = named?.baseId ?? baseModelId(wanted.id, load.discovered);
  const known = baseId === undefined ? undefined : lookUpCatalog(baseId);
  // What the region does not list may be closed by just that.
  if (!named && !known) throw await unlisted(wanted, survey);
  if (baseId === undefined) {
    throw new OpenclawError("model-not-found", {
      message: `Which model answers for '${wanted.id}' is not known, and gates are a model's.`,
      hint: `openclaw models show ${quoteForShell(wanted.id)}`,
    });
  }
  return { baseId, base: named?.base, name: named?.model.name ?? known?.name ?? baseId };
}
