import { once } from "../once.ts";
import { request } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import type { AwsCredentialIdentity } from "@smithy/types";
import type { ErrorCode, OpenclawError } from "../errors.ts";
import { withoutUndefined } from "../json.ts";
import { withoutBrackets } from "../loopback.ts";
import { readBytes } from "../read-bytes.ts";
import type { Runtime } from "../runtime.ts";
import type { Chosen } from "./chosen.ts";
import { readExpiry } from "./expiry.ts";
import type { InstanceMetadataSettings } from "./instance-metadata-settings.ts";

/** How long to wait for a connection, and for each answer, in ms. */
const REQUEST_MS = 1000;
/** How long a whole question may take, in ms: a little under the 2 s that a slow service may cost its asker. */
const TOTAL_MS = 1900;
/** Before a question that got a 429 or 5xx is put again, in ms. */
const PAUSE_MS = 100;
/** The longest answer that is read, in bytes: credentials have about 1,500. */
const LONGEST_REPLY = 64 * 1024;
const TOKEN_SECONDS = 21_600;
const ROLE_PATH = "/latest/meta-data/iam/security-credentials/";
const REGION_PATH = "/latest/meta-data/placement/region";

export type ProtocolVersion = "IMDSv2" | "IMDSv1";

/** What the instance metadata service says about this machine's role. */
export type InstanceAnswer =
  | { status: "role"; role: string; version: ProtocolVersion }
  /** An instance to which no role is attached. */
  | { status: "no-role"; version: ProtocolVersion }
  /** Nobody there: this is not EC2, or the way is blocked. */
  | { status: "absent"; reason: string }
  /** The answer with the token does not arrive, as behind a hop limit of 1. */
  | { status: "silent"; reason: string }
  | { status: "refused"; reason: string; statusCode: number }
  | { status: "disabled"; reason: string }
  /** Somebody is there who cannot answer now, or answers what AWS does not: nobody knows whether there is a role. */
  | { status: "failed"; reason: string; code: ErrorCode }
  /** What names the endpoint names none. */
  | { status: "misnamed"; reason: string; error: OpenclawError };

/** What the service hands out for the role: credentials, or why there are none, as the end of a sentence. */
export type RoleAnswer =
  | { status: "credentials"; credentials: AwsCredentialIdentity }
  | { status: "none"; reason: string; code?: ErrorCode; refused?: InstanceAnswer };

const known = new WeakMap<Runtime, Map<string, InstanceMetadata>>();

/** The instance metadata service of a process. What it says is remembered for that process only, never on disk. */
export function instanceMetadata(runtime: Runtime, settings: InstanceMetadataSettings): InstanceMetadata {
  const perEndpoint = known.get(runtime) ?? new Map<string, InstanceMetadata>();
  known.set(runtime, perEndpoint);
  const remembered = perEndpoint.get(settings.endpoint);
  if (remembered) return remembered;
  const fresh = new InstanceMetadata(settings);
  perEndpoint.set(settings.endpoint, fresh);
  return fresh;
}

/** What the instance says where the default chain ends at it; undefined where another source was chosen. */
export async function askChosenInstance(
  { chosen, instanceMetadata: settings }: { chosen: Chosen; instanceMetadata: InstanceMetadataSettings },
  runtime: Runtime,
): Promise<InstanceAnswer | undefined> {
  const isChosen = "step" in chosen && chosen.step === "instance-metadata";
  return isChosen ? instanceMetadata(runtime, settings).answer() : undefined;
}

/** What this process knows of the EC2 instance metadata service. Each question but that for credentials is asked once. */
class InstanceMetadata {
  readonly #settings: InstanceMetadataSettings;
  #token = once(() => askForToken(this.#settings));
  #role = once(() => this.#askForRole());

  constructor(settings: InstanceMetadataSettings) {
    this.#settings = settings;
  }

  /** Never rejects. At most 1 s when nothing answers, at most 2 s in all. */
  answer(): Promise<InstanceAnswer> {
    return this.#role();
  }

