import { Sha256 } from "@aws-crypto/sha256-js";
import { SignatureV4 } from "@smithy/signature-v4";
import { createHash, timingSafeEqual } from "node:crypto";
import { AwsError } from "./aws-error.ts";

/** The request as it was on the wire, as far as a signature covers it. */
export interface SignedMessage {
  method: string;
  /** Percent-encoded once, as it was sent; without the query. */
  path: string;
  /** Without the question mark. */
  queryText: string;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
}

/** What an `AWS4-HMAC-SHA256` Authorization header says. */
export interface SignatureClaim {
  accessKeyId: string;
  /** `YYYYMMDD`. */
  date: string;
  region: string;
  service: string;
  signedHeaders: readonly string[];
  signature: string;
}

/** AWS refuses signatures older or newer than this, in ms. */
const ALLOWED_SKEW_MS = 5 * 60 * 1000;
const AUTHORIZATION =
  /^AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request\s*,\s*SignedHeaders=([^,\s]+)\s*,\s*Signature=([0-9a-f]{64})\s*$/;

/** Reads an Authorization header of Signature Version 4; undefined when it is not one or is not whole. */
export function parseSignature(authorization: string): SignatureClaim | undefined {
  const match = AUTHORIZATION.exec(authorization);
  if (match === null) return undefined;
  const [, accessKeyId = "", date = "", region = "", service = "", signedHeaders = "", signature = ""] =
    match;
  return { accessKeyId, date, region, service, signedHeaders: signedHeaders.split(";"), signature };
}

/**
 * Signs the request again with the secret that belongs to the key and compares. `service` is the one that the route
 * belongs to, `now` is in ms since 1970. Throws `AwsError` in AWS's words: expired, not yet valid, wrong service, or
 * not the same.
 */
export async function verifySignature(
  message: SignedMessage,
  claim: SignatureClaim,
  secretAccessKey: string,
  service: string,
  now: number,
): Promise<void> {
  const signedAt = checkDate(message.headers["x-amz-date"], claim.date, now);
  if (claim.service !== service) {
    throw invalidSignature(`Credential should be scoped to correct service: '${service}'.`);
  }
  const declaredHash = message.headers["x-amz-content-sha256"];
  if (declaredHash !== undefined && declaredHash !== "UNSIGNED-PAYLOAD") {
    if (declaredHash !== createHash("sha256").update(message.body).digest("hex")) throw mismatch();
  }
  const signer = new SignatureV4({
    credentials: { accessKeyId: claim.accessKeyId, secretAccessKey },
    region: claim.region,
    service: claim.service,
    sha256: Sha256,
    applyChecksum: false,
  });
  const signed = await signer.sign(
    {
      method: message.method,
      protocol: "http:",
      hostname: "",
      path: message.path,
      query: parseQuery(message.queryText),
      headers: selectHeaders(message.headers, claim.signedHeaders),
      body: message.body,
    },
    { signingDate: signedAt, signableHeaders: new Set(claim.signedHeaders) },
  );
  const expected = parseSignature(signed.headers["authorization"] ?? "");
  if (expected === undefined || expected.signedHeaders.join(";") !== claim.signedHeaders.join(";"))
    throw mismatch();
  if (!timingSafeEqual(Buffer.from(expected.signature), Buffer.from(claim.signature))) throw mismatch();
}

function checkDate(amzDate: string | undefined, scopeDate: string, now: number): Date {
  const parts = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(amzDate ?? "");
  if (parts === null || amzDate === undefined) {
    throw new AwsError(
      "IncompleteSignatureException",
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
    );
  }
  const [, year, month, day, hour, minute, second] = parts;
  const signedAt = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (!amzDate.startsWith(scopeDate)) {
    throw invalidSignature(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ` +
        `'${scopeDate}' != '${amzDate.slice(0, 8)}', from '${amzDate}'.`,
    );
  }
  const [earliest, latest] = [now - ALLOWED_SKEW_MS, now + ALLOWED_SKEW_MS];
  if (signedAt.getTime() < Math.floor(earliest / 1000) * 1000) {
    throw invalidSignature(
      `Signature expired: ${amzDate} is now earlier than ${toAmzDate(earliest)} (${toAmzDate(now)} - 5 min.)`,
    );
  }
  if (signedAt.getTime() > latest) {
    throw invalidSignature(
      `Signature not yet current: ${amzDate} is still later than ${toAmzDate(latest)} (${toAmzDate(now)} + 5 min.)`,
    );
  }
  return signedAt;
}

function toAmzDate(time: number): string {
  return new Date(time).toISOString().replace(/[-:]|\.\d+/g, "");
}

function parseQuery(text: string): Record<string, string[]> {
  const query: Record<string, string[]> = {};
  for (const [name, value] of new URLSearchParams(text)) (query[name] ??= []).push(value);
  return query;
}

/** Some HTTP/2 clients sign `:authority`, some sign `host` and send only the other: both name the same thing. */
function selectHeaders(
  headers: Readonly<Record<string, string>>,
  names: readonly string[],
): Record<string, string> {
  const synonyms: Readonly<Record<string, string>> = { host: ":authority", ":authority": "host" };
  const selected: Record<string, string> = {};
  for (const name of names) {
    const value = headers[name] ?? headers[synonyms[name] ?? ""];
    if (value !== undefined) selected[name] = value;
  }
  return selected;
}

function invalidSignature(message: string): AwsError {
  return new AwsError("InvalidSignatureException", message);
}

function mismatch(): AwsError {
  return invalidSignature(
    "The request signature we calculated does not match the signature you provided. " +
      "Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
  );
}
