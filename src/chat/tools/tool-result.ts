import type { ToolResultContentBlock } from "@aws-sdk/client-bedrock-runtime";
import { detectKind } from "../../converse/file-kind.ts";
import { hasUtf16Mark, isText, decodeText } from "../../disk/decode-text.ts";
import { recogniseBytes } from "../../disk/recognise-bytes.ts";
import { ANY_ATTACHMENTS } from "../../models/families.ts";
import { formatBytes } from "../../terminal/numbers.ts";
import { ownSecretsHider } from "../../credentials/hide-secrets.ts";
import { withFields } from "../../errors.ts";
import { isRecord } from "../../json.ts";
import type { Runtime } from "../../runtime.ts";
import type { Output } from "./run-command.ts";
import { textResult, type ToolResult } from "./tool.ts";

/** Of the text of a result a model is given so much, in bytes of UTF-8: about 25,000 tokens. */
export const MOST_TEXT_BYTES = 100_000;

/** A text that fits a result: of one that is longer than `most` bytes of UTF-8 the middle is left out, which it says. */
export function boundText(text: string, most = MOST_TEXT_BYTES): string {
  // No character takes more than three bytes a UTF-16 unit.
  if (text.length * 3 <= most) return text;
  const bytes = Buffer.from(text);
  return bytes.length <= most ? text : withoutMiddle(bytes, bytes, bytes.length, most);
}

/** The beginning and the end of a text in UTF-8 that has `length` bytes, within `most`. */
function withoutMiddle(beginning: Uint8Array, end: Uint8Array, length: number, most: number): string {
  const half = Math.floor(most / 2);
  const first = beginning.subarray(0, half);
  const last = end.subarray(Math.max(0, end.length - half));
  // Bytes that go on with a character which began before.
  const whole = last.findIndex((byte) => (byte & 0xc0) !== 0x80);
  const missing = length - first.length - last.length;
  return [
    new TextDecoder().decode(first, { stream: true }),
    `\n\n[… ${missing.toLocaleString("en-US")} bytes are left out here …]\n\n`,
    new TextDecoder("utf-8", { ignoreBOM: true }).decode(last.subarray(Math.max(0, whole))),
  ].join("");
}

/**
 * The text that a program wrote, with line ends as the model writes them and none at its end; undefined for what is no
 * text. Characters that are broken are U+FFFD: one in a log would else take all of it away.
 */
function textOf({ beginning, end, length }: Output, most: number): string | undefined {
  const isWhole = beginning.length === length;
  // What is cut may be so in the middle of a character.
  const shown = isWhole ? beginning : beginning.subarray(0, most);
  if (!isText(shown) && isBinary(shown)) return undefined;
  if (hasUtf16Mark(beginning)) return boundText(lines(decodeText(shown, UTF16)), most);
  if (!isWhole) return lines(withoutMiddle(beginning, end, length, most));
  return boundText(lines(new TextDecoder().decode(beginning)), most);
}

const UTF16 = { label: "The output", file: undefined, code: "invalid-request" } as const;

function isBinary(bytes: Uint8Array): boolean {
  const { iconv, isCutOff, isUnknownText } = recogniseBytes(bytes);
  return iconv === undefined && !isCutOff && !isUnknownText;
}

function lines(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(/\n+$/, "");
}

/** What a program wrote, as a text for a message; what is no text is said to be there. */
export function outputText(output: Output, most: number): string {
  return textOf(output, most) ?? `(${formatBytes(output.length)} that are no text: ${looksLike(output)})`;
}

/** What a program wrote, as a result: a text, an image, or what it is that no model is given. */
export function outputResult(output: Output): ToolResult {
  const bytes = output.beginning;
  const isWhole = bytes.length === output.length;
  const image = imageResult(bytes, isWhole ? undefined : output.length);
  if (image) return image;
  const text = textOf(output, MOST_TEXT_BYTES);
  return text === undefined
    ? textResult(`It wrote ${formatBytes(output.length)} that are no text: ${looksLike(output)}.`, true)
    : textResult(text);
}

function looksLike({ beginning }: Output): string {
  return recogniseBytes(beginning.subarray(0, MOST_TEXT_BYTES)).looksLike;
}

/**
 * The result for the bytes of an image, as its signature tells it, or an error where it is larger than a model takes;
 * undefined for bytes that are no image. `length` is that of all its bytes, where these are not all.
 */
export function imageResult(bytes: Uint8Array, length = bytes.length): ToolResult | undefined {
  const kind = detectKind(bytes, undefined);
  if (kind.kind !== "image") return undefined;
  const { mostBytes } = ANY_ATTACHMENTS;
  if (length > mostBytes.image)
    return textResult(
      `The image has ${formatBytes(length)}, and a model takes ${formatBytes(mostBytes.image)}.`,
      true,
    );
  const block: ToolResultContentBlock = { image: { format: kind.format, source: { bytes } } };
  return { content: [block], isError: false };
}

/**
 * A result without the secrets of this process: a program that it starts is given none, and yet may read them where the
 * system keeps them, or print the one that the settings name for it.
 */
export function withoutOwnSecrets(
  { content, isError, failure }: ToolResult,
  runtime: Pick<Runtime, "env" | "terminal">,
): ToolResult {
  const hideIn = ownSecretsHider(runtime);
  const hide = (value: unknown): unknown => {
    if (typeof value === "string") return hideIn(value);
    if (Array.isArray(value)) return value.map(hide);
    if (!isRecord(value) || value instanceof Uint8Array) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [hideIn(name), hide(item)]));
  };
  return {
    content: content.map((block) => hide(block) as ToolResultContentBlock),
    isError,
    failure: failure && withFields(failure, { message: hideIn(failure.message) }),
  };
}
