import type {
  CitationsConfig,
  ContentBlock,
  DocumentBlock,
  SearchResultBlock,
  ToolResultContentBlock,
  ToolUseBlock,
} from "@aws-sdk/client-bedrock-runtime";
import type {
  BetaContentBlockParam,
  BetaToolResultBlockParam,
} from "@anthropic-ai/sdk/resources/beta/messages/messages";
import { detectKind, whyNot } from "../../../converse/file-kind.ts";
import type { JsonObject } from "../../../json.ts";
import { toJsonText } from "../../../network/json-body.ts";
import { bytesInTurns, mapInTurns } from "../../../next-turn.ts";
import { readBase64 } from "../../../wires/data-url.ts";
import { readCachePoint } from "../../content/cache-mark.ts";
import { countDocument, imageOf } from "../../content/read-files.ts";
import { judgeFields, type UnknownPlaces } from "../../field-rules.ts";
import { type RequestField, show } from "../../request-field.ts";
import { readRedacted } from "./redacted-thinking.ts";
import { BLOCK_RULES, SOURCE_RULES } from "./request-fields.ts";

/** What the blocks of a request need to know of each other. */
export interface BlockContext {
  /** Files that were fetched, by their URL; undefined where fetching is not allowed. */
  remoteFiles: ReadonlyMap<string, Uint8Array> | undefined;
  /** How many documents there were so far. Grows. */
  documents: number;
  /** The tools that what was said makes known: deferred until then. Grows and shrinks. */
  toolsFound: Set<string>;
  /** Tools that are declared in the middle of the conversation. Grows. */
  toolsAdded: RequestField[];
  /** What was left out, and why. Grows. */
  notices: Set<string>;
  /** Takes the fields that nobody knows. */
  unknown: UnknownPlaces;
}

type BlockType = BetaContentBlockParam["type"];
type ResultPart = Exclude<NonNullable<BetaToolResultBlockParam["content"]>, string>[number]["type"];

type Reader = (block: RequestField, context: BlockContext) => ContentBlock[] | Promise<ContentBlock[]>;

/** Kinds of blocks that only Anthropic's own servers write: what they did by themselves is in the answer. */
const leftOut: Reader = (block, { notices }) => {
  const type = block.at("type").text();
  notices.add(`Blocks of type '${type}' are left out: only the servers that wrote them can read them`);
  return [];
};

/**
 * How each kind of block is read, by the SDK's own types, so that a kind that Anthropic adds does not compile until
 * somebody decides what becomes of it.
 */
const READERS: Readonly<Record<BlockType, Reader>> = {
  text: (block) => [{ text: block.at("text").text() }],
  image: async (block, context) => [await readImage(block.at("source"), context)],
  document: readDocument,
  search_result: (block) => [{ searchResult: readSearchResult(block) }],
  thinking: (block) => [
    {
      reasoningContent: {
        reasoningText: { text: block.at("thinking").text(), signature: block.at("signature").text() },
      },
    },
  ],
  redacted_thinking: async (block) => [
    { reasoningContent: { redactedContent: await readRedacted(block.at("data").text()) } },
  ],
  tool_use: (block, { toolsFound }) => {
    const name = block.at("name").name();
    toolsFound.add(name);
    const input = (block.at("input").given?.value ?? {}) as ToolUseBlock["input"];
    return [{ toolUse: { toolUseId: block.at("id").text(), name, input } }];
  },
  tool_result: readToolResult,
  // What stands in the place of all that was said before.
  compaction: (block) => [{ text: block.at("content").given?.text() ?? "" }],
  tool_addition: (block, context) => {
    const tool = block.at("tool");
    switch (tool.at("type").value) {
      case "tool_reference":
        context.toolsFound.add(tool.at("name").name());
        return [];
      case "tool_definition":
        context.toolsAdded.push(tool.at("definition"));
        return [];
      default:
        return leftOut(block, context);
    }
  },
  tool_removal: (block, { toolsFound }) => {
    const name = block.at("tool").at("name").given;
    if (name) toolsFound.delete(name.name());
    return [];
  },
  server_tool_use: leftOut,
  web_search_tool_result: leftOut,
  web_fetch_tool_result: leftOut,
  advisor_tool_result: leftOut,
  code_execution_tool_result: leftOut,
  bash_code_execution_tool_result: leftOut,
  text_editor_code_execution_tool_result: leftOut,
  tool_search_tool_result: leftOut,
  mcp_tool_use: leftOut,
  mcp_tool_result: leftOut,
  mcp_tool_listing: leftOut,
  container_upload: leftOut,
  fallback: leftOut,
};

