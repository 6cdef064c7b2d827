import type { DocumentFormat, ImageFormat } from "@aws-sdk/client-bedrock-runtime";

/** What Converse can be given a file as. */
export type FileKind = { kind: "image"; format: ImageFormat } | { kind: "document"; format: DocumentFormat };

/** What is known of the files a model takes. Sizes in bytes of the file itself. */
export interface AttachmentLimits {
  /** Whether the limits are the model's own; otherwise they are those that Converse's reference names for any model. */
  isKnown: boolean;
  /** The most bytes of one file of a format; undefined where only the request as a whole bounds it. */
  mostBytes: (file: FileKind) => number | undefined;
  /** The most pixels of an image's width and of its height. */
  mostPixels: number;
  mostImages: number;
  mostDocuments: number;
  source: string;
}

const MB = 1024 * 1024;
/** 5 MB in base64, which is what the service measures; its documentation says 3.75 MB. */
const CLAUDE_IMAGE = 3.75 * MB;
const TEXT_DOCUMENT = 4.5 * MB;
/** 25,000,000 bytes in base64. */
const NOVA_MEDIA = 18_750_000;

/**
 * All media of a request together stay below this, in base64: 31,998,668 bytes were accepted and 32,000,000 refused
 * (https://github.com/stdapi-ai/stdapi.ai/blob/main/stdapi/input_file.py, measured for every family).
 */
const MOST_REQUEST_BASE64 = 32_000_000;

/** No file that is larger than this fits into a request, in bytes. */
export const MOST_FILE_BYTES = (MOST_REQUEST_BASE64 / 4) * 3 - 1;

/** 20 images of 8000 pixels and five documents: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html */
const COUNTS = { mostPixels: 8000, mostImages: 20, mostDocuments: 5 };

interface LimitRow extends Omit<AttachmentLimits, "isKnown"> {
  models: RegExp;
}

const ROWS: readonly LimitRow[] = [
  {
    models: /^anthropic\.claude-(3|instant|v2)/,
    mostBytes: ({ kind }) => (kind === "image" ? CLAUDE_IMAGE : TEXT_DOCUMENT),
    ...COUNTS,
    source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html",
  },
  {
    // PDF of 22 MB accepted, DOCX of 5.8 MB and an image of 4.96 MB refused:
    // https://github.com/aws-samples/generative-ai-use-cases/issues/1334
    models: /^anthropic\.claude-/,
    mostBytes: ({ kind, format }) => {
      if (kind === "image") return CLAUDE_IMAGE;
      return format === "pdf" ? undefined : TEXT_DOCUMENT;
    },
    ...COUNTS,
    source: "https://docs.aws.amazon.com/bedrock/latest/userguide/inference-api-restrictions.html",
  },
  {
    models: /^amazon\.nova-/,
    mostBytes: ({ kind, format }) =>
      kind === "image" || format === "pdf" || format === "docx" ? NOVA_MEDIA : TEXT_DOCUMENT,
    ...COUNTS,
    source: "https://docs.aws.amazon.com/nova/latest/userguide/modalities-document.html",
  },
];

const ANY_MODEL: AttachmentLimits = {
  isKnown: false,
  mostBytes: ({ kind }) => (kind === "image" ? CLAUDE_IMAGE : TEXT_DOCUMENT),
  ...COUNTS,
  source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Message.html",
};

/** The limits of a model, by the id of its foundation model. Each row names the page it is from. */
export function attachmentLimits(baseId: string | undefined): AttachmentLimits {
  const row = baseId === undefined ? undefined : ROWS.find(({ models }) => models.test(baseId));
  return row ? { ...row, isKnown: true } : ANY_MODEL;
}

/** Whether files of these sizes, in bytes, fit into one request. */
export function fitsRequest(sizes: readonly number[]): boolean {
  const base64 = sizes.reduce((sum, size) => sum + Math.ceil(size / 3) * 4, 0);
  return base64 < MOST_REQUEST_BASE64;
}
