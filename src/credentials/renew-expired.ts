import type { AwsCredentialIdentity, MiddlewareStack } from "@smithy/types";
import type { Authentication } from "./provider.ts";

/** The names under which AWS's services say that a session token has run out. */
const EXPIRED = new Set(["ExpiredToken", "ExpiredTokenException"]);

/**
 * Lets a client resolve its credentials anew when AWS says that they have expired, and send the request once more. Only
 * once, and only when the new credentials are others: static keys stay what they are.
 */
export function renewExpired<Input extends object, Output extends object>(
  stack: MiddlewareStack<Input, Output>,
  authentication: Authentication,
): void {
  if (authentication.kind === "token") return;
  const { credentials } = authentication;
  stack.add(
    (next) => async (args) => {
      const before = await credentials();
      try {
        return await next(args);
      } catch (failure) {
        if (!(failure instanceof Error) || !EXPIRED.has(failure.name)) throw failure;
        const after = await credentials({ forceRefresh: true });
        if (isSame(before, after)) throw failure;
        return next(args);
      }
    },
    // Outside of everything else: the identity of a request is chosen before it is signed and retried.
    { step: "initialize", priority: "high", name: "openclawRenewExpired" },
  );
}

function isSame(before: AwsCredentialIdentity, after: AwsCredentialIdentity): boolean {
  return before.accessKeyId === after.accessKeyId && before.sessionToken === after.sessionToken;
}
