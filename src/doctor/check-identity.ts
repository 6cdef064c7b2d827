import type { CallerIdentity } from "../session/caller-identity.ts";
import { toOpenclawError } from "../session/aws-errors.ts";
import type { ErrorCode } from "../errors.ts";
import { type Check, fail, ok, skip, warn } from "./check.ts";
import type { Examination } from "./examination.ts";

/** Failures that say something about the way to STS and nothing about the credentials: Bedrock may work all the same. */
const STS_ONLY: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "network",
  "timeout",
  "bad-response",
  "service-unavailable",
  "throttled",
  "access-denied",
]);

/** Who the credentials belong to, by sts:GetCallerIdentity. */
export const identityCheck: Check<Examination> = {
  id: "identity",
  title: "identity",
  needs: ["credentials", "region"],
  hint: "aws sts get-caller-identity",
  run: async (examination) => {
    const identity = await examination.identity();
    if (identity === undefined)
      return skip("a Bedrock API key works for Bedrock only; STS cannot be asked who it belongs to");
    const session = await examination.session();
    let answer: CallerIdentity;
    try {
      const { askCallerIdentity } = await import("../session/caller-identity.ts");
      answer = await askCallerIdentity(session);
    } catch (failure) {
      const error = toOpenclawError(failure, { session, action: "sts:GetCallerIdentity" });
      return STS_ONLY.has(error.code)
        ? warn(`STS cannot be asked: ${error.message}`, error.hint)
        : fail(error);
    }
    return ok(
      `${answer.arn ?? "an identity without ARN"}${expiryText(identity.expiration, examination.runtime.now())}`,
    );
  },
};

function expiryText(expiration: Date | undefined, now: number): string {
  if (expiration === undefined) return "";
  const minutes = Math.round((expiration.getTime() - now) / 60_000);
  return minutes < 120 ? `, for ${minutes} more minutes` : `, for ${Math.round(minutes / 60)} more hours`;
}
