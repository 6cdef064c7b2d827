import { encodeEvent, EVENT_STREAM_TYPE } from "../../../aws/event-stream.ts";
import { choicesOf, PARAMETERS } from "../../../config/parameters.ts";
import type { Configuration } from "../../../config/settings.ts";
import type { ChatEvents } from "../../../converse/chat-event.ts";
import { configuredGuardrail, type Guardrail } from "../../../converse/guardrail.ts";
import type { InvokedChunk } from "../../../converse/invocation.ts";
import { withKeyMark } from "../../../converse/request-metadata.ts";
import { parseBoundedExactly } from "../../../json-bounds.ts";
import { type JsonObject, withoutUndefined } from "../../../json.ts";
import { toBase64 } from "../../../wires/data-url.ts";
import { answerCall, type AnswerForm, type Asked } from "../../answer-call.ts";
import type { AnswerService, RouteRequest } from "../../dialect.ts";
import { RequestField, requestOf } from "../../request-field.ts";
import { refusedField } from "../messages/from-messages-request.ts";
import { gatherMessage, toMessageEvents } from "../messages/to-message.ts";
import { exceptionFrame } from "./aws-errors.ts";
import { fromClaudeBody, isClaudeBody } from "./claude-body.ts";
import { fromNovaBody, isNovaBody, toNovaAnswer, toNovaEvent } from "./nova-body.ts";
import { readMarks } from "./from-converse-request.ts";
import { readJson } from "./read-shape.ts";
import { InvokedBeside } from "./invoked-beside.ts";
import { guardrailOfHeaders, underGuardrail } from "../../content/own-guardrail.ts";
import { toConverseAnswer, toConverseParts } from "./to-converse.ts";

type Pieces<Piece> = AsyncGenerator<Piece, void, undefined>;

/** What a vendor's own body has for the guardrail: https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-use-invoke-api.html */
const GUARDRAIL_CONFIG = "amazon-bedrock-guardrailConfig";

/** What InvokeModel has beside its body, in headers. */
interface Beside {
  guardrail: Guardrail | undefined;
  /** As it came. */
  latency: string | undefined;
  serviceTier: string | undefined;
  /** Marks for the invocation logs. */
  metadata: Readonly<Record<string, string>> | undefined;
}

/**
 * Answers InvokeModel. Bodies of Claude and of Nova may ask any model, and are answered in the words of their vendor; those
 * of others go to Bedrock as they are. Throws `invalid-request`, and `access-denied` for a guardrail beside the server's.
 */
export async function invoke(
  service: AnswerService,
  request: RouteRequest,
  isStreamed: boolean,
): Promise<Response> {
  const { call, id: model } = request;
  const { [GUARDRAIL_CONFIG]: guarding, ...body } = requestOf(request.body).object();
  const beside = await readHeaders(request.headers, guarding);
  const config = (await service.upstream.current()).setup.config.value;
  const seen = new InvokedBeside(call, isStreamed);
  if (isClaudeBody(body)) {
    const { stops, ...read } = await fromClaudeBody(body, { model, isStreamed, signal: call.signal });
    const { asked, ...guards } = underGuardrail(withBeside(read, beside), beside.guardrail, config);
    Object.assign(seen, guards);
    const id = (): string => `msg_bdrk_${call.entry.requestId.replaceAll("-", "")}`;
    const form = formOf(seen, {
      toPieces: (events) => toMessageEvents(events, { id, stops }),
      toEvent: (event) => event,
      isLast: ({ type }) => type === "message_stop",
      gather: gatherMessage,
    });
    return answerCall(service, request, asked, { ...form, fieldOf: refusedField });
  }
  if (isNovaBody(body)) {
    const { guardrail: _, ...read } = await fromNovaBody(body, {
      model,
      isStreamed,
      readsS3: service.allowsRemoteImages,
      signal: call.signal,
    });
    const { asked, ...guards } = underGuardrail(withBeside(read, beside), beside.guardrail, config);
    Object.assign(seen, guards);
    const form = formOf(seen, {
      toPieces: (events) => toConverseParts(events, { since: () => call.since(), showsGuardrail: false }),
      toEvent: toNovaEvent,
      isLast: ({ metadata }) => metadata !== undefined,
      gather: async (parts) => toNovaAnswer(await toConverseAnswer(parts)),
    });
    return answerCall(service, request, { ...asked, ask: { ...asked.ask, passesDetails: true } }, form);
  }
  return passOn(service, request, { beside, isStreamed, config, headers: seen.headers });
}

