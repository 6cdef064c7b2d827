import path from "node:path";
import type { EndpointClaims } from "../aws/endpoint.ts";
import { readRegularFile, ReadFailure } from "../disk/read-file.ts";
import { withoutUndefined } from "../json.ts";
import type { Environment } from "../runtime.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import {
  correct,
  meantBy,
  misbracketed,
  placeInConfig,
  placeInCredentials,
  type SharedFile,
  titleOf,
  whatBrackets,
} from "./section-title.ts";

/** The keys of one section; keys of a nested block are joined with a dot, such as `s3.max_concurrent_requests`. */
export type Keys = Readonly<Record<string, string>>;

export interface Profile {
  readonly name: string;
  /** Both files merged; the credentials file wins. */
  readonly keys: Keys;
  /** The files that hold a section of it. */
  readonly files: readonly SharedFile[];
}

/** A line that will not do what its writer meant, or a file that cannot be read. */
export interface SharedConfigProblem {
  readonly file: string;
  /** Counted from 1; absent when the whole file is concerned. */
  readonly line?: number;
  readonly message: string;
  /** The section that is not there because of it, as `profile dev` or `sso-session corp`. */
  readonly missing?: string;
  /** The settings that it is about, where it is not about all that stands there. */
  readonly concerns?: readonly string[];
  /** The section in which the line stands, as `profile dev` or `sso-session corp`. */
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
  /** Where each setting stands, as `FILE:LINE`, by its section and name: `profile dev region`. */
  readonly lines: ReadonlyMap<string, string>;
  readonly problems: readonly SharedConfigProblem[];
}

/** A profile as those know it who look for an endpoint; undefined where there is none of this name. */
export function profileInForce(
  { profiles, services, lines }: SharedConfig,
  name: string,
): EndpointClaims["profile"] {
  const keys = profiles.get(name)?.keys;
  return keys && { name, keys, services: services.get(keys["services"] ?? ""), lines };
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
        { ...profile, keys: withSessionToken(withoutEmpty(profile.keys)) },
      ]),
    ),
    ssoSessions: new Map([...config.ssoSessions].map(([name, keys]) => [name, withoutEmpty(keys)])),
    services: config.services,
    lines: new Map([...config.lines, ...credentials.lines]),
    problems: [...problems, ...config.problems, ...credentials.problems],
  };
}

/** A setting with an empty value counts as not set, as a variable does. */
function withoutEmpty(keys: Keys): Keys {
  const set = Object.entries(keys).filter(([, value]) => value !== "");
  return Object.assign(Object.create(null) as Record<string, string>, Object.fromEntries(set));
}

/** The session token under its name of today: botocore still reads the older one, which some programs write. */
function withSessionToken(keys: Keys): Keys {
  const { aws_security_token: older } = keys;
  if (older === undefined || keys["aws_session_token"] !== undefined) return keys;
  return Object.assign(Object.create(null) as Record<string, string>, keys, { aws_session_token: older });
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
    else if (variable) {
      complain(
        `${variable} names '${file}', which does not exist`,
        `Name a file that is there, or: unset ${variable}`,
      );
    }
  }
  return "";
}

export interface ParsedFile {
  readonly profiles: ReadonlyMap<string, Keys>;
  readonly ssoSessions: ReadonlyMap<string, Keys>;
  readonly services: ReadonlyMap<string, Keys>;
  /** As SharedConfig has them. */
  readonly lines: ReadonlyMap<string, string>;
  readonly problems: readonly SharedConfigProblem[];
}

/** A setting with the lines of its value. */
interface Option {
  readonly name: string;
  readonly line: number;
  readonly values: { readonly text: string; readonly line: number }[];
}

interface Section {
  /** As `within` of a problem has it. */
  readonly title: string;
  /** The line of its first title. */
  readonly line: number;
  readonly options: Map<string, Option>;
}

/**
 * Parses the text of a shared file by the grammar of botocore's `configloader` (Python's RawConfigParser): keys in any
 * case, `=` or `:`, indented lines that continue a value, names in quotes. Where botocore gives up on a file, what can be
 * read is read and the rest is a problem, as in AWS's SDKs. docs/credentials.md lists the differences;
 * test/credentials/shared-config.test.ts holds the two against each other.
 */
export function parseSharedFile(text: string, file: string, kind: SharedFile): ParsedFile {
  return new SharedFileReader(file, kind).read(text);
}

