import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { createHash, timingSafeEqual } from "node:crypto";
import { AwsError } from "./aws-error.ts";
import type { RecordedCall } from "./recorded-call.ts";

export interface SecretKey {
  secretAccessKey: string;
  /** Temporary credentials are worth nothing without it. */
  sessionToken?: string;
}

export interface KnownCredentials {
  accessKeys: ReadonlyMap<string, SecretKey>;
  bearerTokens: readonly string[];
}

/** What a signature covers besides what is recorded of a call. */
export interface SignedParts {
  /** Without the question mark. */
  queryText: string;
  /** Undefined where it is read, and compared with what the signature says of it, later. */
  body: Uint8Array | undefined;
}

/** What an `AWS4-HMAC-SHA256` Authorization header says. */
interface SignatureClaim {
  accessKeyId: string;
  /** `YYYYMMDD`. */
  date: string;
  region: string;
  service: string;
  signedHeaders: readonly string[];
  signature: string;
}

/** What the Authorization header claims, before anything is checked: one of the two, or nothing that can be read. */
interface Claim {
  readonly signature?: SignatureClaim | undefined;
  readonly bearerToken?: string | undefined;
}

/** AWS refuses signatures older or newer than this, in minutes; Amazon S3 has its own bound. */
const ALLOWED_SKEW_MINUTES = 5;
const STORAGE_SKEW_MINUTES = 15;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([0-9a-f]{64})\s*$/;

/**
 * What opens the door: the Authorization header, or on Anthropic's paths the key that its clients send in a header of its own
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-messages-api.html).
 */
export function authorizationOf({
  path,
  headers,
}: Pick<RecordedCall, "path" | "headers">): string | undefined {
  const key = path.startsWith("/anthropic/") ? headers["x-api-key"] : undefined;
  return headers["authorization"] ?? (key === undefined ? undefined : `Bearer ${key}`);
}

/** Reads an authorization without judging it. */
export function readClaim(authorization = ""): Claim {
  const bearerToken = /^Bearer\s+(.+)$/i.exec(authorization)?.[1];
  return bearerToken === undefined ? { signature: parseSignature(authorization) } : { bearerToken };
}

function parseSignature(authorization: string): SignatureClaim | undefined {
  const match = AUTHORIZATION.exec(authorization);
  if (match === null) return undefined;
  const [, accessKeyId = "", date = "", region = "", service = "", signedHeaders = "", signature = ""] =
    match;
  return { accessKeyId, date, region, service, signedHeaders: signedHeaders.split(";"), signature };
}

/** A signature that holds, for what else is signed behind it. */
export interface VerifiedSignature {
  secretAccessKey: string;
  /** As in `x-amz-date`. */
  date: string;
  region: string;
  /** The signature itself, from which that of the first chunk behind it follows. */
  seed: string;
}

/**
 * Checks the credentials of a call as AWS does. `service` is the one that the call is for, `now` is in ms since 1970.
 * Resolves with the signature, of a bearer token with undefined. Throws `AwsError` with AWS's name, status and words.
 */
