import type { ContentBlock, Message, S3Location } from "@aws-sdk/client-bedrock-runtime";
import type { Attachment, AttachmentSource } from "../../converse/attachments.ts";
import type { FileKind } from "../../models/families.ts";
import { findMentions } from "./file-mentions.ts";
import type { Folders } from "./file-path.ts";

/** The files of a question that is edited, to go with it again; none where its text names them, and is read again. */
export async function filesToSendAgain(
  { content = [] }: Message,
  text: string,
  folders: Folders,
): Promise<Attachment[]> {
  const { files } = await findMentions(text, folders);
  if (files.length > 0) return [];
  return (content ?? []).flatMap(attachmentOf);
}

function attachmentOf({ image, document, video, audio }: ContentBlock): Attachment[] {
  const block = image ?? document ?? video ?? audio;
  if (!block?.format) return [];
  const source = sourceOf(block.source);
  if (!source) return [];
  const kind = image ? "image" : document ? "document" : video ? "video" : "audio";
  // What is sent has its format behind its name.
  const name = document ? (document.name ?? kind).replace(` (${block.format})`, "") : kind;
  const fileName = `${name}.${block.format}`;
  const file = { kind, format: block.format } as FileKind;
  return [{ label: source.s3Location?.uri ?? fileName, fileName, file, ...source }];
}

function sourceOf(source: object = {}): AttachmentSource | undefined {
  if ("bytes" in source && source.bytes instanceof Uint8Array) return { bytes: source.bytes };
  return "s3Location" in source && source.s3Location
    ? { s3Location: source.s3Location as S3Location }
    : undefined;
}
