import { randomUUID } from "node:crypto";
import { textAt } from "../json.ts";
import { foreignHostIn, isLoopback, withoutBrackets } from "../loopback.ts";
import { authenticate, type SecretKey } from "./authenticate.ts";
import { AwsError } from "./aws-error.ts";
import { Catalogue } from "./catalogue.ts";
import { CallCounter } from "./cloudwatch.ts";
import type { Dialogue } from "./dialogue.ts";
import { toErrorReply } from "./error-reply.ts";
import { AccountGates, type EmulatedGate } from "./gates.ts";
import { EVENT_STREAM } from "./framing.ts";
import { GUARDRAILS, type EmulatedGuardrail } from "./guardrails.ts";
import { InstanceMetadataService, type InstanceMetadata } from "./instance-metadata.ts";
import { JobBook } from "./jobs/job.ts";
import { listen, type Exchange } from "./listener.ts";
import { MANTLE_MODELS, type MantleModel } from "./mantle.ts";
import { MODELS, PROFILES, WITH_REVIEWED, type EmulatedModel, type EmulatedProfile } from "./models.ts";
import { type OperationContext, regionOf, type Reply, type Upstream } from "./operation-context.ts";
import { requiredPermissions } from "./permissions.ts";
import { receiveCall, type ReceivedCall } from "./receive-call.ts";
import type { RecordedCall } from "./recorded-call.ts";
import type { Script, ScriptedAnswer } from "./script.ts";
import { QuotaGate } from "./quota-gate.ts";
import type { MinuteLimits, QuotaValues } from "./service-quotas.ts";
import { Buckets, FIRST_BUCKET } from "./storage/buckets.ts";
import { bucketInHost } from "./storage/storage-address.ts";
import { breakOff, waitFor, writeContent, writeSteps } from "./stream-writer.ts";

export { emulatedEnvironment, variablesOfClients } from "./environment.ts";
export type { Dialogue } from "./dialogue.ts";
export type { EmulatedGate } from "./gates.ts";
export type { Upstream } from "./operation-context.ts";
export type { Permission, RecordedCall } from "./recorded-call.ts";
export type { ScriptedAnswer, StreamStep } from "./script.ts";
export type { MinuteLimit } from "./service-quotas.ts";

/** The account that every ARN of the emulator names: AWS's own example account. */
const EMULATED_ACCOUNT = "123456789012";

export interface EmulatorOptions {
  /** 0, the default, takes any free port. */
  port?: number | undefined;
  /** Default 127.0.0.1. */
  host?: string;
  /** Pause between two deltas of a made-up answer, in ms. Default 0. */
  delayMs?: number;
  /** More key pairs than the emulator's own, by access key id. */
  accessKeys?: Readonly<Record<string, SecretKey>>;
  /** More bearer tokens than the emulator's own. */
  bearerTokens?: readonly string[];
  /** Region of the lists for callers with a bearer token, which names none. Default us-east-1. */
  region?: string;
  models?: readonly EmulatedModel[];
  profiles?: readonly EmulatedProfile[];
  /** What is closed to the account at the start. With `retention` models that need it are listed, too. */
  closedGates?: readonly EmulatedGate[];
  guardrails?: readonly EmulatedGuardrail[];
  /** The models of the endpoint `bedrock-mantle`. */
  mantleModels?: readonly MantleModel[];
  /** Asked about each call before it is answered; what it says goes before credentials and everything else. */
  script?: Script;
  /** What the models say in place of made-up answers. */
  dialogue?: Dialogue | undefined;
  /** The EC2 instance behind the metadata service; `role: undefined` is one without a role. */
  imds?: Partial<InstanceMetadata>;
  /** Values of the account's quotas that are others than the emulator's own, by their names in Service Quotas. */
  quotas?: QuotaValues;
  /** What is enforced of the quotas of a minute, in any region. Nothing is unless it is named here. */
  limits?: Partial<MinuteLimits>;
  /** How long a model invocation job takes, in seconds. Default 10. */
  jobSeconds?: number;
  /** The fewest records that such a job may have. Default 100. */
  leastRecords?: number;
  /** Told about each call when the headers of its answer are sent. */
  onAnswer?: (call: RecordedCall) => void;
  /** The real model that answers Converse and ConverseStream, in place of made-up answers. Closed with the emulator. */
  upstream?: Upstream | undefined;
  /** Milliseconds since 1970, against which signatures are checked and minutes are measured. */
  now?: () => number;
  /** Whether it answers under every name, as behind a proxy that leads AWS's names here. Otherwise this machine's own. */
  answersAnyHost?: boolean;
  /** Whether `calls` grows with every request. Default true. */
  remembersCalls?: boolean;
}

