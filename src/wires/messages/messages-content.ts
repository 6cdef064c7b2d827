import type {
  CachePointBlock,
  ContentBlock,
  DocumentBlock,
  ImageBlock,
  Message,
  ReasoningContentBlock,
  SearchResultBlock,
  SystemContentBlock,
  ToolResultBlock,
  ToolResultContentBlock,
} from "@aws-sdk/client-bedrock-runtime";
import type {
  Base64ImageSource,
  CacheControlEphemeral,
  ContentBlockParam,
  DocumentBlockParam,
  ImageBlockParam,
  MessageParam,
  SearchResultBlockParam,
  TextBlockParam,
  ToolResultBlockParam,
} from "@anthropic-ai/sdk/resources/messages";
import { documentAsText } from "../../converse/file-kind.ts";
import { OpenclawError } from "../../errors.ts";
import { toBase64 } from "../data-url.ts";
import { toJson } from "../../json-numbers.ts";

type ResultPart = Exclude<NonNullable<ToolResultBlockParam["content"]>, string>[number];

/** Where a model's documents go: into blocks of their own, or, for models that are not Claude, as text where they are text. */
export interface DocumentForm {
  takesDocumentBlocks: boolean;
}

/**
 * The messages of a Converse request as those of Anthropic's Messages API
 * (https://platform.claude.com/docs/en/api/messages). Throws `bad-attachment` for what that API has no block for.
 */
export function toMessageParams(messages: readonly Message[], form: DocumentForm): MessageParam[] {
  return messages.map(({ role, content = [] }): MessageParam => {
    const blocks = withCacheControl(content, (block) => toBlocks(block, form));
    return { role: role === "assistant" ? role : "user", content: simplest(blocks) };
  });
}

/** A system prompt: a text, or its blocks where there are several or one is cached. Undefined for none. */
export function toSystemParam(
  system: readonly SystemContentBlock[] = [],
): string | TextBlockParam[] | undefined {
  const blocks = withCacheControl(system, (block): TextBlockParam[] => {
    const text = block.text ?? block.guardContent?.text?.text;
    return text === undefined ? [] : [{ type: "text", text }];
  });
  return blocks.length === 0 ? undefined : simplest(blocks);
}

/** One text by itself: the form that every server of this API takes. */
function simplest<Block extends { type: string }>(
  blocks: (Block | TextBlockParam)[],
): string | typeof blocks {
  const [block, ...others] = blocks;
  return block && isText(block) && others.length === 0 && !block.cache_control ? block.text : blocks;
}

function isText(block: { type: string }): block is TextBlockParam {
  return block.type === "text";
}

/** Converts blocks in which a cache point is one of its own: it becomes a mark of the block before it. */
export function withCacheControl<
  Given extends { cachePoint?: CachePointBlock | undefined },
  Made extends object,
>(blocks: readonly Given[], convert: (block: Given) => Made[]): Made[] {
  const made: Made[] = [];
  for (const block of blocks) {
    const last = made.at(-1);
    if (!block.cachePoint) made.push(...convert(block));
    else if (last) made[made.length - 1] = { ...last, cache_control: cacheControl(block.cachePoint) };
  }
  return made;
}

function cacheControl({ ttl }: CachePointBlock): CacheControlEphemeral {
  return ttl === "1h" ? { type: "ephemeral", ttl } : { type: "ephemeral" };
}

function toBlocks(block: ContentBlock, form: DocumentForm): ContentBlockParam[] {
  const { text, image, document, toolUse, toolResult, reasoningContent, guardContent, citationsContent } =
    block;
  if (text !== undefined) return [textBlock(text)];
  if (image) return [imageBlock(image)];
  if (document) return [documentBlock(document, form)];
  if (reasoningContent) return reasoningBlocks(reasoningContent);
  if (toolUse)
    return [
      { type: "tool_use", id: toolUse.toolUseId ?? "", name: toolUse.name ?? "", input: toolUse.input },
    ];
  if (toolResult) return [resultBlock(toolResult, form)];
  if (block.searchResult) return [searchResultBlock(block.searchResult)];
  if (guardContent?.text?.text !== undefined) return [textBlock(guardContent.text.text)];
  if (guardContent?.image) return [imageBlock(guardContent.image)];
  if (citationsContent) return (citationsContent.content ?? []).map((part) => textBlock(part.text ?? ""));
  const [kind = "unknown"] = Object.keys(block);
  throw unfit(`A ${kind} block has no counterpart in the Messages API.`, kind);
}

function textBlock(text: string): TextBlockParam {
  return { type: "text", text };
}

