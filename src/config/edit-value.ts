import { isDeepStrictEqual } from "node:util";
import { OpenclawError } from "../errors.ts";
import { findSetting } from "./find-setting.ts";
import { formatPath, type Path } from "./path.ts";
import { count } from "../terminal/numbers.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { isSecretPath, maskSecrets } from "./secrets.ts";
import { isRecord } from "../json.ts";
import { describeValue } from "./validate.ts";

/** A change of one place: `merge` keeps what an object holds beside the new entries. */
export type Edit = { op: "set" | "merge"; path: Path; value: unknown } | { op: "unset"; path: Path };

/** A change of exactly one place: what `set` and `merge` come down to. */
export type Step = { op: "set"; path: Path; value: unknown } | { op: "unset"; path: Path };

/** The value at a path, or undefined. A default model written as a text is also found as `primary`. */
export function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const [index, segment] of path.entries()) {
    if (typeof segment === "number" && Array.isArray(current)) current = current[segment];
    else if (typeof segment === "string" && isRecord(current) && Object.hasOwn(current, segment))
      current = current[segment];
    else if (index === path.length - 1 && segment === shortFormKey(current, path.slice(0, index)))
      return current;
    else return undefined;
  }
  return current;
}

/**
 * The value at a path of a configuration, with every secret in it replaced by `****`, those that only what stands beside them
 * in a list tells among them: the word behind `--token`.
 */
export function maskedAt(document: unknown, path: Path): unknown {
  const [item, list] = [path.at(-1), path.slice(0, -1)];
  if (typeof item !== "number") return maskSecrets(valueAt(document, path), path);
  return valueAt(maskSecrets(valueAt(document, list), list), [item]);
}

/**
 * Applies an edit to a parsed value and returns the new value; the old one stays as it is.
 * Throws `config-invalid` when something on the way is neither object nor list or an index is beyond the end,
 * `config-not-set` when there is nothing to unset.
 */
export function applyEdit(value: unknown, edit: Edit): unknown {
  return toSteps(value, edit).reduce((current, step) => applyStep(current, step), value);
}

/** Breaks an edit of `value` into the smallest steps that lead to its result: what stays the same is not touched. */
export function toSteps(value: unknown, edit: Edit): Step[] {
  const steps = longForm(value, edit.path);
  const prepared = steps.reduce((current, step) => applyStep(current, step), value);
  const current = valueAt(prepared, edit.path);
  if (edit.op === "unset") {
    if (current === undefined) throw notSet(edit.path);
    return [...steps, edit];
  }
  // Says what stands in the way before any step is made.
  applyStep(prepared, { ...edit, op: "set" });
  return [...steps, ...stepsBetween(current, edit.value, edit.path, edit.op === "merge")];
}

/**
 * The edits that apply a merge patch (RFC 7386) to `value`: null removes, objects merge, all else replaces.
 * Removing what is not there is no edit.
 */
export function patchEdits(
  value: unknown,
  patch: Readonly<Record<string, unknown>>,
  path: Path = [],
): Edit[] {
  return Object.entries(patch).flatMap(([key, item]): Edit[] => {
    const place = [...path, key];
    const current = valueAt(value, place);
    if (item === null) return current === undefined ? [] : [{ op: "unset", path: place }];
    if (!isRecord(item)) return [{ op: "set", path: place, value: item }];
    if (isRecord(current)) return patchEdits(value, item, place);
    return [{ op: "set", path: place, value: withoutNulls(item) }];
  });
}

/** True when both have the same entries, in whatever order. */
export function isSameValue(first: unknown, second: unknown): boolean {
  return isDeepStrictEqual(first, second);
}

/** The error for a place that holds nothing. */
export function notSet(path: Path, more: { message?: string; hint?: string } = {}): OpenclawError {
  return new OpenclawError("config-not-set", {
    message: `${formatPath(path)} is not set${more.message ?? "."}`,
    hint: more.hint ?? "openclaw config get",
    details: { path: formatPath(path) },
  });
}

function applyStep(value: unknown, step: Step, depth = 0): unknown {
  const segment = step.path[depth];
  if (segment === undefined) return step.op === "set" ? step.value : undefined;
  const isLast = depth === step.path.length - 1;
  if (typeof segment === "number") {
    const items: unknown = value === undefined ? [] : value;
    if (!Array.isArray(items)) throw inTheWay(value, step.path, depth, "a list");
    if (step.op === "unset" && isLast) return items.toSpliced(segment, 1);
    if (segment > items.length) throw beyondEnd(step.path, depth, items.length);
    const item = applyStep(items[segment], step, depth + 1);
    return segment === items.length ? [...items, item] : items.with(segment, item);
  }
  const entries = value === undefined ? {} : value;
  if (!isRecord(entries)) throw inTheWay(value, step.path, depth, "an object");
  if (step.op === "unset" && isLast) {
    return Object.fromEntries(Object.entries(entries).filter(([key]) => key !== segment));
  }
  const current = Object.hasOwn(entries, segment) ? entries[segment] : undefined;
  return { ...entries, [segment]: applyStep(current, step, depth + 1) };
}

