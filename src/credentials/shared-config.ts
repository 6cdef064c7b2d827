import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import type { Environment } from "../runtime.ts";

/** The keys of one section; keys of a nested block are joined with a dot, such as `s3.max_concurrent_requests`. */
export type Keys = Readonly<Record<string, string>>;

export interface Profile {
  readonly name: string;
  /** Both files merged; the credentials file wins. */
  readonly keys: Keys;
  /** The files that hold a section of it. */
  readonly files: readonly SharedFile[];
}

export type SharedFile = "config" | "credentials";

/** A line that will not do what its writer meant, or a file that cannot be read. */
export interface SharedConfigProblem {
  readonly file: string;
  /** Counted from 1; absent when the whole file is concerned. */
  readonly line?: number;
  readonly message: string;
}

/** The shared AWS config and credentials files, as the SDK would read them. */
export interface SharedConfig {
  /** Paths, whether or not the files exist. */
  readonly configFile: string;
  readonly credentialsFile: string;
  /** A profile whose section is there but empty has no keys. */
  readonly profiles: ReadonlyMap<string, Profile>;
  readonly ssoSessions: ReadonlyMap<string, Keys>;
  readonly services: ReadonlyMap<string, Keys>;
  readonly problems: readonly SharedConfigProblem[];
}

/**
 * Reads the shared AWS config and credentials files the way the SDK for JavaScript does, without loading it: this runs
 * on the warm path of every command. A missing file is no problem, an unreadable one is one of `problems`.
 */
export async function loadSharedConfig(env: Environment, homeFolder: string): Promise<SharedConfig> {
  const configFile = locate(env["AWS_CONFIG_FILE"], path.join(homeFolder, ".aws", "config"), homeFolder);
  const credentialsFile = locate(
    env["AWS_SHARED_CREDENTIALS_FILE"],
    path.join(homeFolder, ".aws", "credentials"),
    homeFolder,
  );
  const problems: SharedConfigProblem[] = [];
  const nameOf = (variable: string): string | undefined => (env[variable] ? variable : undefined);
  const configText = readText(configFile, nameOf("AWS_CONFIG_FILE"), problems);
  const credentialsText = readText(credentialsFile, nameOf("AWS_SHARED_CREDENTIALS_FILE"), problems);
  const config = parseSharedFile(configText, configFile, "config");
  const credentials = parseSharedFile(credentialsText, credentialsFile, "credentials");
  return {
    configFile,
    credentialsFile,
    profiles: mergeProfiles(config.profiles, credentials.profiles),
    ssoSessions: config.ssoSessions,
    services: config.services,
    problems: [...problems, ...config.problems, ...credentials.problems],
  };
}

function locate(named: string | undefined, usual: string, homeFolder: string): string {
  const file = named || usual;
  return file.startsWith("~/") ? path.join(homeFolder, file.slice(2)) : file;
}

/** Reads at once: two small files are read sooner than Node's promises for files are loaded. */
function readText(file: string, variable: string | undefined, problems: SharedConfigProblem[]): string {
  try {
    // Looking first costs less than the error for a file that is not there, as one of the two mostly is.
    if (statSync(file, { throwIfNoEntry: false })) return readFileSync(file, "utf8");
    if (variable) problems.push({ file, message: `${variable} names '${file}', which does not exist` });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    problems.push({
      file,
      message: `'${file}' cannot be read: ${describeReadError(code, cause as Error)}`,
    });
  }
  return "";
}

function describeReadError(code: string | undefined, cause: Error): string {
  if (code === "EACCES" || code === "EPERM") return "permission denied";
  if (code === "EISDIR") return "it is a folder";
  return cause.message;
}

/** What one of the two files holds. */
export interface ParsedFile {
  readonly profiles: ReadonlyMap<string, Keys>;
  readonly ssoSessions: ReadonlyMap<string, Keys>;
  readonly services: ReadonlyMap<string, Keys>;
  readonly problems: readonly SharedConfigProblem[];
}

