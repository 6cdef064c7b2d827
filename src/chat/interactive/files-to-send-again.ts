import type { ContentBlock } from "@aws-sdk/client-bedrock-runtime";
import type { Attachment } from "../../converse/attachments.ts";
import { fileOf } from "../../converse/conversation.ts";
import type { FileKind } from "../../models/families.ts";
import { findMentions } from "./file-mentions.ts";
import type { Folders } from "./file-path.ts";

/** The files of a question that is edited, to go with it again; none where its text names them, and is read again. */
export async function filesToSendAgain(
  sent: readonly Attachment[],
  text: string,
  folders: Folders,
): Promise<Attachment[]> {
  const { files } = await findMentions(text, folders);
  return files.length > 0 ? [] : [...sent];
}

/** The file that a block is, as an attachment; none for one that is no file. */
export function attachmentOf(block: ContentBlock): Attachment[] {
  const { kind, format, bytes, s3Location } = fileOf(block) ?? {};
  const source = bytes ? { bytes } : s3Location && { s3Location };
  if (!format || !source) return [];
  // What is sent has its format behind its name.
  const name = block.document?.name?.replace(` (${format})`, "") ?? kind;
  const fileName = `${name}.${format}`;
  const file = { kind, format } as FileKind;
  return [{ label: s3Location?.uri ?? fileName, fileName, file, ...source }];
}
