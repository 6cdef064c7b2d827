import { timingSafeEqual } from "node:crypto";
import { AwsError } from "./aws-error.ts";
import { parseSignature, verifySignature, type SignatureClaim, type SignedMessage } from "./signature.ts";

export interface SecretKey {
  secretAccessKey: string;
  /** Temporary credentials are worth nothing without it. */
  sessionToken?: string;
}

/** Everything that opens the emulator's door. */
export interface KnownCredentials {
  accessKeys: ReadonlyMap<string, SecretKey>;
  bearerTokens: readonly string[];
}

/** What the Authorization header claims, before anything is checked. */
export type Claim =
  | { readonly kind: "signature"; readonly claim: SignatureClaim }
  | { readonly kind: "bearer"; readonly token: string }
  | { readonly kind: "unreadable" }
  | { readonly kind: "none" };

/** Reads the Authorization header without judging it. */
export function readClaim(authorization: string | undefined): Claim {
  if (authorization === undefined) return { kind: "none" };
  const bearer = /^Bearer\s+(.+)$/i.exec(authorization);
  if (bearer?.[1] !== undefined) return { kind: "bearer", token: bearer[1] };
  const claim = parseSignature(authorization);
  return claim === undefined ? { kind: "unreadable" } : { kind: "signature", claim };
}

/** Checks a claim as AWS does. Throws `AwsError` with AWS's name, status and words. `now` is in ms since 1970. */
export async function checkClaim(
  claim: Claim,
  message: SignedMessage,
  known: KnownCredentials,
  service: string,
  now: number,
): Promise<void> {
  if (claim.kind === "none") {
    throw new AwsError("MissingAuthenticationTokenException", "Missing Authentication Token");
  }
  if (claim.kind === "unreadable" || (claim.kind === "bearer" && service !== "bedrock")) {
    throw new AwsError(
      "IncompleteSignatureException",
      "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
        "Authorization header requires 'SignedHeaders' parameter.",
    );
  }
  if (claim.kind === "bearer") {
    if (known.bearerTokens.some((token) => isSame(token, claim.token))) return;
    throw new AwsError(
      "AccessDeniedException",
      "Authentication failed: Please make sure your API Key is valid.",
    );
  }
  const { accessKeyId } = claim.claim;
  const key = known.accessKeys.get(accessKeyId);
  const sessionToken = message.headers["x-amz-security-token"];
  if (key === undefined || !isSame(key.sessionToken ?? "", sessionToken ?? "")) {
    throw new AwsError(
      "UnrecognizedClientException",
      "The security token included in the request is invalid.",
    );
  }
  await verifySignature(message, claim.claim, key.secretAccessKey, service, now);
}

function isSame(expected: string, given: string): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(given)];
  return left.length === right.length && timingSafeEqual(left, right);
}
