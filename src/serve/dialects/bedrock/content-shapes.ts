import type {
  AudioBlock,
  AudioSource,
  CachePointBlock,
  CitationGeneratedContent,
  CitationsConfig,
  CitationsContentBlock,
  ContentBlock,
  DocumentBlock,
  DocumentContentBlock,
  DocumentSource,
  GuardrailConverseContentBlock,
  GuardrailConverseImageBlock,
  GuardrailConverseImageSource,
  GuardrailConverseTextBlock,
  ImageBlock,
  ImageSource,
  ReasoningContentBlock,
  ReasoningTextBlock,
  S3Location,
  SearchResultBlock,
  SearchResultContentBlock,
  SpecificToolChoice,
  SystemContentBlock,
  SystemTool,
  Tool,
  ToolChoice,
  ToolConfiguration,
  ToolInputSchema,
  ToolResultBlock,
  ToolResultContentBlock,
  ToolSpecification,
  ToolUseBlock,
  VideoBlock,
  VideoSource,
} from "@aws-sdk/client-bedrock-runtime";
import { detectKind } from "../../../converse/file-kind.ts";
import { countDocument } from "../../content/read-files.ts";
import { readToolSchema } from "../../content/tool-schema.ts";
import {
  anyObject,
  anything,
  bytes,
  choice,
  flag,
  ignored,
  list,
  name,
  object,
  type Reader,
  refusedBecause,
  text,
  union,
} from "./read-shape.ts";

/*
 * The blocks of a Converse request, by the SDK's types
 * (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html).
 */

/** A file that Bedrock reads by itself, with the rights of whoever signs: those of the server. */
const s3Location: Reader = (field, context) => {
  if (context.readsS3) return object<S3Location>({ uri: text, bucketOwner: text }, "uri")(field, context);
  throw field.refused(
    `'${field.param}' is a file in Amazon S3, and this server lets none be read with its rights: send the bytes.`,
  );
};

const cachePoint = object<CachePointBlock>({ type: text, ttl: choice("5m", "1h") });

const citations = object<CitationsConfig>({ enabled: flag }, "enabled");

const imageBlock = object<ImageBlock>(
  { format: text, source: union<ImageSource>({ bytes, s3Location }), error: ignored },
  "format",
  "source",
);

/** An image goes under the kind that it is: under another one models refuse it. */
const image: Reader = async (field, context) => {
  const block = (await imageBlock(field, context)) as ImageBlock;
  const bytes = block.source && "bytes" in block.source ? block.source.bytes : undefined;
  const found = bytes && detectKind(bytes.subarray(0, LONGEST_SIGNATURE), undefined);
  return found?.kind === "image" ? { ...block, format: found.format } : block;
};

/** Bytes by which an image is known. */
const LONGEST_SIGNATURE = 16;

const video = object<VideoBlock>(
  { format: text, source: union<VideoSource>({ bytes, s3Location }) },
  "format",
  "source",
);

const audio = object<AudioBlock>(
  { format: text, source: union<AudioSource>({ bytes, s3Location }), error: ignored },
  "format",
  "source",
);

const documentBlock = object<DocumentBlock>(
  {
    format: text,
    name: text,
    source: union<DocumentSource>({
      bytes,
      s3Location,
      text,
      content: list(union<DocumentContentBlock>({ text })),
    }),
    context: text,
    citations,
  },
  "name",
  "source",
);

const document: Reader = (field, context) => {
  countDocument(context, field);
  return documentBlock(field, context);
};

const guardContent = union<GuardrailConverseContentBlock>({
  text: object<GuardrailConverseTextBlock>({ text, qualifiers: list(text) }, "text"),
  image: object<GuardrailConverseImageBlock>(
    { format: text, source: union<GuardrailConverseImageSource>({ bytes }) },
    "format",
    "source",
  ),
});

const searchResult = object<SearchResultBlock>(
  {
    source: text,
    title: text,
    content: list(object<SearchResultContentBlock>({ text }, "text")),
    citations,
  },
  "source",
  "title",
  "content",
);

const toolUse = object<ToolUseBlock>(
  // Models write other inputs than objects, and those are mended.
  { toolUseId: text, name, input: anything, type: text },
  "toolUseId",
  "name",
);

const toolResult = object<ToolResultBlock>(
  {
    toolUseId: text,
    content: list(
      union<ToolResultContentBlock>({ text, json: anything, image, document, video, searchResult }),
    ),
    status: choice("success", "error"),
    type: ignored,
  },
  "toolUseId",
);

const reasoningContent = union<ReasoningContentBlock>({
  reasoningText: object<ReasoningTextBlock>({ text, signature: text }, "text"),
  redactedContent: bytes,
});

const citationsContent = object<CitationsContentBlock>({
  content: list(union<CitationGeneratedContent>({ text })),
  // What an answer was from is not asked again.
  citations: list(anyObject),
});

const fixedTools = refusedBecause("the tools of a conversation stay as they are: name those of each request");

export const readContentBlock = union<ContentBlock>({
  text,
  image,
  document,
  video,
  audio,
  toolUse,
  toolResult,
  guardContent,
  cachePoint,
  reasoningContent,
  citationsContent,
  searchResult,
  toolAddition: fixedTools,
  toolRemoval: fixedTools,
});

export const readSystemBlock = union<SystemContentBlock>({ text, guardContent, cachePoint });

const readTool = union<Tool>({
  toolSpec: object<ToolSpecification>(
    {
      name,
      description: text,
      inputSchema: union<ToolInputSchema>({ json: (field) => readToolSchema(field) }),
      strict: flag,
    },
    "name",
    "inputSchema",
  ),
  systemTool: object<SystemTool>({ name }, "name"),
  cachePoint,
});

export const readToolConfig = object<ToolConfiguration>(
  {
    tools: list(readTool),
    toolChoice: union<ToolChoice>({
      auto: anyObject,
      any: anyObject,
      tool: object<SpecificToolChoice>({ name }, "name"),
    }),
  },
  "tools",
);