/** The content of a message as content blocks, each cache mark a cache point behind its block. Throws `invalid-request`. */
export async function readContent(field: RequestField, context: BlockContext): Promise<ContentBlock[]> {
  if (typeof field.value === "string") return [{ text: field.value }];
  const blocks = await mapInTurns(field.parts(), async (block): Promise<ContentBlock[]> => {
    const read = readerOf(block, READERS);
    if (read !== leftOut) judgeFields(block, BLOCK_RULES, context.unknown);
    const made = await read(block, context);
    const point = readCachePoint(block.at("cache_control"));
    return point ? [...made, { cachePoint: point }] : made;
  });
  return blocks.flat();
}

function readerOf<Type extends string, Read>(
  block: RequestField,
  readers: Readonly<Record<Type, Read>>,
): Read {
  const type = block.at("type");
  if (typeof type.value === "string" && Object.hasOwn(readers, type.value))
    return readers[type.value as Type];
  throw type.mustBe(`one of ${Object.keys(readers).join(", ")}`);
}

type PartReader = (
  part: RequestField,
  context: BlockContext,
) => ToolResultContentBlock[] | Promise<ToolResultContentBlock[]>;

const PART_READERS: Readonly<Record<ResultPart, PartReader>> = {
  text: (part) => [{ text: part.at("text").text() }],
  image: async (part, context) => [(await readImage(part.at("source"), context)) as ToolResultContentBlock],
  document: (part, context) => readDocument(part, context) as Promise<ToolResultContentBlock[]>,
  search_result: (part) => [{ searchResult: readSearchResult(part) }],
  tool_reference: (part, { toolsFound }) => {
    const name = part.at("tool_name").name();
    toolsFound.add(name);
    return [{ text: `(The tool ${name} can be called from now on.)` }];
  },
  browser_state: async (part) => [{ text: await toJsonText(part.object()) }],
};

async function readToolResult(block: RequestField, context: BlockContext): Promise<ContentBlock[]> {
  const field = block.at("content").given;
  const isText = typeof field?.value === "string";
  const parts = isText || !field ? [] : field.parts();
  const content = isText
    ? [{ text: field.text() }]
    : (await mapInTurns(parts, (part) => readResultPart(part, context))).flat();
  const isError = block.at("is_error").given?.flag() === true;
  const result: ContentBlock = {
    toolResult: {
      toolUseId: block.at("tool_use_id").text(),
      content,
      ...(isError ? { status: "error" } : {}),
    },
  };
  // In the result itself there is no place for a cache point.
  const point = parts.map((part) => readCachePoint(part.at("cache_control"))).findLast((found) => found);
  return point && !block.at("cache_control").given ? [result, { cachePoint: point }] : [result];
}

function readResultPart(part: RequestField, context: BlockContext): ReturnType<PartReader> {
  const read = readerOf(part, PART_READERS);
  if (read !== PART_READERS.browser_state) judgeFields(part, BLOCK_RULES, context.unknown);
  return read(part, context);
}

