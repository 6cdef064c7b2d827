import path from "node:path";
import { readRegularFile, ReadFailure } from "../disk/read-file.ts";
import type { Environment } from "../runtime.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";

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
  /** The profile that is not there because of it. */
  readonly profile?: string;
  /** The profile in whose section the line stands. */
  readonly within?: string;
  /** What to do, where it is more than to correct the file. */
  readonly hint?: string;
}

/** The shared AWS config and credentials files, as the AWS CLI and botocore read them. */
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
 * Reads the shared AWS config and credentials files, without loading the SDK: this runs on the warm path of every command.
 * A missing file is no problem, an unreadable one is one of `problems`.
 */
export async function loadSharedConfig(env: Environment, homeFolder: string): Promise<SharedConfig> {
  const problems: SharedConfigProblem[] = [];
  const read = async (kind: SharedFile, variable: string): Promise<ParsedFile & { file: string }> => {
    const named = env[variable];
    const file = named ? expandPath(named, env, homeFolder) : path.join(homeFolder, ".aws", kind);
    const text = await readText(file, named ? variable : undefined, problems);
    return { file, ...parseSharedFile(text, file, kind) };
  };
  const [config, credentials] = await Promise.all([
    read("config", "AWS_CONFIG_FILE"),
    read("credentials", "AWS_SHARED_CREDENTIALS_FILE"),
  ]);
  return {
    configFile: config.file,
    credentialsFile: credentials.file,
    profiles: new Map(
      [...mergeProfiles(config.profiles, credentials.profiles)].map(([name, profile]) => [
        name,
        { ...profile, keys: withoutEmpty(profile.keys) },
      ]),
    ),
    ssoSessions: new Map([...config.ssoSessions].map(([name, keys]) => [name, withoutEmpty(keys)])),
    services: config.services,
    problems: [...problems, ...config.problems, ...credentials.problems],
  };
}

/** A setting with an empty value counts as not set, as a variable does. */
function withoutEmpty(keys: Keys): Keys {
  const set = Object.entries(keys).filter(([, value]) => value !== "");
  return Object.assign(Object.create(null) as Record<string, string>, Object.fromEntries(set));
}

/** Variables and the home folder in a path, as botocore expands them. */
function expandPath(named: string, env: Environment, homeFolder: string): string {
  const file = named.replace(/\$(?:(\w+)|\{([^}]*)\})/g, (whole, bare?: string, braced?: string) => {
    return env[bare ?? braced ?? ""] ?? whole;
  });
  return file === "~" || file.startsWith("~/") ? path.join(homeFolder, file.slice(1)) : file;
}

async function readText(
  file: string,
  variable: string | undefined,
  problems: SharedConfigProblem[],
): Promise<string> {
  const complain = (message: string, hint?: string): void =>
    void problems.push({ file, message, ...(hint === undefined ? {} : { hint }) });
  try {
    const { bytes } = await readRegularFile(file);
    const text = bytes.toString("utf8");
    // What is UTF-16 has zeros or its mark, which are no UTF-8.
    if (text.includes("\0") || text.startsWith("\uFFFD\uFFFD")) {
      const { hasUtf16Mark, notText } = await import("../disk/decode-text.ts");
      if (bytes.includes(0) || hasUtf16Mark(bytes)) {
        const source = { label: `'${file}'`, file, code: "config-invalid", isInPlace: true } as const;
        const { message, hint } = notText(bytes, source);
        complain(message.replace(/\.$/, ""), hint);
        return "";
      }
    }
    // In a comment they do no harm.
    if (text.includes("\uFFFD")) complain(`'${file}' holds bytes that are not UTF-8`);
    return text;
  } catch (cause) {
    if (!(cause instanceof ReadFailure)) throw cause;
    if (cause.code !== "ENOENT" && cause.code !== "ENOTDIR")
      complain(`'${file}' cannot be read: ${cause.message}`, `ls -ld ${quoteForShell(file)}`);
    else if (variable) complain(`${variable} names '${file}', which does not exist`);
  }
  return "";
}

/** What one of the two files holds. */
export interface ParsedFile {
  readonly profiles: ReadonlyMap<string, Keys>;
  readonly ssoSessions: ReadonlyMap<string, Keys>;
  readonly services: ReadonlyMap<string, Keys>;
  readonly problems: readonly SharedConfigProblem[];
}

/** A setting with the lines of its value. */
interface Option {
  readonly name: string;
  readonly line: number;
  readonly values: string[];
}

interface Section {
  /** The line of its first title. */
  readonly line: number;
  readonly options: Map<string, Option>;
}

/** Sections of the config file that are not profiles and need no prefix. */
const OTHER_SECTIONS = new Set(["default", "preview", "plugins"]);

