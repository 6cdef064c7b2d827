import type { AwsCredentialIdentity, MiddlewareStack } from "@smithy/types";
import type { Authentication } from "./provider.ts";
import { REJECTED } from "./refreshing.ts";

/**
 * Sends a request and, when AWS says that the credentials have expired or are unknown to it, resolves them anew and sends
 * it once more. Only once, and only when the new credentials are others: static keys stay what they are.
 */
export async function withRenewal<T>(authentication: Authentication, send: () => Promise<T>): Promise<T> {
  if (authentication.kind === "token") return send();
  const { credentials } = authentication;
  const before = await credentials();
  try {
    return await send();
  } catch (failure) {
    if (!(failure instanceof Error) || !REJECTED.has(failure.name)) throw failure;
    const after = await credentials({ forceRefresh: true });
    if (isSame(before, after)) throw failure;
    return send();
  }
}

/** Lets a client of the SDK renew credentials that have expired, as withRenewal does. */
export function renewExpired<Input extends object, Output extends object>(
  stack: MiddlewareStack<Input, Output>,
  authentication: Authentication,
): void {
  stack.add(
    (next) => (args) => withRenewal(authentication, () => next(args)),
    // Outside of everything else: the identity of a request is chosen before it is signed and retried.
    { step: "initialize", priority: "high", name: "openclawRenewExpired" },
  );
}

function isSame(before: AwsCredentialIdentity, after: AwsCredentialIdentity): boolean {
  return before.accessKeyId === after.accessKeyId && before.sessionToken === after.sessionToken;
}
