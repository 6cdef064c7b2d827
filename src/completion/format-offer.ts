import type { Candidate } from "./command-tree.ts";
import type { Offer } from "./find-candidates.ts";
import { replacement, type SplitLine } from "./split-line.ts";

/**
 * The lines for bash: on the first one what to do (`files`, `nospace` or nothing), then what replaces the part of the word
 * that bash replaces. bash itself does not choose, so only what goes on from the typed word is given.
 */
export function formatForBash(offer: Offer, line: SplitLine): string[] {
  if (offer.kind === "files") return ["files"];
  const fitting = offer.candidates.filter(({ value }) => value.startsWith(line.current));
  const isUnfinished = fitting.length === 1 && fitting[0]?.isBranch === true;
  return [isUnfinished ? "nospace" : "", ...fitting.map(({ value }) => replacement(value, line))];
}

/**
 * The lines for zsh: `files`, or nothing and then one candidate a line, with `-` before those that no space follows and a
 * space before the others, and the description behind a colon. zsh chooses and quotes by itself.
 */
export function formatForZsh(offer: Offer): string[] {
  if (offer.kind === "files") return ["files"];
  const lines = offer.candidates.map(({ value, description, isBranch }) => {
    const text = value.replaceAll(/[\\:]/g, "\\$&");
    return `${isBranch ? "-" : " "}${text}${description ? `:${oneLine(description)}` : ""}`;
  });
  return ["", ...lines];
}

/** The lines for fish: `files`, or nothing and then one candidate a line with its description behind a tab. */
export function formatForFish(offer: Offer): string[] {
  if (offer.kind === "files") return ["files"];
  return ["", ...offer.candidates.map(asFishLine)];
}

function asFishLine({ value, description }: Candidate): string {
  return description ? `${value}\t${oneLine(description)}` : value;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
