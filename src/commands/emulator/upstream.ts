import { type AnswerParts, awaitContent } from "../../converse/answer-batches.ts";
import { mendRequest } from "../../converse/mend-request.ts";
import { MessageAssembler } from "../../converse/message-assembler.ts";
import { validationError } from "../../emulator/aws-error.ts";
import { eventStep } from "../../emulator/converse.ts";
import type { StreamStep, Upstream } from "../../emulator/emulator.ts";
import { OpenclawError } from "../../errors.ts";
import { isRecord } from "../../json.ts";
import { WrittenNumber } from "../../json-numbers.ts";
import { SERVED } from "../../models/families.ts";
import type { ServerLine } from "../../wires/call-server.ts";
import { toCompletionRequest } from "../../wires/chat-completions/completion-request.ts";
import { withDocumentTexts } from "../../wires/document-texts.ts";
import { askForModels } from "../../wires/list-models.ts";
import { streamCompletion } from "../../wires/chat-completions/stream-completion.ts";
import { toAwsError, toExceptionStep } from "./upstream-error.ts";

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
  const open = async (body: unknown, modelId: string, signal: AbortSignal): Promise<AnswerParts> => {
    const model = await choose(modelId, signal);
    const recipient = { modelId: model, family: SERVED, isReasoning: false };
    const { input } = await mendRequest(toConverseInput(body, modelId), recipient);
    const { body: request, dropped } = toCompletionRequest(await withDocumentTexts(input), model);
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
  const answer =
    <T>(read: (batches: AnswerParts, latencyMs: () => number) => T) =>
    async (body: unknown, modelId: string, signal: AbortSignal): Promise<Awaited<T>> => {
      const started = elapsed();
      try {
        return await read(await open(body, modelId, signal), () => Math.round(elapsed() - started));
      } catch (failure) {
        throw toAwsError(failure);
      }
    };
  return { converse: answer(wholeAnswer), converseStream: answer(stepsOf), close: () => line.close() };
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
const NOT_COUNTED = { inputTokens: 0, outputTokens: 0, totalTokens: 0 };

async function wholeAnswer(batches: AnswerParts, latencyMs: () => number): Promise<object> {
  const assembler = new MessageAssembler();
  let stopReason: string | undefined;
  let usage: object = NOT_COUNTED;
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
  const isWhole = (message.content ?? []).filter(({ toolUse }) => isRecord(toolUse?.input)).length === calls;
  return {
    output: { message },
    stopReason: isWhole ? stopReason : "malformed_tool_use",
    usage,
    metrics: { latencyMs: latencyMs() },
  };
}

async function* stepsOf(batches: AnswerParts, latencyMs: () => number): AsyncGenerator<StreamStep> {
  let usage: object = NOT_COUNTED;
  try {
    for await (const parts of batches) {
      for (const part of parts) {
        usage = part.metadata?.usage ?? usage;
        const [event = "", payload = {}] = Object.entries(part)[0] ?? [];
        if (!part.metadata) yield eventStep(event, payload);
      }
    }
  } catch (failure) {
    yield toExceptionStep(failure);
    return;
  }
  yield eventStep("metadata", { usage, metrics: { latencyMs: latencyMs() } });
}

type ConverseInput = Parameters<typeof toCompletionRequest>[0];

/** The body of Converse or ConverseStream as the SDK's input: bytes, which travel as base64, are bytes again. */
function toConverseInput(body: unknown, modelId: string): ConverseInput {
  return { ...(withBytes(body) as Omit<ConverseInput, "modelId">), modelId };
}

/** Places where free JSON stands, in which `bytes` is a name like any other. */
const FREE_FORM: ReadonlySet<string> = new Set(["json", "input", "additionalModelRequestFields"]);

function withBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBytes);
  // What Converse itself reads is checked as a number.
  if (value instanceof WrittenNumber) return Number(value);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      if (name === "bytes" && typeof item === "string") return [name, Buffer.from(item, "base64")];
      return [name, FREE_FORM.has(name) ? item : withBytes(item)];
    }),
  );
}
