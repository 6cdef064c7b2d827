import type { CitationLocation, CitationsDelta } from "@aws-sdk/client-bedrock-runtime";
import { isRecord, type JsonObject, textAt } from "../../json.ts";

/**
 * Converse's citation for one of a message (https://platform.claude.com/docs/en/build-with-claude/citations); undefined for
 * what is none. One whose kind is not known keeps what it says of itself.
 */
export function toCitation(citation: unknown): CitationsDelta | undefined {
  if (!isRecord(citation)) return undefined;
  const title = textAt(citation, "document_title") ?? textAt(citation, "title");
  const source = textAt(citation, "source");
  const cited = textAt(citation, "cited_text");
  const location = locationOf(citation);
  return {
    ...(title === undefined ? {} : { title }),
    ...(source === undefined ? {} : { source }),
    ...(cited === undefined ? {} : { sourceContent: [{ text: cited }] }),
    ...(location === undefined ? {} : { location }),
  };
}

function locationOf(citation: JsonObject): CitationLocation | undefined {
  const numberAt = (name: string): number | undefined => {
    const value = citation[name];
    return typeof value === "number" ? value : undefined;
  };
  const inDocument = (unit: "char" | "page" | "block") => ({
    documentIndex: numberAt("document_index"),
    start: numberAt(unit === "page" ? "start_page_number" : `start_${unit}_index`),
    end: numberAt(unit === "page" ? "end_page_number" : `end_${unit}_index`),
  });
  switch (citation["type"]) {
    case "char_location":
      return { documentChar: inDocument("char") };
    case "page_location":
      return { documentPage: inDocument("page") };
    case "content_block_location":
      return { documentChunk: inDocument("block") };
    case "search_result_location":
      return {
        searchResultLocation: {
          searchResultIndex: numberAt("search_result_index"),
          start: numberAt("start_block_index"),
          end: numberAt("end_block_index"),
        },
      };
    case "web_search_result_location": {
      const url = textAt(citation, "url");
      return {
        web: url !== undefined && URL.canParse(url) ? { url, domain: new URL(url).hostname } : { url },
      };
    }
    default:
      return undefined;
  }
}
