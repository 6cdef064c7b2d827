import type { ConverseStreamOutput, TokenUsage } from "@aws-sdk/client-bedrock-runtime";
import { awaitContent, type Batches } from "../converse/answer-batches.ts";
import { MessageAssembler } from "../converse/message-assembler.ts";
import { OpenclawError } from "../errors.ts";
import type { ServerLine } from "../wires/chat-completions/call-server.ts";
import { toCompletionRequest } from "../wires/chat-completions/completion-request.ts";
import { askForModels } from "../wires/chat-completions/list-models.ts";
import { streamCompletion } from "../wires/chat-completions/stream-completion.ts";
import { validationError } from "./aws-error.ts";
import { eventStep } from "./converse.ts";
import { readConverseRequest } from "./converse-request.ts";
import type { StreamStep } from "./script.ts";
import { toAwsError, toExceptionStep } from "./upstream-error.ts";
import { toConverseInput } from "./wire-input.ts";

/** A real model that answers Converse calls in the emulator's place. */
export interface Upstream {
  /** The body of Converse's answer. Rejects with `AwsError`. */
  converse(body: unknown, modelId: string, signal: AbortSignal): Promise<object>;
  /** The events of ConverseStream's answer, once the model has said something. Rejects with `AwsError` before that. */
  converseStream(body: unknown, modelId: string, signal: AbortSignal): Promise<AsyncIterable<StreamStep>>;
  /** Closes the connections. */
  close(): void;
}

/**
 * Makes an upstream of an OpenAI-compatible server. `wanted` is the model that answers all calls; without it the server
 * decides by what it lists: see modelFor.
 */
export function createUpstream(line: ServerLine, wanted: string | undefined): Upstream {
  const { elapsed, terminal } = line.runtime;
  /** Models of the server by the Bedrock ids they answer for. */
  const chosen = new Map<string, string>();
  const choose = async (modelId: string, signal: AbortSignal): Promise<string> => {
    const model = wanted ?? chosen.get(modelId) ?? (await modelFor(modelId, line, signal));
    chosen.set(modelId, model);
    return model;
  };
  const open = async (body: unknown, modelId: string, signal: AbortSignal): Promise<Batches> => {
    readConverseRequest(body, {});
    const model = await choose(modelId, signal);
    const { body: request, dropped } = toCompletionRequest(toConverseInput(body, modelId), model);
    if (dropped.length > 0)
      terminal.verbose(() => `${model} goes without what only Bedrock has: ${dropped.join(", ")}`);
    try {
      const { batches } = await streamCompletion(line, request, signal);
      return await awaitContent(batches);
    } catch (failure) {
      // The server may have other models than before.
      if (failure instanceof OpenclawError && failure.code === "model-not-found") chosen.delete(modelId);
      throw failure;
    }
  };
  return {
    converse: async (body, modelId, signal) => {
      const started = elapsed();
      try {
        const batches = await open(body, modelId, signal);
        return await wholeAnswer(batches, () => elapsed() - started);
      } catch (failure) {
        throw toAwsError(failure);
      }
    },
    converseStream: async (body, modelId, signal) => {
      const started = elapsed();
      try {
        return stepsOf(await open(body, modelId, signal), () => elapsed() - started);
      } catch (failure) {
        throw toAwsError(failure);
      }
    },
    close: () => line.close(),
  };
}

/**
 * The upstream's model for a Bedrock model id: one of the same name where the server lists it, else the only one it has.
 * A server without a list is given the id as it is. Throws `AwsError` where several could be meant.
 */
async function modelFor(modelId: string, line: ServerLine, signal: AbortSignal): Promise<string> {
  const listed = await listOf(line, signal);
  if (listed === undefined || listed.includes(modelId)) return modelId;
  const [only, ...others] = listed;
  if (only !== undefined && others.length === 0) return only;
  const which = only === undefined ? "no model" : `${listed.length} models, and none is '${modelId}'`;
  throw validationError(
    `${line.server.shownUrl} lists ${which}. Start the emulator with --upstream-model MODEL to choose one.`,
  );
}

async function listOf(line: ServerLine, signal: AbortSignal): Promise<string[] | undefined> {
  try {
    return await askForModels(line, signal);
  } catch (failure) {
    if (!(failure instanceof OpenclawError) || failure.code !== "bad-response") throw failure;
    return undefined;
  }
}

/** Programs read counts that AWS always sends; where the server counts nothing they are zero. */
const NOT_COUNTED: TokenUsage = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };

async function wholeAnswer(batches: Batches, latencyMs: () => number): Promise<object> {
  const assembler = new MessageAssembler();
  let stopReason: string | undefined;
  let usage = NOT_COUNTED;
  let calls = 0;
  for await (const parts of batches) {
    for (const part of parts) {
      assembler.take(part);
      stopReason = part.messageStop?.stopReason ?? stopReason;
      usage = part.metadata?.usage ?? usage;
      if (part.contentBlockStart) calls += 1;
    }
  }
  const message = assembler.message();
  const isWhole = (message.content ?? []).filter(({ toolUse }) => toolUse).length === calls;
  return {
    output: { message },
    stopReason: isWhole ? stopReason : "malformed_tool_use",
    usage,
    metrics: { latencyMs: Math.round(latencyMs()) },
  };
}

async function* stepsOf(batches: Batches, latencyMs: () => number): AsyncGenerator<StreamStep> {
  let usage = NOT_COUNTED;
  try {
    for await (const parts of batches) {
      for (const part of parts) {
        usage = part.metadata?.usage ?? usage;
        if (!part.metadata) yield toStep(part);
      }
    }
  } catch (failure) {
    yield toExceptionStep(failure);
    return;
  }
  yield eventStep("metadata", { usage, metrics: { latencyMs: Math.round(latencyMs()) } });
}

function toStep(part: ConverseStreamOutput): StreamStep {
  const [event = "", payload = {}] = Object.entries(part)[0] ?? [];
  return eventStep(event, payload as Record<string, unknown>);
}
