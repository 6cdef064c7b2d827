import { randomBytes } from "node:crypto";
import type { PlainReply } from "./aws-error.ts";
import type { RecordedCall } from "./recorded-call.ts";

export interface InstanceMetadata {
  /** Name of the attached role; undefined for an instance without one. */
  role: string | undefined;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
  /** How long the credentials say they last, in seconds. */
  lifetimeSeconds: number;
}

/** The longest life of a session token, six hours: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ */
const MOST_TTL_SECONDS = 21600;

/** The instance metadata service, version 2 only: each read needs a session token got by PUT before. */
export class InstanceMetadataService {
  readonly instance: InstanceMetadata;
  readonly #now: () => number;
  /** Session tokens and when they end, in ms since 1970. */
  readonly #tokens = new Map<string, number>();

  constructor(instance: InstanceMetadata, now: () => number) {
    this.instance = instance;
    this.#now = now;
  }

  issueToken(call: RecordedCall): PlainReply {
    const seconds = Number(call.headers["x-aws-ec2-metadata-token-ttl-seconds"] ?? "");
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > MOST_TTL_SECONDS)
      return page(400, "Bad Request");
    const token = randomBytes(42).toString("base64url");
    this.#tokens.set(token, this.#now() + seconds * 1000);
    return {
      status: 200,
      headers: { "content-type": "text/plain", "x-aws-ec2-metadata-token-ttl-seconds": String(seconds) },
      body: token,
    };
  }

  /** Answers a read of what `tell` says about the instance; there is no such page where it says undefined. */
  read(call: RecordedCall, tell: (instance: InstanceMetadata) => string | undefined): PlainReply {
    const ends = this.#tokens.get(call.headers["x-aws-ec2-metadata-token"] ?? "");
    if (ends === undefined || ends <= this.#now()) return page(401, "Unauthorized");
    const body = tell(this.instance);
    return body === undefined
      ? page(404, "Not Found")
      : { status: 200, headers: { "content-type": "text/plain" }, body };
  }

  /** The credentials of a role, as JSON; undefined when the instance has another or none. */
  credentialsOf(role: string | undefined): string | undefined {
    const { accessKeyId, secretAccessKey, sessionToken, lifetimeSeconds } = this.instance;
    if (role === undefined || role !== this.instance.role) return undefined;
    const document = {
      Code: "Success",
      LastUpdated: toIso(this.#now()),
      Type: "AWS-HMAC",
      AccessKeyId: accessKeyId,
      SecretAccessKey: secretAccessKey,
      Token: sessionToken,
      Expiration: toIso(this.#now() + lifetimeSeconds * 1000),
    };
    return JSON.stringify(document, undefined, 2);
  }
}

function toIso(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

function page(status: number, title: string): PlainReply {
  return {
    status,
    headers: { "content-type": "text/html" },
    body: `<?xml version="1.0" encoding="iso-8859-1"?>\n<html><head><title>${status} - ${title}</title></head><body><h1>${status} - ${title}</h1></body></html>\n`,
  };
}
