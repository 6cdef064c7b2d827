import { parseArn } from "../aws/arn.ts";
import { type AwsSession, openSession, type Surroundings } from "../aws/session.ts";
import { OpenclawError } from "../errors.ts";
import { catalogIds } from "../discovery/catalog.ts";
import type { Discovered } from "../discovery/discovered.ts";
import { loadModels } from "../discovery/load.ts";
import {
  needsProfile,
  profileFor,
  type ResolvedModel,
  targetOf,
  unknownModel,
} from "../discovery/resolve-model.ts";
import type { ChatEvent } from "./chat-event.ts";
import type { Bounds } from "./deadlines.ts";
import { buildRequest, type ChatRequest, configuredGuardrail, mergeParameters } from "./request.ts";

export interface Question extends Omit<ChatRequest, "modelId" | "guardrail"> {
  model: ResolvedModel;
  bounds: Bounds;
}

/**
 * Puts a question to a model and yields the answer's events. A base model that needs an inference profile is called
 * through the region's geographic one: known beforehand from the cached list, or learnt from AWS's refusal, once.
 * Throws the errors of streamChat; `model-not-found` names the nearest ids.
 */
export async function* askModel(
  surroundings: Surroundings,
  question: Question,
): AsyncGenerator<ChatEvent, void, undefined> {
  const { model } = question;
  const { terminal } = surroundings.runtime;
  refuseOtherApis(model);
  const session = await openSession(surroundings, targetOf(model));
  try {
    const { discovered } = await loadModels(surroundings, { offline: true });
    const known = discovered?.region === session.region.value ? discovered : undefined;
    const profile = known && needsProfile(model.id, known) ? profileFor(model.id, known) : undefined;
    if (profile) terminal.note(throughProfile(model.id, profile.id));
    try {
      yield* ask(session, question, profile?.id ?? model.id);
    } catch (error) {
      if (!(error instanceof OpenclawError)) throw error;
      if (error.code === "model-not-found") throw unknownModel(model.id, await idsFor(surroundings), error);
      if (error.code !== "needs-inference-profile" || profile || parseArn(model.id)) throw error;
      const found = await findProfile(session, model.id, error);
      terminal.note(throughProfile(model.id, found));
      yield* ask(session, question, found);
    }
  } finally {
    session.close();
  }
}

async function* ask(
  session: AwsSession,
  question: Question,
  modelId: string,
): AsyncGenerator<ChatEvent, void, undefined> {
  const { streamChat } = await import("./stream.ts");
  const config = session.surroundings.config.value;
  const { model, bounds, messages, system } = question;
  const input = buildRequest({
    modelId,
    messages,
    system,
    parameters: mergeParameters(question.parameters, config, [model.id, model.key]),
    guardrail: configuredGuardrail(config),
  });
  yield* streamChat(session, input, bounds);
}

/** Asks AWS for the profile behind a refusal. Rethrows the refusal, with what is known, when there is none. */
async function findProfile(session: AwsSession, id: string, refusal: OpenclawError): Promise<string> {
  const { discover } = await import("../discovery/discover.ts");
  let discovered: Discovered;
  try {
    discovered = await discover(session);
  } catch (cause) {
    session.surroundings.runtime.terminal.verbose(() => `no profile could be looked up: ${String(cause)}`);
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
async function idsFor(surroundings: Surroundings): Promise<string[]> {
  const { discovered } = await loadModels(surroundings, {});
  const configured = Object.values(surroundings.config.value.models?.providers ?? {}).flatMap(
    ({ models = [] }) => models.map(({ id }) => id),
  );
  const listed = discovered
    ? [...discovered.profiles, ...discovered.models].map(({ id }) => id)
    : catalogIds();
  return [...configured, ...listed];
}

function refuseOtherApis({ provider, providerId, key }: ResolvedModel): void {
  const api =
    provider?.api ?? (providerId === "amazon-bedrock" ? "bedrock-converse-stream" : "openai-completions");
  if (api === "bedrock-converse-stream") return;
  throw new OpenclawError("invalid-request", {
    message: `'${key}' belongs to provider '${providerId}', whose API (${api}) this version cannot call.`,
    hint: "Choose a model of amazon-bedrock: openclaw models list",
  });
}
