import type { ContentBlock, DocumentBlock, S3Location } from "@aws-sdk/client-bedrock-runtime";
import path from "node:path";
import type { InputKind } from "../models/list.ts";
import { decodeText, type TextSource } from "../disk/decode-text.ts";
import { pathOf, readRegularFile, ReadFailure } from "../disk/read-file.ts";
import { adviseOnName, isReadOnce, namesStdin, readInput } from "../disk/read-input.ts";
import { OpenclawError } from "../errors.ts";
import type { Runtime } from "../runtime.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { catalogIds } from "../models/catalog.ts";
import {
  ANY_ATTACHMENTS,
  type AttachmentLimits,
  type FamilyFacts,
  familyOf,
  type FileKind,
  readsFromS3,
} from "../models/families.ts";
import { ATTACHABLE, decodeFile, describeKind, inputInWords, kindByName, TEXT_FORMATS } from "./file-kind.ts";
import { imageSize } from "./image-size.ts";
import { namesS3, parseS3Location } from "./s3-location.ts";

/**
 * All media of a request together stay below this, in base64: 31,998,668 bytes were accepted and 32,000,000 refused
 * (https://github.com/stdapi-ai/stdapi.ai/blob/main/stdapi/input_file.py, measured for every family).
 */
const MOST_REQUEST_BASE64 = 32_000_000;

/** No file that is larger than this fits into a request, in bytes. */
export const MOST_FILE_BYTES = (MOST_REQUEST_BASE64 / 4) * 3 - 1;

export type Attachment = {
  /** How the person named it: a path, an address, or `stdin`. */
  label: string;
  /** The name without its folder; undefined for stdin. */
  fileName: string | undefined;
  file: FileKind;
} & AttachmentSource;

/** Its bytes, or where the model reads them by itself, which nobody looks into here. */
type AttachmentSource =
  | { bytes: Uint8Array; s3Location?: undefined }
  | { bytes?: undefined; s3Location: S3Location };

/** One that was read. */
export type LocalAttachment = Extract<Attachment, { bytes: Uint8Array }>;

export interface Recipient {
  /** As it is sent to AWS, for messages. */
  modelId: string;
  /** The id of its foundation model; undefined when it is not known. */
  baseId: string | undefined;
  /** The kinds of input it takes; undefined when they are not known. */
  input: readonly InputKind[] | undefined;
  /** False where its API has no place for a file in Amazon S3. */
  readsS3?: false | undefined;
  /** Whether it is to say what in the documents it has its words from. */
  cites?: boolean | undefined;
}

export interface AttachedBlocks {
  blocks: ContentBlock[];
  /** What a person should know: limits that are not certain, documents sent as text. */
  notices: string[];
}

