import { discoverySettings } from "../config/resolve.ts";
import { isRecord } from "../json.ts";
import type { Discovered, FoundationModel, InferenceProfile, Warning } from "../models/discovered.ts";
import type { Setup } from "../session/session.ts";
import { entryFile, readEntry } from "./cache-entry.ts";

/** Raised when the form of an entry changes; entries of another form are ignored. */
export const FORM = 2;

/** What decides which cached list answers a question. Never a resolved identity, and not the provider filter. */
export interface CacheKey {
  /** Region name, or `instance` when only the instance metadata service can tell it. */
  region: string;
  /** Endpoint other than the region's own. */
  endpoint: string | undefined;
  /** Digest of what decides the credential source: credentials/fingerprint.ts. */
  fingerprint: string;
  /** The endpoint that lists, where that is not Bedrock's own. */
  service?: "bedrock-mantle" | undefined;
}

/** The file that holds the list for a key. */
export function cacheFile(stateFolder: string, key: CacheKey): string {
  const { region, endpoint = "", fingerprint, service } = key;
  return entryFile(stateFolder, [FORM, region, endpoint, fingerprint, ...(service ? [service] : [])]);
}

/** Whether what was fetched at a time (ms since 1970) still counts, by the settings. */
export function isFresh({ fetchedAt }: { fetchedAt: number }, { runtime, config }: Setup): boolean {
  const age = runtime.now() - fetchedAt;
  return age >= 0 && age < discoverySettings(config.value).refreshInterval * 1000;
}

/**
 * Whether something came about since a moment (all in ms since 1970). What seems to be from a time to come is from before the
 * clock was set back, and would pass for the newest until that time.
 */
export function isSince(at: number, moment: number, now: number): boolean {
  return at >= moment && at <= now;
}

/** Reads a cached list; undefined when there is none, or when what is there is not one. */
export async function readCache(file: string): Promise<Discovered | undefined> {
  const { region, fetchedAt, models, profiles, warnings, endpoint } = (await readEntry(file, FORM)) ?? {};
  if (typeof region !== "string" || typeof fetchedAt !== "number") return undefined;
  if (!isListOf(models, isModel) || !isListOf(profiles, isProfile) || !isListOf(warnings, isWarning))
    return undefined;
  const ofMantle = endpoint === "bedrock-mantle" ? { endpoint: "bedrock-mantle" as const } : {};
  return { region, fetchedAt, models, profiles, warnings, ...ofMantle };
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isItem);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** Whether a value is an object whose members of these names are texts, and those of the optional ones if they are there. */
function hasTexts(value: unknown, ...names: string[]): value is Record<string, unknown> {
  return (
    isRecord(value) &&
    names.every((name) => isText(value[name])) &&
    OPTIONAL_TEXTS.every((name) => value[name] === undefined || isText(value[name]))
  );
}

const OPTIONAL_TEXTS = ["startOfLife", "legacyFrom", "extendedAccessFrom", "endOfLife", "description"];

function isModel(value: unknown): value is FoundationModel {
  return (
    hasTexts(value, "id", "arn", "name", "provider", "lifecycle") &&
    isListOf(value["input"], isText) &&
    isListOf(value["output"], isText) &&
    (value["inferenceTypes"] === undefined || isListOf(value["inferenceTypes"], isText))
  );
}

function isProfile(value: unknown): value is InferenceProfile {
  return (
    hasTexts(value, "id", "arn", "name") &&
    isListOf(value["modelArns"], isText) &&
    typeof value["isActive"] === "boolean" &&
    typeof value["isApplication"] === "boolean"
  );
}

function isWarning(value: unknown): value is Warning {
  return hasTexts(value, "code", "message", "hint");
}