/**
 * Parses the text of a shared file by the grammar of botocore's `configloader` (Python's RawConfigParser): keys in any
 * case, `=` or `:`, indented lines that continue a value, names in quotes. Where botocore gives up on a file, what can be
 * read is read and the rest is a problem, as in AWS's SDKs. docs/credentials.md lists the differences;
 * test/credentials/shared-config.test.ts holds the two against each other.
 */
export function parseSharedFile(text: string, file: string, kind: SharedFile): ParsedFile {
  const sections = new Map<string, Section>();
  const problems: SharedConfigProblem[] = [];
  const complain = (line: number, message: string, profile?: string, title?: string): void =>
    void problems.push({
      file,
      line,
      message,
      ...(profile === undefined ? {} : { profile }),
      ...(title === undefined ? {} : { hint: `Write ${title} in line ${line} of ${file}.` }),
    });
  /** Where each section begins, and the profile that it is; undefined for another one. */
  const starts: { line: number; profile: string | undefined }[] = [];
  let section: Section | undefined;
  let option: Option | undefined;
  let indentation = 0;
  /** Whether keys that follow belong to a section that is left out on purpose, and has been complained about. */
  let isSkipping = false;
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
  for (const [index, raw] of lines.entries()) {
    const number = index + 1;
    const line = raw.trim();
    if (/^[#;]/.test(line)) continue;
    if (line === "") {
      option?.values.push("");
      continue;
    }
    const depth = raw.search(/\S/);
    if (option && depth > indentation) {
      option.values.push(line);
      continue;
    }
    indentation = depth;
    if (line.startsWith("[")) {
      option = undefined;
      section = undefined;
      isSkipping = true;
      starts.push({ line: number, profile: undefined });
      const title = titleOf(line);
      if (title === undefined) {
        const profile = line
          .slice(1)
          .replace(/^profile\s+/, "")
          .trim();
        if (/^\[\s*\]/.test(line))
          complain(number, "[] is neither a profile nor another section: it has no name");
        else complain(number, "the section title lacks its ]", profile, `${line}]`);
        continue;
      }
      const place = kind === "config" ? placeInConfig(title) : placeInCredentials(title);
      if ("problem" in place) {
        complain(number, place.problem, place.profile, place.title);
        continue;
      }
      isSkipping = false;
      starts.push({
        line: number,
        profile: /^(?:profile )?(?!sso-session |services )(.*)$/.exec(place.key)?.[1],
      });
      const known = sections.get(place.key);
      if (known)
        complain(number, `[${title}] stands in line ${known.line} already; the AWS CLI reads no such file`);
      section = known ?? { line: number, options: new Map() };
      sections.set(place.key, section);
      continue;
    }
    option = undefined;
    const end = line.search(/[=:]/);
    if (end <= 0) {
      if (!isSkipping) complain(number, "this is not 'key = value'");
      continue;
    }
    if (!section) {
      if (!isSkipping) complain(number, "this setting stands before any [section]", "default");
      continue;
    }
    const name = line.slice(0, end).trimEnd().toLowerCase();
    const before = section.options.get(name);
    if (before)
      complain(number, `${name} is set in line ${before.line} already; the AWS CLI reads no such file`);
    // A command line has comments and separators of its own.
    const value = line.slice(end + 1).trim();
    option = { name, line: number, values: [name === "credential_process" ? value : withoutComment(value)] };
    section.options.set(name, option);
  }
  const sorted = sortSections(sections, complain);
  const located = problems.map((problem) => {
    const within = starts.findLast(({ line }) => line <= (problem.line ?? 0))?.profile;
    return within === undefined ? problem : Object.assign(problem, { within });
  });
  return { ...sorted, problems: located };
}

/** What stands between the brackets, without a comment behind them; undefined where they are not closed. */
function titleOf(line: string): string | undefined {
  const title = /^\[(.+?)\]\s*(?:[#;].*)?$/.exec(line)?.[1] ?? /^\[(.+)\]/.exec(line)?.[1];
  return title?.trim() || undefined;
}

function withoutComment(value: string): string {
  return (/^(.*?)(?:(?:^|\s)[#;].*)?$/.exec(value)?.[1] ?? value).trimEnd();
}

/** The place a section is kept under, such as `profile dev` or `default`, or why it is left out and the title it is to have. */
type Place = { key: string } | { problem: string; profile?: string; title?: string };

function placeInConfig(title: string): Place {
  if (OTHER_SECTIONS.has(title)) return { key: title };
  const words = splitWords(title);
  const [prefix = "", name = ""] = words ?? [];
  if (/^(profile|sso-session|services)$/.test(prefix)) {
    if (words?.length === 2) return { key: `${prefix} ${name}` };
    const told = title.slice(prefix.length).trim();
    const quoted = `write [${prefix} "${told}"]`;
    return { problem: `[${title}] is not read; ${told === "" ? "it has no name" : quoted}`, profile: told };
  }
  if (/^(profile|sso-session|services)\s/.test(title)) {
    return { problem: `[${title}] is not read; a quote in it is not closed` };
  }
  if (words === undefined || words.length !== 1) {
    const lower = title.replace(/^\S+/, (word) => word.toLowerCase());
    const isUpper = /^(profile|sso-session|services)\s/.test(lower);
    return {
      problem: isUpper
        ? `[${title}] is not read; write [${lower}]`
        : `[${title}] is neither a profile, an sso-session nor a services section`,
      profile: isUpper ? name : title,
    };
  }
  const profile = title === "DEFAULT" || title === "Default" ? "default" : title;
  const right = profile === title ? `[profile ${title}]` : "[default]";
  return {
    problem: `[${title}] is not read here; in the config file a profile is written ${right}`,
    profile,
    title: right,
  };
}

function placeInCredentials(title: string): Place {
  const prefixed = /^(profile|sso-session|services)\s+(.*)$/.exec(title);
  if (!prefixed) return { key: `profile ${title}` };
  const name = splitWords(prefixed[2] ?? "")?.join(" ") ?? title;
  return {
    problem: `[${title}] is not read here; in the credentials file a profile is written [${name}]`,
    profile: name,
    title: `[${name}]`,
  };
}

/** Splits as a POSIX shell does, and Python's shlex, which reads the titles for botocore; undefined for an open quote. */
function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  const token = /(\s+)|'([^']*)'|"((?:[^"\\]|\\[^])*)"|\\([^])|([^\s'"\\]+)/y;
  let word: string | undefined;
  while (token.lastIndex < text.length) {
    const match = token.exec(text);
    if (!match) return undefined;
    const [, space, single, double, escaped, bare] = match;
    if (space === undefined) {
      word = (word ?? "") + (single ?? double?.replace(/\\(["\\])/g, "$1") ?? escaped ?? bare ?? "");
    } else if (word !== undefined) {
      words.push(word);
      word = undefined;
    }
  }
  return word === undefined ? words : [...words, word];
}

function sortSections(
  sections: ReadonlyMap<string, Section>,
  complain: (line: number, message: string) => void,
): Omit<ParsedFile, "problems"> {
  const profiles = new Map<string, Keys>();
  const ssoSessions = new Map<string, Keys>();
  const services = new Map<string, Keys>();
  for (const [key, { line, options }] of sections) {
    const keys = readOptions(options, complain);
    const space = key.indexOf(" ");
    const name = key.slice(space + 1);
    if (key.startsWith("sso-session ")) ssoSessions.set(name, keys);
    else if (key.startsWith("services ")) services.set(name, keys);
    else if (key === "default" || key.startsWith("profile ")) {
      const other = name === "default" && profiles.get(name);
      if (other && Object.keys(other).length > 0 && options.size > 0) {
        complain(line, "[profile default] goes before [default], of which nothing is read");
      }
      // [profile default] takes the place of [default] where both have keys.
      const isCovered = key === "default" && other && Object.keys(other).length > 0;
      if (!isCovered && (options.size > 0 || !profiles.has(name))) profiles.set(name, keys);
    }
  }
  return { profiles, ssoSessions, services };
}

/** The keys of a section: a value that begins with a line break is a block of settings. */
function readOptions(
  options: ReadonlyMap<string, Option>,
  complain: (line: number, message: string) => void,
): Keys {
  const keys = Object.create(null) as Record<string, string>;
  for (const { name, line, values } of options.values()) {
    const value = values.join("\n").trimEnd();
    if (!value.startsWith("\n")) {
      keys[name] = value;
      const swallowed = value.split("\n").find((part, index) => index > 0 && /^[\w-]+\s*[=:]/.test(part));
      if (swallowed !== undefined) {
        const word = /^[\w-]+/.exec(swallowed)?.[0] ?? "";
        complain(line, `the value of ${name} goes on with the indented lines below it, ${word} among them`);
      }
      continue;
    }
    for (const part of value.split("\n")) {
      const equals = part.indexOf("=");
      if (equals !== -1) {
        keys[`${name}.${part.slice(0, equals).trim()}`] = withoutComment(part.slice(equals + 1).trim());
      } else if (part !== "") complain(line, `a line of the block ${name} is not 'key = value'`);
    }
  }
  return keys;
}

/** Puts the profiles of the two files together; keys of the credentials file win. */
export function mergeProfiles(
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
