import { turnOver } from "../../../next-turn.ts";

/** A vector as 32-bit floats, little-endian, in base64: what OpenAI's own clients ask for, whose arrays read it so. */
function toBase64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * Float32Array.BYTES_PER_ELEMENT);
  for (const [index, number] of vector.entries())
    bytes.writeFloatLE(number, index * Float32Array.BYTES_PER_ELEMENT);
  return bytes.toString("base64");
}

/** The entries of some vectors in an answer, as JSON; `first` is the place of the first one. */
export async function toEntries(
  vectors: readonly (readonly number[])[],
  first: number,
  encoding: "float" | "base64",
): Promise<string[]> {
  const entries: string[] = [];
  for (const [index, vector] of vectors.entries()) {
    const embedding = encoding === "base64" ? toBase64(vector) : vector;
    entries.push(JSON.stringify({ object: "embedding", index: first + index, embedding }));
    await turnOver();
  }
  return entries;
}

/** Characters of a piece of an answer. */
const PIECE = 256 * 1024;

/** The whole answer, in pieces: thousands of vectors are never one value of JavaScript's, and never encoded in one go. */
export function* toAnswer(
  entries: readonly string[],
  model: string,
  tokens: number,
): Generator<Uint8Array, void, undefined> {
  let piece = '{"object":"list","data":[';
  for (const [index, entry] of entries.entries()) {
    piece += index === 0 ? entry : `,${entry}`;
    if (piece.length < PIECE) continue;
    yield Buffer.from(piece);
    piece = "";
  }
  const usage = JSON.stringify({ prompt_tokens: tokens, total_tokens: tokens });
  yield Buffer.from(`${piece}],"model":${JSON.stringify(model)},"usage":${usage}}`);
}
