import { configuredGuardrail } from "../../../converse/guardrail.ts";
import { mergeParameters } from "../../../converse/request.ts";
import { shorten } from "../../../errors.ts";
import type { AskedOf } from "../../call.ts";
import type { RequestEntry } from "../../serve-log.ts";
import { histogram, type Instrument, type Instruments } from "../instruments.ts";
import { modelLabel, msPerToken, tokensOf } from "../server-metrics.ts";
import type { Attributes, Span } from "./otlp-message.ts";

/** What a request came to, and where in which trace it stands. */
export interface TracedRequest {
  entry: RequestEntry;
  /** The route's path, with names for what differs. */
  route: string;
  /** By which the client asked: `http` or `https`. */
  scheme: string;
  /** Of the host in the entry. */
  calledPort?: number | undefined;
  /** Whose model was asked, where it is none of Amazon Bedrock's. */
  otherProvider?: string | undefined;
  /** What was asked of the model, where it was. */
  asked?: AskedOf | undefined;
  /** When it came and when it was over, in ms since 1970. */
  startedAt: number;
  endedAt: number;
}

/**
 * The names of the GenAI conventions as versions 1.42 to 1.45 of the semantic conventions have them, all of them still in
 * development. Since then they have a repository of their own without a release, which gives some other names:
 * https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-spans.md and aws-bedrock.md
 * there. Bounds of buckets and labels: gen-ai-metrics.md there.
 */
const LATENCY = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const LABELS = ["gen_ai.operation.name", "gen_ai.provider.name", "server.address", "server.port"] as const;
const MODELS = ["gen_ai.request.model", "gen_ai.response.model"];

const TOKENS = histogram("gen_ai.client.token.usage", "Number of input and output tokens used.", {
  unit: "{token}",
  buckets: Array.from({ length: 14 }, (_, exponent) => 4 ** exponent),
  labels: [...LABELS, "gen_ai.token.type"],
  openLabels: MODELS,
});
const secondsIn = (name: string, help: string, buckets: readonly number[], ...more: string[]): Instrument =>
  histogram(name, help, { unit: "s", buckets, labels: [...LABELS, ...more], openLabels: MODELS });