export interface Emulator {
  readonly url: string;
  readonly port: number;
  /** A key pair that this emulator takes, and no other service. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly bearerToken: string;
  /** A bucket of Amazon S3 that is there from the start, and a role that jobs can take. */
  readonly bucket: string;
  readonly roleArn: string;
  /** Every request that was received whole, in order. */
  readonly calls: RecordedCall[];
  /** Ends every connection. Rejects with the first bug of the emulator or its script, if there was one. */
  stop(): Promise<void>;
}

const ACCESS_KEY_ID = "AKIAEMULATOR0EXAMPLE";
const SECRET_ACCESS_KEY = "openclaw/emulator/secret/for/no/AWS/call";
const BEARER_TOKEN = "ABSKopenclaw-emulator-bearer-token-for-no-AWS-call";

const INSTANCE: InstanceMetadata = {
  role: "EC2-Bedrock-Access",
  region: "us-east-1",
  accessKeyId: "ASIAEMULATORROLE0001",
  secretAccessKey: "openclaw/emulator/secret/of/instance/role",
  sessionToken: "openclaw-emulator-session-token-of-the-instance-role",
  lifetimeSeconds: 6 * 60 * 60,
};

/**
 * Starts a simulated Bedrock on one loopback port, for HTTP/1.1 and HTTP/2 without TLS, with STS's GetCallerIdentity
 * and the EC2 instance metadata service beside it. Rejects with Node's system error when the port cannot be had.
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const host = options.host ?? "127.0.0.1";
  const routeCounts = new Map<string, number>();
  const countRoute = (name: string): number => {
    const count = (routeCounts.get(name) ?? 0) + 1;
    routeCounts.set(name, count);
    return count;
  };
  const context = contextFor(options, countRoute);
  const calls: RecordedCall[] = [];
  const bugs: unknown[] = [];
  const onCall = (call: RecordedCall): void => {
    if (options.remembersCalls !== false) calls.push(call);
  };
  const answer = async (exchange: Exchange): Promise<void> => {
    try {
      const received = await receive(exchange, countRoute, options, context.now);
      if (received) await answerCall(received, exchange, options, { context, onCall });
    } catch (error) {
      if (error === exchange.signal.reason) return;
      bugs.push(error);
      exchange.breakOff("close");
    }
  };
  const listener = await listen(host, options.port ?? 0, (exchange) => void answer(exchange));
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${listener.port}`,
    port: listener.port,
    accessKeyId: ACCESS_KEY_ID,
    secretAccessKey: SECRET_ACCESS_KEY,
    bearerToken: BEARER_TOKEN,
    bucket: FIRST_BUCKET,
    roleArn: `arn:aws:iam::${EMULATED_ACCOUNT}:role/openclaw-emulator`,
    calls,
    stop: async () => {
      await listener.close();
      try {
        await context.jobBook.close();
      } finally {
        await context.buckets.disk.close();
      }
      options.upstream?.close();
      if (bugs.length > 0) throw bugs[0];
    },
  };
}

function contextFor(options: EmulatorOptions, countRoute: (name: string) => number): OperationContext {
  const { now = Date.now, closedGates = [] } = options;
  const instance: InstanceMetadata = { ...INSTANCE, ...options.imds };
  const listed = closedGates.includes("retention") ? WITH_REVIEWED : { models: MODELS, profiles: PROFILES };
  const account = {
    id: EMULATED_ACCOUNT,
    models: options.models ?? listed.models,
    profiles: options.profiles ?? listed.profiles,
    gates: new AccountGates(closedGates),
    guardrails: options.guardrails ?? GUARDRAILS,
    mantleModels: options.mantleModels ?? MANTLE_MODELS,
  };
  const quotas = {
    bearerRegion: options.region ?? "us-east-1",
    quotas: options.quotas ?? {},
    limits: { tokens: [], requests: [], ...options.limits },
  };
  return {
    known: {
      accessKeys: new Map<string, SecretKey>([
        [ACCESS_KEY_ID, { secretAccessKey: SECRET_ACCESS_KEY }],
        [instance.accessKeyId, instance],
        ...Object.entries(options.accessKeys ?? {}),
      ]),
      bearerTokens: [BEARER_TOKEN, ...(options.bearerTokens ?? [])],
    },
    account,
    instanceMetadata: new InstanceMetadataService(instance, now),
    delayMs: options.delayMs ?? 0,
    now,
    ...quotas,
    gate: new QuotaGate({ ...quotas, account, now }),
    counter: new CallCounter(),
    upstream: options.upstream,
    dialogue: options.dialogue,
    buckets: new Buckets(now()),
    jobBook: new JobBook(),
    jobSeconds: options.jobSeconds ?? 10,
    leastRecords: options.leastRecords ?? 100,
    faultOf: (step, call) => {
      const scripted = options.script?.({ ...call, route: step, nth: countRoute(step) });
      return scripted && "error" in scripted ? scripted.error : undefined;
    },
  };
}

/** Answers a call as the script says, or else as the service would. Throws for bugs, and when the caller has gone. */
async function answerCall(
  received: ReceivedCall,
  exchange: Exchange,
  { script, onAnswer }: EmulatorOptions,
  { context, onCall }: { context: OperationContext; onCall: (call: RecordedCall) => void },
): Promise<void> {
  const { call, route } = received;
  const catalogue = new Catalogue(context.account, regionOf(call, context));
  call.permissions = requiredPermissions(route.needs, call, catalogue);
  onCall(call);
  const scripted = script?.(call);
  if (scripted?.after !== undefined) await waitFor(scripted.after, exchange);
  if (scripted !== undefined && "drop" in scripted) return breakOff(exchange, scripted.drop);
  const own = (scripted && toReply(scripted, received)) ?? (await decide(received, context, exchange.signal));
  // An upstream takes its time, and the caller may not have waited.
  exchange.signal.throwIfAborted();
  const alter = scripted && "alter" in scripted ? scripted.alter : undefined;
  const { framing = EVENT_STREAM } = route;
  const reply = alter && "stream" in own ? { ...own, stream: alter(own.stream, framing) } : own;
  call.status = "stream" in reply ? 200 : reply.status;
  if (call.status === 429) countThrottled(call, context);
  onAnswer?.(call);
  await send(
    exchange,
    { callId: call.requestId, time: context.now(), service: route.service },
    reply,
    framing,
  );
}

