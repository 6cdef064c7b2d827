import type { ChatEvent } from "../../../converse/chat-event.ts";
import { withoutUndefined } from "../../../json.ts";
import type { Call } from "../../call.ts";

/** What of an answer Bedrock tells beside the vendor's own words. */
export class InvokedBeside {
  /** Of the answer; filled while it comes. */
  readonly headers: Record<string, string>;
  isGuarded = false;
  showsGuardrail = false;
  readonly #call: Call;
  #usage: Extract<ChatEvent, { type: "usage" }> | undefined;
  #stopReason: string | undefined;

  constructor(call: Call, isStreamed: boolean) {
    this.#call = call;
    this.headers = isStreamed ? { "x-amzn-bedrock-content-type": "application/json" } : {};
  }

  take(event: ChatEvent): void {
    if (event.type === "stop") this.#stopReason = event.stopReason;
    if (event.type === "usage") this.#count(event);
  }

  #count(usage: Extract<ChatEvent, { type: "usage" }>): void {
    this.#usage = usage;
    const { latency, serviceTier } = usage;
    Object.assign(
      this.headers,
      {
        "x-amzn-bedrock-input-token-count": String(usage.inputTokens),
        "x-amzn-bedrock-output-token-count": String(usage.outputTokens),
        "x-amzn-bedrock-cache-read-input-token-count": String(usage.cacheReadInputTokens ?? 0),
        "x-amzn-bedrock-cache-write-input-token-count": String(usage.cacheWriteInputTokens ?? 0),
        "x-amzn-bedrock-invocation-latency": String(Math.round(this.#call.since())),
      },
      withoutUndefined({
        "x-amzn-bedrock-performanceconfig-latency": latency,
        "x-amzn-bedrock-service-tier": serviceTier,
      }),
    );
  }

  /** What a guardrail did. */
  atEnd(): object {
    if (!this.isGuarded) return {};
    const guardrail = this.showsGuardrail ? this.#usage?.trace?.guardrail : undefined;
    return {
      "amazon-bedrock-guardrailAction": this.#stopReason === "guardrail_intervened" ? "INTERVENED" : "NONE",
      ...(guardrail === undefined ? {} : { "amazon-bedrock-trace": { guardrail } }),
    };
  }

  /** What was used, whatever the vendor. */
  metrics(): object {
    const { entry } = this.#call;
    const {
      inputTokens = 0,
      outputTokens = 0,
      cacheReadInputTokens = 0,
      cacheWriteInputTokens = 0,
    } = this.#usage ?? {};
    return {
      "amazon-bedrock-invocationMetrics": {
        inputTokenCount: inputTokens,
        outputTokenCount: outputTokens,
        invocationLatency: Math.round(this.#call.since()),
        firstByteLatency: Math.round(entry.firstTokenMs ?? 0),
        cacheReadInputTokenCount: cacheReadInputTokens,
        cacheWriteInputTokenCount: cacheWriteInputTokens,
      },
    };
  }
}
