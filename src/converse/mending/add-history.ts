import type { Message } from "@aws-sdk/client-bedrock-runtime";
import { sha256Hex } from "../../aws/digest.ts";
import { wellFormed } from "../../json.ts";
import { isOnlyBlanks } from "../../only-blanks.ts";
import { answerOf, isAnswered, isReasoning, isSameModel } from "../conversation.ts";
import { readable } from "./mend-files.ts";
import type { Input, Mending } from "./recipient.ts";

/**
 * Earlier turns go first. Reasoning goes back to the model that it came from and nobody else, and only under the system
 * prompt and the tools that it came under: recent Claude models refuse it under others. What was refused once stays left
 * out. A question without an answer goes with the next one, unless one of them was refused since: nobody knows which of
 * them it was, and it would be again. So does a turn of which the results of its tools were refused.
 */
export function addHistory(input: Input, mending: Mending): Input {
  const { earlier = [], modelId, tell } = mending;
  if (earlier.length === 0) return input;
  const digest = digestOf(input);
  let isReasoningLost = false;
  const refusedUntil = earlier.findLastIndex(({ endsReasoning }) => endsReasoning);
  const history: Message[] = [];
  let unanswered: Message[] = [];
  for (const [index, turn] of earlier.entries()) {
    const isUnderSame = (turn.promptDigest ?? digestOfSystem(turn.system)) === digest;
    const isOwn = isSameModel(turn.model, input.modelId ?? "");
    const hasReasoning = turn.messages.some(({ content = [] }) => content.some(isReasoning));
    // Told of the latest answer only: with the next one the same reasoning is no news any more.
    const isKept = isOwn && isUnderSame && index >= refusedUntil;
    isReasoningLost = hasReasoning && isOwn && !isUnderSame;
    const messages = turn.messages.map(({ role, content = [] }): Message => {
      const kept = content.filter((block) => !isReasoning(block) || isKept);
      return { role, content: kept.map((block) => readable(block, mending)) };
    });
    const isRefused =
      REFUSED.has(turn.failure?.code ?? "") && !isAnswered({ ...turn, messages: [answerOf(turn)] });
    if (isAnswered(turn) && !isRefused) {
      for (const message of [...unanswered, ...messages]) history.push(message);
      unanswered = [];
    } else if (isRefused) unanswered = [];
    else unanswered.push(...messages.slice(0, 1));
  }
  if (isReasoningLost)
    tell(
      `The earlier reasoning of '${modelId}' is left out: it holds for the system prompt and tools of then`,
    );
  return { ...input, messages: [...history, ...unanswered, ...(input.messages ?? [])] };
}

/** Failures of what was asked, in codes. */
const REFUSED: ReadonlySet<string> = new Set([
  "invalid-request",
  "input-too-long",
  "bad-attachment",
  "blocked",
]);

/** Identifies a prompt: its texts and its tools. Cache points do not count. */
export function digestOf({
  system = [],
  toolConfig,
}: Pick<Input, "system" | "toolConfig">): string | undefined {
  const parts = [...system, ...(toolConfig?.tools ?? [])].filter(({ cachePoint }) => !cachePoint);
  return parts.length === 0 ? undefined : sha256Hex(JSON.stringify(wellFormed(parts))).slice(0, 16);
}

/** Turns from before digests were kept have their system prompt, and no tools. */
function digestOfSystem(system: string | undefined): string | undefined {
  return system === undefined || isOnlyBlanks(system) ? undefined : digestOf({ system: [{ text: system }] });
}