class SharedFileReader {
  readonly #file: string;
  readonly #kind: SharedFile;
  readonly #sections = new Map<string, Section>();
  readonly #problems: SharedConfigProblem[] = [];
  readonly #lines = new Map<string, string>();
  /** Where each section begins, and what it is; undefined where it is left out. */
  readonly #starts: { line: number; title: string | undefined }[] = [];
  #section: Section | undefined;
  #option: Option | undefined;
  #indentation = 0;
  /** Whether keys that follow belong to a section that is left out on purpose, and has been complained about. */
  #isSkipping = false;

  constructor(file: string, kind: SharedFile) {
    this.#file = file;
    this.#kind = kind;
  }

  read(text: string): ParsedFile {
    const rows = text.replace(/^\uFEFF/, "").split(/\r\n|\r|\n/);
    for (const [index, raw] of rows.entries()) this.#take(raw, index + 1);
    const sorted = sortSections(this.#sections, this.#complain, this.#locate);
    const problems = this.#problems.map((problem) => {
      const within = this.#starts.findLast(({ line }) => line <= (problem.line ?? 0))?.title;
      return within === undefined ? problem : Object.assign(problem, { within });
    });
    return { ...sorted, lines: this.#lines, problems };
  }

  readonly #complain: Complain = (line, message, remedy, effect) =>
    void this.#problems.push({
      file: this.#file,
      line,
      message,
      ...withoutUndefined({ ...effect }),
      hint: `${remedy} line ${line} of ${this.#file}.`,
    });

  readonly #locate = (setting: string, line: number): void =>
    void this.#lines.set(setting, `${this.#file}:${line}`);

  #take(raw: string, number: number): void {
    const line = raw.trim();
    if (/^[#;]/.test(line)) return;
    if (line === "") return void this.#option?.values.push({ text: "", line: number });
    const depth = raw.search(/\S/);
    if (this.#option && depth > this.#indentation)
      return void this.#option.values.push({ text: line, line: number });
    this.#indentation = depth;
    this.#option = undefined;
    const wrong = misbracketed(line);
    if (line.startsWith("[") || wrong !== undefined) this.#takeTitle(line, number, wrong);
    else this.#takeSetting(line, number);
  }

  /** `wrong` is what stands in other brackets than those of a title. */
  #takeTitle(line: string, number: number, wrong: string | undefined): void {
    this.#section = undefined;
    this.#isSkipping = true;
    this.#starts.push({ line: number, title: undefined });
    const title = wrong === undefined ? titleOf(line) : undefined;
    if (title === undefined) {
      const named = wrong ?? line.slice(1).replace(/\s*[#;].*$/, "");
      const { missing, title: right } = correct(named, this.#kind);
      return this.#complain(number, whatBrackets(line, wrong), `Write ${right} in`, { missing });
    }
    const place = this.#kind === "config" ? placeInConfig(title) : placeInCredentials(title);
    if ("problem" in place)
      return this.#complain(number, place.problem, `Write ${place.title} in`, { missing: place.missing });
    this.#isSkipping = false;
    const known = this.#sections.get(place.key);
    const key = place.key === "default" ? "profile default" : place.key;
    this.#section = known ?? { title: key, line: number, options: new Map() };
    this.#sections.set(place.key, this.#section);
    this.#starts.push({ line: number, title: this.#section.title });
    if (known) {
      this.#complain(
        number,
        `[${title}] stands in line ${known.line} already; the AWS CLI reads no such file`,
        `Move its settings to those below line ${known.line}, and remove`,
      );
    }
    if (place.slip) {
      this.#complain(number, `a bracket is part of the name in [${title}]`, `Write ${place.slip.title} in`, {
        missing: place.slip.missing,
      });
    }
    const meant = this.#kind === "credentials" && /\s/.test(title) ? meantBy(title) : undefined;
    if (meant?.kind === "profile") {
      this.#complain(
        number,
        `[${title}] is a profile of that whole name`,
        `If '${meant.name}' is meant, write [${meant.name}] in`,
        { missing: `profile ${meant.name}` },
      );
    }
  }

  #takeSetting(line: string, number: number): void {
    const end = line.search(/[=:]/);
    const exported = this.#isSkipping ? undefined : settingExported(line);
    if (exported !== undefined) {
      const { title } = this.#section ?? { title: "profile default" };
      this.#complain(
        number,
        "this is a line for a shell, not 'key = value'",
        `Write ${this.#section ? "" : "[default] above it, and "}${exported} = VALUE in`,
        { concerns: [exported], missing: exported.startsWith("aws_") ? title : undefined },
      );
    }
    if (end <= 0 || !this.#section) {
      if (this.#isSkipping || exported !== undefined) return;
      if (end > 0)
        return this.#complain(number, "this setting stands before any [section]", "Write [default] above", {
          missing: "profile default",
        });
      const setting = settingIn(line);
      const concerns = setting === undefined ? undefined : [setting];
      return this.#complain(number, "this is not 'key = value'", `Write ${setting ?? "key"} = VALUE in`, {
        concerns,
      });
    }
    const { title, options } = this.#section;
    const name = line.slice(0, end).trimEnd().toLowerCase();
    const before = options.get(name);
    if (before) {
      this.#complain(
        number,
        `${name} is set in line ${before.line} already; the AWS CLI reads no such file`,
        `Remove line ${before.line}, or`,
        { concerns: [name] },
      );
    }
    // A command line has comments and separators of its own.
    const value = line.slice(end + 1).trim();
    const first = name === "credential_process" ? value : withoutComment(value);
    this.#option = { name, line: number, values: [{ text: first, line: number }] };
    options.set(name, this.#option);
    this.#locate(`${title} ${name}`, number);
  }
}

