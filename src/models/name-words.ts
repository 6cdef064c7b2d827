/** What a name says, however it is written: `Claude Opus 4.8`, `claude-opus-4-8` and `opus 4 8 Claude` say the same. */
export interface NameWords {
  /** In lower case, with those of a size (`70b`), a revision (`v2`) and a date (`20251101`, `2402`). */
  words: ReadonlySet<string>;
  /** The words that tell a family: no size, no revision, no date. */
  family: ReadonlySet<string>;
  version: readonly number[];
}

/** Words that tell no model from another. */
const GENERIC: ReadonlySet<string> = new Set(
  "ai v it pt instruct instruction chat text model dense latest preview hf the".split(" "),
);

/** The end of an id that counts its releases: `-v1:0`, `-1:0`, `-v1`. */
const RELEASE = /(?:[-\s._]v?\d+:\d+|-v1)$/;
/** A month in place of a version, as in `Mistral Large (24.02)` and `mistral-large-2402`. */
const MONTH = /\b(2[3-9])\.(0[1-9]|1[0-2])(?![\d.])/g;
/** Sizes, days, months, versions, words, numbers. */
const TOKENS =
  /a?\d+(?:x\d+)?b(?![a-z0-9])|20\d{6}|2[3-9](?:0[1-9]|1[0-2])(?!\d)|v\d+(?![a-z0-9])|\p{L}+|\d+/gu;

/** Reads a printed name, an id without its vendor, or what somebody typed. */
export function readWords(text: string): NameWords {
  const words = new Set<string>();
  const family = new Set<string>();
  const version: number[] = [];
  let isInVersion = false;
  const plain = text.normalize("NFKC").toLowerCase().replace(RELEASE, "");
  for (const [token] of plain.replaceAll("+", " plus ").replaceAll(MONTH, "$1$2").matchAll(TOKENS)) {
    const number = /^v?(\d{1,3})$/.exec(token)?.[1];
    const isVersion: boolean =
      number !== undefined && (version.length === 0 || (isInVersion && !token.startsWith("v")));
    if (isVersion) version.push(Number(number));
    else if (!GENERIC.has(token)) {
      words.add(token);
      if (/^\p{L}+$/u.test(token)) family.add(token);
    }
    isInVersion = isVersion;
  }
  return { words, family, version };
}

/** Lower-case letters and digits only: `Claude Opus 4.8` and `claude-opus-4-8` are one. */
export function foldName(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}+]/gu, "");
}

/** How the id of a model may be written whole, folded: with its vendor and without, with the release and without. */
export function foldedForms(id: string, names: readonly string[] = []): ReadonlySet<string> {
  const ids = [id, id.slice(id.indexOf(".") + 1)];
  return new Set([...ids, ...ids.map((text) => text.replace(RELEASE, "")), ...names].map(foldName));
}

/** Compares versions, the lower one first; `5` comes before `5.1`. */
export function compareVersions(left: readonly number[], right: readonly number[]): number {
  const length = Math.max(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const difference = (left[index] ?? -1) - (right[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}
