import type { ReasoningContentBlock } from "@aws-sdk/client-bedrock-runtime";
import { mapInTurns, TURN_BYTES } from "../../../next-turn.ts";
import { readBase64 } from "../../../wires/data-url.ts";

/*
 * What proves reasoning goes to the client as the encrypted content of a reasoning item, and comes back with it. It is not
 * encrypted: it holds what the model itself has signed or encrypted, with the words that the signature is of, since clients
 * may cut the summary. Base64 and dots, so that nothing has to be parsed of what anybody sends.
 */

/** Says that it is this program's. */
const SIGNED = "ocs1";
const REDACTED = "ocr1";

/** Reasoning as it goes back to its model. */
export type ProvenReasoning = Extract<
  ReasoningContentBlock,
  { reasoningText: unknown } | { redactedContent: unknown }
>;

/** The longest reasoning that is sealed, in characters: no model thinks half as long, and it is encoded in one go. */
const LONGEST_SEALED = 2_000_000;

/** The encrypted content of reasoning that its model has signed; undefined for what is longer than any. */
export function sealSigned(text: string, signature: string): string | undefined {
  if (text.length > LONGEST_SEALED) return undefined;
  return [SIGNED, encode(signature), encode(text)].join(".");
}

/** The encrypted content of reasoning that was withheld. */
export function sealRedacted(content: Uint8Array): string {
  return `${REDACTED}.${Buffer.from(content).toString("base64url")}`;
}

/** The reasoning that an encrypted content holds; undefined for that of another program. */
export async function openSealed(encrypted: string): Promise<ProvenReasoning | undefined> {
  const [kind, ...parts] = encrypted.split(".", 4);
  const [first, second, ...others] = await Promise.all(parts.map(readBase64));
  if (!first || others.length > 0) return undefined;
  if (kind === REDACTED && !second) return { redactedContent: first };
  if (kind !== SIGNED || !second) return undefined;
  return { reasoningText: { text: await decode(second), signature: await decode(first) } };
}

function encode(text: string): string {
  return Buffer.from(text, "utf8").toString("base64url");
}

async function decode(bytes: Uint8Array): Promise<string> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const starts = Array.from({ length: Math.ceil(bytes.length / TURN_BYTES) }, (_, nth) => nth * TURN_BYTES);
  const pieces = await mapInTurns(starts, (start) =>
    decoder.decode(bytes.subarray(start, start + TURN_BYTES), { stream: true }),
  );
  return pieces.join("") + decoder.decode();
}
