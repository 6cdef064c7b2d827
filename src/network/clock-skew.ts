/** What sets a clock that is wrong. */
export const SET_CLOCK = "sudo timedatectl set-ntp true";

/** How far a clock is off, for a sentence: "62 minutes fast". `skewMs` is how far it is ahead. */
export function tellSkew(skewMs: number): string {
  const seconds = Math.abs(Math.round(skewMs / 1000));
  const size = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} minutes`;
  return `${size} ${skewMs > 0 ? "fast" : "slow"}`;
}

/**
 * What stands behind "this machine's clock is", by the Date header of an answer that came at `now`, in ms: " 62 minutes
 * fast"; " wrong" where the header does not tell.
 */
export function describeSkew(date: string | undefined, now: number): string {
  const skewMs = now - Date.parse(date ?? "");
  return Math.abs(skewMs) > 2000 ? ` ${tellSkew(skewMs)}` : " wrong";
}