/** The step that writes a setting long that may be written short, such as the default model, where a path leads into it. */
function longForm(value: unknown, path: Path): Step[] {
  for (let length = 1; length < path.length; length += 1) {
    const ancestor = path.slice(0, length);
    const current = valueAt(value, ancestor);
    const key = shortFormKey(current, ancestor);
    if (key !== undefined) return [{ op: "set", path: ancestor, value: { [key]: current } }];
  }
  return [];
}

/** The key that a text at this place stands for: `primary` for a default model written as a text. */
function shortFormKey(value: unknown, path: Path): string | undefined {
  if (typeof value !== "string") return undefined;
  const kind = findSetting(path)?.kind;
  if (kind?.kind !== "either") return undefined;
  return kind.of.flatMap((of) => (of.kind === "object" ? of.required : []))[0];
}

function stepsBetween(from: unknown, to: unknown, path: Path, isMerge: boolean): Step[] {
  if (from !== undefined && isSameValue(from, to)) return [];
  const key = isMerge && isRecord(from) ? shortFormKey(to, path) : undefined;
  if (key !== undefined) return stepsBetween(from, { [key]: to }, path, isMerge);
  if (isRecord(from) && isRecord(to)) {
    const dropped = isMerge ? [] : Object.keys(from).filter((key) => !Object.hasOwn(to, key));
    return [
      ...Object.entries(to).flatMap(([key, item]) =>
        stepsBetween(Object.hasOwn(from, key) ? from[key] : undefined, item, [...path, key], isMerge),
      ),
      ...dropped.map((key): Step => ({ op: "unset", path: [...path, key] })),
    ];
  }
  if (Array.isArray(from) && Array.isArray(to)) return stepsBetweenLists(from, to, path);
  return [{ op: "set", path, value: to }];
}

function stepsBetweenLists(from: readonly unknown[], to: readonly unknown[], path: Path): Step[] {
  const shorter = Math.min(from.length, to.length);
  let same = 0;
  while (same < shorter && isSameValue(from[same], to[same])) same += 1;
  let tail = 0;
  // Items taken out of the middle leave those behind them, and their comments, as they are.
  while (
    to.length < from.length &&
    tail < shorter - same &&
    isSameValue(from.at(-1 - tail), to.at(-1 - tail))
  )
    tail += 1;
  const steps: Step[] = [];
  for (let index = same; index < to.length - tail; index += 1) {
    steps.push(...stepsBetween(from[index], to[index], [...path, index], false));
  }
  for (let index = from.length - tail - 1; index >= to.length - tail; index -= 1) {
    steps.push({ op: "unset", path: [...path, index] });
  }
  return steps;
}

function withoutNulls(value: unknown): unknown {
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== null)
      .map(([key, item]) => [key, withoutNulls(item)]),
  );
}

function inTheWay(value: unknown, path: Path, depth: number, expected: string): OpenclawError {
  const place = path.slice(0, depth);
  const received = describeValue(value, isSecretPath(place));
  const hint = Array.isArray(value)
    ? `The items of a list are ${formatPath(place)}[0], ${formatPath(place)}[1] and so on.`
    : `openclaw config get ${quoteForShell(formatPath(place))}`;
  return new OpenclawError("config-invalid", {
    message: `${formatPath(path)} cannot be set: ${formatPath(place)} is ${received}, not ${expected}.`,
    hint,
    details: { path: formatPath(path), expected, received },
  });
}

function beyondEnd(path: Path, depth: number, length: number): OpenclawError {
  const list = path.slice(0, depth);
  const next = formatPath([...list, length, ...path.slice(depth + 1)]);
  return new OpenclawError("config-invalid", {
    message: `${formatPath(path)} is beyond the end: ${formatPath(list)} has ${count(length, "item")}, so the next one is [${length}].`,
    hint: `openclaw config set ${quoteForShell(next)} VALUE`,
    details: {
      path: formatPath(path),
      expected: `an index from 0 to ${length}`,
      received: String(path[depth]),
    },
  });
}