/** The bytes of a source of kind `base64` or `url`. */
async function fileBytes(source: RequestField, { remoteFiles, unknown }: BlockContext): Promise<Uint8Array> {
  judgeFields(source, SOURCE_RULES, unknown);
  const type = source.at("type");
  if (type.value === "url") {
    const url = source.at("url");
    const bytes = remoteFiles?.get(url.text());
    if (bytes) return bytes;
    throw url.refused(
      remoteFiles
        ? `'${url.param}' is ${show(url.value)}, and must be an http or https URL.`
        : "This server fetches no files by their URL: send them as base64.",
    );
  }
  if (type.value === "file")
    throw type.refused("Files are not kept by this server: send the file itself as base64.");
  if (type.value !== "base64") throw type.mustBe("base64 or url");
  const data = source.at("data");
  const bytes = await readBase64(data.text());
  if (bytes) return bytes;
  throw data.refused(`'${data.param}' is ${show(data.text().slice(0, 40))}, and must be base64.`);
}

async function readImage(source: RequestField, context: BlockContext): Promise<ContentBlock> {
  return imageOf(await fileBytes(source, context), source);
}

async function readDocument(block: RequestField, context: BlockContext): Promise<ContentBlock[]> {
  const source = block.at("source");
  countDocument(context, block);
  const told = block.at("context").given?.text();
  const citations = readCitations(block.at("citations"));
  const named = {
    name: block.at("title").given?.text() ?? "Document",
    ...(told === undefined ? {} : { context: told }),
    ...(citations ? { citations } : {}),
  };
  const type = source.at("type");
  if (type.value === "text")
    return [{ document: { ...named, ...(await asText(source.at("data").text(), citations)) } }];
  if (type.value === "content") return readParts(source.at("content"), context, named);
  const bytes = await fileBytes(source, context);
  const file = detectKind(bytes, undefined);
  // An empty one is mended: it may stand in a history that is sent again and again.
  const isEmpty = file.kind === "unsupported" && file.isEmpty === true;
  if (file.kind === "document" || isEmpty) {
    const format = file.kind === "document" ? file.format : "pdf";
    return [{ document: { ...named, format, source: { bytes } } }];
  }
  throw source.refused(`'${source.param}' holds no document: ${whyNot(file)}.`);
}

type Named = Pick<DocumentBlock, "name" | "context" | "citations">;

/** A text is given as such where it is cited, since its bytes are taken for a PDF (https://github.com/boto/boto3/issues/4726). */
async function asText(
  text: string,
  citations: CitationsConfig | undefined,
): Promise<Pick<DocumentBlock, "format" | "source">> {
  return { format: "txt", source: citations ? { text } : { bytes: await bytesInTurns(text) } };
}

/** A document in parts, which are what is cited of it. Converse has no place for images among them: they go behind it. */
async function readParts(field: RequestField, context: BlockContext, named: Named): Promise<ContentBlock[]> {
  if (typeof field.value === "string")
    return [{ document: { ...named, ...(await asText(field.value, named.citations)) } }];
  const parts = await mapInTurns(field.parts(), async (part): Promise<ContentBlock> => {
    judgeFields(part, BLOCK_RULES, context.unknown);
    const type = part.at("type");
    if (type.value === "text") return { text: part.at("text").text() };
    if (type.value === "image") return readImage(part.at("source"), context);
    throw type.mustBe("text or image");
  });
  const texts = parts.flatMap(({ text }) => text ?? []);
  const source = named.citations ? { content: texts.map((text) => ({ text })) } : undefined;
  const document = {
    ...named,
    ...(source ? { format: "txt" as const, source } : await asText(texts.join("\n"), undefined)),
  };
  return [...(texts.length === 0 ? [] : [{ document }]), ...parts.filter(({ text }) => text === undefined)];
}

function readSearchResult(block: RequestField): SearchResultBlock {
  const citations = readCitations(block.at("citations"));
  return {
    source: block.at("source").text(),
    title: block.at("title").text(),
    content: block
      .at("content")
      .items()
      .map((part) => ({ text: part.at("text").text() })),
    ...(citations ? { citations } : {}),
  };
}

function readCitations(field: RequestField): CitationsConfig | undefined {
  return field.given && field.at("enabled").given?.flag() === true ? { enabled: true } : undefined;
}

/** The URL of a source that is to be fetched. */
export function sourceUrlOf({ type, url }: JsonObject): unknown {
  return type === "url" ? url : undefined;
}
