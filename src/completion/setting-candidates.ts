import { valueAt } from "../config/edit-value.ts";
import { childrenOf, findSetting, foreignPart } from "../config/find-setting.ts";
import { isUnsafeKey, parsePath, type Path, type PathSegment } from "../config/path.ts";
import type { Kind } from "../config/setting-kinds.ts";
import { entriesOf } from "../config/walk-value.ts";
import type { Candidate, SettingUse } from "./value-kinds.ts";

export interface SettingsInput {
  use: SettingUse;
  /** The value of the user's file, keys of other programs included. */
  value: unknown;
  /** Keys of models, for `agents.defaults.models`. */
  modelKeys: readonly string[];
  regions: readonly string[];
}

/**
 * The paths that may stand for what was typed of one, a level at a time: `models.` after `mod`, then what is below it.
 * Reading and writing offer the table of settings and what the file holds, removing only what it holds.
 */
export function settingCandidates(text: string, input: SettingsInput): Candidate[] {
  const typed = readTyped(text);
  if (!typed) return [];
  const { before, parent, form } = typed;
  return listChildren(parent, input).flatMap((child) => {
    const written = writeSegment(child.key, form);
    return written === undefined ? [] : asCandidates(before + written, child);
  });
}

/** What a setting takes, where that can be said in words: true and false, choices, regions, models. */
export function settingValues(path: string, { modelKeys, regions }: SettingsInput): Candidate[] {
  const segments = tryParse(path);
  const found = segments && findSetting(segments);
  if (!segments || !found) return [];
  const isModel = /^agents\.defaults\.model(\.primary|\.fallbacks\.\d+)?$/.test(segments.join("."));
  const words = isModel ? modelKeys : valuesOf(found.kind, regions);
  return words.map((value) => ({ value }));
}

function valuesOf(kind: Kind, regions: readonly string[]): readonly string[] {
  switch (kind.kind) {
    case "boolean":
      return ["true", "false"];
    case "choice":
      return kind.values;
    case "string":
      return kind.format === "region" ? regions : [];
    case "either":
      return kind.of.flatMap((of) => valuesOf(of, regions));
    default:
      return [];
  }
}

type Form = "first" | "dot" | "bracket" | "double-quoted" | "single-quoted";

interface Typed {
  /** The text up to the key that is being typed, with its dot or bracket. */
  before: string;
  parent: PathSegment[];
  /** How that key is written. */
  form: Form;
}

