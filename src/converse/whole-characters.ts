import type { ChatEvent } from "./chat-event.ts";

type Saying = Extract<ChatEvent, { type: "text" | "reasoning" | "tool-input" }>;

/**
 * Holds back half a character. A service may cut a text between the two halves of a surrogate pair (JSON can say each
 * of them), and a half that is passed on by itself is lost. One whose other half never comes becomes U+FFFD.
 */
export class WholeCharacters {
  /** The event that ended with half a character, and the half. */
  #held: { event: Saying; half: string } | undefined;

  /** What may be passed on when an event has come. */
  take(event: ChatEvent): readonly ChatEvent[] {
    const held = this.#held;
    const saying = isSaying(event) ? event : undefined;
    if (!held && (!saying || saying.text.isWellFormed())) return [event];
    this.#held = undefined;
    const goesOn = held !== undefined && saying !== undefined && isSameBlock(held.event, saying);
    const before = held && !goesOn ? [lost(held.event)] : [];
    if (!saying) return [...before, event];
    const joined = (goesOn ? held.half : "") + saying.text;
    const last = joined.charCodeAt(joined.length - 1);
    const isHalf = last >= 0xd8_00 && last <= 0xdb_ff;
    if (isHalf) this.#held = { event: saying, half: joined.slice(-1) };
    const text = (isHalf ? joined.slice(0, -1) : joined).toWellFormed();
    return text === "" ? before : [...before, { ...saying, text }];
  }

  /** What is still to be passed on where nothing follows. */
  rest(): readonly ChatEvent[] {
    const held = this.#held;
    this.#held = undefined;
    return held ? [lost(held.event)] : [];
  }
}

function lost(event: Saying): Saying {
  return { ...event, text: "\ufffd" };
}

function isSaying(event: ChatEvent): event is Saying {
  return event.type === "text" || event.type === "reasoning" || event.type === "tool-input";
}

function isSameBlock(one: Saying, other: Saying): boolean {
  return one.type === other.type && one.index === other.index;
}
