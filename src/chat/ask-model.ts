import { parseArn } from "../aws/arn.ts";
import { type AwsSession, openSession, type Setup } from "../session/session.ts";
import { OpenclawError } from "../errors.ts";
import { catalogIds } from "../models/catalog.ts";
import type { Discovered } from "../models/discovered.ts";
import { loadModels } from "../discovery/load.ts";
import { speaksOpenai } from "../models/provider-api.ts";
import { needsProfile, profileFor, targetOf, unknownModel } from "../models/resolve-model.ts";
import type { ChatEvent } from "../converse/chat-event.ts";
import { boundsFor, type WantedBounds } from "../converse/deadlines.ts";
import { baseModelId } from "../models/base-model-id.ts";
import { type Ask, dependsOnModel, planRequests } from "../converse/plan-request.ts";
import type { TurnRecorder } from "../converse/turn-recorder.ts";

export interface Question extends Ask {
  bounds: WantedBounds;
  /** Keeps what is sent and what comes back; none where nothing follows the answer. */
  recorder?: TurnRecorder | undefined;
  /** Opens the session of a target: a new one unless told otherwise. */
  open?: typeof openSession | undefined;
  /** Tells what AWS lists: from the cache on the disk unless told otherwise. */
  known?: typeof knownModels | undefined;
}

/**
 * Puts a question to a model and yields the answer's events. A base model that needs an inference profile is called
 * through the region's geographic one: known beforehand from the cached list, or learnt from AWS's refusal, once. A model
 * behind OpenAI's API is asked there, and AWS has no part in it.
 * Throws the errors of streamChat; `model-not-found` names the nearest ids.
 */
export async function* askModel(
  setup: Setup,
  question: Question,
): AsyncGenerator<ChatEvent, void, undefined> {
  const { model } = question;
  const { terminal } = setup.runtime;
  if (speaksOpenai(model)) {
    const { askProvider } = await import("../wires/chat-completions/ask-provider.ts");
    return yield* askProvider(setup, question);
  }
  const session = await (question.open ?? openSession)(setup, targetOf(model));
  try {
    const known = await (question.known ?? knownModels)(session, question);
    const profile = known && needsProfile(model.id, known) ? profileFor(model.id, known) : undefined;
    if (profile) terminal.note(throughProfile(model.id, profile.id));
    const said = new Set<string>();
    try {
      yield* ask(session, question, profile?.id ?? model.id, known, said);
    } catch (error) {
      if (!(error instanceof OpenclawError)) throw error;
      if (error.code === "model-not-found") throw unknownModel(model.id, await idsFor(setup), error);
      if (error.code !== "needs-inference-profile" || profile || parseArn(model.id)) throw error;
      const found = await findProfile(session, model.id, error);
      terminal.note(throughProfile(model.id, found));
      yield* ask(session, question, found, known, said);
    }
  } finally {
    session.close();
  }
}

/** What AWS lists in the session's region, from the cache; asked for only where the request depends on it. */
export async function knownModels(session: AwsSession, question: Ask): Promise<Discovered | undefined> {
  const { setup, region } = session;
  const load = async (options: { offline?: boolean }): Promise<Discovered | undefined> => {
    const { discovered } = await loadModels(setup, options);
    return discovered?.region === region.value ? discovered : undefined;
  };
  const cached = await load({ offline: true });
  const { id } = question.model;
  const isNamedByAws = parseArn(id)?.resourceType === "application-inference-profile";
  if (!isNamedByAws || baseModelId(id, cached) !== undefined) return cached;
  return dependsOnModel(question, setup.config.value) ? ((await load({})) ?? cached) : cached;
}

async function* ask(
  session: AwsSession,
  question: Question,
  modelId: string,
  known: Discovered | undefined,
  said: Set<string>,
): AsyncGenerator<ChatEvent, void, undefined> {
  const { config, runtime } = session.setup;
  const [{ streamChat }, plans] = await Promise.all([
    import("../converse/stream.ts"),
    planRequests(question, modelId, config.value, known),
  ]);
  for (const [index, { input, form, isReasoning, notices }] of plans.entries()) {
    for (const notice of notices.filter((text) => !said.has(text))) {
      said.add(notice);
      runtime.terminal.note(`openclaw: ${notice}`);
    }
    const events = streamChat(session, input, boundsFor(question.bounds, isReasoning), question.recorder);
    if (!question.schema || !form) return yield* events;
    const { isFormRefused, readStructured } = await import("../converse/structured-output.ts");
    let hasStarted = false;
    try {
      for await (const event of readStructured(events, form, question.schema)) {
        hasStarted = true;
        yield event;
      }
      return;
    } catch (error) {
      if (hasStarted || index === plans.length - 1 || !isFormRefused(error)) throw error;
      runtime.terminal.verbose(() => `schema as ${form}: ${String(error)}; trying ${plans[index + 1]?.form}`);
    }
  }
}

/** Asks AWS for the profile behind a refusal. Rethrows the refusal, with what is known, when there is none. */
async function findProfile(session: AwsSession, id: string, refusal: OpenclawError): Promise<string> {
  const { discover } = await import("../discovery/discover.ts");
  let discovered: Discovered;
  try {
    discovered = await discover(session);
  } catch (cause) {
    session.setup.runtime.terminal.verbose(() => `no profile could be looked up: ${String(cause)}`);
    throw refusal;
  }
  const profile = profileFor(id, discovered);
  if (profile) return profile.id;
  const global = discovered.profiles.find((candidate) => candidate.id === `global.${id}`);
  if (!global) throw refusal;
  throw new OpenclawError("needs-inference-profile", {
    message: `${refusal.message} Only a global one reaches it from ${session.region.value}.`,
    hint: `If your data may go to any region: openclaw chat --model ${global.id}`,
    requestId: refusal.requestId,
    cause: refusal,
  });
}

function throughProfile(id: string, profileId: string): string {
  return `openclaw: ${id} is called through the inference profile ${profileId}`;
}

/** Every id that could have been meant: configured, listed by AWS, or in the catalog. */
async function idsFor(setup: Setup): Promise<string[]> {
  const { discovered } = await loadModels(setup, {});
  const configured = Object.values(setup.config.value.models?.providers ?? {}).flatMap(({ models = [] }) =>
    models.map(({ id }) => id),
  );
  const listed = discovered
    ? [...discovered.profiles, ...discovered.models].map(({ id }) => id)
    : catalogIds();
  return [...configured, ...listed];
}
