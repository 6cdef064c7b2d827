import { addUsage, type TokenUsage } from "../../models/usage.ts";
import { type ChatEvent, usageOf } from "../../converse/chat-event.ts";
import type { Message } from "@aws-sdk/client-bedrock-runtime";
import { answerOf, isAnswered, type Turn } from "../../converse/conversation.ts";
import { judgeStop } from "../../converse/outcome.ts";
import { TurnRecorder } from "../../converse/message-assembler.ts";
import { OpenclawError } from "../../errors.ts";
import type { Runtime } from "../../runtime.ts";
import type { Conversation } from "./kept-conversation.ts";
import type { KeptTurn } from "./session-record.ts";

/** How much of an answer a kill may take, in ms. */
const JOT_EVERY_MS = 1000;

export interface TurnContext {
  /** Key of the model that is asked first. */
  key: string;
  system: string | undefined;
  /** Whether it is asked again, in place of the last turn. */
  isRetry?: boolean;
  /** The last turn of the conversation, where that goes on: with the results of its last message's calls. */
  goesOn?: KeptTurn | undefined;
  runtime: Runtime;
  /** Told once when the turn cannot be written, which is no reason not to answer. */
  onUnkept: (error: OpenclawError) => Promise<void>;
}

export interface TurnEnd {
  key?: string | undefined;
  /** What went wrong; undefined for an answer that came to its end. */
  failure?: unknown;
}

/**
 * Keeps one turn in a conversation: the question before it is asked, the answer when it has ended, as far as it came.
 * Nothing that stops the program takes the question away.
 */
export class TurnKeeper {
  readonly recorder: TurnRecorder;
  readonly #conversation: Conversation;
  readonly #context: TurnContext;
  #stopReason: string | undefined;
  /** The tokens of all its answers; undefined until they have come. */
  usage: TokenUsage | undefined;
  #invokedModel: string | undefined;
  /** Whether the question has a place in the conversation; one that is asked again has lost it where the old answer stays. */
  hasBegun = false;
  #hasEnded = false;
  #isUnkept = false;
  #jottedAt: number;

  constructor(conversation: Conversation, context: TurnContext) {
    this.#conversation = conversation;
    this.#context = context;
    this.hasBegun = context.isRetry === true;
    this.usage = context.goesOn?.usage;
    this.recorder = new TurnRecorder(() => this.#begin(), context.goesOn?.messages);
    this.#jottedAt = context.runtime.elapsed();
  }

  /** Takes an event of an answer, and what the recorder has of it down as well, once in a while. */
  async take(event: ChatEvent): Promise<void> {
    if (event.type === "stop") this.#stopReason = event.stopReason;
    if (event.type === "usage") {
      const usage = usageOf(event);
      this.usage = this.usage ? addUsage(this.usage, usage) : usage;
      this.#invokedModel = event.invokedModel;
    }
    if (this.#context.runtime.elapsed() - this.#jottedAt >= JOT_EVERY_MS) await this.jot();
  }

  /**
   * Goes on with the turn: its answer is complete, and what its calls came to is the message that the model is asked with
   * next. Taken down as well.
   */
  async goOn(results: Message): Promise<void> {
    this.recorder.goOn(results);
    this.#stopReason = undefined;
    await this.jot();
  }

  /** Takes what the recorder has down as well: nothing but that survives a kill. */
  async jot(): Promise<void> {
    // An old answer is not given up for half a new one. What could not be jotted before is not tried again.
    if (this.#context.isRetry || this.#isUnkept || this.#jottedAt === Number.POSITIVE_INFINITY) return;
    this.#jottedAt = this.#context.runtime.elapsed();
    const turn = this.recorder.turn();
    if (!turn || !isAnswered(turn)) return;
    try {
      await this.#conversation.jot(this.#kept(turn, this.#context.key));
    } catch (error) {
      if (!(error instanceof OpenclawError)) throw error;
      // It is told behind the answer, if the whole of it cannot be written either.
      this.#jottedAt = Number.POSITIVE_INFINITY;
    }
  }

  /**
   * Keeps what came of the question, once. What was withheld is not kept, and an old answer is not given up for one that
   * failed by itself.
   */
  async end({ key = this.#context.key, failure }: TurnEnd): Promise<void> {
    const turn = this.recorder.turn();
    if (!turn || this.#hasEnded) return;
    this.#hasEnded = true;
    const error = failure ?? (this.#stopReason && judgeStop(this.#stopReason, turn.model).error);
    const known = error instanceof OpenclawError ? error : undefined;
    this.usage ??= known?.details?.["usage"] as TokenUsage | undefined;
    const isStopped = known?.code === "interrupted";
    const kept = this.#kept(known?.code === "blocked" ? withoutAnswer(turn) : turn, key);
    if (error && !isStopped) kept.failure = await this.#describe(error);
    const before = this.#conversation.turns.at(-1);
    if (this.#context.isRetry) {
      const staysAsItWas = before && isAnswered(before) && error && !(isStopped && isAnswered(kept));
      this.hasBegun = !staysAsItWas;
      return staysAsItWas ? undefined : this.#keep(kept, "retry");
    }
    // That it was stopped before anything came is what stands there.
    const hasNothing = kept.messages.length === 2 && (answerOf(kept).content ?? []).length === 0;
    if (isStopped && hasNothing) return;
    await this.#keep(kept, "answer");
  }

  async #begin(): Promise<void> {
    const turn = this.recorder.turn();
    if (this.hasBegun || !turn) return;
    this.hasBegun = true;
    const place = this.#context.goesOn ? "answer" : "new";
    await this.#keep(this.#kept(withoutAnswer(turn), this.#context.key), place);
  }

  #kept(turn: Turn, key: string): KeptTurn {
    return {
      at: new Date(this.#context.runtime.now()).toISOString(),
      key,
      stopReason: this.#stopReason ?? "interrupted",
      ...turn,
      // A prompt router may choose another one next time, to which this one's reasoning means nothing.
      model: this.#invokedModel ?? turn.model,
      usage: this.usage,
      system: this.#context.system,
    };
  }

  async #describe(error: unknown): Promise<NonNullable<Turn["failure"]>> {
    const { hideSecrets } = await import("../../credentials/hide-secrets.ts");
    const code = error instanceof OpenclawError ? error.code : "internal";
    const message = error instanceof Error ? error.message : String(error);
    return { code, message: hideSecrets(message, this.#context.runtime) };
  }

  async #keep(...kept: Parameters<Conversation["keep"]>): Promise<void> {
    try {
      await this.#conversation.keep(...kept);
    } catch (error) {
      if (!(error instanceof OpenclawError)) throw error;
      if (!this.#isUnkept) await this.#context.onUnkept(error);
      this.#isUnkept = true;
    }
  }
}

function withoutAnswer(turn: Turn): Turn {
  return { ...turn, messages: [...turn.messages.slice(0, -1), { role: "assistant", content: [] }] };
}
