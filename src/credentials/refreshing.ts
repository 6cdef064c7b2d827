import type { Identity } from "./cli-cache.ts";

/** The names under which AWS's services say that a session token has run out, or is none any more. */
export const REJECTED: ReadonlySet<string> = new Set([
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidClientTokenId",
  "UnrecognizedClientException",
]);

/** Credentials this close to their expiry are renewed, in ms, as the SDK's clients do. */
const RENEWAL_MS = 5 * 60_000;
/** After a renewal that failed or brought no later expiry, the next one waits so long, in ms. */
const PATIENCE_MS = 30_000;

export interface RefreshOptions {
  forceRefresh?: boolean | undefined;
}

/** `memoized` tells the SDK's clients that they need not keep the credentials themselves, which would hide a renewal. */
export type RefreshingProvider = ((options?: RefreshOptions) => Promise<Identity>) & {
  memoized: true;
};

/**
 * Keeps what a provider resolved until 5 minutes before it expires. Callers at the same time share one resolution. When
 * renewal fails while the old credentials still hold, the old ones are used. `forceRefresh` resolves anew in any case, and
 * tells `resolve` which credentials have been rejected.
 */
export function refreshing(
  resolve: (rejected: Identity | undefined) => Promise<Identity>,
  now: () => number,
): RefreshingProvider {
  let current: Identity | undefined;
  let pending: Promise<Identity> | undefined;
  let waitUntil = 0;
  const leftOf = (identity: Identity): number =>
    identity.expiration === undefined ? Number.POSITIVE_INFINITY : identity.expiration.getTime() - now();
  const renew = (rejected?: Identity): Promise<Identity> => {
    pending ??= resolve(rejected)
      .then((identity) => {
        current = identity;
        waitUntil = leftOf(identity) < RENEWAL_MS ? now() + PATIENCE_MS : 0;
        return identity;
      })
      .finally(() => {
        pending = undefined;
      });
    return pending;
  };
  const provide = async (options?: RefreshOptions): Promise<Identity> => {
    if (options?.forceRefresh) return renew(current);
    if (current === undefined || leftOf(current) <= 0) return renew();
    if (leftOf(current) >= RENEWAL_MS || now() < waitUntil) return current;
    const valid = current;
    try {
      return await renew();
    } catch (failure) {
      waitUntil = now() + PATIENCE_MS;
      if (leftOf(valid) > 0) return valid;
      throw failure;
    }
  };
  return Object.assign(provide, { memoized: true as const });
}
