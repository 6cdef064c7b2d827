import type { TextCitation } from "@anthropic-ai/sdk/resources/messages/messages";
import type { CitedSource } from "../../../converse/cited-source.ts";

/** A source as Anthropic's API names it: https://platform.claude.com/docs/en/build-with-claude/citations */
export function toTextCitation(source: CitedSource): TextCitation {
  const { title = null, url, document = 0, pages, characters, parts, quote = "" } = source;
  const inDocument = { cited_text: quote, document_index: document, document_title: title, file_id: null };
  if (pages)
    return {
      type: "page_location",
      ...inDocument,
      start_page_number: pages.start,
      end_page_number: pages.end,
    };
  if (parts && url !== undefined)
    return {
      type: "search_result_location",
      cited_text: quote,
      search_result_index: document,
      source: url,
      title,
      start_block_index: parts.start,
      end_block_index: parts.end,
    };
  if (parts)
    return {
      type: "content_block_location",
      ...inDocument,
      start_block_index: parts.start,
      end_block_index: parts.end,
    };
  if (url !== undefined)
    return { type: "web_search_result_location", cited_text: quote, encrypted_index: "", title, url };
  const { start, end } = characters ?? { start: 0, end: 0 };
  return { type: "char_location", ...inDocument, start_char_index: start, end_char_index: end };
}
