import { isRecord } from "../json.ts";
import { toJson } from "../json-numbers.ts";
import type { KnownCredentials } from "./authenticate.ts";
import type { PlainReply } from "./aws-error.ts";
import type { Account } from "./catalogue.ts";
import type { CallCounter } from "./cloudwatch.ts";
import type { Dialogue } from "./dialogue.ts";
import type { InstanceMetadataService } from "./instance-metadata.ts";
import type { JobBook } from "./jobs/job.ts";
import type { RecordedCall } from "./recorded-call.ts";
import type { StreamSteps } from "./script.ts";
import type { QuotaGate } from "./quota-gate.ts";
import type { MinuteLimits, QuotaValues } from "./service-quotas.ts";
import type { Buckets } from "./storage/buckets.ts";

/** A real model that answers Converse calls in the emulator's place. The bodies it gets are such as Bedrock takes. */
export interface Upstream {
  /** The body of Converse's answer. Rejects with `AwsError`. */
  converse(body: unknown, modelId: string, signal: AbortSignal): Promise<object>;
  /** The events of ConverseStream's answer, once the model has said something. Rejects with `AwsError` before that. */
  converseStream(body: unknown, modelId: string, signal: AbortSignal): Promise<StreamSteps>;
  close(): void;
}

export interface OperationContext {
  readonly known: KnownCredentials;
  readonly account: Account;
  readonly instanceMetadata: InstanceMetadataService;
  /** Region of the lists for a caller with a bearer token, which names none. */
  readonly bearerRegion: string;
  /** Pause between two deltas, in ms. */
  readonly delayMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Values of quotas that are others than the emulator's own. */
  readonly quotas: QuotaValues;
  /** What is enforced of them. */
  readonly limits: MinuteLimits;
  readonly gate: QuotaGate;
  /** What its models were called with. */
  readonly counter: CallCounter;
  /** The real model that answers Converse calls; none where answers are made up. */
  readonly upstream: Upstream | undefined;
  /** What its models say in place of made-up answers. */
  readonly dialogue: Dialogue | undefined;
  readonly buckets: Buckets;
  readonly jobBook: JobBook;
  /** How long a job takes from its submission to its end, in seconds. */
  readonly jobSeconds: number;
  /** The fewest records that a job may have. */
  readonly leastRecords: number;
  /** The error that a step of a job, which is no call, is to fail with; undefined where it is not. */
  readonly faultOf: (
    step: string,
    call: RecordedCall,
  ) => { readonly name: string; readonly message: string; readonly status?: number } | undefined;
}

/** Bytes that are read as they are sent. Their length is in the headers. */
export type ContentReply = Omit<PlainReply, "body"> & { readonly content: AsyncIterable<Uint8Array> };

/** What an operation answers with: at once, as a stream of events, or as bytes. */
export type Reply =
  | PlainReply
  | { readonly stream: StreamSteps; readonly headers?: PlainReply["headers"] }
  | ContentReply;

/** The region that a call is for: the one that it is signed for, and of a bearer token, which names none, the one for those. */
export function regionOf(
  { region }: Pick<RecordedCall, "region">,
  { bearerRegion }: Pick<OperationContext, "bearerRegion">,
): string {
  return region ?? bearerRegion;
}

/** The model that the path of a call names. */
export function modelIdOf({ parameters }: RecordedCall): string {
  return parameters["modelId"] ?? "";
}

/** A member of what a call sent; undefined where there is none. */
export function fieldOf(holder: unknown, name: string): unknown {
  return isRecord(holder) ? holder[name] : undefined;
}

/** An answer of JSON. */
export function json(body: object, status = 200): PlainReply {
  return { status, headers: { "content-type": "application/json" }, body: toJson(body) };
}
