import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import { KeptLength } from "./kept-length.ts";

/** The parts of an answer; those that arrive together are one list. */
export type AnswerParts = AsyncIterable<ConverseStreamOutput[]>;

/** The same as they are read, which can be ended early. */
export type Batches = AsyncGenerator<ConverseStreamOutput[], void, undefined>;

/**
 * Reads on until the model has said something, and gives the answer from its beginning: a stream may open long before
 * the first token. Rejects with what the batches reject with, and for a stream without content, or with so much before it
 * that it has no end.
 */
export async function awaitContent(batches: Batches): Promise<AnswerParts> {
  const first: ConverseStreamOutput[][] = [];
  const kept = new KeptLength();
  for (;;) {
    const next = await batches.next();
    if (next.done) throw new Error("The stream ends without an answer.");
    first.push(next.value);
    if (next.value.some((part) => part.contentBlockDelta ?? part.messageStop ?? part.$unknown)) break;
    try {
      for (const part of next.value) kept.add(JSON.stringify(part).length);
    } catch (failure) {
      await batches.return();
      throw failure;
    }
  }
  return joined(first, batches);
}

/** The first and then the rest, without a generator in between: each takes its time with each part of an answer. */
function joined(first: ConverseStreamOutput[][], rest: Batches): AnswerParts {
  const iterator: AsyncIterator<ConverseStreamOutput[]> = {
    next: async () => {
      const value = first.shift();
      return value ? { value, done: false } : rest.next();
    },
    // Whoever stops reading early has the connection closed.
    return: () => rest.return(),
  };
  return { [Symbol.asyncIterator]: () => iterator };
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