/** Tells a problem of a line: what is wrong, and what to do with it, before `line 3 of FILE`. */
type Complain = (
  line: number,
  message: string,
  remedy: string,
  effect?: { missing?: string | undefined; concerns?: readonly string[] | undefined },
) => void;

/**
 * The setting that a line for a shell exports: AWS's access portal shows such lines, of sh, PowerShell and Windows' cmd, beside
 * those for this file (https://docs.aws.amazon.com/singlesignon/latest/userguide/howtogetcredentials.html).
 */
function settingExported(line: string): string | undefined {
  const [, variable] = /^(?:export\s+|setx?\s+|\$env:)(aws_\w+)[\s=]/i.exec(line) ?? [];
  return variable?.toLowerCase().replace(/^aws_(?:default_)?(?=(?:region|output)$)/, "");
}

/** The setting of a line that lacks its `=`; undefined for what may be a secret, since a value may stand alone in its line. */
function settingIn(line: string): string | undefined {
  return /^([a-z]+_[a-z_]{2,30}|region|output)(?:\s|$)/.exec(line)?.[1];
}

function withoutComment(value: string): string {
  return (/^(.*?)(?:(?:^|\s)[#;].*)?$/.exec(value)?.[1] ?? value).trimEnd();
}

function sortSections(
  sections: ReadonlyMap<string, Section>,
  complain: Complain,
  locate: (setting: string, line: number) => void,
): Omit<ParsedFile, "problems" | "lines"> {
  const profiles = new Map<string, Keys>();
  const ssoSessions = new Map<string, Keys>();
  const services = new Map<string, Keys>();
  for (const [key, section] of sections) {
    const { line, options } = section;
    const keys = readOptions(section, complain, locate);
    const space = key.indexOf(" ");
    const name = key.slice(space + 1);
    if (key.startsWith("sso-session ")) ssoSessions.set(name, keys);
    else if (key.startsWith("services ")) services.set(name, keys);
    else if (key === "default" || key.startsWith("profile ")) {
      const other = name === "default" && profiles.get(name);
      if (other && Object.keys(other).length > 0 && options.size > 0) {
        complain(
          line,
          "[profile default] goes before [default], of which nothing is read",
          "Move to [profile default] the settings below",
        );
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
  { title, options }: Section,
  complain: Complain,
  locate: (setting: string, line: number) => void,
): Keys {
  const keys = Object.create(null) as Record<string, string>;
  for (const { name, line, values } of options.values()) {
    const value = values
      .map(({ text }) => text)
      .join("\n")
      .trimEnd();
    if (!value.startsWith("\n")) {
      keys[name] = value;
      const swallowed = values.find(
        ({ text }, index) => index > 0 && /^([\w-]+\s*[=:]|\[[^,{}[\]]+\]$)/.test(text),
      );
      if (swallowed !== undefined) {
        const word = /^(\[.*\]|[\w-]+)/.exec(swallowed.text)?.[0] ?? "";
        complain(
          swallowed.line,
          `${word} is indented, so it is a part of the value of ${name} in line ${line}`,
          `Write ${word} without the spaces before it in`,
          word.startsWith("[") ? { missing: correct(word, "config").missing } : { concerns: [name, word] },
        );
      }
      continue;
    }
    for (const { text, line: own } of values) {
      const equals = text.indexOf("=");
      if (equals !== -1) {
        const setting = `${name}.${text.slice(0, equals).trim()}`;
        keys[setting] = withoutComment(text.slice(equals + 1).trim());
        locate(`${title} ${setting}`, own);
      } else if (text !== "") {
        const setting = settingIn(text) ?? "key";
        complain(own, `a line of the block ${name} is not 'key = value'`, `Write ${setting} = VALUE in`, {
          concerns: [name],
        });
      }
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
