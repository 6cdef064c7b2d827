import { OpenclawError } from "../errors.ts";
import { type Check, fail, ok, type Outcome, skip, warn } from "./check.ts";
import { waysOf } from "./check-network.ts";
import type { Examination } from "./examination.ts";

/** AWS rejects signatures older than this: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html */
const SIGNATURE_MS = 5 * 60_000;
const NOTICEABLE_MS = 30_000;
const SET_CLOCK = "sudo timedatectl set-ntp true";

/** This machine's clock against the date in an answer. */
export const clockCheck: Check<Examination> = {
  id: "clock",
  title: "clock",
  needs: ["region"],
  hint: SET_CLOCK,
  run: async (examination) => {
    const [ways, { decision }] = await Promise.all([waysOf(examination), examination.setup()]);
    for (const { outcome } of ways) {
      if (outcome instanceof OpenclawError || outcome.serverTime === undefined || !outcome.isAws) continue;
      // The date has whole seconds, cut off: half a second is the best guess for the rest.
      const skewMs = outcome.localTime - (outcome.serverTime + 500);
      return judgeClock(skewMs, decision.chosen.source !== "AWS_BEARER_TOKEN_BEDROCK");
    }
    return skip("no endpoint answered with a date");
  },
};

/** Judges how far this machine's clock is ahead, in ms. Bearer tokens are not signed, so they stand any clock. */
export function judgeClock(skewMs: number, isSigned: boolean): Outcome {
  const seconds = Math.abs(Math.round(skewMs / 1000));
  const size = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} minutes`;
  const skew = `${size} ${skewMs > 0 ? "fast" : "slow"}`;
  if (Math.abs(skewMs) > SIGNATURE_MS && isSigned) {
    return fail(
      new OpenclawError("credentials-rejected", {
        message: `This machine's clock is ${skew}; AWS rejects signatures that are more than 5 minutes off.`,
        hint: SET_CLOCK,
      }),
    );
  }
  if (Math.abs(skewMs) > NOTICEABLE_MS) return warn(`this machine's clock is ${skew}`, SET_CLOCK);
  return ok(seconds <= 1 ? "agrees with AWS" : skew);
}