/** `[profile name]`, `[profile "name"]`, `[sso-session name]`: the SDK's own pattern. */
const PREFIXED = /^([\w-]+)\s(["'])?([\w\-@+.%:/]+)\2$/;
const PREFIXES = new Set(["profile", "sso-session", "services"]);
/** Sections of the config file that are not profiles and need no prefix. */
const OTHER_SECTIONS = new Set(["default", "preview", "plugins"]);

/**
 * Parses the text of a shared file. The grammar, with its oddities, is that of `parseIni` and `getConfigData` in
 * @smithy/core/config 3.41; test/credentials/shared-config.test.ts holds the two against each other.
 */
export function parseSharedFile(text: string, file: string, kind: SharedFile): ParsedFile {
  const sections = new Map<string, Record<string, string>>();
  const problems: SharedConfigProblem[] = [];
  const complain = (line: number, message: string): void => void problems.push({ file, line, message });
  let section: Record<string, string> | undefined;
  let block: string | undefined;
  /** Whether keys that follow belong to a section that is left out on purpose, and has been complained about. */
  let isSkipping = false;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = (raw.split(/(?:^|\s)[;#]/)[0] ?? "").trim();
    if (line === "") continue;
    if (line.startsWith("[") && line.endsWith("]")) {
      block = undefined;
      const title = line.slice(1, -1);
      if (title === "__proto__" || title === "profile __proto__") {
        complain(index + 1, `[${title}] is not allowed as a name, so the SDK ignores the whole file`);
        return { profiles: new Map(), ssoSessions: new Map(), services: new Map(), problems };
      }
      const key = sectionKey(title);
      isSkipping = key === undefined;
      section = undefined;
      if (key === undefined) {
        complain(index + 1, `[${title}] is neither a profile, an sso-session nor a services section`);
        continue;
      }
      const misplaced = explainMisplaced(title, key, kind);
      if (misplaced) complain(index + 1, misplaced);
      section = sections.get(key) ?? Object.create(null);
      sections.set(key, section as Record<string, string>);
      continue;
    }
    const equals = line.indexOf("=");
    if (equals <= 0) {
      if (!isSkipping)
        complain(
          index + 1,
          line.startsWith("[") ? "the section title lacks its ]" : "this is not 'key = value'",
        );
      continue;
    }
    if (!section) {
      if (!isSkipping) complain(index + 1, "this setting stands before any [section]");
      continue;
    }
    const name = line.slice(0, equals).trim();
    const value = line.slice(equals + 1).trim();
    if (value === "") {
      block = name;
      continue;
    }
    if (block !== undefined && raw.trimStart() === raw) block = undefined;
    section[block === undefined ? name : `${block}.${name}`] = value;
  }
  return { ...sortSections(sections, kind), problems };
}

/** The name a section is kept under, `profile.dev` or `default`; undefined for `[prefix name]` with a foreign prefix. */
function sectionKey(title: string): string | undefined {
  if (title === "") return undefined;
  const match = PREFIXED.exec(title);
  if (!match) return title;
  const [, prefix = "", , name = ""] = match;
  return PREFIXES.has(prefix) ? `${prefix}.${name}` : undefined;
}

function explainMisplaced(title: string, key: string, kind: SharedFile): string | undefined {
  const isPrefixed = key !== title;
  if (kind === "credentials" && isPrefixed) {
    return `[${title}] is not read here; in the credentials file a profile is written [${key.slice(key.indexOf(".") + 1)}]`;
  }
  if (kind === "config" && !isPrefixed && !OTHER_SECTIONS.has(title) && !hasPrefix(key)) {
    if (/^(profile|sso-session|services)\s/.test(title))
      return `[${title}] is not read; its name has characters the SDK does not take`;
    return `[${title}] is not read here; in the config file a profile is written [profile ${title}]`;
  }
  return undefined;
}

function hasPrefix(key: string): boolean {
  const dot = key.indexOf(".");
  return dot !== -1 && PREFIXES.has(key.slice(0, dot));
}

function sortSections(
  sections: ReadonlyMap<string, Record<string, string>>,
  kind: SharedFile,
): Omit<ParsedFile, "problems"> {
  const profiles = new Map<string, Keys>();
  const ssoSessions = new Map<string, Keys>();
  const services = new Map<string, Keys>();
  for (const [key, keys] of sections) {
    if (kind === "credentials") {
      if (!hasPrefix(key)) profiles.set(key, keys);
      continue;
    }
    const dot = key.indexOf(".");
    const name = key.slice(dot + 1);
    if (key.startsWith("profile.")) {
      // [profile default] takes the place of [default] where both have keys.
      if (Object.keys(keys).length > 0 || !profiles.has(name)) profiles.set(name, keys);
    } else if (key.startsWith("sso-session.")) ssoSessions.set(name, keys);
    else if (key.startsWith("services.")) services.set(name, keys);
    else if (key === "default" && Object.keys(profiles.get(key) ?? {}).length === 0) profiles.set(key, keys);
  }
  return { profiles, ssoSessions, services };
}

function mergeProfiles(
  config: ReadonlyMap<string, Keys>,
  credentials: ReadonlyMap<string, Keys>,
): ReadonlyMap<string, Profile> {
  const merged = new Map<string, Profile>();
  for (const [name, keys] of config) merged.set(name, { name, keys, files: ["config"] });
  for (const [name, keys] of credentials) {
    const known = merged.get(name);
    merged.set(name, {
      name,
      keys: Object.assign(Object.create(null) as Record<string, string>, known?.keys, keys),
      files: known ? ["config", "credentials"] : ["credentials"],
    });
  }
  return merged;
}
