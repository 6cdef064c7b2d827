import { isRecord } from "../json.ts";
import type { Path, PathSegment } from "./path.ts";

/** A value that is neither object nor list, and where it stands. */
export interface Leaf {
  path: Path;
  value: unknown;
}

/** What stands in an object or list, by key or index; nothing stands in any other value. */
export function entriesOf(value: unknown): [PathSegment, unknown][] {
  if (Array.isArray(value)) return [...value.entries()];
  return isRecord(value) ? Object.entries(value) : [];
}

/** Every value that is neither object nor list, in order. */
export function listLeaves(value: unknown, path: Path = []): Leaf[] {
  if (typeof value !== "object" || value === null) return [{ path, value }];
  return entriesOf(value).flatMap(([key, item]) => listLeaves(item, [...path, key]));
}

/** A copy of a value in which `change` gives what stands for each value that is neither object nor list. */
export function mapLeaves(value: unknown, change: (leaf: Leaf) => unknown, path: Path = []): unknown {
  if (typeof value !== "object" || value === null) return change({ path, value });
  const entries = entriesOf(value).map(
    ([key, item]) => [key, mapLeaves(item, change, [...path, key])] as const,
  );
  return Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries);
}
