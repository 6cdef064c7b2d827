import type { ContentBlock } from "@aws-sdk/client-bedrock-runtime";
import { type JsonObject, textAt } from "../../../json.ts";
import { cachedBehind } from "../../content/cache-mark.ts";
import { type ContentContext, isRemote, readAudio, readFile, readImage } from "../../content/read-files.ts";
import { mapInTurns } from "../../../next-turn.ts";
import { judgeFields } from "../../field-rules.ts";
import type { RequestField } from "../../request-field.ts";
import { HELD_RULES, PART_RULES } from "./request-fields.ts";

/** The content of a user's message, or of a tool's, as content blocks. Throws `invalid-request`. */
export async function readUserContent(field: RequestField, context: ContentContext): Promise<ContentBlock[]> {
  if (typeof field.value === "string") return [{ text: field.value }];
  const blocks = await mapInTurns(field.parts(), async (part) => [
    await readPart(part, context),
    ...cachedBehind(part),
  ]);
  return blocks.flat();
}

function readPart(part: RequestField, context: ContentContext): ContentBlock | Promise<ContentBlock> {
  judgeFields(part, PART_RULES, context.unknown);
  const type = part.at("type");
  const held = (kind: keyof typeof HELD_RULES): RequestField => {
    const field = part.at(kind);
    judgeFields(field, HELD_RULES[kind], context.unknown);
    return field;
  };
  switch (type.value) {
    case "text":
      return { text: part.at("text").text() };
    case "image_url":
      // Of some clients the URL itself.
      return typeof part.at("image_url").value === "string"
        ? readImage(part.at("image_url"), context)
        : readImage(held("image_url").at("url"), context);
    case "file":
      return readFile(held("file"), context);
    case "input_audio":
      return readAudio(held("input_audio"));
    default:
      throw part.refused(type.mustBe("text, image_url, input_audio or file").message);
  }
}

type TextOrCachePoint = ContentBlock.TextMember | ContentBlock.CachePointMember;

/** Content that may be text only. Throws `invalid-request`. */
export function readTexts(
  field: RequestField,
  { unknown }: Pick<ContentContext, "unknown">,
  types: readonly string[] = ["text"],
): TextOrCachePoint[] {
  if (typeof field.value === "string") return [{ text: field.value }];
  const blocks: TextOrCachePoint[] = [];
  for (const part of field.parts()) {
    judgeFields(part, PART_RULES, unknown);
    const given = part.at("type");
    const type = types.find((known) => known === given.value);
    if (type === undefined) throw given.mustBe(types.join(" or "));
    blocks.push({ text: part.at(type).text() }, ...cachedBehind(part));
  }
  return blocks;
}

/** The URL of a part that is a remote image. */
export function imageUrlOf({ type, image_url: image }: JsonObject): string | undefined {
  if (type !== "image_url") return undefined;
  const url = typeof image === "string" ? image : textAt(image, "url");
  return url !== undefined && isRemote(url) ? url : undefined;
}
