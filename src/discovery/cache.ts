import { isRecord } from "../json.ts";
import { readFileSync } from "node:fs";
import path from "node:path";
import { sha256Hex } from "../aws/digest.ts";
import type { Discovered, FoundationModel, InferenceProfile, Warning } from "../models/discovered.ts";

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
}

/** The file that holds the list for a key. */
export function cacheFile(stateFolder: string, key: CacheKey): string {
  const digest = sha256Hex(JSON.stringify([FORM, key.region, key.endpoint ?? "", key.fingerprint]));
  return path.join(stateFolder, "cache", `models-${digest.slice(0, 32)}.json`);
}

/** Reads a cached list; undefined when there is none, or when what is there is not one. */
export function readCache(file: string): Discovered | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    // Missing and unreadable come to the same: AWS is asked instead.
    return undefined;
  }
  return parseEntry(text);
}

function parseEntry(text: string): Discovered | undefined {
  let entry: unknown;
  try {
    entry = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isRecord(entry) || entry["form"] !== FORM) return undefined;
  const { region, fetchedAt, models, profiles, warnings } = entry;
  if (typeof region !== "string" || typeof fetchedAt !== "number") return undefined;
  if (!isListOf(models, isModel) || !isListOf(profiles, isProfile) || !isListOf(warnings, isWarning))
    return undefined;
  return { region, fetchedAt, models, profiles, warnings };
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isItem);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

const OPTIONAL_TEXTS = ["startOfLife", "legacyFrom", "extendedAccessFrom", "endOfLife", "description"];

function isModel(value: unknown): value is FoundationModel {
  return (
    isRecord(value) &&
    isText(value["id"]) &&
    isText(value["arn"]) &&
    isText(value["name"]) &&
    isText(value["provider"]) &&
    isText(value["lifecycle"]) &&
    isListOf(value["input"], isText) &&
    isListOf(value["output"], isText) &&
    (value["inferenceTypes"] === undefined || isListOf(value["inferenceTypes"], isText)) &&
    OPTIONAL_TEXTS.every((name) => value[name] === undefined || isText(value[name]))
  );
}

function isProfile(value: unknown): value is InferenceProfile {
  return (
    isRecord(value) &&
    isText(value["id"]) &&
    isText(value["arn"]) &&
    isText(value["name"]) &&
    isListOf(value["modelArns"], isText) &&
    typeof value["isActive"] === "boolean" &&
    typeof value["isApplication"] === "boolean" &&
    OPTIONAL_TEXTS.every((name) => value[name] === undefined || isText(value[name]))
  );
}

function isWarning(value: unknown): value is Warning {
  return isRecord(value) && [value["code"], value["message"], value["hint"]].every(isText);
}
