import type { ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";

/** So many tools are told to a reader; an answer that calls others without end is no reason to remember them all. */
const MOST_CALLS = 100;

/** Whether a text has more than white space and characters that nobody sees, such as U+200B. */
export function isSeen(text: string): boolean {
  return /[^\s\p{Cf}\p{Cc}]/u.test(text);
}

/** Follows what an answer holds, whether or not a reader sees it. */
export class Said {
  #hasText = false;
  #hasReasoning = false;
  readonly #calls = new Set<string>();

  take({ contentBlockStart, contentBlockDelta }: ConverseStreamOutput): void {
    // Words are all there is to know of an answer that has some.
    if (this.#hasText) return;
    const call = contentBlockStart?.start?.toolUse;
    if (call && call.type !== "server_tool_use" && this.#calls.size < MOST_CALLS)
      this.#calls.add(call.name ?? "");
    const { text, reasoningContent, citation } = contentBlockDelta?.delta ?? {};
    this.#hasText = citation !== undefined || (text !== undefined && isSeen(text));
    // A signature alone is reasoning that the model keeps to itself.
    this.#hasReasoning ||= Object.values(reasoningContent ?? {}).some((value) => value && value.length > 0);
  }

  /**
   * The tools that an answer without words calls; none where it only reasons. Undefined for an answer with words, for one
   * without anything, and with `hasTools` for calls: they are what was wanted.
   */
  wordless(hasTools: boolean): string[] | undefined {
    if (this.#hasText) return undefined;
    if (this.#calls.size > 0) return hasTools ? undefined : [...this.#calls];
    return this.#hasReasoning ? [] : undefined;
  }
}