export async function authenticate(
  call: RecordedCall,
  parts: SignedParts,
  known: KnownCredentials,
  service: string,
  now: number,
): Promise<VerifiedSignature | undefined> {
  const authorization = authorizationOf(call);
  const { signature: claim, bearerToken } = readClaim(authorization);
  if (authorization === undefined) {
    throw new AwsError("MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  if (bearerToken !== undefined && service !== "sts" && service !== "s3") {
    if (known.bearerTokens.some((token) => isSame(token, bearerToken))) return undefined;
    throw new AwsError(
      "AccessDeniedException",
      "Authentication failed: Please make sure your API Key is valid.",
    );
  }
  if (claim === undefined) {
    throw new AwsError(
      "IncompleteSignatureException",
      "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
        "Authorization header requires 'SignedHeaders' parameter.",
    );
  }
  const key = known.accessKeys.get(claim.accessKeyId);
  const sessionToken = call.headers["x-amz-security-token"];
  if (key === undefined || !isSame(key.sessionToken ?? "", sessionToken ?? "")) {
    throw new AwsError(
      "UnrecognizedClientException",
      "The security token included in the request is invalid.",
    );
  }
  await verifySignature(call, parts, claim, key.secretAccessKey, service, now);
  return {
    secretAccessKey: key.secretAccessKey,
    date: call.headers["x-amz-date"] ?? "",
    region: claim.region,
    seed: claim.signature,
  };
}

/** Signs the request again with the secret that belongs to the key and compares. */
async function verifySignature(
  { method, path, headers }: RecordedCall,
  { queryText, body }: SignedParts,
  claim: SignatureClaim,
  secretAccessKey: string,
  service: string,
  now: number,
): Promise<void> {
  const isStorage = service === "s3";
  const minutes = isStorage ? STORAGE_SKEW_MINUTES : ALLOWED_SKEW_MINUTES;
  const signingDate = checkDate(headers["x-amz-date"], claim.date, { now, minutes });
  // Mantle lets in what is signed for the runtime: https://github.com/BerriAI/litellm/issues/29463
  const isNeighbor = service === "bedrock-mantle" && claim.service === "bedrock";
  if (claim.service !== service && !isNeighbor) {
    throw invalidSignature(`Credential should be scoped to correct service: '${service}'.`);
  }
  const declaredHash = headers["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD";
  const isBodySame =
    body === undefined ||
    declaredHash === "UNSIGNED-PAYLOAD" ||
    declaredHash === createHash("sha256").update(body).digest("hex");
  const signer = new SignatureV4({
    credentials: { accessKeyId: claim.accessKeyId, secretAccessKey },
    region: claim.region,
    service: claim.service,
    sha256: Sha256,
    applyChecksum: false,
    // Paths of Amazon S3 are encoded once, and as they are.
    uriEscapePath: !isStorage,
  });
  // Some HTTP/2 clients sign `:authority`, some sign `host` and send only the other: both name the same thing.
  const sent: NodeJS.Dict<string> = {
    host: headers[":authority"],
    ":authority": headers["host"],
    ...headers,
  };
  const query: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(queryText)) (query[name] ??= []).push(value);
  const signed = await signer.sign(
    {
      method,
      protocol: "http:",
      hostname: "",
      path: isStorage ? encodedOnce(path) : path,
      query,
      headers: Object.fromEntries(
        claim.signedHeaders.flatMap((name) => (sent[name] === undefined ? [] : [[name, sent[name]]])),
      ),
      body,
    },
    { signingDate, signableHeaders: new Set(claim.signedHeaders) },
  );
  const expected = parseSignature(signed.headers["authorization"] ?? "");
  // A header that was to be signed and did not come is not among those that are signed here.
  const isSigned = expected?.signedHeaders.join(";") === claim.signedHeaders.join(";");
  if (isBodySame && isSigned && isSame(expected.signature, claim.signature)) return;
  throw invalidSignature(
    "The request signature we calculated does not match the signature you provided. " +
      "Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
  );
}

/** The path as S3 signs it, however a client has encoded it. A broken escape stays as it is. */
function encodedOnce(path: string): string {
  const encode = (character: string): string => `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
  try {
    return path
      .split("/")
      .map((part) => encodeURIComponent(decodeURIComponent(part)).replace(/[!'()*]/g, encode))
      .join("/");
  } catch (error) {
    if (error instanceof URIError) return path;
    throw error;
  }
}

function isSame(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function checkDate(
  amzDate = "",
  scopeDate: string,
  { now, minutes }: { now: number; minutes: number },
): Date {
  const signedAt = new Date(
    amzDate.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"),
  );
  if (Number.isNaN(signedAt.getTime()) || toAmzDate(signedAt) !== amzDate) {
    throw new AwsError(
      "IncompleteSignatureException",
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
    );
  }
  if (!amzDate.startsWith(scopeDate)) {
    throw invalidSignature(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ` +
        `'${scopeDate}' != '${amzDate.slice(0, 8)}', from '${amzDate}'.`,
    );
  }
  const allowed = minutes * 60 * 1000;
  const [earliest, latest] = [now - allowed, now + allowed];
  if (signedAt.getTime() < Math.floor(earliest / 1000) * 1000) {
    throw invalidSignature(
      `Signature expired: ${amzDate} is now earlier than ${toAmzDate(earliest)} (${toAmzDate(now)} - ${minutes} min.)`,
    );
  }
  if (signedAt.getTime() > latest) {
    throw invalidSignature(
      `Signature not yet current: ${amzDate} is still later than ${toAmzDate(latest)} (${toAmzDate(now)} + ${minutes} min.)`,
    );
  }
  return signedAt;
}

function toAmzDate(time: number | Date): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, "");
}

function invalidSignature(message: string): AwsError {
  return new AwsError("InvalidSignatureException", message);
}