/**
 * Reads the files of `--file`; `-` is stdin. Kinds are decided by content, and texts become UTF-8. What lies in Amazon S3
 * is not read: its kind is that of its name. Throws `bad-attachment` for a file that is missing, empty, too large for any request, of no kind that Converse takes, or a text
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
    if (namesS3(name)) {
      attachments.push(attachFromS3(name));
      continue;
    }
    const label = namesStdin(name) ? "stdin" : name;
    // Of `<(…)` the shell makes a name that says nothing.
    const fileName = isReadOnce(name) ? undefined : path.basename(name);
    const source = sourceOf({ label, fileName });
    const read = await readFile(label, async () => {
      return isInteractive
        ? readRegularFile(pathOf(name, runtime.currentFolder), MOST_FILE_BYTES)
        : readInput(name, runtime, MOST_FILE_BYTES);
    });
    const { file, bytes } = await decodeFile(read, fileName, source);
    if (file.kind === "unsupported") {
      throw badAttachment(
        `'${label}' cannot be attached: ${file.reason}.`,
        file.isEmpty ? "Leave it out, or attach another one." : `Attach ${ATTACHABLE}.`,
        { file: label },
      );
    }
    attachments.push({ label, fileName, file, bytes });
  }
  return attachments;
}

function attachFromS3(name: string): Attachment {
  const s3Location = parseS3Location(name);
  const fileName = path.posix.basename(s3Location.uri);
  const file = kindByName(fileName);
  if (file) return { label: s3Location.uri, fileName, file, s3Location };
  throw badAttachment(
    `What '${s3Location.uri}' is cannot be told: its key does not end in an extension of what can be attached.`,
    `Attach ${ATTACHABLE}.`,
    { file: s3Location.uri },
  );
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

function toBlock(attachment: Attachment, recipient: Recipient): ContentBlock {
  const { file, fileName, label, bytes, s3Location } = attachment;
  const source = bytes ? { bytes } : { s3Location };
  switch (file.kind) {
    case "image":
      return { image: { format: file.format, source } };
    case "video":
      return { video: { format: file.format, source } };
    case "audio":
      return { audio: { format: file.format, source } };
    case "document":
      if (bytes && !takes(recipient, "document")) {
        const text = decodeText(bytes, sourceOf({ label, fileName }));
        return { text: `${fileName ?? label}:\n\n${text}` };
      }
      // What a shell calls `<(…)` says nothing.
      return {
        document: {
          format: file.format,
          name: fileName ?? `${isReadOnce(label) ? "document" : label}.${file.format}`,
          source,
          ...(recipient.cites ? askToCite(attachment) : {}),
        },
      };
  }
}

/** Asks to cite a document; how it is given then is mended with those of earlier turns. Throws `bad-attachment` for what cannot be cited. */
function askToCite({ file, label, bytes }: Attachment): Pick<DocumentBlock, "citations"> {
  if (bytes && (file.format === "pdf" || TEXT_FORMATS.has(file.format)))
    return { citations: { enabled: true } };
  throw badAttachment(
    `'${label}' ${bytes ? `is ${describeKind(file)}` : "lies in Amazon S3"}, and only a PDF or a text that is attached can be cited.`,
    "Attach it as PDF, or leave --citations out.",
    { file: label },
  );
}

function checkKinds(attachments: readonly Attachment[], recipient: Recipient): string[] {
  const notices: string[] = [];
  const { modelId, input = [] } = recipient;
  for (const { file, label, s3Location } of attachments) {
    if (takes(recipient, file.kind)) {
      if (s3Location) notices.push(...checkS3(label, recipient));
      continue;
    }
    if (file.kind === "document" && TEXT_FORMATS.has(file.format) && !s3Location) {
      notices.push(`'${modelId}' takes no documents, so '${label}' is sent as text`);
      continue;
    }
    throw badAttachment(
      `'${label}' is ${describeKind(file)}, and '${modelId}' takes no ${inputInWords(file.kind)}, only ${input.map(inputInWords).join(", ")}.`,
      adviseModel(({ media }) => media?.kinds.some((kind) => kind === file.kind) === true),
      { file: label, model: modelId, kind: file.kind },
    );
  }
  return notices;
}

/** What is said of a file in Amazon S3, of which it is not known that the model reads it; one that does not throws. */
function checkS3(label: string, { modelId, baseId, readsS3 }: Recipient): string[] {
  const isRead = readsS3 ?? readsFromS3(baseId);
  if (isRead) return [];
  if (isRead === undefined)
    return [`'${modelId}' is not known to read files from Amazon S3, such as '${label}'`];
  throw badAttachment(
    `'${label}' lies in Amazon S3, and '${modelId}' reads nothing from there.`,
    `Fetch it and attach the file: aws s3 cp ${quoteForShell(label)} .`,
    { file: label, model: modelId },
  );
}

/** The hint that names models which have what is wanted, where the table of families knows any. */
function adviseModel(isFit: (family: FamilyFacts) => boolean): string {
  const ids = catalogIds().filter((id) => isFit(familyOf(id)));
  return ids.length === 0
    ? "Choose a model that does: openclaw models list"
    : `Choose one that does: ${ids.slice(0, MOST_NAMED).join(", ")}`;
}

