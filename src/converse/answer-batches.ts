import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import { OpenclawError } from "../errors.ts";

/** The parts of an answer; those that arrive together are one list. */
export type Batches = AsyncGenerator<ConverseStreamOutput[], void, undefined>;

/**
 * The longest answer that is put together for a client, in characters: many times what any model puts out. A server that
 * never ends must not take all memory.
 */
const LONGEST_ANSWER = 24 * 1024 * 1024;

/**
 * Reads on until the model has said something, and gives the answer from its beginning: a stream may open long before
 * the first token. Rejects with what the batches reject with, and for a stream without content.
 */
export async function awaitContent(batches: Batches): Promise<Batches> {
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

/** Throws `bad-response` where an answer that is waited for whole has more than so many characters. */
export function refuseEndless(length: number): void {
  if (length <= LONGEST_ANSWER) return;
  throw new OpenclawError("bad-response", {
    message: `The answer has more than ${LONGEST_ANSWER} characters, which no model's has.`,
    hint: "Ask for less at once; if it stays, a proxy or another server is in between: openclaw doctor",
  });
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
