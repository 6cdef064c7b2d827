import type { ConverseStreamCommandInput, ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import type { Turn } from "./conversation.ts";
import { MessageAssembler } from "./message-assembler.ts";

/** Keeps what a call sent and what came back, for the turns after it. */
export class TurnRecorder {
  #input: ConverseStreamCommandInput | undefined;
  #assembler = new MessageAssembler();

  /** A call begins; what an earlier one brought is forgotten. */
  begin(input: ConverseStreamCommandInput): void {
    this.#input = input;
    this.#assembler = new MessageAssembler();
  }

  /** Takes a part of the answer's stream. */
  take(part: ConverseStreamOutput): void {
    this.#assembler.take(part);
  }

  /** The turn so far; undefined before anything was sent. Cache points belong to the call, not to the conversation. */
  turn(): Turn | undefined {
    const newest = this.#input?.messages?.at(-1);
    const model = this.#input?.modelId;
    if (!newest || model === undefined) return undefined;
    const content = (newest.content ?? []).filter(({ cachePoint }) => cachePoint === undefined);
    return { model, messages: [{ ...newest, content }, this.#assembler.message()] };
  }
}
