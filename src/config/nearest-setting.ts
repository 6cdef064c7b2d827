import { editDistance } from "../edit-distance.ts";
import { isRecord } from "../json.ts";
import { findSetting, isForeign, isPlaceholder, listSettings } from "./find-setting.ts";
import { formatPath, type Path, type PathSegment } from "./path.ts";
import { isSecretPath } from "./secrets.ts";

/**
 * The path of the table that is most like an unknown one, by edit distance; keys and indexes of the user's choice are
 * taken from the unknown path. A path that ends as a known one does (`region`) is near whatever is missing before, any other
 * where it has more of a known one than not. Undefined where none is near.
 */
export function nearestSetting(path: Path): string | undefined {
  const typed = formatPath(path).toLowerCase();
  const last = String(path.at(-1)).toLowerCase();
  let best: { path?: string; score: number } = { score: Number.POSITIVE_INFINITY };
  for (const { segments } of listSettings()) {
    const candidate = formatPath(segments.map((segment, depth) => fill(segment, path[depth])));
    const lower = candidate.toLowerCase();
    const endsAlike = lower.endsWith(`.${typed}`);
    const isSameLast = segments.at(-1)?.toLowerCase() === last;
    const edits = endsAlike ? 0.5 : editDistance(typed, lower);
    const isNear = isSameLast || edits < lower.length / 2;
    const score = edits * (isSameLast ? 0.4 : 1);
    if (isNear && score < best.score) best = { path: candidate, score };
  }
  return best.path;
}

/** What is said of a path that is no setting, with what `nearestSetting` found. */
export function notASetting(nearest: string | undefined): string {
  return `is not a setting${nearest === undefined ? "" : `; the nearest one is ${nearest}`}.`;
}

/** What to do next where no setting is near. */
export const SEE_SETTINGS = "See which there are: openclaw help settings";

/** The known word most like a mistyped one, or undefined when none is within two edits. */
function nearestWord(word: string, known: readonly string[]): string | undefined {
  const near = known
    .map((candidate) => ({ candidate, edits: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= 2 && edits < candidate.length / 2)
    .sort((first, second) => first.edits - second.edits);
  return near[0]?.candidate;
}

/** The setting beside a key that is none and looks like a slip of the finger; undefined for every other key. */
export function settingMeant(path: Path, key: PathSegment): string | undefined {
  const kind = findSetting(path)?.kind;
  const known = kind?.kind === "object" ? Object.keys(kind.fields) : [];
  if (known.length === 0 || typeof key !== "string" || known.includes(key)) return undefined;
  return isSecretPath([...path, key]) ? undefined : nearestWord(key, known);
}

/** A key that is no setting, with the setting that is near and not there. */
export interface Misspelt {
  path: Path;
  meant: Path;
  value: unknown;
}

/** The keys of a configuration that look like slips of the finger. */
export function listMisspelt(value: unknown, path: Path = []): Misspelt[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => listMisspelt(item, [...path, index]));
  const kind = findSetting(path)?.kind;
  if (!isRecord(value) || (kind && isForeign(kind, value))) return [];
  return Object.entries(value).flatMap(([key, inner]): Misspelt[] => {
    const own = [...path, key];
    const meant = settingMeant(path, key);
    if (meant === undefined || meant in value) return listMisspelt(inner, own);
    return [{ path: own, meant: [...path, meant], value: inner }];
  });
}

function fill(segment: string, typed: PathSegment | undefined): PathSegment {
  if (!isPlaceholder(segment)) return segment;
  if (segment === "[]") return typeof typed === "number" ? typed : 0;
  return typeof typed === "string" ? typed : segment;
}