/** What gives a page in a browser away: another name than this machine's own, or its origin. Undefined for any other. */
function strangerIn(request: Exchange["request"]): string | undefined {
  const origin = request.headers["origin"];
  if (
    typeof origin === "string" &&
    !(URL.canParse(origin) && isLoopback(withoutBrackets(new URL(origin).hostname)))
  ) {
    return `pages of '${origin.slice(0, 200)}'`;
  }
  const host = foreignHostIn(request);
  // A bucket of Amazon S3 by its name; names below localhost are this machine's (RFC 6761, section 6.3).
  const isBucket = host?.toLowerCase().replace(/:\d*$/, "").endsWith(".localhost") && bucketInHost(host);
  return host === undefined || isBucket ? undefined : `'${host.slice(0, 200)}'`;
}

/** A request that was read whole; undefined when there is nobody left to answer, or it was answered already. */
async function receive(
  exchange: Exchange,
  countRoute: (name: string) => number,
  { answersAnyHost = false, upstream }: EmulatorOptions,
  now: () => number,
): Promise<ReceivedCall | undefined> {
  try {
    const stranger = answersAnyHost ? undefined : strangerIn(exchange.request);
    if (stranger !== undefined) {
      const message = `The emulator answers to localhost only, and not to ${stranger}.`;
      throw new AwsError("AccessDeniedException", message);
    }
    return await receiveCall(exchange, countRoute, upstream !== undefined);
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    await send(
      exchange,
      { callId: randomUUID(), time: now(), service: "bedrock" },
      toErrorReply(error, { service: "bedrock" }, ""),
    );
    return undefined;
  }
}