const DURATION = secondsIn(
  "gen_ai.client.operation.duration",
  "GenAI operation duration.",
  LATENCY,
  "error.type",
);
const FIRST_CHUNK = secondsIn(
  "gen_ai.client.operation.time_to_first_chunk",
  "Time to receive the first chunk of a streamed answer.",
  LATENCY,
);
const SERVED = secondsIn(
  "gen_ai.server.request.duration",
  "Time until the last byte of an answer.",
  LATENCY,
  "error.type",
);
const FIRST_TOKEN = secondsIn(
  "gen_ai.server.time_to_first_token",
  "Time to generate the first token of an answer.",
  [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
);
const PER_TOKEN = secondsIn(
  "gen_ai.server.time_per_output_token",
  "Time for each token after the first of an answer.",
  [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5],
);

/** Counts a request that asked a model. */
export function recordGenAi(instruments: Instruments, request: TracedRequest): void {
  const { entry } = request;
  const { "server.port": port, ...names } = namesOf(request);
  const labels = {
    ...names,
    "server.port": port?.toString(),
    "gen_ai.request.model": modelLabel(entry),
    "gen_ai.response.model": entry.calledModel,
    "error.type": errorType(entry),
  };
  const { input, output, cache_read: read = 0, cache_write: written = 0 } = tokensOf(entry);
  const record = (instrument: Instrument, ms: number | undefined): void => {
    if (ms !== undefined) instruments.record(instrument, ms / 1000, labels);
  };
  // What is billed as input is told as input, cached or not.
  for (const [type, tokens] of [
    ["input", input === undefined ? undefined : input + read + written],
    ["output", output],
  ] as const)
    if (tokens !== undefined) instruments.record(TOKENS, tokens, { ...labels, "gen_ai.token.type": type });
  const { durationMs, askedMs = 0, firstTokenMs } = entry;
  record(DURATION, durationMs === undefined ? undefined : durationMs - askedMs);
  record(SERVED, durationMs);
  if (entry.isStreamed === true && firstTokenMs !== undefined) record(FIRST_CHUNK, firstTokenMs - askedMs);
  // Of answers that came whole.
  if (labels["error.type"] !== undefined) return;
  record(FIRST_TOKEN, firstTokenMs);
  record(PER_TOKEN, msPerToken(entry));
}

/** The spans of a request: as it was answered here, and below it as the model was asked, where one was. */
export function spansOf(request: TracedRequest, trace: RequestTrace): Span[] {
  const { entry, route, scheme, startedAt, endedAt } = request;
  const { traceId, state } = trace;
  const failure = entry.error?.message;
  const served: Span = {
    traceId,
    state,
    spanId: trace.spanId,
    parentId: trace.parentId,
    name: `${entry.method} ${route}`,
    kind: "server",
    startedAt,
    endedAt,
    attributes: {
      "http.request.method": entry.method,
      "http.route": route,
      "http.response.status_code": entry.status,
      "url.path": entry.path,
      "url.scheme": scheme,
      "openclaw.api_key.name": entry.key,
      "error.type": (entry.status ?? 0) >= 500 ? errorType(entry) : undefined,
    },
    // Of what a client does wrong the server is not at fault (https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
    failure: (entry.status ?? 0) >= 500 ? failure : undefined,
  };
  if (entry.askedMs === undefined) return [served];
  const asked: Span = {
    ...served,
    spanId: trace.askSpanId,
    parentId: trace.spanId,
    name: `${operationOf(entry)} ${modelLabel(entry) ?? ""}`.trim(),
    kind: "client",
    startedAt: startedAt + (entry.askedMs ?? 0),
    attributes: askAttributes(request),
    failure,
  };
  return [served, asked];
}

/** The places of a request's own two spans in a trace. */
export interface RequestTrace {
  traceId: string;
  /** Of the span in which the client asked. */
  parentId: string | undefined;
  spanId: string;
  askSpanId: string;
  isSampled: boolean;
  state: string | undefined;
}

function askAttributes(request: TracedRequest): Attributes {
  const { entry } = request;
  const { input, output, cache_read: read, cache_write: written } = tokensOf(entry);
  const { askedMs = 0, firstTokenMs, costUsd } = entry;
  return {
    ...namesOf(request),
    ...requestAttributes(request),
    "gen_ai.request.model": modelLabel(entry),
    "gen_ai.request.stream": entry.isStreamed === true ? true : undefined,
    "gen_ai.response.model": entry.calledModel,
    "gen_ai.response.finish_reasons": entry.finishReason ? [entry.finishReason] : undefined,
    "gen_ai.response.time_to_first_chunk":
      entry.isStreamed === true && firstTokenMs !== undefined ? inSeconds(firstTokenMs - askedMs) : undefined,
    "gen_ai.usage.input_tokens": input === undefined ? undefined : input + (read ?? 0) + (written ?? 0),
    "gen_ai.usage.output_tokens": output,
    "gen_ai.usage.cache_read.input_tokens": read,
    "gen_ai.usage.cache_creation.input_tokens": written,
    // Its name since https://github.com/open-telemetry/semantic-conventions-genai/pull/440, which others send already.
    "gen_ai.usage.cache_write.input_tokens": written,
    "aws.request_id": entry.requestId.startsWith("req_") ? undefined : entry.requestId,
    "cloud.region": entry.region,
    "openclaw.cost.usd": typeof costUsd === "number" ? { double: costUsd } : undefined,
    "openclaw.queued.seconds": entry.queuedMs === undefined ? undefined : inSeconds(entry.queuedMs),
    "error.type": errorType(entry),
  };
}

/** Of texts that end an answer, of which a request may hold thousands. */
const MOST_STOPS = 16;

/** What the model was asked for: what the request says, else what the configuration does. */
function requestAttributes({ asked, otherProvider }: TracedRequest): Attributes {
  if (!asked) return {};
  const { parameters: own, config, model, dimensions, encoding, isJson = false } = asked;
  const keys = model ? [model.id, model.key] : [];
  const parameters = (own && config ? mergeParameters(own, config, keys) : own) ?? {};
  const { maxTokens, temperature, topP, topK, stopSequences } = parameters;
  const guardrail = asked.guardrail ?? (config && configuredGuardrail(config));
  return {
    "gen_ai.request.max_tokens": maxTokens,
    "gen_ai.request.temperature": inDouble(temperature),
    "gen_ai.request.top_p": inDouble(topP),
    "gen_ai.request.top_k": inDouble(topK),
    "gen_ai.request.stop_sequences": stopSequences?.slice(0, MOST_STOPS).map((text) => shorten(text)),
    "gen_ai.output.type": isJson ? "json" : undefined,
    "gen_ai.embeddings.dimension.count": dimensions,
    "gen_ai.request.encoding_formats": encoding === undefined ? undefined : [encoding],
    "aws.bedrock.guardrail.id":
      otherProvider === undefined && !asked.encoding ? guardrail?.guardrailIdentifier : undefined,
  };
}

function inDouble(value: number | undefined): { double: number } | undefined {
  return value === undefined ? undefined : { double: value };
}

function inSeconds(ms: number): { double: number } {
  return { double: ms / 1000 };
}

function operationOf({ dialect }: RequestEntry): string {
  return dialect === "embeddings" ? "embeddings" : "chat";
}

function namesOf({ entry, calledPort, otherProvider = "aws.bedrock" }: TracedRequest): {
  [name in (typeof LABELS)[number]]: name extends "server.port" ? number | undefined : string | undefined;
} {
  return {
    "gen_ai.operation.name": operationOf(entry),
    "gen_ai.provider.name": otherProvider,
    "server.address": entry.calledHost,
    "server.port": calledPort,
  };
}

/** One of few words; that a client went away is an error of the call to the model, too. */
function errorType({ error, isAborted }: RequestEntry): string | undefined {
  return error?.code ?? (isAborted === true ? "client-closed" : undefined);
}
