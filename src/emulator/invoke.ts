import type { JsonObject } from "../json.ts";
import { validationError } from "./aws-error.ts";
import type { ConverseRequest } from "./converse-model.ts";
import { answerSteps, converseResponse, padding } from "./converse.ts";
import { encodeEvent, encodeException } from "../aws/event-stream.ts";
import { EVENT_STREAM, type Framing } from "./framing.ts";
import { MESSAGES_FRAMING, messageOf, messageSteps } from "./messages.ts";
import { readMessagesRequest } from "./messages-request.ts";
import type { EmulatedModel } from "./models.ts";
import { readNovaRequest } from "./nova-request.ts";
import type { StreamStep } from "./script.ts";
import type { SimulatedAnswer } from "./simulated-answer.ts";

export interface Telling {
  callId: string;
  model: EmulatedModel;
  /** Pause between two deltas, in ms. */
  delayMs: number;
  /** Since the call came, in ms. */
  elapsed: () => number;
}

/** How a vendor's models are asked by InvokeModel, and what they answer. */
export interface VendorBody {
  models: RegExp;
  read(body: JsonObject, model: EmulatedModel): ConverseRequest;
  whole(answer: SimulatedAnswer, telling: Telling): object;
  steps(answer: SimulatedAnswer, telling: Telling): Generator<StreamStep>;
}

const VENDORS: readonly VendorBody[] = [
  {
    models: /^anthropic\./,
    read: (body, model) => readMessagesRequest(body, model, { isInvoked: true }),
    whole: (answer, { callId, model }) => ({
      ...messageOf(answer, { id: callId, model: ownName(model) }),
      ...guardrailAction(answer),
    }),
    *steps(answer, { callId, model, delayMs, elapsed }) {
      const named = { id: callId, model: ownName(model) };
      for (const step of messageSteps(answer, { ...named, delayMs }))
        yield isEvent(step, "message_stop") ? last(step, answer, elapsed()) : step;
    },
  },
  {
    models: /^amazon\.nova/,
    read: readNovaRequest,
    whole: (answer, { elapsed }) => {
      const { output, stopReason } = converseResponse(answer, elapsed()) as JsonAnswer;
      return { output, stopReason, usage: novaUsage(answer), ...guardrailAction(answer) };
    },
    *steps(answer, { delayMs, elapsed }) {
      for (const step of answerSteps(answer, { delayMs, elapsed })) {
        if (!("event" in step)) yield step;
        else if (step.event === "metadata") {
          const payload = { metadata: { usage: novaUsage(answer), metrics: {}, trace: {} } };
          yield last({ event: step.event, payload }, answer, elapsed());
        } else {
          const { p: _, ...payload } = step.payload as { p: string };
          yield { event: step.event, payload: { [step.event]: payload } };
        }
      }
    },
  },
];

interface JsonAnswer {
  output?: unknown;
  stopReason?: unknown;
}

/** The vendor of a model. Throws `AwsError` where the emulator does not know the vendor's body. */
export function vendorOf({ modelId }: EmulatedModel): VendorBody {
  const vendor = VENDORS.find(({ models }) => models.test(modelId));
  if (vendor) return vendor;
  throw validationError(
    "The emulator knows no body that InvokeModel takes for this model: ask it by Converse.",
  );
}

/**
 * How the events of a vendor's stream are written: each is the bytes of a `chunk`.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_PayloadPart.html
 */
export const INVOKE_FRAMING: Framing = {
  contentType: EVENT_STREAM.contentType,
  deltas: [...EVENT_STREAM.deltas, ...MESSAGES_FRAMING.deltas],
  ends: [...EVENT_STREAM.ends, ...MESSAGES_FRAMING.ends],
  event: (_, payload) =>
    encodeEvent("chunk", {
      bytes: Buffer.from(JSON.stringify(payload)).toString("base64"),
      p: padding(),
    }),
  exception: encodeException,
};

/** What the answer of InvokeModel says of itself in its headers. */
export function countHeaders(
  { inputTokens, outputTokens }: Pick<SimulatedAnswer, "inputTokens" | "outputTokens">,
  latencyMs: number,
): Readonly<Record<string, string>> {
  return {
    "x-amzn-bedrock-cache-read-input-token-count": "0",
    "x-amzn-bedrock-cache-write-input-token-count": "0",
    "x-amzn-bedrock-input-token-count": String(inputTokens),
    "x-amzn-bedrock-invocation-latency": String(latencyMs),
    "x-amzn-bedrock-output-token-count": String(outputTokens),
    "x-simulated-by": "openclaw emulator",
  };
}

/** The name that Claude gives itself in an answer: without vendor and version of the service. */
function ownName({ modelId }: EmulatedModel): string {
  return modelId.replace(/^anthropic\./, "").replace(/-v\d+(:\d+)?$/, "");
}

function isEvent(step: StreamStep, name: string): step is Extract<StreamStep, { event: string }> {
  return "event" in step && step.event === name;
}

/** The end of a stream says what was used, whatever the vendor: https://github.com/BerriAI/litellm/issues/34373 (measured) */
function last(
  { event, payload }: Extract<StreamStep, { event: string }>,
  answer: SimulatedAnswer,
  latencyMs: number,
): StreamStep {
  const metrics = {
    inputTokenCount: answer.inputTokens,
    outputTokenCount: answer.outputTokens,
    invocationLatency: latencyMs,
    firstByteLatency: latencyMs,
    cacheReadInputTokenCount: 0,
    cacheWriteInputTokenCount: 0,
  };
  const said = { ...(payload as object), ...guardrailAction(answer) };
  return { event, payload: { ...said, "amazon-bedrock-invocationMetrics": metrics } };
}

/** What a guardrail did: https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-invoke-api.html */
function guardrailAction({ guardrailAction: action, trace }: SimulatedAnswer): object {
  return {
    ...(action === undefined ? {} : { "amazon-bedrock-guardrailAction": action }),
    ...(trace === undefined ? {} : { "amazon-bedrock-trace": trace }),
  };
}

/** Nova counts by names of its own: https://docs.aws.amazon.com/nova/latest/userguide/using-invoke-api.html */
function novaUsage({ inputTokens, outputTokens }: SimulatedAnswer): object {
  return {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    cacheReadInputTokenCount: 0,
    cacheWriteInputTokenCount: 0,
  };
}
