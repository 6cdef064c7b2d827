import { editDistance } from "../edit-distance.ts";

export type SharedFile = "config" | "credentials";

/** Sections of the config file that are not profiles and need no prefix. */
const OTHER_SECTIONS = new Set(["default", "preview", "plugins"]);

/** What stands between the brackets, without a comment behind them; undefined where they are not closed. */
export function titleOf(line: string): string | undefined {
  const title = /^\[(.+?)\]\s*(?:[#;].*)?$/.exec(line)?.[1] ?? /^\[(.+)\]/.exec(line)?.[1];
  return title?.trim() || undefined;
}

/** What a title names that is in other brackets, or has lost the first one; undefined for any other line. */
export function misbracketed(line: string): string | undefined {
  return /^[({<]\s*([^=:]+?)\s*[)}>]$/.exec(line)?.[1] ?? /^([^[=:#;]+)\](?:\s*[#;].*)?$/.exec(line)?.[1];
}

/** What is wrong with the brackets of a title; `wrong` is what stands in other ones. */
export function whatBrackets(line: string, wrong: string | undefined): string {
  if (/^\[\s*\]/.test(line)) return "[] is neither a profile nor another section: it has no name";
  if (wrong === undefined) return "the section title lacks its ]";
  return line.includes("]") ? "the section title lacks its [" : "a section title stands between [ and ]";
}

const KINDS = ["profile", "sso-session", "services"] as const;

/** What a title that is read as none was most likely meant to be: `profil dev`, `profile:dev`, `sso session corp`. */
export function meantBy(title: string): { kind: (typeof KINDS)[number]; name: string } | undefined {
  const [, first = "", rest = ""] =
    /^([a-z_-]+)(?:\s*[:.=/]\s*|\s+)(.+)$/i.exec(title.replace(/^sso[\s_]+session/i, "sso-session")) ?? [];
  const word = first.toLowerCase();
  const kind = KINDS.find((known) => word.startsWith(known) || editDistance(word, known) <= 2);
  if (kind === undefined) return undefined;
  const name = (splitWords(rest)?.join(" ") ?? rest.replaceAll(/["']/g, "")).trim();
  return name === "" ? undefined : { kind, name };
}

/** What stands in the place of a title, as it is to be written, and the section that it is then. */
export function correct(text: string, kind: SharedFile): Corrected {
  const bare = text.replaceAll(/[[\](){}<>]/g, "").trim();
  const known = meantBy(bare);
  const alone = KINDS.find((word) => word === bare.toLowerCase());
  const word = known?.kind ?? alone ?? "profile";
  const name = known?.name ?? (alone === undefined ? bare : "");
  if (name === "") return { title: kind === "credentials" ? "[NAME]" : `[${word} NAME]` };
  if (name.toLowerCase() === "default" && word === "profile")
    return { title: "[default]", missing: "profile default" };
  const missing = `${word} ${name}`;
  if (kind === "credentials") return { title: `[${name}]`, missing };
  return { title: `[${word} ${/[\s"'\\]/.test(name) ? `"${name}"` : name}]`, missing };
}

/** The place a section is kept under, such as `profile dev` or `default`, or why it is left out and the title it is to have. */
type Place = { key: string; slip?: Corrected } | ({ problem: string } & Corrected);

/** A title as it was most likely meant, and the section that is not there because of it. */
interface Corrected {
  title: string;
  missing?: string;
}

export function placeInConfig(title: string): Place {
  if (OTHER_SECTIONS.has(title)) return { key: title };
  const words = splitWords(title);
  const [prefix = "", name = ""] = words ?? [];
  const isSection = KINDS.some((kind) => kind === prefix);
  if (isSection && words?.length === 2) {
    return { key: `${prefix} ${name}`, ...(/[[\]]/.test(name) ? { slip: correct(title, "config") } : {}) };
  }
  const right = correct(title, "config");
  const isAlone = words?.length === 1;
  if (isAlone && !isSection && !meantBy(title)) {
    return {
      problem: `[${title}] is not read here; in the config file a profile is written ${right.title}`,
      ...right,
    };
  }
  const isKnown = isSection || KINDS.some((kind) => title.startsWith(`${kind} `));
  const why =
    isKnown && isAlone
      ? "not read; it has no name"
      : isKnown && words === undefined
        ? "not read; a quote in it is not closed"
        : `${isKnown ? "not read" : "neither a profile, an sso-session nor a services section"}; write ${right.title}`;
  return { problem: `[${title}] is ${why}`, ...right };
}

export function placeInCredentials(title: string): Place {
  const isOther = KINDS.some((kind) => title.startsWith(`${kind} `));
  if (!isOther && !/[[\]]/.test(title)) return { key: `profile ${title}` };
  const right = correct(title, "credentials");
  return {
    problem: `[${title}] is not read here; in the credentials file a profile is written ${right.title}`,
    ...right,
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
