import type { Answer } from "../session/bedrock-operations.ts";
import { familyOf } from "../models/families.ts";

/** What AWS says about access to a model, in its own words; a field it leaves out is undefined. */
export interface Availability {
  agreement?: string | undefined;
  /** Why the agreement failed. */
  agreementError?: string | undefined;
  authorization?: string | undefined;
  entitlement?: string | undefined;
  region?: string | undefined;
}

/** Takes the answer of GetFoundationModelAvailability, whose fields may be missing, apart. */
export function readAvailability(answer: Answer<"GetFoundationModelAvailability">): Availability {
  const { agreementAvailability, authorizationStatus, entitlementAvailability, regionAvailability } = answer;
  return {
    agreement: agreementAvailability?.status,
    agreementError: agreementAvailability?.errorMessage,
    authorization: authorizationStatus,
    entitlement: entitlementAvailability,
    region: regionAvailability,
  };
}

/** Whether an agreement may be missing for want of the use-case form that some models want of each account. */
export function mayLackForm(modelId: string, { agreement }: Availability): boolean {
  return agreement !== "AVAILABLE" && familyOf(modelId).useCaseForm !== undefined;
}

export type AccessStatus =
  | "available"
  | "on-first-call"
  | "pending"
  | "not-in-region"
  | "not-authorized"
  | "form-missing"
  | "not-entitled"
  | "agreement-failed"
  | "unknown";

/** Whether an identity can call a model, and why not. */
export interface AccessVerdict {
  status: AccessStatus;
  /** Null when it is not known. */
  callable: boolean | null;
  /** What is missing, as the end of a sentence; null when nothing is. */
  reason: string | null;
  /** One thing to do about it. */
  hint: string | null;
}

const SUBSCRIBE =
  "Allow aws-marketplace:Subscribe and aws-marketplace:ViewSubscriptions, or let an administrator call the model once.";

/**
 * Says which of region, authorization, entitlement and agreement is missing, and what to do about it. A missing
 * agreement is made at the first call by itself, where the credentials may subscribe
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html).
 */
export function judgeAccess(
  availability: Availability,
  { region, isFormMissing }: { region: string; isFormMissing: boolean },
): AccessVerdict {
  const denied = (status: AccessStatus, reason: string, hint: string): AccessVerdict => ({
    status,
    callable: false,
    reason,
    hint,
  });
  if (availability.region === "NOT_AVAILABLE") {
    return denied(
      "not-in-region",
      `the model is not offered in ${region} (region)`,
      "Try another region: openclaw models list --region us-east-1",
    );
  }
  if (availability.authorization === "NOT_AUTHORIZED") {
    return denied(
      "not-authorized",
      "the account is not authorized to use it (authorization)",
      "Ask your administrator: a service control policy may close the model.",
    );
  }
  if (isFormMissing) {
    return denied(
      "form-missing",
      "Anthropic's use-case form has not been submitted",
      "Submit it once in the Bedrock console: Model catalog, an Anthropic model, Submit use case details.",
    );
  }
  if (availability.entitlement === "NOT_AVAILABLE") {
    return denied(
      "not-entitled",
      "it has no entitlement (entitlement)",
      "Request access in the Bedrock console: Model catalog, the model, Request access.",
    );
  }
  switch (availability.agreement) {
    case "NOT_AVAILABLE":
      return {
        status: "on-first-call",
        callable: true,
        reason: "its Marketplace agreement is made at the first call (agreement)",
        hint: SUBSCRIBE,
      };
    case "PENDING":
      return denied(
        "pending",
        "its Marketplace agreement is being made (agreement)",
        "Wait up to 15 minutes.",
      );
    case "ERROR":
      return denied(
        "agreement-failed",
        `its Marketplace agreement failed (agreement): ${availability.agreementError ?? "no reason given"}`,
        SUBSCRIBE,
      );
    default:
      return { status: "available", callable: true, reason: null, hint: null };
  }
}
