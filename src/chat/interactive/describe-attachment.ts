import { TEXT_FORMATS } from "../../converse/file-kind.ts";
import { imageSize } from "../../converse/image-size.ts";
import type { Attachment, LocalAttachment } from "../../converse/attachments.ts";
import { formatBytes } from "../../terminal/numbers.ts";

/** Characters per token, the usual rule of thumb for English. */
const CHARACTERS_PER_TOKEN = 4;
/** Pixels per token, and the longest side of an image that is not made smaller, by https://docs.anthropic.com/en/docs/build-with-claude/vision */
const PIXELS_PER_TOKEN = 750;
const LONGEST_SIDE = 1568;
/** The least tokens of a page, by https://docs.anthropic.com/en/docs/build-with-claude/pdf-support */
const TOKENS_PER_PAGE = 1500;

/** What a person wants to know of a file before it is sent: its name, kind, size and, where it can be guessed, its tokens. */
export function describeAttachment(attachment: Attachment): string {
  const { label, file, bytes } = attachment;
  const kind = file.kind === "document" ? file.format : `${file.format} ${file.kind}`;
  if (!bytes) return `${label} (${kind}, read there by the model)`;
  const tokens = estimateTokens({ file, bytes });
  const facts = [kind, formatBytes(bytes.length), ...(tokens === undefined ? [] : [aboutTokens(tokens)])];
  return `${label} (${facts.join(", ")})`;
}

/** So many tokens, as far as that is known. */
function aboutTokens(tokens: number): string {
  return tokens === 1 ? "about 1 token" : `about ${tokens.toLocaleString("en")} tokens`;
}

function estimateTokens({ file, bytes }: Pick<LocalAttachment, "file" | "bytes">): number | undefined {
  if (file.kind === "image") {
    const size = imageSize(bytes, file.format);
    if (!size) return undefined;
    const scale = Math.min(1, LONGEST_SIDE / Math.max(size.width, size.height));
    return Math.max(1, Math.ceil((size.width * scale * size.height * scale) / PIXELS_PER_TOKEN));
  }
  if (TEXT_FORMATS.has(file.format))
    return Math.ceil(Buffer.from(bytes).toString("utf8").length / CHARACTERS_PER_TOKEN);
  if (file.format !== "pdf") return undefined;
  // Pages inside compressed objects are not seen: then nothing is said.
  const pages =
    Buffer.from(bytes)
      .toString("latin1")
      .match(/\/Type\s*\/Page(?![A-Za-z])/g)?.length ?? 0;
  return pages === 0 ? undefined : pages * TOKENS_PER_PAGE;
}