/** Takes the unfinished key off the end of a path; undefined for what is no path. */
function readTyped(text: string): Typed | undefined {
  const bracket = /\[(["']?)[^[\]"']*$/.exec(text);
  if (bracket) {
    const parent = tryParse(text.slice(0, bracket.index));
    const quote = bracket[1];
    const form = quote === '"' ? "double-quoted" : quote === "'" ? "single-quoted" : "bracket";
    return parent && { before: text.slice(0, bracket.index), parent, form };
  }
  const dot = /\.[^.[\]"']*$/.exec(text);
  if (dot) {
    const parent = tryParse(text.slice(0, dot.index));
    return parent && { before: text.slice(0, dot.index), parent, form: "dot" };
  }
  if (text.endsWith("]")) {
    // Finished, as far as one can tell: what follows it is the next level.
    const parent = tryParse(text);
    return parent && { before: text, parent, form: "dot" };
  }
  return /^[^.[\]"'\s]*$/.test(text) ? { before: "", parent: [], form: "first" } : undefined;
}

interface Child {
  key: PathSegment;
  description: string | undefined;
  /** Whether it can be read or written as it is. */
  isLeaf: boolean;
  /** How what is below it is written; undefined when nothing is. */
  below: "." | "[" | undefined;
}

function listChildren(parent: Path, input: SettingsInput): Child[] {
  const children = new Map<PathSegment, Child>();
  const held = valueAt(input.value, parent);
  const kind = foreignPart(input.value, parent) ? undefined : findSetting(parent)?.kind;
  if (kind && input.use !== "unset")
    for (const child of tableChildren(kind, parent, held, input)) children.set(child.key, child);
  for (const [key, value] of entriesOf(held)) {
    if (children.has(key) || isUnsafeKey(key)) continue;
    // Writing does not invent keys of other programs.
    const own = [...parent, key];
    const found = foreignPart(input.value, own) ? undefined : findSetting(own);
    if (input.use === "set" && !found) continue;
    children.set(key, {
      key,
      description: found?.field?.description,
      isLeaf: typeof value !== "object" || value === null,
      below: belowKeys(keysOf(value).slice(0, 1)),
    });
  }
  return [...children.values()];
}

/** What the table of settings knows below a place, with the keys and indexes that the file or the machine suggests. */
function tableChildren(kind: Kind, parent: Path, held: unknown, input: SettingsInput): Child[] {
  return childrenOf(kind).flatMap(({ key, kind: inner, field }) =>
    (field ? [key] : suggestedKeys(key, parent, held, input)).map((segment) => {
      const path = [...parent, segment];
      const below = belowKind(inner, path, input);
      return { key: segment, description: field?.description, isLeaf: isLeafKind(inner), below };
    }),
  );
}

/** The keys or indexes to offer for one that the user chooses: `<id>`, `<key>`, `[]`. */
function suggestedKeys(
  placeholder: string,
  parent: Path,
  held: unknown,
  { modelKeys, use }: SettingsInput,
): Path {
  if (placeholder === "<id>") return ["amazon-bedrock", "amazon-bedrock-mantle"];
  if (placeholder === "<key>") return parent.join(".") === "agents.defaults.models" ? modelKeys : [];
  if (placeholder !== "[]") return [];
  const count = Array.isArray(held) ? held.length : 0;
  // One more than there are is where the next one goes.
  return Array.from({ length: use === "set" ? count + 1 : count }, (_, index) => index);
}

function isLeafKind(kind: Kind): boolean {
  if (kind.kind === "either") return kind.of.some(isLeafKind);
  if (kind.kind === "object") return kind.isOpen === true;
  return kind.kind !== "map" && !(kind.kind === "list" && isBranchKind(kind.of));
}

function isBranchKind(kind: Kind): boolean {
  return kind.kind === "object" || kind.kind === "map";
}

function belowKind(kind: Kind, path: Path, input: SettingsInput): Child["below"] {
  switch (kind.kind) {
    case "object":
      return ".";
    case "map":
      return belowKeys([
        ...suggestedKeys(`<${kind.keyName}>`, path, undefined, input),
        ...keysOf(valueAt(input.value, path)),
      ]);
    case "list":
      return keysOf(valueAt(input.value, path)).length > 0 || input.use === "set" ? "[" : undefined;
    case "either":
      return kind.of.map((of) => belowKind(of, path, input)).find((below) => below !== undefined);
    default:
      return undefined;
  }
}

/** How keys are written below a place: in brackets as soon as one of them cannot stand behind a dot. */
function belowKeys(keys: Path): Child["below"] {
  if (keys.length === 0) return undefined;
  return keys.some((key) => writeSegment(key, "dot") === undefined) ? "[" : ".";
}

function keysOf(value: unknown): PathSegment[] {
  return entriesOf(value).map(([key]) => key);
}

/** A place that is both a value and a branch, such as the default model, is offered as both. */
function asCandidates(path: string, { isLeaf, below, description }: Child): Candidate[] {
  return [
    ...(isLeaf || below === undefined ? [{ value: path, description }] : []),
    ...(below === undefined ? [] : [{ value: path + below, description, isBranch: true as const }]),
  ];
}

/** A key in the way the path was begun; undefined when it cannot be written so. */
function writeSegment(key: PathSegment, form: Form): string | undefined {
  const text = String(key);
  const isPlain = typeof key === "string" && /^[A-Za-z_$][\w$-]*$/.test(key);
  switch (form) {
    case "first":
      return isPlain ? text : undefined;
    case "dot":
      return isPlain ? `.${text}` : undefined;
    case "bracket":
      // Without quotes where the path can do without: a shell needs its own already.
      if (typeof key === "number" || (/^[^[\]"'\s]+$/.test(text) && /[^\d+-]/.test(text))) return `[${text}]`;
      return `[${JSON.stringify(text)}]`;
    case "double-quoted":
      return typeof key === "number" ? undefined : `[${JSON.stringify(text)}]`;
    case "single-quoted":
      return typeof key === "number" || /['\\]/.test(text) ? undefined : `['${text}']`;
  }
}

function tryParse(text: string): PathSegment[] | undefined {
  if (text === "") return [];
  try {
    return parsePath(text);
  } catch {
    // What is half typed may be no path yet.
    return undefined;
  }
}
