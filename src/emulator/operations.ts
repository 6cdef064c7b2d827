import { AwsError, escapeXml, type PlainReply } from "./aws-error.ts";
import {
  getFoundationModel,
  getInferenceProfile,
  getModelAvailability,
  listFoundationModels,
  listInferenceProfiles,
  partitionOf,
  resolveModel,
  type Catalogue,
} from "./catalogue.ts";
import { answerSteps, converseResponse } from "./converse.ts";
import { readConverseRequest } from "./converse-request.ts";
import { countTokens } from "./count-tokens.ts";
import type { InstanceMetadata, InstanceMetadataService } from "./instance-metadata.ts";
import type { EmulatedModel } from "./models.ts";
import type { RecordedCall } from "./recorded-call.ts";
import type { StreamSteps } from "./script.ts";
import { simulateAnswer, type SimulatedAnswer } from "./simulated-answer.ts";
import type { Upstream } from "./upstream.ts";

/** What a made-up answer depends on besides the call. */
export interface OperationContext {
  readonly catalogue: Catalogue;
  readonly instance: InstanceMetadata;
  readonly instanceMetadata: InstanceMetadataService;
  /** Region of the lists for a caller with a bearer token, which names none. */
  readonly bearerRegion: string;
  /** Pause between two deltas, in ms. */
  readonly delayMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The real model that answers Converse calls; none where answers are made up. */
  readonly upstream: Upstream | undefined;
}

export type Reply = PlainReply | { readonly stream: StreamSteps };

/**
 * Answers a call whose credentials are good; the signal is aborted when the caller leaves. Throws `AwsError`, or rejects
 * with it, for what AWS would refuse.
 */
export function performOperation(
  call: RecordedCall,
  service: string,
  context: OperationContext,
  signal: AbortSignal,
): Reply | Promise<Reply> {
  const { catalogue } = context;
  const region = call.region ?? context.bearerRegion;
  const identifier = call.parameters["identifier"] ?? "";
  switch (call.route) {
    case "ListFoundationModels":
      return json(listFoundationModels(catalogue, region, call.query));
    case "GetFoundationModel":
      return json(getFoundationModel(catalogue, region, identifier));
    case "GetFoundationModelAvailability":
      return json(getModelAvailability(catalogue, region, identifier));
    case "GetUseCaseForModelAccess":
      return json({
        formData: Buffer.from('{"note":"simulated by the openclaw emulator"}').toString("base64"),
      });
    case "ListInferenceProfiles":
      return json(listInferenceProfiles(catalogue, region, call.query));
    case "GetInferenceProfile":
      return json(getInferenceProfile(catalogue, region, identifier));
    case "Converse":
      return context.upstream ? converseUpstream(call, context.upstream, signal) : converse(call, context);
    case "ConverseStream":
      return context.upstream
        ? streamUpstream(call, context.upstream, signal)
        : converseStream(call, context);
    case "CountTokens":
      return json(countTokens(catalogue, call.region, call.parameters["modelId"] ?? "", call.body));
    case "GetCallerIdentity":
      return callerIdentity(call, context);
    default:
      if (service === "imds") return context.instanceMetadata.answer(call);
      if (service === "sts") {
        throw new AwsError("InvalidAction", `Could not find operation ${call.route} for version 2011-06-15`);
      }
      throw new AwsError("UnknownOperationException", `There is no operation at ${call.method} ${call.path}`);
  }
}

function converse(call: RecordedCall, context: OperationContext): Reply {
  const started = context.now();
  return json(converseResponse(answerConversation(call, context), context.now() - started));
}

function converseStream(call: RecordedCall, context: OperationContext): Reply {
  const started = context.now();
  const answer = answerConversation(call, context, (model) => model.responseStreamingSupported === true);
  const elapsed = (): number => context.now() - started;
  return { stream: answerSteps(answer, { delayMs: context.delayMs, elapsed }) };
}

async function converseUpstream(call: RecordedCall, upstream: Upstream, signal: AbortSignal): Promise<Reply> {
  return json(await upstream.converse(call.body, call.parameters["modelId"] ?? "", signal));
}

async function streamUpstream(call: RecordedCall, upstream: Upstream, signal: AbortSignal): Promise<Reply> {
  return { stream: await upstream.converseStream(call.body, call.parameters["modelId"] ?? "", signal) };
}

function answerConversation(
  call: RecordedCall,
  { catalogue }: OperationContext,
  canAnswer: (model: EmulatedModel) => boolean = () => true,
): SimulatedAnswer {
  const { model } = resolveModel(catalogue, call.region, call.parameters["modelId"] ?? "");
  const isChatModel =
    model.canConverse !== false &&
    model.inputModalities.includes("TEXT") &&
    model.outputModalities.includes("TEXT");
  if (!isChatModel || !canAnswer(model)) {
    throw new AwsError(
      "ValidationException",
      "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
    );
  }
  return simulateAnswer(readConverseRequest(call.body, model), model);
}

/** Who signed: the role of the instance, some other session, or a user. */
function callerIdentity(call: RecordedCall, { catalogue: { account }, instance }: OperationContext): Reply {
  const isInstance = call.accessKeyId === instance.accessKeyId;
  const isSession = isInstance || call.headers["x-amz-security-token"] !== undefined;
  const session = isInstance ? "i-0e0e0e0e0e0e0e0e0" : "session";
  const resource = isSession
    ? `sts::${account}:assumed-role/${(isInstance ? instance.role : undefined) ?? "openclaw-emulator"}/${session}`
    : `iam::${account}:user/openclaw-emulator`;
  const arn = `arn:${partitionOf(call.region ?? "")}:${resource}`;
  const userId = isSession ? `AROAEMULATOREXAMPLE00:${session}` : "AIDAEMULATOREXAMPLE00";
  return {
    status: 200,
    headers: { "content-type": "text/xml" },
    body:
      `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
      `<Arn>${escapeXml(arn)}</Arn><UserId>${userId}</UserId><Account>${account}</Account>` +
      `</GetCallerIdentityResult><ResponseMetadata><RequestId>${call.requestId}</RequestId></ResponseMetadata>` +
      `</GetCallerIdentityResponse>\n`,
  };
}

function json(body: object): PlainReply {
  return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