type SendableReply = Reply & {
  readonly headers?: Readonly<Record<string, string>>;
  /** It is not AWS's, so it has nothing of AWS about it. */
  readonly isForeign?: boolean;
};

/** What the service itself would answer: first the credentials, then the operation. */
async function decide(
  { call, route, parts, refusal }: ReceivedCall,
  context: OperationContext,
  signal: AbortSignal,
): Promise<SendableReply> {
  try {
    // Amazon S3 looks at its own, since what is signed goes on in the body.
    if (route.service !== "imds" && route.service !== "none" && route.service !== "s3") {
      await authenticate(call, parts, context.known, route.service, context.now());
    }
    if (refusal) throw refusal;
    return await route.answer(call, context, signal);
  } catch (error) {
    if (error instanceof AwsError) return toErrorReply(error, route, call.requestId);
    throw error;
  }
}

function countThrottled({ parameters, body }: RecordedCall, { counter, now }: OperationContext): void {
  const modelId = parameters["modelId"] ?? textAt(body, "model");
  if (modelId === undefined) return;
  counter.add({ time: now(), modelId, inputTokens: 0, outputTokens: 0, burndown: 1, isThrottled: true });
}

/** A scripted answer in the form of a reply; undefined when it leaves the answer to the emulator. */
function toReply(scripted: ScriptedAnswer, { call, route }: ReceivedCall): SendableReply | undefined {
  if ("http" in scripted) {
    const { status, headers = {}, body = "" } = scripted.http;
    if (typeof body === "string" || body instanceof Uint8Array)
      return { status, headers, body, isForeign: true };
    const type = { "content-type": "application/json" };
    return { status, headers: { ...type, ...headers }, body: JSON.stringify(body), isForeign: true };
  }
  if ("error" in scripted) {
    const { name, message, status, headers } = scripted.error;
    const reply = toErrorReply(new AwsError(name, message, status), route, call.requestId);
    return { ...reply, headers: { ...reply.headers, ...headers } };
  }
  if ("stream" in scripted) return { stream: scripted.stream, headers: scripted.headers ?? {} };
  return undefined;
}

/** What the head of an answer has besides what the answer itself says. */
interface Origin {
  callId: string;
  /** The clock of the service, in ms since 1970. */
  time: number;
  service: string;
}

async function send(
  exchange: Exchange,
  { callId, time, service }: Origin,
  reply: SendableReply,
  framing = EVENT_STREAM,
): Promise<void> {
  const { response } = exchange;
  const date = { date: new Date(time).toUTCString() };
  const idHeader = service === "s3" ? "x-amz-request-id" : "x-amzn-requestid";
  const requestId = reply.isForeign ? date : { ...date, [idHeader]: callId };
  if ("stream" in reply) {
    response.writeHead(200, {
      ...requestId,
      "content-type": framing.contentType,
      ...reply.headers,
    });
    return writeSteps(exchange, reply.stream, framing);
  }
  if ("content" in reply) {
    response.writeHead(reply.status, { ...requestId, ...reply.headers });
    return writeContent(exchange, reply.content);
  }
  const length = typeof reply.body === "string" ? Buffer.byteLength(reply.body) : reply.body.length;
  const size = reply.status === 204 ? {} : { "content-length": String(length) };
  response.writeHead(reply.status, { ...requestId, ...size, ...reply.headers });
  response.end(reply.body);
}
