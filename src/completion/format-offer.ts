import type { Offer } from "./find-candidates.ts";
import { replacement, type SplitLine } from "./split-line.ts";

/*
 * The lines that the completion scripts read. On the first one stands what to do: `files`, `nospace` or nothing; on the
 * others the candidates.
 */

/** For bash, what replaces the part of the word that bash replaces; only what goes on from it: bash does not choose. */
export function formatForBash(offer: Offer, line: SplitLine): string[] {
  if (offer === "files") return [offer];
  const fitting = offer.filter(({ value }) => value.startsWith(line.current));
  const isUnfinished = fitting.length === 1 && fitting[0]?.isBranch === true;
  return [isUnfinished ? "nospace" : "", ...fitting.map(({ value }) => replacement(value, line))];
}

/**
 * For zsh, candidates with `-` before those that no space follows and a space before the others, and the description
 * behind a colon. zsh chooses and quotes by itself.
 */
export function formatForZsh(offer: Offer): string[] {
  if (offer === "files") return [offer];
  const lines = offer.map(({ value, description, isBranch }) => {
    const text = value.replaceAll(/[\\:]/g, "\\$&");
    return `${isBranch ? "-" : " "}${text}${description ? `:${oneLine(description)}` : ""}`;
  });
  return ["", ...lines];
}

/** For fish, candidates with their description behind a tab. */
export function formatForFish(offer: Offer): string[] {
  if (offer === "files") return [offer];
  return [
    "",
    ...offer.map(({ value, description }) => (description ? `${value}\t${oneLine(description)}` : value)),
  ];
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}
