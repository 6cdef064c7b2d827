import type { Configuration, ConfiguredModel, ProviderSettings } from "../config/settings.ts";
import { OpenclawError, shorten } from "../errors.ts";
import type { Discovered, InferenceProfile } from "./discovered.ts";
import { keyOf, regionsOf } from "./list.ts";
import { baseOf, basesOf } from "./listed-id.ts";
import { nearestIds } from "./nearest.ts";

/** What is to be called: the lists of discovery, or one model. */
export type Target =
  | { kind: "discovery" }
  /** A model that discovery found, or that nobody knows; an ARN brings its own region. */
  | { kind: "model"; id: string; providerId: string }
  /** A model of the config, with the region of its provider's `baseUrl`. */
  | { kind: "configured-model"; id: string; providerId: string };

/** What a person typed, as a model that can be called. */
export interface ResolvedModel {
  /** `<provider id>/<model id>`. */
  key: string;
  providerId: string;
  /** What is sent to AWS: an id or an ARN. */
  id: string;
  provider: ProviderSettings | undefined;
  /** The model's entry in the config. */
  configured: ConfiguredModel | undefined;
}

/** The longest model id that Converse takes, in characters (ConversationalModelId of the service model). */
export const LONGEST_ID = 2048;

/** The model that somebody asks for by name. Throws `model-not-found` for a name that is longer than any. */
export function namedModel(text: string, config: Configuration): ResolvedModel {
  if (text.length <= LONGEST_ID) return resolveModel(text, config);
  throw new OpenclawError("model-not-found", {
    message: `There is no model '${shorten(text)}': a model's name has at most ${LONGEST_ID} characters.`,
    hint: "List the models you can call: openclaw models list",
  });
}

/** Finds the model that a key, id, ARN or alias stands for. Whether AWS knows it is for AWS to say. */
export function resolveModel(text: string, config: Configuration): ResolvedModel {
  const key = keyOf(text.trim(), config);
  const slash = key.indexOf("/");
  const [providerId, id] = [key.slice(0, slash), key.slice(slash + 1)];
  const provider = config.models?.providers?.[providerId];
  return { key, providerId, id, provider, configured: provider?.models?.find((model) => model.id === id) };
}

/** What a session is opened for to call a model. */
export function targetOf({ configured, id, providerId }: ResolvedModel): Target {
  return { kind: configured ? "configured-model" : "model", id, providerId };
}

/**
 * The inference profile through which a base model is called: a geographic one of the list's region, the one with the
 * fewest destination regions first; never a global one, and never for an ARN. Undefined when there is none.
 */
export function profileFor(id: string, discovered: Discovered): InferenceProfile | undefined {
  const bases = basesOf(discovered);
  const [nearest] = discovered.profiles
    .filter((profile) => profile.isActive && !profile.isApplication && !profile.id.startsWith("global."))
    .filter((profile) => baseOf(profile, bases)?.id === id)
    .sort((left, right) => regionsOf(left).length - regionsOf(right).length || (left.id < right.id ? -1 : 1));
  return nearest;
}

/** Whether AWS's list says that a model can be called only through a profile. */
export function needsProfile(id: string, discovered: Discovered): boolean {
  const model = discovered.models.find((candidate) => candidate.id === id);
  return model?.inferenceTypes !== undefined && !model.inferenceTypes.includes("ON_DEMAND");
}

/** The `model-not-found` error for an id that nobody knows, with the nearest ids that somebody does. */
export function unknownModel(
  typed: string,
  knownIds: readonly string[],
  cause?: OpenclawError,
): OpenclawError {
  const nearest = nearestIds(
    typed,
    knownIds.filter((id) => id !== typed),
  );
  const [best] = nearest;
  return new OpenclawError("model-not-found", {
    message: cause?.message ?? `There is no model '${shorten(typed)}'.`,
    hint: best
      ? `Did you mean ${best}?`
      : (cause?.hint ?? "List the models you can call: openclaw models list"),
    requestId: cause?.requestId,
    details: { ...cause?.details, model: typed, nearest },
    cause,
  });
}
