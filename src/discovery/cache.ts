import { mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { sha256Hex } from "../aws/digest.ts";
import type { Runtime } from "../runtime.ts";
import type { Discovered, FoundationModel, InferenceProfile, Warning } from "./discovered.ts";

/** Raised when the form of an entry changes; entries of another form are ignored. */
const FORM = 1;
/** Entries untouched for so long belong to identities and regions nobody asks for any more. In ms. */
const PRUNE_AFTER_MS = 30 * 24 * 3600 * 1000;

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
export async function readCache(file: string): Promise<Discovered | undefined> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
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
  if (!isObject(entry) || entry["form"] !== FORM) return undefined;
  const { region, fetchedAt, models, profiles, warnings } = entry;
  if (typeof region !== "string" || typeof fetchedAt !== "number") return undefined;
  if (!isListOf(models, isModel) || !isListOf(profiles, isProfile) || !isListOf(warnings, isWarning))
    return undefined;
  return { region, fetchedAt, models, profiles, warnings };
}

/** Writes a list so that readers see the old file or the new one, and drops entries that nobody has used for a month. */
export async function writeCache(file: string, discovered: Discovered): Promise<void> {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const { randomUUID } = await import("node:crypto");
  const temporary = path.join(folder, `.${path.basename(file)}.${randomUUID()}`);
  const handle = await open(temporary, "wx", 0o600);
  try {
    await handle.writeFile(JSON.stringify({ form: FORM, ...discovered }));
  } finally {
    await handle.close();
  }
  await rename(temporary, file);
  await prune(folder, file, discovered.fetchedAt);
}

async function prune(folder: string, kept: string, now: number): Promise<void> {
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name);
    if (file === kept || !/^\.?models-/.test(name)) continue;
    const { mtimeMs } = await stat(file).catch(() => ({ mtimeMs: now }));
    if (now - mtimeMs > PRUNE_AFTER_MS) await rm(file, { recursive: true, force: true });
  }
}

/** Runs `work` while no other process runs it for the same file. Rejects with Node's own error for a bad folder. */
export async function withCacheLock<T>(file: string, runtime: Runtime, work: () => Promise<T>): Promise<T> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const { withLock } = await import("../config/lock.ts");
  return withLock(file, runtime, work);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf<T>(value: unknown, isItem: (item: unknown) => item is T): value is T[] {
  return Array.isArray(value) && value.every(isItem);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isModel(value: unknown): value is FoundationModel {
  return (
    isObject(value) &&
    [value["id"], value["arn"], value["name"], value["provider"], value["lifecycle"]].every(isText) &&
    isListOf(value["input"], isText) &&
    isListOf(value["output"], isText) &&
    (value["inferenceTypes"] === undefined || isListOf(value["inferenceTypes"], isText))
  );
}

function isProfile(value: unknown): value is InferenceProfile {
  return (
    isObject(value) &&
    [value["id"], value["arn"], value["name"]].every(isText) &&
    isListOf(value["modelArns"], isText) &&
    typeof value["isActive"] === "boolean" &&
    typeof value["isApplication"] === "boolean"
  );
}

function isWarning(value: unknown): value is Warning {
  return isObject(value) && [value["code"], value["message"], value["hint"]].every(isText);
}
