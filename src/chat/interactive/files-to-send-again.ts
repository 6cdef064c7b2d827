import type { Message } from "@aws-sdk/client-bedrock-runtime";
import type { Attachment } from "../../converse/attachments.ts";
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
  return (content ?? []).flatMap(({ image, document }): Attachment[] => {
    if (image?.format && image.source?.bytes) {
      const fileName = `image.${image.format}`;
      const file = { kind: "image", format: image.format } as const;
      return [{ label: fileName, fileName, file, bytes: image.source.bytes }];
    }
    if (!document?.format || !document.source?.bytes) return [];
    // What is sent has its format behind its name.
    const name = (document.name ?? "document").replace(` (${document.format})`, "");
    const fileName = `${name}.${document.format}`;
    const file = { kind: "document", format: document.format } as const;
    return [{ label: fileName, fileName, file, bytes: document.source.bytes }];
  });
}
