import type { ContentBlock } from "@aws-sdk/client-bedrock-runtime";
import path from "node:path";
import type { InputKind } from "../models/list.ts";
import { decodeText, type TextSource } from "../disk/decode-text.ts";
import { readRegularFile, ReadFailure } from "../disk/read-file.ts";
import { isReadOnce, namesStdin, readInput } from "../disk/read-input.ts";
import { OpenclawError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { ANY_ATTACHMENTS, familyOf, type FileKind } from "../models/families.ts";
import { decodeFile, TEXT_FORMATS } from "./file-kind.ts";
import { imageSize } from "./image-size.ts";

/**
 * All media of a request together stay below this, in base64: 31,998,668 bytes were accepted and 32,000,000 refused
 * (https://github.com/stdapi-ai/stdapi.ai/blob/main/stdapi/input_file.py, measured for every family).
 */
const MOST_REQUEST_BASE64 = 32_000_000;

/** No file that is larger than this fits into a request, in bytes. */
export const MOST_FILE_BYTES = (MOST_REQUEST_BASE64 / 4) * 3 - 1;

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
 * Reads the files of `--file`; `-` is stdin. Kinds are decided by content, and texts become UTF-8. Throws
 * `bad-attachment` for a file that is missing, empty, too large for any request, of no kind that Converse takes, or a text
 * that is no Unicode. With
 * `isInteractive` also for a pipe, which a person at the keyboard could not stop waiting for.
 */
export async function readAttachments(
  paths: readonly string[],
  runtime: Runtime,
  { isInteractive = false }: { isInteractive?: boolean } = {},
): Promise<Attachment[]> {
  const attachments: Attachment[] = [];
  for (const name of paths) {
    const label = namesStdin(name) ? "stdin" : name;
    // Of `<(…)` the shell makes a name that says nothing.
    const fileName = isReadOnce(name) ? undefined : path.basename(name);
    const source = sourceOf({ label, fileName });
    const read = await readFile(label, () => {
      return isInteractive
        ? readRegularFile(path.resolve(runtime.currentFolder, name), MOST_FILE_BYTES)
        : readInput(name, runtime, MOST_FILE_BYTES);
    });
    const { file, bytes } = decodeFile(read, fileName, source);
    if (file.kind === "unsupported") {
      throw badAttachment(
        `'${label}' cannot be attached: ${file.reason}.`,
        file.isEmpty
          ? "Leave it out, or attach another one."
          : "Attach png, jpeg, gif, webp, pdf, csv, doc, docx, xls, xlsx, html, md or plain text.",
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
 */
export function attachmentBlocks(attachments: readonly Attachment[], recipient: Recipient): AttachedBlocks {
  const notices = [...checkKinds(attachments, recipient), ...checkLimits(attachments, recipient)];
  return { blocks: attachments.map((attachment) => toBlock(attachment, recipient)), notices };
}

function sourceOf({ label, fileName }: Pick<Attachment, "label" | "fileName">): TextSource {
  return { label: `'${label}'`, file: fileName === undefined ? undefined : label, code: "bad-attachment" };
}

function toBlock({ file, bytes, fileName, label }: Attachment, recipient: Recipient): ContentBlock {
  if (file.kind === "image") return { image: { format: file.format, source: { bytes } } };
  if (!takes(recipient, "document")) {
    const text = decodeText(bytes, sourceOf({ label, fileName }));
    return { text: `${fileName ?? label}:\n\n${text}` };
  }
  // What a shell calls `<(…)` says nothing.
  const name = fileName ?? `${isReadOnce(label) ? "document" : label}.${file.format}`;
  return { document: { format: file.format, name, source: { bytes } } };
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

function checkLimits(attachments: readonly Attachment[], recipient: Recipient): string[] {
  const { modelId, baseId } = recipient;
  const known = familyOf(baseId).attachments;
  const limits = known ?? ANY_ATTACHMENTS;
  const notices: string[] = [];
  /** Refuses what is over a limit of the model's own; of one that may not be its own a person is told. */
  const report = (
    message: string,
    hint: string,
    details: Record<string, unknown>,
    notice: string = message,
  ): void => {
    if (known) throw badAttachment(`${message}.`, hint, details);
    notices.push(notice);
  };
  for (const { label, file, bytes } of attachments) {
    const details = { file: label, bytes: bytes.length, model: modelId, source: limits.source };
    const most = limits.mostBytes[file.format] ?? limits.mostBytes[file.kind];
    if (bytes.length > most) {
      const [has, may] = [`'${label}' has ${inMegabytes(bytes.length)}`, inMegabytes(most)];
      const isImage = file.kind === "image";
      report(
        `${has}, and '${modelId}' takes ${isImage ? "images" : `${file.format} documents`} of at most ${may}`,
        isImage ? "Scale it down, or save it as jpeg." : "Split it, or attach only the part that matters.",
        { ...details, limit: most },
        `${has}; what '${modelId}' takes is not known, Converse's reference says ${may}`,
      );
    }
    const size = file.kind === "image" ? imageSize(bytes, file.format) : undefined;
    if (size && Math.max(size.width, size.height) > limits.mostPixels) {
      report(
        `'${label}' has ${size.width} × ${size.height} pixels, and images may have ${limits.mostPixels} on a side`,
        "Scale it down.",
        { ...details, ...size, limit: limits.mostPixels },
      );
    }
  }
  checkRequest(attachments);
  const counts = { image: limits.mostImages, document: limits.mostDocuments };
  for (const [kind, limit] of Object.entries(counts) as [FileKind["kind"], number][]) {
    const count = attachments.filter(({ file }) => file.kind === kind && takes(recipient, kind)).length;
    if (count > limit) {
      report(
        `${count} ${kind}s are attached, and '${modelId}' takes at most ${limit} in one message`,
        "Leave some out, or put them into one file.",
        { count, limit },
      );
    }
  }
  return notices;
}

function checkRequest(attachments: readonly Attachment[]): void {
  const base64 = attachments.reduce((sum, { bytes }) => sum + Math.ceil(bytes.length / 3) * 4, 0);
  if (base64 < MOST_REQUEST_BASE64) return;
  const total = attachments.reduce((sum, { bytes }) => sum + bytes.length, 0);
  throw badAttachment(
    `The files have ${inMegabytes(total)} together, and a request holds at most ${inMegabytes(MOST_FILE_BYTES)} of them.`,
    "Attach fewer or smaller files.",
    { files: attachments.map(({ label }) => label), bytes: total, limit: MOST_FILE_BYTES },
  );
}

async function readFile(label: string, read: () => Promise<{ bytes: Buffer }>): Promise<Buffer> {
  try {
    return (await read()).bytes;
  } catch (cause) {
    if (!(cause instanceof ReadFailure)) throw cause;
    if (cause.code === "EFBIG") throw tooLarge(label, cause);
    const message =
      cause.code === "ENOENT"
        ? `There is no file '${label}'.`
        : cause.code === "EISDIR"
          ? `'${label}' is a folder.`
          : `'${label}' cannot be read: ${cause.message}.`;
    const hint = cause.code === "EISDIR" ? "Name the files in it." : "Check the path.";
    throw badAttachment(message, hint, { file: label }, cause);
  }
}

function tooLarge(label: string, cause: ReadFailure): OpenclawError {
  return badAttachment(
    `'${label}' has ${cause.length === undefined ? "more" : inMegabytes(cause.length)}, and a request holds at most ${inMegabytes(MOST_FILE_BYTES)}.`,
    "Attach a smaller file.",
    { file: label, ...(cause.length === undefined ? {} : { bytes: cause.length }), limit: MOST_FILE_BYTES },
    cause,
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
