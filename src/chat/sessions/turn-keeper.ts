import type { TokenUsage } from "../../models/usage.ts";
import type { ChatEvent } from "../../converse/chat-event.ts";
import { answerOf, textOf } from "../../converse/conversation.ts";
import { judgeStop } from "../../converse/outcome.ts";
import { TurnRecorder } from "../../converse/message-assembler.ts";
import type { Conversation } from "./kept-conversation.ts";
import type { KeptTurn } from "./session-record.ts";

/** What a turn was asked with. */
export interface TurnContext {
  /** Key of the model that answered. */
  key: string;
  system: string | undefined;
  /** Whether it was asked again, in place of the last turn. */
  isRetry?: boolean;
  /** Whether the person stopped it. */
  isStopped?: boolean;
  /** Milliseconds since 1970. */
  now: number;
}

/** Follows one answer, and adds its turn to the conversation when it came to a good end. */
export class TurnKeeper {
  /** Goes with the question. */
  readonly recorder = new TurnRecorder();
  #stopReason: string | undefined;
  /** The tokens of the answer; undefined until they have come. */
  usage: TokenUsage | undefined;
  #invokedModel: string | undefined;

  take(event: ChatEvent): void {
    if (event.type === "stop") this.#stopReason = event.stopReason;
    if (event.type === "usage") {
      const { type: _type, requestId: _id, guardrail: _guardrail, invokedModel, ...usage } = event;
      this.usage = usage;
      this.#invokedModel = invokedModel;
    }
  }

  /**
   * Keeps the turn. An answer that is empty, was withheld or is malformed is not kept; one that the person stopped
   * is as far as it came. Returns whether it counts. Throws `internal` when it cannot be written.
   */
  async keep(conversation: Conversation, context: TurnContext): Promise<boolean> {
    const { key, system, now, isRetry = false, isStopped = false } = context;
    const turn = this.recorder.turn();
    const stopReason = this.#stopReason ?? (isStopped ? "interrupted" : "");
    if (!turn || stopReason === "" || judgeStop(stopReason, turn.model).error) return false;
    if (!(answerOf(turn).content ?? []).some((block) => textOf(block).trim() !== "")) return false;
    const kept: KeptTurn = {
      at: new Date(now).toISOString(),
      key,
      stopReason,
      ...turn,
      // A prompt router may choose another one next time, to which this one's reasoning means nothing.
      model: this.#invokedModel ?? turn.model,
      usage: this.usage,
      system,
    };
    await conversation.keep(kept, isRetry);
    return true;
  }
}
