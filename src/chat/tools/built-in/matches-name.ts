import { matchesPattern } from "../leave.ts";
import { CallFault } from "./tool-input.ts";

/** A pattern with braces in it stands for at most so many. */
const MOST_PATTERNS = 64;
/** Longer ones nobody writes, in characters. */
const MOST_LENGTH = 1000;

/**
 * Whether names fit a pattern as shells and `.gitignore` have them: `*` within a name, `**` for any folders, `{a,b}` for
 * either. One without a slash is for the last name of a path. Throws a `CallFault` for one that stands for too many. Takes no
 * longer than the product of both lengths, whatever the pattern.
 */
export function nameMatcher(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true;
  if (pattern.length > MOST_LENGTH) throw new CallFault("'pattern' is too long.");
  const patterns = spread(pattern).map((one) => one.replace(/^\.?\//, "").split("/"));
  return (name) => {
    const names = name.split("/");
    return patterns.some((parts) => (parts.length === 1 ? fits(names.slice(-1), parts) : fits(names, parts)));
  };
}

/** Whether names in each other fit the parts of a pattern, found part by part for every place where the names may be. */
function fits(names: readonly string[], parts: readonly string[]): boolean {
  let places = new Set([0]);
  for (const part of parts) {
    const next = new Set<number>();
    for (const place of places) {
      if (part === "**") for (let at = place; at <= names.length; at++) next.add(at);
      else if (place < names.length && matchesPattern(names[place] ?? "", part)) next.add(place + 1);
    }
    places = next;
  }
  return places.has(names.length);
}

/** The patterns that one with braces stands for. */
function spread(pattern: string): string[] {
  let patterns = [pattern];
  for (;;) {
    const made = patterns.flatMap((one) => {
      const [braces, inside = ""] = /\{([^{}]*,[^{}]*)\}/.exec(one) ?? [];
      return braces === undefined
        ? [one]
        : inside.split(",").map((choice) => one.replace(braces, () => choice));
    });
    if (made.length > MOST_PATTERNS) throw new CallFault("'pattern' stands for too many names.");
    if (made.length === patterns.length) return made;
    patterns = made;
  }
}