  readonly region = once(async (): Promise<string | undefined> => {
    const deadline = performance.now() + TOTAL_MS;
    const access = await this.#token();
    if (access.status !== "open") return undefined;
    const reply = await get(this.#settings.endpoint, REGION_PATH, access, deadline);
    return reply.status === 200 ? reply.body.trim() || undefined : undefined;
  });

  /** The credentials of the role, asked for at each call: they change. Never rejects; at most 2 s. */
  async credentials(): Promise<RoleAnswer> {
    let reply = await this.#askForCredentials();
    if (reply.status === 401 || reply.status === 404) {
      // In a process that runs for long the token has run out, or the role was changed.
      this.#token = once(() => askForToken(this.#settings));
      this.#role = once(() => this.#askForRole());
      reply = await this.#askForCredentials();
    }
    if (reply.status === "none") return reply;
    if (reply.status === "failed") {
      return { status: "none", reason: reply.reason, code: reply.isLate ? "timeout" : "network" };
    }
    if (reply.status === 200) return readCredentials(reply.body);
    const refused = refusal(this.#settings.endpoint, reply.status);
    return {
      status: "none",
      reason: refused.reason,
      ...(refused.status === "failed" ? { code: refused.code } : reply.status === 403 ? { refused } : {}),
    };
  }

  async #askForRole(): Promise<InstanceAnswer> {
    const { endpoint } = this.#settings;
    const deadline = performance.now() + TOTAL_MS;
    const access = await this.#token();
    if (access.status !== "open") return access;
    const { version } = access;
    const reply = await get(endpoint, ROLE_PATH, access, deadline);
    if (reply.status === "failed") {
      const { reason, isLate } = reply;
      if (access.isTokenLost) return { status: "silent", reason };
      return { status: "failed", code: isLate ? "timeout" : "network", reason };
    }
    if (reply.status === 404) return { status: "no-role", version };
    if (access.isTokenLost && reply.status === 401) return lostToken(endpoint);
    if (reply.status !== 200) return refusal(endpoint, reply.status);
    const role = reply.body.split("\n")[0]?.trim() ?? "";
    if (role === "") return { status: "no-role", version };
    // The name of a role, by the IAM API's pattern: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    return /^[\w+=,.@-]{1,128}$/.test(role) ? { status: "role", role, version } : foreign(endpoint);
  }

  async #askForCredentials(): Promise<Reply | Extract<RoleAnswer, { status: "none" }>> {
    const [known, access] = [await this.#role(), await this.#token()];
    if (known.status !== "role" || access.status !== "open") {
      return {
        status: "none",
        reason: "reason" in known ? known.reason : "the instance has no role",
        ...(known.status === "failed" ? { code: known.code } : {}),
      };
    }
    const { endpoint } = this.#settings;
    return get(endpoint, `${ROLE_PATH}${known.role}`, access, performance.now() + TOTAL_MS);
  }
}

/**
 * Reads the credentials of the role, or the code that stands in their place
 * (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html).
 */
function readCredentials(body: string): RoleAnswer {
  const none = (reason: string, code?: ErrorCode): RoleAnswer =>
    withoutUndefined({ status: "none" as const, reason, code });
  let document: Partial<Record<string, unknown>>;
  try {
    document = JSON.parse(body) as Partial<Record<string, unknown>>;
  } catch {
    return none("instance metadata answered with something that is not JSON", "bad-response");
  }
  const { Code, AccessKeyId, SecretAccessKey, Token, Expiration } = document;
  const isWhole = [AccessKeyId, SecretAccessKey, Token].every(
    (part) => typeof part === "string" && part !== "",
  );
  if (!isWhole || (Code !== undefined && Code !== "Success")) {
    return typeof Code === "string" && Code !== "Success"
      ? none(`the role has no credentials: ${Code}`)
      : none("instance metadata answered without credentials", "bad-response");
  }
  return {
    status: "credentials",
    credentials: withoutUndefined({
      accessKeyId: String(AccessKeyId),
      secretAccessKey: String(SecretAccessKey),
      sessionToken: String(Token),
      expiration: readExpiry(Expiration),
    }),
  };
}

interface Access {
  status: "open";
  version: ProtocolVersion;
  token: string | undefined;
  /** Whether a token was asked for and its answer did not arrive. */
  isTokenLost: boolean;
}
type Closed = Exclude<InstanceAnswer, { status: "role" | "no-role" }>;

/** Asks for a token of IMDSv2. Where the service refuses or swallows the question, IMDSv1 is left, if it is allowed. */
async function askForToken(settings: InstanceMetadataSettings): Promise<Access | Closed> {
  const { endpoint } = settings;
  if (settings.isDisabled) {
    return { status: "disabled", reason: "instance metadata is off (AWS_EC2_METADATA_DISABLED)" };
  }
  if (settings.error) {
    return { status: "misnamed", reason: settings.error.message.replace(/\.$/, ""), error: settings.error };
  }
  const reply = await send(endpoint, "/latest/api/token", {
    method: "PUT",
    headers: { "x-aws-ec2-metadata-token-ttl-seconds": String(TOKEN_SECONDS) },
  });
  if (reply.status === 200) {
    // What goes into a header: a page of another server is no token.
    return /^[\x21-\x7E]+$/.test(reply.body.trim())
      ? { status: "open", version: "IMDSv2", token: reply.body.trim(), isTokenLost: false }
      : foreign(endpoint);
  }
  const isTokenLost = reply.status === "failed" && reply.isConnected;
  const mayFallBack = isTokenLost || [403, 404, 405].includes(Number(reply.status));
  if (mayFallBack && settings.allowsVersion1)
    return { status: "open", version: "IMDSv1", token: undefined, isTokenLost };
  if (reply.status !== "failed") return refusal(endpoint, reply.status);
  return { status: reply.isConnected ? "silent" : "absent", reason: reply.reason };
}

/** What an answer other than 200 means, by its status. */
function refusal(endpoint: string, statusCode: number): Extract<Closed, { status: "refused" | "failed" }> {
  const reason = `instance metadata at ${hostOf(endpoint)} answered ${statusCode}`;
  if (statusCode === 429) return { status: "failed", code: "throttled", reason };
  if (statusCode >= 500) return { status: "failed", code: "service-unavailable", reason };
  if (statusCode < 400) return { status: "failed", code: "bad-response", reason };
  return { status: "refused", statusCode, reason };
}

function foreign(endpoint: string): Closed {
  const reason = `instance metadata at ${hostOf(endpoint)} answered with something that is not AWS's`;
  return { status: "failed", code: "bad-response", reason };
}

/** Only the answer to the PUT has a hop limit, and the GET without a token is refused: the way is too long by one hop. */
function lostToken(endpoint: string): Closed {
  return {
    status: "silent",
    reason: `instance metadata at ${hostOf(endpoint)} is there, and the answer with its token does not arrive`,
  };
}

function get(endpoint: string, path: string, access: Access, deadline: number): Promise<Reply> {
  const headers: Record<string, string> =
    access.token === undefined ? {} : { "x-aws-ec2-metadata-token": access.token };
  return send(endpoint, path, { method: "GET", headers, deadline });
}

type Reply =
  | { status: number; body: string }
  | { status: "failed"; isConnected: boolean; isLate: boolean; reason: string };

interface Question {
  method: "GET" | "PUT";
  headers: Record<string, string>;
  /** When an answer is of no use any more, by performance.now(). */
  deadline?: number;
}

/** Sends one request, and once more where the service has no time for it now. Never rejects. */
async function send(endpoint: string, path: string, question: Question): Promise<Reply> {
  const reply = await sendOnce(endpoint, path, question);
  if (reply.status === "failed" || (reply.status !== 429 && reply.status < 500)) return reply;
  await wait(PAUSE_MS);
  return sendOnce(endpoint, path, question);
}

/** Sends one request, bounded to 1 s. Never rejects: that nobody answers is an answer, too. */
function sendOnce(endpoint: string, path: string, question: Question): Promise<Reply> {
  return new Promise((resolve) => {
    const url = new URL(endpoint);
    const host = hostOf(endpoint);
    let isConnected = false;
    let isLate = false;
    const outgoing = request({
      hostname: withoutBrackets(url.hostname),
      port: url.port,
      path,
      method: question.method,
      headers: question.headers,
      agent: false,
    });
    // A timer and no AbortSignal.any: a signal that nothing else holds may be collected, and then never comes.
    const leftMs = Math.max(0, (question.deadline ?? Number.POSITIVE_INFINITY) - performance.now());
    const timer = setTimeout(
      () => {
        isLate = true;
        outgoing.destroy(new Error("late"));
      },
      Math.min(REQUEST_MS, leftMs),
    );
    outgoing.once("close", () => clearTimeout(timer));
    outgoing.on("socket", (socket) => socket.once("connect", () => (isConnected = true)));
    outgoing.on("response", (response) => {
      const tooLong = (): Error => new Error(`answers with more than ${LONGEST_REPLY} bytes`);
      readBytes(response, { most: LONGEST_REPLY, tooLong }).then(
        (body) => resolve({ status: response.statusCode ?? 0, body: body.toString("utf8") }),
        (error) => resolve(failure(error)),
      );
    });
    outgoing.on("error", (error) => resolve(failure(error)));
    outgoing.end();

    function failure(error: NodeJS.ErrnoException): Reply {
      const why = isLate
        ? isConnected
          ? "is there but does not answer in time"
          : "cannot be reached (no connection within 1 s)"
        : `cannot be reached (${error.code ?? error.message})`;
      return { status: "failed", isConnected, isLate, reason: `instance metadata at ${host} ${why}` };
    }
  });
}

function hostOf(endpoint: string): string {
  return new URL(endpoint).host;
}
