import { OpenclawError } from "../errors.ts";
import { openingOf } from "../models/gates.ts";
import type { ModelQuota } from "../models/quotas.ts";
import type { AwsSession } from "../session/session.ts";
import { quoteForShell } from "../terminal/quote-for-shell.ts";
import { anySignal, untilAborted } from "../until-aborted.ts";
import type { Gate, GatePlace } from "./judge-access.ts";
import { type AskedModel, quotaOfCall } from "./survey-quotas.ts";

/** Service Quotas has some ten pages to read, and is no part of Bedrock: nobody waits longer for it, in ms. */
const PATIENCE_MS = 5000;

/**
 * Says whether the account's quota lets a model be called at all. Where Service Quotas does not answer in time, or the
 * identity may not ask it, the gate is unknown. Throws `interrupted`.
 */
export async function askQuotaGate(session: AwsSession, asked: AskedModel, place: GatePlace): Promise<Gate> {
  const { signal } = session.setup.runtime;
  const patience = anySignal(signal, AbortSignal.timeout(PATIENCE_MS));
  try {
    return judgeQuota(await untilAborted(quotaOfCall(session, asked), patience), place);
  } catch (failure) {
    if (signal.aborted) throw signal.reason;
    const why =
      failure instanceof OpenclawError
        ? failure.message
        : `Service Quotas did not answer within ${PATIENCE_MS / 1000} seconds.`;
    return { name: "quota", status: "unknown", value: null, detail: `not looked up: ${why}`, hint: null };
  }
}

/** A quota of zero lets nothing through: new accounts have some. */
function judgeQuota(quota: ModelQuota, place: GatePlace): Gate {
  const quotas = Object.values(quota).filter((one) => one !== undefined);
  const none = quotas.find(({ value }) => value <= 0);
  if (none) {
    return {
      name: "quota",
      status: "closed",
      value: "0",
      detail: `the account's quota is 0: ${none.name}`,
      hint: none.isAdjustable
        ? `Ask for more than 0: aws service-quotas request-service-quota-increase --service-code bedrock --quota-code ${quoteForShell(none.code)} --desired-value VALUE --region ${quoteForShell(place.region)}`
        : openingOf("quota", place),
    };
  }
  const [detail, value] = quota.tokensPerMinute
    ? [
        `the account has ${quota.tokensPerMinute.value.toLocaleString("en-US")} tokens a minute`,
        quota.tokensPerMinute.value,
      ]
    : [quotas.length > 0 ? "the account has some" : "Service Quotas lists none for the model", undefined];
  return {
    name: "quota",
    status: quotas.length > 0 ? "open" : "unknown",
    value: value === undefined ? null : String(value),
    detail,
    hint: null,
  };
}
