import { compareVersions } from "./name-words.ts";

export interface Ordered {
  provider: string;
  /** Name of the base model, so that a profile stands beside its model. */
  baseName: string;
  id: string;
}

/**
 * Sorts models by provider, then by name, the newest version first: Claude Sonnet 4.6, 4.5, 3.7; a model without a
 * version comes after its numbered siblings.
 */
export function orderModels<T>(models: readonly T[], orderedOf: (model: T) => Ordered): T[] {
  return models
    .map((model) => ({ model, key: keyOf(orderedOf(model)) }))
    .sort((left, right) => compareKeys(left.key, right.key))
    .map(({ model }) => model);
}

interface Key {
  provider: string;
  family: string;
  version: readonly number[];
  name: string;
  id: string;
}

const VERSION = /(?:^|\s)v?(\d+(?:\.\d+)*)(?!\S)/;

/** `Claude 3.7 Sonnet` is family `claude sonnet`, version 3.7; a size such as `70B` belongs to the family. */
function keyOf({ provider, baseName, id }: Ordered): Key {
  const name = baseName.toLowerCase();
  return {
    provider: provider.toLowerCase(),
    family: name.replace(VERSION, "").trimStart(),
    version: VERSION.exec(name)?.[1]?.split(".").map(Number) ?? [],
    name,
    id: id.toLowerCase(),
  };
}

function compareKeys(left: Key, right: Key): number {
  return (
    compareText(left.provider, right.provider) ||
    compareText(left.family, right.family) ||
    compareVersions(right.version, left.version) ||
    compareText(left.name, right.name) ||
    compareText(left.id, right.id)
  );
}

/** Compares by the codes of characters, which no locale changes. */
export function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
