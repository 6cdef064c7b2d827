import { editDistance } from "../edit-distance.ts";

/** Of more, no others are compared: there are a few hundred models, and 50,000 take 200 ms. */
const MOST_COMPARED = 10_000;

/** The known ids nearest to what was typed, at most `limit`, the nearest first; none when all are far off. */
export function nearestIds(typed: string, knownIds: readonly string[], limit = 3): string[] {
  const text = typed.toLowerCase();
  // Of three letters every other word of three is three changes away.
  const isNear = ({ score, id }: { score: number; id: string }): boolean =>
    score <= Math.min(text.length / 2, Math.max(3, Math.min(text.length, id.length) * 0.4));
  return [...new Set(knownIds.slice(0, MOST_COMPARED))]
    .map((id) => ({ id, score: scoreOf(text, id.toLowerCase()) }))
    .filter(isNear)
    .sort((left, right) => left.score - right.score || (left.id < right.id ? -1 : 1))
    .slice(0, limit)
    .map(({ id }) => id);
}

/** A hint: the nearest of what is known, or the other one where all are far off. */
export function didYouMean(typed: string, known: readonly string[], otherwise: string): string {
  const [nearest] = nearestIds(typed, known);
  return nearest === undefined ? otherwise : `Did you mean ${nearest}?`;
}

/** The edit distance, where a part that was left out at either end (`claude-opus-4-6` for the full id) costs little. */
function scoreOf(text: string, id: string): number {
  if (text.length >= 4 && id.includes(text)) return Math.min(3, (id.length - text.length) / 10);
  return editDistance(text, id);
}
