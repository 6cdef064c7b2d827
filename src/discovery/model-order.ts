/** What the order of discovered models goes by. */
export interface Ordered {
  provider: string;
  /** Name of the base model, so that a profile stands beside its model. */
  baseName: string;
  id: string;
}

/**
 * Compares two models by provider, then by name, the newest version first: Claude Sonnet 4.6, 4.5, 3.7; a model without
 * a version comes after its numbered siblings.
 */
export function compareModels(left: Ordered, right: Ordered): number {
  const byProvider = compareText(left.provider, right.provider);
  if (byProvider !== 0) return byProvider;
  const [leftName, rightName] = [splitName(left.baseName), splitName(right.baseName)];
  return (
    compareText(leftName.family, rightName.family) ||
    compareVersions(rightName.version, leftName.version) ||
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
  const [a, b] = [left.toLowerCase(), right.toLowerCase()];
  return a < b ? -1 : a > b ? 1 : 0;
}
