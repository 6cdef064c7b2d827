import type { CitationLocation, CitationsDelta } from "@aws-sdk/client-bedrock-runtime";
import { isRecord, textAt } from "../json.ts";

/** From where to where in a document. Pages count from 1, characters and parts from 0. */
interface Span {
  start: number;
  end: number;
}

export interface CitedSource {
  /** The document's name, or the title of the page. */
  title?: string | undefined;
  url?: string | undefined;
  /** The place of the document among those of the request, from 0. */
  document?: number | undefined;
  pages?: Span | undefined;
  characters?: Span | undefined;
  /** Parts of a document that was given in parts, or of a search result. */
  parts?: Span | undefined;
  /** The words there. */
  quote?: string | undefined;
}

/**
 * Reads a citation of Converse. Members that nobody knows or that are of another kind are left aside, and so are halves of
 * characters.
 */
export function toCitedSource(citation: CitationsDelta): CitedSource {
  const { location, sourceContent }: Record<string, unknown> = { ...citation };
  const placeIn = (name: keyof CitationLocation): unknown =>
    isRecord(location) ? location[name] : undefined;
  const [character, page, chunk] = [
    placeIn("documentChar"),
    placeIn("documentPage"),
    placeIn("documentChunk"),
  ];
  const result = placeIn("searchResultLocation");
  const quote = (Array.isArray(sourceContent) ? sourceContent : [])
    .map((block) => textAt(block, "text") ?? "")
    .join("");
  return {
    title: textAt(citation, "title")?.toWellFormed(),
    url: (textAt(placeIn("web"), "url") ?? textAt(citation, "source"))?.toWellFormed(),
    document: countAt(character ?? page ?? chunk, "documentIndex") ?? countAt(result, "searchResultIndex"),
    pages: spanOf(page),
    characters: spanOf(character),
    parts: spanOf(chunk ?? result),
    quote: quote === "" ? undefined : quote.toWellFormed(),
  };
}

function spanOf(place: unknown): Span | undefined {
  const start = countAt(place, "start");
  return start === undefined ? undefined : { start, end: countAt(place, "end") ?? start };
}

function countAt(value: unknown, name: string): number | undefined {
  const count = isRecord(value) ? value[name] : undefined;
  return typeof count === "number" ? count : undefined;
}

/** The sources of one answer, each once, in the order in which they were named first. */
export class SourceList {
  readonly #numbers = new Map<string, number>();
  readonly #lines: string[] = [];

  /** The number of a source, from 1: that of its place, whatever is quoted there. */
  numberOf(source: CitedSource): number {
    const line = describeSource(source);
    const known = this.#numbers.get(line);
    if (known !== undefined) return known;
    const number = this.#lines.push(line);
    this.#numbers.set(line, number);
    return number;
  }

  /** Each in words, in the order of their numbers. */
  lines(): readonly string[] {
    return this.#lines;
  }
}

/** A source as a person would name it: `report (pdf), page 3`, `https://example.com/news`. */
function describeSource({ title, url, document, pages, characters, parts }: CitedSource): string {
  const numbered = document === undefined ? "a source without a name" : `document ${document + 1}`;
  const name = title ?? (url === undefined ? numbered : undefined);
  const place = pages
    ? inWords("page", pages.start, lastOf(pages))
    : characters
      ? inWords("character", characters.start, lastOf(characters))
      : parts && inWords("part", parts.start, lastOf(parts));
  return [name, url, place].filter((text) => text !== undefined && text !== "").join(", ");
}

/** The end is not of it: https://platform.claude.com/docs/en/build-with-claude/citations */
function lastOf({ start, end }: Span): number {
  return Math.max(start, end - 1);
}

function inWords(unit: string, first: number, last: number): string {
  return first === last ? `${unit} ${first}` : `${unit}s ${first}–${last}`;
}
