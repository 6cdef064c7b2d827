import { OpenclawError, shorten, usageError } from "../errors.ts";
import { isSameValue, valueAt, type Edit } from "./edit-value.ts";
import { exampleFor, exampleOf } from "./example.ts";
import { findSetting, foreignPart, isForeign } from "./find-setting.ts";
import { nearestSetting, notASetting, SEE_SETTINGS } from "./nearest-setting.ts";
import { formatPath, isWithin, type Path } from "./path.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { maskSecrets } from "./secrets.ts";
import { isRecord } from "../json.ts";
import { isFitKey, problemDetails, validate, type Problem } from "./validate.ts";
import { entriesOf } from "./walk-value.ts";

export interface EditPermissions {
  /** Write a path that is not a setting of this program. */
  force?: boolean | undefined;
  /** Drop existing entries of a map, or keys of other programs, that the new value lacks. */
  replace?: boolean | undefined;
}

/**
 * Refuses edits that would make a configuration worse: `config-invalid` for a wrong type or an unknown path,
 * `usage` for a value that silently drops entries. What was wrong before elsewhere may stay: one edit mends one thing.
 */
export function checkEdit(
  before: unknown,
  after: unknown,
  edits: readonly Edit[],
  { force = false, replace = false }: EditPermissions,
): void {
  for (const edit of edits) {
    if (edit.op === "unset") {
      const foreign = foreignPart(before, edit.path) ? undefined : foreignPart(after, edit.path);
      if (foreign)
        throw foreignSetting(foreign, `openclaw config unset ${quoteForShell(formatPath(foreign))}`);
      continue;
    }
    const unknown = force
      ? undefined
      : (foreignPart(after, edit.path) ??
        findUnknown(valueAt(after, edit.path), valueAt(before, edit.path), edit.path));
    if (unknown !== undefined) throw unknownSetting(unknown);
    const dropped =
      replace || edit.op === "merge"
        ? undefined
        : findDropped(valueAt(before, edit.path), edit.value, edit.path);
    if (dropped !== undefined) throw dropsEntry(dropped, edit);
  }
  const old = new Set(validate(before).map(({ message }) => message));
  const introduced = validate(after).find(
    (problem) => !old.has(problem.message) || edits.some((edit) => isWithin(problem.path, edit.path)),
  );
  if (introduced !== undefined) throw wrongValue(introduced, edits, after);
}

/** The first place in a new value that the table does not know and that did not hold the same before. */
function findUnknown(value: unknown, previous: unknown, path: Path): Path | undefined {
  if (previous !== undefined && isSameValue(value, previous)) return undefined;
  const kind = findSetting(path)?.kind;
  if (kind === undefined || isForeign(kind, value)) return path;
  // Below a value of the wrong kind, that is what to complain about.
  if (validate(value, kind, path).some((problem) => problem.path.length === path.length)) return undefined;
  for (const [key, item] of entriesOf(value)) {
    const unknown = findUnknown(item, valueAt(previous, [key]), [...path, key]);
    if (unknown !== undefined) return unknown;
  }
  return undefined;
}

/** The first entry of a map, or of another program's, that a new value lacks. */
function findDropped(from: unknown, to: unknown, path: Path): Path | undefined {
  if (!isRecord(from) || !isRecord(to)) return undefined;
  const isMap = findSetting(path)?.kind.kind === "map";
  for (const [key, value] of Object.entries(from)) {
    const place = [...path, key];
    const isKept = Object.hasOwn(to, key);
    if (!isKept && (isMap || findSetting(place) === undefined)) return place;
    const dropped = findDropped(value, isKept ? to[key] : {}, place);
    if (dropped !== undefined) return dropped;
  }
  return undefined;
}

function unknownSetting(path: Path): OpenclawError {
  const found = findSetting(path);
  if (found !== undefined) return foreignSetting(path, setCommand(path, exampleFor(found)));
  const nearest = nearestSetting(path);
  return new OpenclawError("config-invalid", {
    message: `${shorten(formatPath(path))} ${notASetting(nearest)}`,
    hint: `${nearest === undefined ? SEE_SETTINGS : `openclaw config set ${quoteForShell(nearest)} VALUE`} (or --force, to write ${formatPath(path)} for another program)`,
    details: {
      path: formatPath(path),
      expected: "the path of a setting",
      received: formatPath(path),
      nearest,
    },
  });
}

function foreignSetting(path: Path, command: string): OpenclawError {
  const kind = findSetting(path)?.kind;
  const key = kind?.kind === "object" ? kind.ownBy : undefined;
  const expected = `an object with ${key}`;
  return new OpenclawError("config-invalid", {
    message: `${formatPath(path)} has no ${key}, without which it belongs to another program.`,
    hint: `${command} (or --force, to write it for another program)`,
    details: { path: formatPath(path), expected, received: `an object without ${key}` },
  });
}

function wrongValue(problem: Problem, edits: readonly Edit[], after: unknown): OpenclawError {
  return new OpenclawError("config-invalid", {
    message: problem.message,
    hint: hintFor(problem.path, edits, after),
    details: problemDetails(problem),
  });
}

function hintFor(path: Path, edits: readonly Edit[], after: unknown): string {
  const removal = edits.find((edit) => edit.op === "unset" && isWithin(path, edit.path));
  const parent = path.slice(0, -1);
  if (removal) return `openclaw config unset ${quoteForShell(formatPath(parent))}`;
  const around = findSetting(parent)?.kind;
  if (around?.kind === "map" && !isFitKey(around, path.at(-1) ?? ""))
    return `openclaw config set ${quoteForShell(formatPath([...parent, "NAME"]))} VALUE`;
  const asked = edits.find((edit) => isWithin(path, edit.path))?.path;
  const found = findSetting(asked ?? path);
  if (asked !== undefined) return setCommand(asked, found ? exampleFor(found) : "VALUE");
  // What was asked for does not go with what stands beside it.
  if (found && edits.some((edit) => isWithin(edit.path, path)))
    return setCommand(path, exampleFor(found)).replace(" set ", " set --replace ");
  // A setting that must come with others is set together with them.
  const together = valueAt(after, parent);
  if (!isRecord(together)) return setCommand(parent, found ? exampleFor(found) : "VALUE");
  const value = { ...together, ...missingBeside(parent, together) };
  return setCommand(parent, JSON.stringify(maskSecrets(value, parent)));
}

/** Examples of what an object must have and has not. */
function missingBeside(path: Path, held: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const kind = findSetting(path)?.kind;
  const example = kind?.kind === "object" ? (exampleOf(kind) as Record<string, unknown>) : {};
  return Object.fromEntries(Object.entries(example).filter(([key]) => !Object.hasOwn(held, key)));
}

function setCommand(path: Path, value: string): string {
  return `openclaw config set ${quoteForShell(formatPath(path))} ${quoteForShell(value)}`;
}

function dropsEntry(path: Path, edit: Edit): OpenclawError {
  return usageError(
    `This value for ${formatPath(edit.path)} would drop ${formatPath(path)}.`,
    "Add --merge to keep what is there, or --replace to drop it.",
  );
}