/** So many models a hint names. */
const MOST_NAMED = 4;

function takes({ input }: Recipient, kind: InputKind): boolean {
  return input === undefined || input.includes(kind);
}

function checkLimits(attachments: readonly Attachment[], recipient: Recipient): string[] {
  const { modelId, baseId } = recipient;
  const { attachments: known, readsS3 } = familyOf(baseId);
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
  const local = attachments.filter((attachment) => attachment.bytes !== undefined);
  for (const { label, file, bytes } of local) {
    const details = { file: label, bytes: bytes.length, model: modelId, source: limits.source };
    const most = mostBytesOf(file, limits);
    if (bytes.length > most) {
      const [has, may] = [`'${label}' has ${inMegabytes(bytes.length)}`, inMegabytes(most)];
      report(
        `${has}, and '${modelId}' takes ${file.kind === "document" ? `${file.format} documents` : `${file.kind}s`} of at most ${may}`,
        adviseSmaller(file, readsS3),
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
  checkRequest(local, readsS3 !== undefined);
  for (const [kind, limit] of Object.entries(limits.most) as [FileKind["kind"], number][]) {
    const count = attachments.filter(({ file }) => file.kind === kind && takes(recipient, kind)).length;
    if (count > limit) {
      report(
        `${count} ${kind}s are attached, and '${modelId}' takes at most ${limit} in one message`,
        kind === "video" ? "Ask about one after the other." : "Leave some out, or put them into one file.",
        { count, limit },
      );
    }
  }
  return notices;
}

function mostBytesOf(file: FileKind, { mostBytes }: AttachmentLimits): number {
  return (file.kind === "document" ? mostBytes[file.format] : undefined) ?? mostBytes[file.kind];
}

function adviseSmaller({ kind }: FileKind, readsS3: FamilyFacts["readsS3"]): string {
  const bucket = readsS3 && "put it into Amazon S3: -f s3://BUCKET/KEY";
  if (kind === "video" && readsS3)
    return `Cut it, or ${bucket}, where a video may have ${inMegabytes(readsS3.mostVideoBytes)}.`;
  const ways = {
    image: ["Scale it down", "save it as jpeg"],
    document: ["Split it", "attach only the part that matters"],
    video: ["Cut it"],
    audio: ["Cut it"],
  }[kind];
  return bucket ? `${ways.join(", ")}, or ${bucket}` : `${ways.join(", or ")}.`;
}

function checkRequest(attachments: readonly LocalAttachment[], readsS3: boolean): void {
  const base64 = attachments.reduce((sum, { bytes }) => sum + Math.ceil(bytes.length / 3) * 4, 0);
  if (base64 < MOST_REQUEST_BASE64) return;
  const total = attachments.reduce((sum, { bytes }) => sum + bytes.length, 0);
  throw badAttachment(
    `The files have ${inMegabytes(total)} together, and a request holds at most ${inMegabytes(MOST_FILE_BYTES)} of them.`,
    readsS3
      ? "Attach fewer or smaller files, or some in Amazon S3: -f s3://BUCKET/KEY"
      : "Attach fewer or smaller files.",
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
    const hint =
      cause.code === "EISDIR" ? "Name the files in it." : (adviseOnName(label) ?? "Check the path.");
    throw badAttachment(message, hint, { file: label }, cause);
  }
}

function tooLarge(label: string, cause: ReadFailure): OpenclawError {
  return badAttachment(
    `'${label}' has ${cause.length === undefined ? "more" : inMegabytes(cause.length)}, and a request holds at most ${inMegabytes(MOST_FILE_BYTES)}.`,
    "Attach a smaller file, or one in Amazon S3 for a model that reads there: -f s3://BUCKET/KEY",
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
