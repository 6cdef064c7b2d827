import { distance } from "fastest-levenshtein";

/** Of longer words only so many characters are compared: nobody mistypes that much, and the work grows with the square. */
const LONGEST = 128;

/** The edits between two words: exact for short ones, too few for those that are long. For every search of a near name. */
export function editDistance(left: string, right: string): number {
  const longer = Math.abs(left.length - right.length);
  return Math.max(distance(left.slice(0, LONGEST), right.slice(0, LONGEST)), longer);
}
