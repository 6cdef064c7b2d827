import { createHmac, createSecretKey, hash, type KeyObject } from "node:crypto";
import type { AwsCredentialIdentityProvider } from "@smithy/types";
import { extendedEncodeURIComponent as escapeUri, type HttpRequest } from "../network/sdk-parts.ts";

/** What a signature is for. */
interface Scope {
  credentials: AwsCredentialIdentityProvider;
  region: string;
  /** The service's name in signatures, such as `bedrock`. */
  service: string;
}

/** What those on the way may change, as the SDK's signer has it. */
const UNSIGNED = new Set(
  "authorization cache-control connection expect from keep-alive max-forwards pragma referer te trailer transfer-encoding upgrade user-agent x-amzn-trace-id".split(
    " ",
  ),
);

/**
 * Signs requests by Signature Version 4
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html), as the SDK's signer does, to
 * which test/session/signer.test.ts holds it. That one copies what it is given, and makes an HMAC of the secret for each
 * request to find the key that it made before: more than twice the time.
 */
export class Signer {
  readonly #scope: Scope;
  /** The key of a day. */
  #key: { from: string; key: KeyObject } | undefined;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** Adds the headers of its signature to a request whose own have lower-case names. Throws credential errors. */
  async sign(request: HttpRequest, { signingDate }: { signingDate: Date }): Promise<HttpRequest> {
    const { credentials, region, service } = this.#scope;
    const { accessKeyId, secretAccessKey, sessionToken } = await credentials();
    const { headers } = request;
    const time = signingDate.toISOString().replaceAll(/[-:]|\.\d{3}/g, "");
    const date = time.slice(0, 8);
    headers["x-amz-date"] = time;
    if (sessionToken !== undefined && sessionToken !== "") headers["x-amz-security-token"] = sessionToken;
    const bodyHash = (headers["x-amz-content-sha256"] ??= sha256Hex(
      (request.body as string | undefined) ?? "",
    ));
    const scope = `${date}/${region}/${service}/aws4_request`;
    const names = Object.keys(headers).filter(isSigned).toSorted();
    const canonical = [
      request.method,
      canonicalPath(request.path),
      canonicalQuery(request.query as Record<string, string>),
      ...names.map((name) => `${name}:${oneLine(headers[name] ?? "")}`),
      "",
      names.join(";"),
      bodyHash,
    ].join("\n");
    const text = `AWS4-HMAC-SHA256\n${time}\n${scope}\n${sha256Hex(canonical)}`;
    const signature = createHmac("sha256", this.#keyOf(secretAccessKey, date)).update(text).digest("hex");
    headers["authorization"] =
      `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
    return request;
  }

  #keyOf(secret: string, date: string): KeyObject {
    const from = `${date} ${secret}`;
    if (this.#key?.from === from) return this.#key.key;
    const { region, service } = this.#scope;
    let key = createSecretKey(`AWS4${secret}`, "utf8");
    for (const part of [date, region, service, "aws4_request"])
      key = createSecretKey(createHmac("sha256", key).update(part).digest());
    this.#key = { from, key };
    return key;
  }
}

function sha256Hex(text: string): string {
  return hash("sha256", text);
}

function oneLine(value: string): string {
  return value.replaceAll(/[ \t\r\n]+/g, " ").replaceAll(/^ | $/g, "");
}

function isSigned(name: string): boolean {
  return !UNSIGNED.has(name) && !name.startsWith("proxy-") && !name.startsWith("sec-");
}

/** A path as every service but Amazon S3 has it: what stands in it is encoded once more, and dots lead where they do. */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(escapeUri(segment));
  }
  return `/${segments.join("/")}${segments.length > 0 && path.endsWith("/") ? "/" : ""}`;
}

function canonicalQuery(query: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(query).map(([name, value]) => [escapeUri(name), escapeUri(value)] as const);
  return pairs
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map((pair) => pair.join("="))
    .join("&");
}
