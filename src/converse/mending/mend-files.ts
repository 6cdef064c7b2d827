import type {
  ContentBlock,
  DocumentBlock,
  Message,
  ToolResultContentBlock,
} from "@aws-sdk/client-bedrock-runtime";
import { LONGEST_MESSAGE, OpenclawError, shorten } from "../../errors.ts";
import type { InputKind } from "../../models/list.ts";
import { bytesInTurns, mapInTurns } from "../../next-turn.ts";
import { isOnlyBlanks } from "../../only-blanks.ts";
import { withDocumentsAsText } from "../apply-lessons.ts";
import { fileOf } from "../conversation.ts";
import { documentName } from "../document-name.ts";
import { inputInWords, isBlank, KIND_WORDS, TEXT_FORMATS } from "../file-kind.ts";
import type { Input, Mending } from "./recipient.ts";

/**
 * Files that the model does not take: what is asked now would be another question without them, so they are refused; what was
 * answered before goes without them. Throws `bad-attachment`.
 */
export function mendFiles(input: Input, mending: Mending): Input {
  const { reads, modelId } = mending;
  if (!reads?.kinds && reads?.inS3 !== false) return input;
  const messages = input.messages ?? [];
  const answered = messages.findLastIndex(({ role }) => role === "assistant");
  for (const { content = [] } of messages.slice(answered + 1)) {
    const unread = content.map((block) => unreadKind(block, mending)).find((what) => what !== undefined);
    if (unread === undefined) continue;
    throw new OpenclawError("bad-attachment", {
      message: `'${modelId}' takes no ${unread}${reads.kinds ? `, only ${inWords(reads.kinds)}` : ""}.`,
      hint: "Choose a model that does, or leave them out.",
      details: { model: modelId },
    });
  }
  const before = messages.slice(0, answered + 1).map(({ role, content = [] }): Message => {
    return { role, content: content.map((block) => readable(block, mending)) };
  });
  return { ...input, messages: [...before, ...messages.slice(answered + 1)] };
}

/** Documents that are text go as text to a model that takes no documents. */
export function sayDocuments(input: Input, mending: Mending): Input | Promise<Input> {
  return mending.reads?.kinds?.includes("document") === false ? withDocumentsAsText(input, mending) : input;
}

function inWords(kinds: readonly InputKind[]): string {
  return kinds.map(inputInWords).join(", ");
}

/**
 * A block of an earlier turn as the model can read it. A file that it does not take would be refused in every turn to come;
 * the words of a text are mended where they are refused.
 */
export function readable(block: ContentBlock, mending: Mending): ContentBlock {
  const text = tellUnread(block, "of earlier questions", mending);
  return text === undefined ? block : { text };
}

/** What is said in place of a file that the model does not take; undefined for any other block. */
export function tellUnread(
  block: ContentBlock | ToolResultContentBlock,
  place: string,
  mending: Mending,
): string | undefined {
  const { modelId, tell } = mending;
  const what = unreadKind(block, mending);
  if (what === undefined) return undefined;
  tell(`'${modelId}' takes no ${what}, so those ${place} are left out`);
  return `(A file stood here, which this model cannot read: it takes no ${what}.)`;
}

/** What of its kind the model does not take; undefined for a block that it can be sent. */
function unreadKind(block: ContentBlock | ToolResultContentBlock, { reads }: Mending): string | undefined {
  const file = fileOf(block);
  if (!file) return undefined;
  const isTaken = reads?.kinds?.includes(file.kind) !== false;
  if (isTaken && !(file.s3Location && reads?.inS3 === false)) return undefined;
  if (!file.isOpaque && !file.s3Location) return undefined;
  return isTaken ? "files from Amazon S3" : KIND_WORDS[file.kind].many;
}

/** Files and what was found, which only a person's message may hold. */
const MEDIA = ["image", "document", "video", "audio", "searchResult"] as const;

/** Whether a block is a file, or what a search has found. */
export function isMedia(block: ContentBlock | ToolResultContentBlock): boolean {
  return MEDIA.some((kind) => kind in block);
}

/** What is said in place of a file without anything in it, which the service refuses. */
export function tellEmpty(
  block: ContentBlock | ToolResultContentBlock,
  { tell }: Mending,
): string | undefined {
  const { kind, text, bytes, isOpaque } = fileOf(block) ?? {};
  const isBlankText =
    (text !== undefined && isOnlyBlanks(text)) || (bytes !== undefined && !isOpaque && isBlank(bytes));
  if (bytes?.length !== 0 && !isBlankText) return undefined;
  const { name = "document" } = block.document ?? {};
  const empty =
    kind === "document"
      ? `The document '${name}' is empty`
      : `The ${kind === "audio" ? "recording" : kind} is empty`;
  tell(`${empty}, and words that say so are sent in its place`);
  return `(${empty}.)`;
}

