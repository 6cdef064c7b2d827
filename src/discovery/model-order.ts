/** What the order of discovered models goes by. */
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
  // A name is taken apart once, not each time it is compared.
  return models
    .map((model) => ({ model, key: keyOf(orderedOf(model)) }))
    .sort((left, right) => compareKeys(left.key, right.key))
    .map(({ model }) => model);
}

interface Key {
  provider: string;
  family: string;
  version: number[];
  baseName: string;
  id: string;
}

function keyOf({ provider, baseName, id }: Ordered): Key {
  return {
    provider: provider.toLowerCase(),
    ...splitName(baseName),
    baseName: baseName.toLowerCase(),
    id: id.toLowerCase(),
  };
}

function compareKeys(left: Key, right: Key): number {
  return (
    compareText(left.provider, right.provider) ||
    compareText(left.family, right.family) ||
    compareVersions(right.version, left.version) ||
    compareText(left.baseName, right.baseName) ||
    compareText(left.id, right.id)
  );
}

/** `Claude 3.7 Sonnet` is family `claude sonnet`, version 3.7; a size such as `70B` belongs to the family. */
function splitName(name: string): { family: string; version: number[] } {
  const words = name.toLowerCase().split(/\s+/);
  const versionWord = words.find((word) => /^v?\d+(\.\d+)*$/.test(word));
  const family = words.filter((word) => word !== versionWord).join(" ");
  return { family, version: versionWord ? versionWord.replace("v", "").split(".").map(Number) : [] };
}

function compareVersions(left: readonly number[], right: readonly number[]): number {
  const length = Math.max(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const difference = (left[index] ?? -1) - (right[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
