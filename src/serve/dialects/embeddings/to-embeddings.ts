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

/** The whole answer. Thousands of vectors are never one value of JavaScript's. */
export function toAnswer(entries: readonly string[], model: string, tokens: number): string {
  const usage = JSON.stringify({ prompt_tokens: tokens, total_tokens: tokens });
  return `{"object":"list","data":[${entries.join(",")}],"model":${JSON.stringify(model)},"usage":${usage}}`;
}
