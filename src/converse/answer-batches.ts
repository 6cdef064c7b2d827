import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import { OpenclawError } from "../errors.ts";

/** The parts of an answer; those that arrive together are one list. */
export type Batches = AsyncGenerator<ConverseStreamOutput[], void, undefined>;

/**
 * The longest answer that is taken, in characters: many times what any model puts out. Whoever keeps an answer, or waits
 * for all of it, must not run out of memory by a server that never ends.
 */
const LONGEST_ANSWER = 24 * 1024 * 1024;
/** What a block counts beside its content, in characters. */
const BLOCK_LENGTH = 64;

/**
 * Reads on until the model has said something, and gives the answer from its beginning: a stream may open long before
 * the first token. Rejects with what the batches reject with, and for a stream without content. Reading on throws
 * `bad-response` for an answer of more than 24 million characters.
 */
export async function awaitContent(answer: Batches): Promise<Batches> {
  const batches = bounded(answer);
  const first: ConverseStreamOutput[][] = [];
  for (;;) {
    const next = await batches.next();
    if (next.done) throw new Error("The stream ends without an answer.");
    first.push(next.value);
    if (next.value.some((part) => part.contentBlockDelta ?? part.messageStop)) break;
  }
  return joined(first, batches);
}

async function* joined(first: readonly ConverseStreamOutput[][], rest: Batches): Batches {
  try {
    yield* first;
    yield* rest;
  } finally {
    // Whoever stops reading early has the connection closed.
    await rest.return();
  }
}

async function* bounded(batches: Batches): Batches {
  let length = 0;
  for await (const parts of batches) {
    for (const part of parts) length += lengthOf(part);
    if (length > LONGEST_ANSWER) {
      throw new OpenclawError("bad-response", {
        message: `The answer has more than ${LONGEST_ANSWER} characters, which no model's has.`,
        hint: "Ask for less at once; if it stays, a proxy or another server is in between: openclaw doctor",
      });
    }
    yield parts;
  }
}

/** The characters that a part adds to an answer. */
function lengthOf({ contentBlockStart, contentBlockDelta }: ConverseStreamOutput): number {
  const { toolUseId = "", name = "" } = contentBlockStart?.start?.toolUse ?? {};
  const { text = "", toolUse, reasoningContent } = contentBlockDelta?.delta ?? {};
  const { text: reasoning = "", signature = "", redactedContent } = reasoningContent ?? {};
  const said = text.length + (toolUse?.input?.length ?? 0) + reasoning.length + signature.length;
  const block = contentBlockStart ? BLOCK_LENGTH + toolUseId.length + name.length : 0;
  return said + block + (redactedContent?.length ?? 0);
}

/** The parts that `take` gathers, handed on before what it throws. */
export function* batchOf(
  take: (parts: ConverseStreamOutput[]) => void,
): Generator<ConverseStreamOutput[], void, undefined> {
  const parts: ConverseStreamOutput[] = [];
  let damage: unknown;
  try {
    take(parts);
  } catch (failure) {
    damage = failure;
  }
  if (parts.length > 0) yield parts;
  if (damage) throw damage;
}