/** What a search has found, as text: only models that cite have a place for it. Undefined for any other block. */
export function tellFound(
  { searchResult }: ContentBlock | ToolResultContentBlock,
  { family }: Mending,
): string | undefined {
  if (!searchResult || family.citations) return undefined;
  const { title = "", source = "", content = [] } = searchResult;
  const said = content.map(({ text }) => text ?? "").join("\n");
  return `<search_result title=${JSON.stringify(shorten(title, LONGEST_MESSAGE))} source=${JSON.stringify(shorten(source, LONGEST_MESSAGE))}>\n${said}\n</search_result>`;
}

/**
 * Of more documents than a request has room for the newest are sent: it would be refused, and every later turn with it. Those
 * of the question stay whatever comes of it, since without them it is another one.
 */
export function leaveOutDocuments(
  input: Input,
  { mostDocuments = Number.POSITIVE_INFINITY, tell }: Mending,
): Input {
  const messages = input.messages ?? [];
  const asked = messages.findLastIndex(
    ({ role, content = [] }) => role === "user" && (content.some(isWords) || !content.some(isResult)),
  );
  const counts = messages.map(({ content = [] }) => content.filter(({ document }) => document).length);
  const count = counts.reduce((sum, many) => sum + many, 0);
  let over = Math.min(count - mostDocuments, count - (counts[asked] ?? 0));
  if (over <= 0) return input;
  tell(`A request has room for ${mostDocuments} documents, so of ${count} the oldest are left out`);
  const leave = (block: ContentBlock): ContentBlock =>
    block.document && over-- > 0 ? { text: leftOut(block.document.name) } : block;
  return {
    ...input,
    messages: messages.map(({ role, content }, index) => ({
      role,
      content: index === asked ? content : content?.map(leave),
    })),
  };
}

/** What stands in the place of a document, before and behind its name. */
const LEFT_OUT = ["(The document '", "' stood here, and is not sent again.)"] as const;

const leftOut = (name = "document"): string => LEFT_OUT.join(name);
const isWords = ({ text }: ContentBlock): boolean =>
  text !== undefined && !(text.startsWith(LEFT_OUT[0]) && text.endsWith(LEFT_OUT[1]));
const isResult = ({ toolResult }: ContentBlock): boolean => toolResult !== undefined;

/** Documents have distinct names of certain characters, and a text beside them; where it is asked for they are cited. */
export async function mendDocuments(
  input: Input,
  { cites, canCite, modelId, tell }: Mending,
): Promise<Input> {
  const taken = new Set<string>();
  const named = async <Block extends ContentBlock | ToolResultContentBlock>(
    block: Block,
    isOwn: boolean,
  ): Promise<Block> => {
    if (!block.document) return block;
    const { citations, ...document } = block.document;
    const isCited = cites === undefined && citations?.enabled === true;
    if (isCited && canCite === false)
      tell(`'${modelId}' does not say where in a document its words are from, so no sources are named`);
    const given = isCited ? (canCite === false ? await uncited(document) : block.document) : document;
    const asked = cites && isOwn ? citable(document) : given;
    return { ...block, document: { ...asked, name: documentName(document.name, taken) } };
  };
  const messages = await mapInTurns(input.messages ?? [], async (message): Promise<Message> => {
    const { role, content: blocks = [] } = message;
    const content = await mapInTurns(blocks, async (block): Promise<ContentBlock> => {
      const { toolResult } = block;
      if (!toolResult) return named(block, true);
      // "Citations are not supported in tool result documents": https://github.com/boto/boto3/issues/4648
      const results = await mapInTurns(toolResult.content ?? [], (part) => named(part, false));
      return { toolResult: { ...toolResult, content: results } };
    });
    const last = content.findLastIndex(({ document }) => document);
    const isWithoutText = last >= 0 && !content.some(({ text }) => text !== undefined);
    if (isWithoutText) content.splice(last + 1, 0, { text: "See the document." });
    return { role, content };
  });
  return { ...input, messages };
}

/** A text that is not cited, as any model takes it: only those that cite take it as such. */
async function uncited(document: DocumentBlock): Promise<DocumentBlock> {
  const { text, content } = document.source ?? {};
  const said = text ?? content?.map((part) => part.text ?? "").join("\n");
  return said === undefined ? document : { ...document, source: { bytes: await bytesInTurns(said) } };
}

/**
 * A document that is cited where it can be: a PDF, or a text, which is given as such since its bytes are taken for a PDF
 * (https://github.com/boto/boto3/issues/4726).
 */
function citable(document: DocumentBlock): DocumentBlock {
  const { format = "txt", source } = document;
  const citations = { enabled: true };
  if (!TEXT_FORMATS.has(format)) return format === "pdf" ? { ...document, citations } : document;
  if (!source?.bytes) return source?.s3Location ? document : { ...document, citations };
  const text = Buffer.from(source.bytes).toString("utf8");
  return { ...document, citations, format: "txt", source: { text } };
}
