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
  // A name is taken apart once, not each time it is compared, and not again for each profile of its model.
  const names = new Map<string, Name>();
  return models
    .map((model) => ({ model, key: keyOf(orderedOf(model), names) }))
    .sort((left, right) => compareKeys(left.key, right.key))
    .map(({ model }) => model);
}

interface Name {
  whole: string;
  family: string;
  version: readonly number[];
}

interface Key {
  provider: string;
  name: Name;
  id: string;
}

function keyOf({ provider, baseName, id }: Ordered, names: Map<string, Name>): Key {
  let name = names.get(baseName);
  if (!name) names.set(baseName, (name = splitName(baseName.toLowerCase())));
  return { provider: provider.toLowerCase(), name, id: id.toLowerCase() };
}

function compareKeys(left: Key, right: Key): number {
  return (
    compareText(left.provider, right.provider) ||
    compareText(left.name.family, right.name.family) ||
    compareVersions(right.name.version, left.name.version) ||
    compareText(left.name.whole, right.name.whole) ||
    compareText(left.id, right.id)
  );
}

/** `Claude 3.7 Sonnet` is family `claude sonnet`, version 3.7; a size such as `70B` belongs to the family. */
function splitName(whole: string): Name {
  const found = /(?:^|\s)v?(\d+(?:\.\d+)*)(?!\S)/.exec(whole);
  if (!found) return { whole, family: whole, version: [] };
  const family = (whole.slice(0, found.index) + whole.slice(found.index + found[0].length)).trimStart();
  return { whole, family, version: (found[1] ?? "").split(".").map(Number) };
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
