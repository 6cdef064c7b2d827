import type { ConverseStreamOutput, TokenUsage } from "@aws-sdk/client-bedrock-runtime";
import type { HttpResponse } from "@smithy/types";
import { countAt, isRecord, type JsonObject, recordAt, textAt } from "../json.ts";
import { parseIfJson } from "../json-bounds.ts";
import { toCall } from "../session/bedrock-operations.ts";
import { readBody } from "../session/read-answer.ts";
import type { AwsSession } from "../session/session.ts";
import type { Batches } from "./answer-batches.ts";
import {
  beginStream,
  callOf,
  type ConverseStream,
  inOneBatch,
  readBatches,
  request,
  streamErrors,
} from "./converse-stream.ts";
import type { Invocation, InvokedChunk } from "./invocation.ts";
import { parsePayload, refuseException } from "./read-part.ts";

/**
 * Opens answers of InvokeModel in a session, as the parts of a stream that is whole with the last of its chunks. The body
 * of a plan is an `Invocation`. Throws what converseStream throws.
 */
export function invokeStream(session: AwsSession): ConverseStream {
  const stream: ConverseStream = {
    ...streamErrors(session),
    open: async ({ input, body }, deadlines, gate) => {
      const { body: asked, headers, isStreamed } = body as Invocation;
      const modelId = input.modelId ?? "";
      const operation = isStreamed ? "InvokeModelWithResponseStream" : "InvokeModel";
      const plain = toCall(operation, { modelId, body: asked });
      const call = { ...plain, headers: { ...plain.headers, ...headers } };
      const begin = isStreamed
        ? beginStream(stream, modelId, deadlines, readChunks)
        : async (response: HttpResponse, { requestId }: { requestId?: string | undefined }) => {
            const parts = partsOfWhole(await readBody(response), response.headers);
            deadlines.heard();
            return { requestId, batches: inOneBatch(parts) };
          };
      const context = { ...callOf(session, modelId, isStreamed), gate };
      return request(call, begin, deadlines.signal, context);
    },
  };
  return stream;
}

async function* readChunks(body: AsyncIterable<Uint8Array>, headers: HttpResponse["headers"]): Batches {
  let ofFirst: InvokedChunk["headers"] = handedOn(headers);
  let counts: TokenUsage | undefined;
  yield* readBatches(body, (message) => {
    refuseException(message);
    if (message.name !== "chunk") return undefined;
    const text = textAt(parsePayload(message), "bytes") ?? "";
    const bytes = Buffer.from(text, "base64");
    counts = countsIn(bytes) ?? counts;
    const part = toPart({ bytes, headers: ofFirst });
    ofFirst = undefined;
    return part;
  });
  yield endOf(counts);
}

function partsOfWhole(bytes: Uint8Array, headers: HttpResponse["headers"]): ConverseStreamOutput[] {
  const counted = (name: string): number | undefined => {
    const text = headers[`x-amzn-bedrock-${name}-token-count`];
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  };
  const inputTokens = counted("input");
  const counts = inputTokens === undefined ? undefined : toUsage(inputTokens, counted);
  return [toPart({ bytes, headers: handedOn(headers) }), ...endOf(counts)];
}

function toPart(chunk: InvokedChunk): ConverseStreamOutput {
  return { $unknown: ["chunk", chunk] };
}

/** What ends an answer: that it is whole, and what it used. */
function endOf(usage: TokenUsage | undefined): ConverseStreamOutput[] {
  const metrics = { latencyMs: undefined };
  return [{ messageStop: { stopReason: "end_turn" } }, ...(usage ? [{ metadata: { usage, metrics } }] : [])];
}

/** What whoever asks is told beside the answer. */
function handedOn(headers: HttpResponse["headers"]): Record<string, string> {
  const told = Object.entries(headers).filter(
    ([name]) => name === "content-type" || name.startsWith("x-amzn-bedrock-"),
  );
  return Object.fromEntries(told);
}

/** The member of the last chunk of a stream that Bedrock adds to the vendor's own. */
const METRICS = "amazon-bedrock-invocationMetrics";

/** The last chunk says how the answer ended and no more; one that is longer is not looked at, in bytes. */
const LONGEST_WITH_METRICS = 256 * 1024;

function countsIn(bytes: Buffer): TokenUsage | undefined {
  if (bytes.length > LONGEST_WITH_METRICS || !bytes.includes(METRICS)) return undefined;
  const chunk = parseIfJson(bytes.toString("utf8"));
  const metrics: JsonObject = isRecord(chunk) ? recordAt(chunk, METRICS) : {};
  const inputTokens = countAt(metrics, "inputTokenCount");
  if (inputTokens === undefined) return undefined;
  const names: Readonly<Record<string, string>> = {
    output: "outputTokenCount",
    "cache-read-input": "cacheReadInputTokenCount",
    "cache-write-input": "cacheWriteInputTokenCount",
  };
  return toUsage(inputTokens, (name) => countAt(metrics, names[name] ?? ""));
}

function toUsage(inputTokens: number, counted: (name: string) => number | undefined): TokenUsage {
  const outputTokens = counted("output") ?? 0;
  const [read, written] = [counted("cache-read-input"), counted("cache-write-input")];
  return {
    inputTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens + (read ?? 0) + (written ?? 0),
    ...(read ? { cacheReadInputTokens: read } : {}),
    ...(written ? { cacheWriteInputTokens: written } : {}),
  };
}