/** Hands a body on as it is, and what comes back. */
function passOn(
  service: AnswerService,
  request: RouteRequest,
  {
    beside,
    isStreamed,
    config,
    headers,
  }: { beside: Beside; isStreamed: boolean; config: Configuration; headers: Record<string, string> },
): Promise<Response> {
  const { [GUARDRAIL_CONFIG]: guarding, ...body } = request.body as JsonObject;
  const isServers = configuredGuardrail(config) !== undefined;
  const marks = beside.metadata && withKeyMark(beside.metadata, request.call.entry.key);
  const invocation = {
    // What it says of a guardrail is not said of the server's.
    body: guarding === undefined || isServers ? body : { ...body, [GUARDRAIL_CONFIG]: guarding },
    headers: withoutUndefined({
      "x-amzn-bedrock-performanceconfig-latency": beside.latency,
      "x-amzn-bedrock-service-tier": beside.serviceTier,
      "x-amzn-bedrock-request-metadata": metadataHeader(marks?.metadata),
    }),
    isStreamed,
  };
  const ask = { messages: [], parameters: {}, invocation };
  const notices = marks?.notices ?? [];
  const whole: Asked = { model: request.id, ask, isStreamed, notices, unknown: [] };
  const { asked } = underGuardrail(whole, beside.guardrail, config);
  return answerCall<InvokedChunk>(service, request, asked, {
    toPieces: (events) => chunksOf(events, headers),
    toFrames: async function* (chunks) {
      for await (const { bytes } of chunks) yield encodeEvent("chunk", { bytes: toBase64(bytes) });
    },
    toFailureFrame: exceptionFrame,
    gather: async (chunks) => {
      const all: Uint8Array[] = [];
      for await (const { bytes } of chunks) all.push(bytes);
      return Buffer.concat(all);
    },
    headers,
    contentType: EVENT_STREAM_TYPE,
    heartbeat: undefined,
  });
}

/** The pieces of an answer in its vendor's words; what was said beside them goes into the headers. */
async function* chunksOf(events: ChatEvents, headers: Record<string, string>): Pieces<InvokedChunk> {
  for await (const event of events) {
    if (event.type !== "chunk") continue;
    Object.assign(headers, event.headers);
    yield event;
  }
}

/** How a dialect tells the answers of one vendor. */
interface VendorForm<Piece> {
  toPieces: (events: ChatEvents) => Pieces<Piece>;
  toEvent: (piece: Piece) => object;
  /** Whether Bedrock adds to it what was used. */
  isLast: (piece: Piece) => boolean;
  gather: (pieces: Pieces<Piece>) => Promise<object>;
}

function formOf<Piece>(
  seen: InvokedBeside,
  { toPieces, toEvent, isLast, gather }: VendorForm<Piece>,
): AnswerForm<Piece> {
  return {
    onEvent: (event) => seen.take(event),
    toPieces,
    toFrames: async function* (pieces) {
      for await (const piece of pieces)
        yield chunkFrame(
          isLast(piece) ? { ...toEvent(piece), ...seen.atEnd(), ...seen.metrics() } : toEvent(piece),
        );
    },
    toFailureFrame: exceptionFrame,
    gather: async (pieces) => ({ ...(await gather(pieces)), ...seen.atEnd() }),
    headers: seen.headers,
    contentType: EVENT_STREAM_TYPE,
    heartbeat: undefined,
  };
}

function chunkFrame(event: object): Uint8Array {
  return encodeEvent("chunk", { bytes: Buffer.from(JSON.stringify(event)).toString("base64") });
}

/** Reads what stands in headers, and what of the guardrail stands in the body. */
async function readHeaders(headers: Headers, guarding: unknown): Promise<Beside> {
  const at = (name: string): string | undefined => headers.get(`x-amzn-bedrock-${name}`) ?? undefined;
  const mode =
    guarding === undefined
      ? undefined
      : new RequestField(guarding, GUARDRAIL_CONFIG).at("streamProcessingMode").given?.text().toLowerCase();
  return {
    guardrail: guardrailOfHeaders(headers, mode),
    latency: at("performanceconfig-latency"),
    serviceTier: at("service-tier"),
    metadata: await readMetadata(at("request-metadata")),
  };
}

/**
 * Marks for the invocation logs, which are JSON in a header
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/cost-mgmt-request-metadata.html). Throws `invalid-request`.
 */
async function readMetadata(text: string | undefined): Promise<Record<string, string> | undefined> {
  if (text === undefined) return undefined;
  const field = new RequestField(text, METADATA);
  return readMarks(new RequestField(await readJson(field, () => parseBoundedExactly(text)), METADATA));
}

const METADATA = "requestMetadata";

/** The same as a header, which has a place for ASCII alone. */
function metadataHeader(metadata: object | undefined): string | undefined {
  if (!metadata) return undefined;
  return JSON.stringify(metadata).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** The parameters that InvokeModel has in headers, beside those of the body. */
function withBeside<Read extends Asked>(asked: Read, { latency, serviceTier, metadata }: Beside): Read {
  const read = (name: "latency" | "serviceTier", text: string | undefined): string | undefined =>
    text === undefined ? undefined : new RequestField(text, name).choice(choicesOf(PARAMETERS[name]));
  const own = withoutUndefined({
    latency: read("latency", latency),
    serviceTier: read("serviceTier", serviceTier),
  });
  const parameters = { ...asked.ask.parameters, ...own };
  return { ...asked, ask: { ...asked.ask, parameters, metadata: metadata ?? asked.ask.metadata } };
}
