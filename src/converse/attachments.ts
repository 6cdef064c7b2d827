import type { ContentBlock } from "@aws-sdk/client-bedrock-runtime";
import { open } from "node:fs/promises";
import path from "node:path";
import type { InputKind } from "../models/list.ts";
import { OpenclawError, usageError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import {
  type AttachmentLimits,
  attachmentLimits,
  fitsRequest,
  MOST_FILE_BYTES,
} from "../models/attachment-limits.ts";
import { documentName } from "./document-name.ts";
import type { FileKind } from "../models/attachment-limits.ts";
import { detectKind, TEXT_FORMATS } from "./file-kind.ts";
import { imageSize } from "./image-size.ts";

/** A file that goes with a question. */
export interface Attachment {
  /** How the person named it: a path, or `stdin`. */
  label: string;
  /** The name without its folder; undefined for stdin. */
  fileName: string | undefined;
  file: FileKind;
  bytes: Uint8Array;
}

/** What is known of the model that gets the files. */
export interface Recipient {
  /** As it is sent to AWS, for messages. */
  modelId: string;
  /** The id of its foundation model; undefined when it is not known. */
  baseId: string | undefined;
  /** The kinds of input it takes; undefined when they are not known. */
  input: readonly InputKind[] | undefined;
}

export interface AttachedBlocks {
  blocks: ContentBlock[];
  /** What a person should know: limits that are not certain, documents sent as text. */
  notices: string[];
}

/**
 * Reads the files of `--file`; `-` is stdin. Kinds are decided by content. Throws `bad-attachment` for a file that is
 * missing, too large for any request, or of no kind that Converse takes, and `usage` for stdin named twice.
 */
export async function readAttachments(paths: readonly string[], runtime: Runtime): Promise<Attachment[]> {
  if (paths.filter((name) => name === "-").length > 1)
    throw usageError("--file - is given twice, and there is one stdin.", "Leave one of them out.");
  const attachments: Attachment[] = [];
  for (const name of paths) {
    const isStdin = name === "-";
    const label = isStdin ? "stdin" : name;
    const fileName = isStdin ? undefined : path.basename(name);
    const bytes = isStdin
      ? await readStream(runtime.stdin)
      : await readFile(name, path.resolve(runtime.currentFolder, name));
    const file = detectKind(bytes, fileName);
    if (file.kind === "unsupported") {
      throw badAttachment(
        `'${label}' cannot be attached: ${file.reason}.`,
        "Attach png, jpeg, gif, webp, pdf, csv, doc, docx, xls, xlsx, html, md or plain text.",
        { file: label },
      );
    }
    attachments.push({ label, fileName, file, bytes });
  }
  return attachments;
}

/**
 * Makes the content blocks of a turn's files, in their order, for one model. What the model is known not to take is
 * refused: throws `bad-attachment` with file, size and limit. Text files go as text to a model that takes no documents.
 * `taken` are the names of the documents in earlier turns.
 */
export function attachmentBlocks(
  attachments: readonly Attachment[],
  recipient: Recipient,
  taken: ReadonlySet<string> = new Set(),
): AttachedBlocks {
  const limits = attachmentLimits(recipient.baseId);
  const notices = [
    ...checkKinds(attachments, recipient),
    ...checkSizes(attachments, recipient, limits),
    ...checkCounts(attachments, recipient, limits),
  ];
  const names = new Set(taken);
  const blocks = attachments.map((attachment) => toBlock(attachment, recipient, names));
  return { blocks, notices };
}

function toBlock(
  { file, bytes, fileName, label }: Attachment,
  recipient: Recipient,
  taken: Set<string>,
): ContentBlock {
  if (file.kind === "image") return { image: { format: file.format, source: { bytes } } };
  if (!takes(recipient, "document")) {
    return { text: `${fileName ?? label}:\n\n${new TextDecoder().decode(bytes)}` };
  }
  return { document: { format: file.format, name: documentName(fileName, taken), source: { bytes } } };
}

function checkKinds(attachments: readonly Attachment[], recipient: Recipient): string[] {
  const asText: string[] = [];
  for (const { file, label } of attachments) {
    if (takes(recipient, file.kind)) continue;
    if (file.kind === "document" && TEXT_FORMATS.has(file.format)) {
      asText.push(label);
      continue;
    }
    const what = file.kind === "image" ? "an image" : `a ${file.format} document`;
    throw badAttachment(
      `'${label}' is ${what}, and '${recipient.modelId}' takes no ${file.kind}s.`,
      "Choose a model that does: openclaw models list",
      { file: label, model: recipient.modelId, kind: file.kind },
    );
  }
  return asText.map((label) => `'${recipient.modelId}' takes no documents, so '${label}' is sent as text`);
}

function takes({ input }: Recipient, kind: InputKind): boolean {
  return input === undefined || input.includes(kind);
}

function checkSizes(
  attachments: readonly Attachment[],
  { modelId }: Recipient,
  limits: AttachmentLimits,
): string[] {
  const notices: string[] = [];
  for (const { label, file, bytes } of attachments) {
    const details = { file: label, bytes: bytes.length, model: modelId, source: limits.source };
    const most = limits.mostBytes(file);
    const what = file.kind === "image" ? "images" : `${file.format} documents`;
    if (most !== undefined && bytes.length > most) {
      if (limits.isKnown) {
        throw badAttachment(
          `'${label}' has ${inMegabytes(bytes.length)}, and '${modelId}' takes ${what} of at most ${inMegabytes(most)}.`,
          file.kind === "image"
            ? "Scale it down, or save it as jpeg."
            : "Split it, or attach only the part that matters.",
          { ...details, limit: most },
        );
      }
      notices.push(
        `'${label}' has ${inMegabytes(bytes.length)}; what '${modelId}' takes is not known, Converse's reference says ${inMegabytes(most)}`,
      );
    }
    const size = file.kind === "image" ? imageSize(bytes, file.format) : undefined;
    if (size && Math.max(size.width, size.height) > limits.mostPixels) {
      const message = `'${label}' has ${size.width} × ${size.height} pixels, and images may have ${limits.mostPixels} on a side`;
      if (limits.isKnown)
        throw badAttachment(`${message}.`, "Scale it down.", {
          ...details,
          ...size,
          limit: limits.mostPixels,
        });
      notices.push(message);
    }
  }
  const sizes = attachments.map(({ bytes }) => bytes.length);
  if (!fitsRequest(sizes)) {
    const total = sizes.reduce((sum, size) => sum + size, 0);
    throw badAttachment(
      `The files have ${inMegabytes(total)} together, and a request holds at most ${inMegabytes(MOST_FILE_BYTES)} of them.`,
      "Attach fewer or smaller files.",
      { files: attachments.map(({ label }) => label), bytes: total, limit: MOST_FILE_BYTES },
    );
  }
  return notices;
}

function checkCounts(
  attachments: readonly Attachment[],
  recipient: Recipient,
  limits: AttachmentLimits,
): string[] {
  const notices: string[] = [];
  for (const [kind, most] of [
    ["image", limits.mostImages],
    ["document", limits.mostDocuments],
  ] as const) {
    const count = attachments.filter(({ file }) => file.kind === kind && takes(recipient, kind)).length;
    if (count <= most) continue;
    const message = `${count} ${kind}s are attached, and '${recipient.modelId}' takes at most ${most} in one message`;
    if (limits.isKnown) {
      throw badAttachment(`${message}.`, "Leave some out, or put them into one file.", {
        count,
        limit: most,
      });
    }
    notices.push(message);
  }
  return notices;
}

async function readFile(label: string, file: string): Promise<Buffer> {
  try {
    const handle = await open(file, "r");
    try {
      const stats = await handle.stat();
      if (stats.isDirectory())
        throw badAttachment(`'${label}' is a folder.`, "Name the files in it.", { file: label });
      if (stats.size > MOST_FILE_BYTES) throw tooLarge(label, stats.size);
      const bytes = await handle.readFile();
      // A pipe or a file that grows has no size beforehand.
      if (bytes.length > MOST_FILE_BYTES) throw tooLarge(label, bytes.length);
      return bytes;
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof OpenclawError) throw cause;
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw badAttachment(
      isMissing ? `There is no file '${label}'.` : `'${label}' cannot be read: ${(cause as Error).message}.`,
      "Check the path.",
      { file: label },
      cause,
    );
  }
}

async function readStream(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream) {
    const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    length += bytes.length;
    if (length > MOST_FILE_BYTES) throw tooLarge("stdin", length);
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function tooLarge(label: string, bytes: number): OpenclawError {
  return badAttachment(
    `'${label}' has ${inMegabytes(bytes)} or more, and a request holds at most ${inMegabytes(MOST_FILE_BYTES)}.`,
    "Attach a smaller file.",
    { file: label, bytes, limit: MOST_FILE_BYTES },
  );
}

function badAttachment(
  message: string,
  hint: string,
  details: Record<string, unknown>,
  cause?: unknown,
): OpenclawError {
  return new OpenclawError("bad-attachment", { message, hint, details, cause });
}

/** Megabytes as AWS counts them here, 1024 × 1024 bytes, never rounded down to what they exceed. */
function inMegabytes(bytes: number): string {
  const megabytes = bytes / (1024 * 1024);
  return `${Number(megabytes.toFixed(megabytes >= 0.1 ? 2 : 4))} MB`;
}
