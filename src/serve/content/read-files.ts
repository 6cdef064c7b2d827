import type { ContentBlock } from "@aws-sdk/client-bedrock-runtime";
import { ATTACHABLE, decodeFile, type DecodedFile, detectKind, whyNot } from "../../converse/file-kind.ts";
import type { JsonScan } from "../../json-bounds.ts";
import { readBase64, readDataUrl } from "../../wires/data-url.ts";
import { OpenclawError, shorten } from "../../errors.ts";
import type { UnknownPlaces } from "../field-rules.ts";
import { type RequestField, show } from "../request-field.ts";

/** What the parts of a request need to know of each other. */
export interface ContentContext {
  /** Images that were fetched, by their URL; undefined where fetching is not allowed. */
  remoteImages: ReadonlyMap<string, Uint8Array> | undefined;
  /** Counts what all arguments of tool calls hold: they are JSON in texts, which the scan of the body passes over. */
  argumentsScan: JsonScan;
  /** How many documents there were so far. Grows. */
  documents: number;
  /** Takes the fields that nobody knows. */
  unknown: UnknownPlaces;
}

/** Whether a URL is one of another server's. */
export function isRemote(url: string): boolean {
  return /^https?:/i.test(url);
}

/** An image by its URL: a data URL, or one that was fetched. Throws `invalid-request`. */
export async function readImage(
  field: RequestField,
  { remoteImages }: ContentContext,
): Promise<ContentBlock> {
  const url = field.text();
  if (isRemote(url) && remoteImages === undefined) {
    throw field.refused(
      "This server fetches no images by their URL: send a data URL, data:image/png;base64,….",
      "invalid_image_url",
    );
  }
  const bytes = isRemote(url) ? remoteImages?.get(url) : (await readDataUrl(url))?.bytes;
  if (!bytes) {
    throw field.refused(
      `'${field.param}' is ${show(url.slice(0, 40))}, and must be a data URL: data:image/png;base64,…`,
      "invalid_image_url",
    );
  }
  return imageOf(bytes, field);
}

/** The image that the bytes of a field are. Throws `invalid-request`. */
export function imageOf(bytes: Uint8Array, field: RequestField): ContentBlock {
  const file = detectKind(bytes, undefined);
  if (file.kind === "image") return { image: { format: file.format, source: { bytes } } };
  throw field.refused(
    `'${field.param}' holds no png, jpeg, gif or webp image: ${whyNot(file)}.`,
    "invalid_image_format",
  );
}

/** A recording (https://platform.openai.com/docs/api-reference/chat/create), whatever it says that it is. Throws `invalid-request`. */
export async function readAudio(audio: RequestField): Promise<ContentBlock> {
  const field = audio.at("data");
  const data = field.text();
  const bytes = await readBase64(data);
  if (!bytes) throw field.refused(`'${field.param}' is ${show(data.slice(0, 40))}, and must be base64.`);
  const file = detectKind(bytes, undefined);
  if (file.kind === "audio") return { audio: { format: file.format, source: { bytes } } };
  throw field.refused(`'${field.param}' holds no recording that Converse takes: ${whyNot(file)}.`);
}

/** Far more than Converse takes: each gets a name that no other has. */
const MOST_DOCUMENTS = 1000;

/** Counts one more document, which stands in `field`. Throws `invalid-request` for one too many. */
export function countDocument(context: Pick<ContentContext, "documents">, field: RequestField): void {
  context.documents += 1;
  if (context.documents > MOST_DOCUMENTS)
    throw field.refused(`'${field.param}' is one more than the ${MOST_DOCUMENTS} documents of a request.`);
}

/** A file of OpenAI's with its `filename` and `file_data`, whatever kind it is of. Throws `invalid-request`. */
export async function readFile(file: RequestField, context: ContentContext): Promise<ContentBlock> {
  const id = file.at("file_id").given;
  if (id) throw id.refused("Files are not kept by this server: send the file itself as 'file_data'.");
  const name = file.at("filename").given?.text();
  const field = file.at("file_data");
  const data = field.text();
  const read = (await readDataUrl(data))?.bytes ?? (await readBase64(data));
  if (!read) {
    throw field.refused(`'${field.param}' is ${show(data.slice(0, 40))}, and must be a data URL or base64.`);
  }
  const label = `'${name === undefined ? field.param : shorten(name)}'`;
  const { file: kind, bytes } = await decode(read, name, label, field);
  if (kind.kind === "unsupported" && !kind.isEmpty)
    throw field.refused(`${label} cannot be sent to a model: ${kind.reason}. Send ${ATTACHABLE}.`);
  if (kind.kind === "image") return { image: { format: kind.format, source: { bytes } } };
  if (kind.kind === "video") return { video: { format: kind.format, source: { bytes } } };
  if (kind.kind === "audio") return { audio: { format: kind.format, source: { bytes } } };
  countDocument(context, field);
  // An empty one is mended: it may stand in a history that is sent again and again.
  const format = kind.kind === "unsupported" ? "txt" : kind.format;
  return { document: { format, name: name ?? `Document.${format}`, source: { bytes } } };
}

async function decode(
  bytes: Uint8Array,
  name: string | undefined,
  label: string,
  field: RequestField,
): Promise<DecodedFile> {
  try {
    return await decodeFile(bytes, name, { label, file: undefined, code: "bad-attachment" });
  } catch (error) {
    if (error instanceof OpenclawError && error.code === "bad-attachment")
      throw field.refused(`${error.message} Send it in UTF-8.`);
    throw error;
  }
}
