import type {
  ContentBlock,
  ConverseStreamCommandInput,
  Message,
  ToolResultContentBlock,
} from "@aws-sdk/client-bedrock-runtime";
import { TEXT_FORMATS, textOfDocument } from "../converse/file-kind.ts";
import { notText } from "../disk/decode-text.ts";
import { mapInTurns } from "../next-turn.ts";

/**
 * A request with documents that are text as such: servers take the bytes of none. Others have their turn in between. Throws
 * `bad-attachment` for bytes that are no text.
 */
export async function withDocumentTexts(
  input: ConverseStreamCommandInput,
): Promise<ConverseStreamCommandInput> {
  const messages = await mapInTurns(input.messages ?? [], async (message): Promise<Message> => {
    const content = await mapInTurns(message.content ?? [], async (block): Promise<ContentBlock> => {
      const { toolResult } = block;
      if (!toolResult) return withText(block);
      return { toolResult: { ...toolResult, content: await mapInTurns(toolResult.content ?? [], withText) } };
    });
    return { ...message, content };
  });
  return { ...input, messages };
}

async function withText<Block extends ContentBlock | ToolResultContentBlock>(block: Block): Promise<Block> {
  const { document } = block;
  if (!document?.source?.bytes || !TEXT_FORMATS.has(document.format ?? "txt")) return block;
  const { name = "document" } = document;
  const text = await textOfDocument(document);
  if (text !== undefined) return { ...block, document: { ...document, source: { text } } };
  throw notText(document.source.bytes, {
    label: `The document '${name}'`,
    file: undefined,
    code: "bad-attachment",
  });
}
