import { bytesInTurns } from "../../../next-turn.ts";
import { readBase64, toBase64 } from "../../../wires/data-url.ts";

/** What no text of Anthropic's begins with: it is base64. */
const BYTES = "bytes:";

/**
 * Reasoning that was withheld is a text to Anthropic's API and bytes to Converse. The bytes of such a text go as that text,
 * others marked, so that a client sends back what it was given.
 */
export function toRedacted(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString("latin1");
  return /^[\x21-\x7e]*$/.test(text) && !text.startsWith(BYTES) ? text : BYTES + toBase64(bytes);
}

/** The bytes behind such a text. */
export async function readRedacted(data: string): Promise<Uint8Array> {
  const marked = data.startsWith(BYTES) ? await readBase64(data.slice(BYTES.length)) : undefined;
  return marked ?? bytesInTurns(data);
}