function imageBlock({ format, source }: Pick<ImageBlock, "format" | "source">): ImageBlockParam {
  if (!source?.bytes) throw unfit("An image that is not in the request itself cannot be sent on.", "image");
  const mediaType = `image/${format}` as Base64ImageSource["media_type"];
  return { type: "image", source: { type: "base64", media_type: mediaType, data: toBase64(source.bytes) } };
}

function documentBlock(
  document: DocumentBlock,
  { takesDocumentBlocks }: DocumentForm,
): DocumentBlockParam | TextBlockParam {
  const { name = "document", context, citations } = document;
  const source = documentSource(document);
  if (source.type !== "base64" && !takesDocumentBlocks) {
    const parts = source.type === "text" ? [source.data] : source.content;
    const said = [...parts].map((part) =>
      typeof part === "string" ? part : part.type === "text" ? part.text : "",
    );
    return textBlock(documentAsText(name, said.join("\n")));
  }
  return {
    type: "document",
    source,
    title: name,
    ...(context === undefined ? {} : { context }),
    ...(citations?.enabled === true ? { citations: { enabled: true } } : {}),
  };
}

/** What of a document the API takes: a PDF, a text, or parts of a text (https://platform.claude.com/docs/en/build-with-claude/citations). */
type DocumentSource = Exclude<DocumentBlockParam["source"], { type: "url" | "file" }>;

function documentSource({ format = "txt", name = "document", source }: DocumentBlock): DocumentSource {
  const plain = (data: string): DocumentSource => ({ type: "text", media_type: "text/plain", data });
  if (source?.text !== undefined) return plain(source.text);
  if (source?.content)
    return { type: "content", content: source.content.map((part) => textBlock(part.text ?? "")) };
  if (!source?.bytes)
    throw unfit(`The document '${name}' is not in the request itself and cannot be sent on.`, "document");
  if (format === "pdf")
    return { type: "base64", media_type: "application/pdf", data: toBase64(source.bytes) };
  throw new OpenclawError("bad-attachment", {
    message: `The document '${name}' is ${format}, and the Messages API takes pdf and text only.`,
    hint: "Save it as pdf and attach that.",
    details: { kind: "document", format },
  });
}

function searchResultBlock({
  source = "",
  title = "",
  content = [],
  citations,
}: SearchResultBlock): SearchResultBlockParam {
  return {
    type: "search_result",
    source,
    title,
    content: content.map(({ text = "" }) => textBlock(text)),
    ...(citations?.enabled === true ? { citations: { enabled: true } } : {}),
  };
}

function resultBlock(
  { toolUseId = "", content = [], status }: ToolResultBlock,
  form: DocumentForm,
): ToolResultBlockParam {
  return {
    type: "tool_result",
    tool_use_id: toolUseId,
    content: simplest(content.map((part) => resultPart(part, form))),
    ...(status === "error" ? { is_error: true } : {}),
  };
}

function resultPart(part: ToolResultContentBlock, form: DocumentForm): ResultPart {
  if (part.text !== undefined) return textBlock(part.text);
  if (part.json !== undefined) return textBlock(toJson(part.json));
  if (part.image) return imageBlock(part.image);
  if (part.document) return documentBlock(part.document, form);
  if (part.searchResult) return searchResultBlock(part.searchResult);
  const [kind = "unknown"] = Object.keys(part);
  throw unfit(`A ${kind} block in a tool's result has no counterpart in the Messages API.`, kind);
}

/** Reasoning goes back with its signature; the API refuses it without. */
function reasoningBlocks({ reasoningText, redactedContent }: ReasoningContentBlock): ContentBlockParam[] {
  if (redactedContent) return [{ type: "redacted_thinking", data: toRedactedData(redactedContent) }];
  const { text = "", signature } = reasoningText ?? {};
  return signature === undefined ? [] : [{ type: "thinking", thinking: text, signature }];
}

/**
 * Reasoning that the API has encrypted is a text to it and bytes to Converse. The text is kept as its own bytes; what
 * Converse gave is bytes of any kind.
 */
export function fromRedactedData(data: string): Uint8Array {
  return Buffer.from(data, "utf8");
}

function toRedactedData(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("latin1");
  return /^[\x21-\x7e]*$/.test(text) ? text : toBase64(bytes);
}

function unfit(message: string, kind: string): OpenclawError {
  return new OpenclawError("bad-attachment", {
    message,
    hint: "Leave it out, or ask a model that Bedrock's Converse takes: openclaw models list",
    details: { kind },
  });
}
