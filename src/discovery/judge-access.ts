import type { Answer } from "../session/bedrock-operations.ts";
import { familyOf } from "../models/families.ts";
import { effectiveMode, type GateName, leastRetention, openingOf, permits } from "../models/gates.ts";

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

/** Who wants a form of each account before it can call the model; undefined where nobody does. */
export function whoWantsForm(modelId: string): string | undefined {
  return familyOf(modelId).useCaseForm?.by;
}

/** Whether an agreement may be missing for want of that form. */
export function mayLackForm(modelId: string, { agreement }: Availability): boolean {
  return agreement !== "AVAILABLE" && whoWantsForm(modelId) !== undefined;
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
  | "retention-refused"
  | "unknown";

/** Whether an identity can call a model, and why not. */
export interface AccessVerdict {
  status: AccessStatus;
  /** Null when it is not known. */
  callable: boolean | null;
  /** What keeps it from being called, or from being called yet. */
  gate: GateName | null;
  /** What is missing, as the end of a sentence; null when nothing is. */
  reason: string | null;
  /** One thing to do about it. */
  hint: string | null;
}

/** What is known of the gates of a model; what is missing was not asked, or not answered. */
export interface GateAnswers {
  availability: Availability | undefined;
  /** The use-case form. */
  form: "sent" | "missing" | undefined;
  /** The account's mode of data retention in the region. */
  retention: string | undefined;
}

export type GateStatus = "open" | "closed" | "on-first-call" | "pending" | "not-needed" | "unknown";

/** A gate between an identity and a model. */
export interface Gate {
  name: GateName;
  status: GateStatus;
  /** AWS's own word for it; null where it has none, or did not say. */
  value: string | null;
  /** What stands there, as the end of a sentence. */
  detail: string;
  /** One thing to do about it, as a command where there is one; null where nothing is to be done. */
  hint: string | null;
}

/** The model that is asked about, by its own id, and the region of the call. */
export interface GatePlace {
  modelId: string;
  region: string;
  /** Whether it is called at the endpoint bedrock-mantle, which wants no use-case form. */
  isAtMantle?: boolean;
  /** Whether the list of its endpoint has it. */
  isListed?: boolean;
}

/** Says of each gate whether it is open, by what AWS answered, and what opens it. Those that AWS was not asked about are unknown. */
export function judgeGates(answers: GateAnswers, place: GatePlace): Gate[] {
  return [
    regionGate(answers, place),
    authorizationGate(answers, place),
    formGate(answers, place),
    entitlementGate(answers, place),
    agreementGate(answers, place),
    retentionGate(answers, place),
  ];
}

/** A gate that one word of AWS's tells open or closed. */
function plainGate(
  name: GateName,
  place: GatePlace,
  value: string | undefined,
  { open, closed, isClosed }: { open: string; closed: string; isClosed: boolean },
): Gate {
  if (value === undefined) return unknownGate(name, place);
  return isClosed
    ? { name, status: "closed", value, detail: closed, hint: openingOf(name, place) }
    : { name, status: "open", value, detail: open, hint: null };
}

function unknownGate(name: GateName, { isAtMantle }: GatePlace): Gate {
  const detail = isAtMantle ? "only a call tells at the endpoint bedrock-mantle" : "AWS did not say";
  return { name, status: "unknown", value: null, detail, hint: null };
}

function regionGate({ availability }: GateAnswers, place: GatePlace): Gate {
  if (place.isAtMantle && place.isListed) {
    const detail = `bedrock-mantle lists the model in ${place.region}`;
    return { name: "region", status: "open", value: null, detail, hint: null };
  }
  return plainGate("region", place, availability?.region, {
    open: `the model is offered in ${place.region}`,
    closed: `the model is not offered in ${place.region}`,
    isClosed: availability?.region === "NOT_AVAILABLE",
  });
}

function authorizationGate({ availability }: GateAnswers, place: GatePlace): Gate {
  return plainGate("authorization", place, availability?.authorization, {
    open: "the account may use it",
    closed: "the account is not authorized to use it",
    isClosed: availability?.authorization === "NOT_AUTHORIZED",
  });
}

function formGate({ form, availability }: GateAnswers, place: GatePlace): Gate {
  const name = "form";
  const vendor = whoWantsForm(place.modelId);
  // https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html
  const isExempt = place.isAtMantle === true;
  if (vendor === undefined || isExempt) {
    const detail = isExempt ? "the endpoint bedrock-mantle wants none" : "the model wants none";
    return { name, status: "not-needed", value: null, detail, hint: null };
  }
  if (form === undefined) return unknownGate(name, place);
  // The form of an organization's management account counts for all of its accounts, which have none of their own.
  if (form === "missing" && availability?.agreement === "AVAILABLE") {
    const counts = "this account submitted none, and its agreement is made all the same";
    return { name, status: "open", value: null, detail: counts, hint: null };
  }
  const detail = `${vendor}'s use-case form has ${form === "sent" ? "" : "not "}been submitted`;
  return form === "sent"
    ? { name, status: "open", value: null, detail, hint: null }
    : { name, status: "closed", value: null, detail, hint: openingOf(name, place) };
}

/** Where the agreement is missing, it is what brings the entitlement. */
function entitlementGate({ availability }: GateAnswers, place: GatePlace): Gate {
  const gate = plainGate("entitlement", place, availability?.entitlement, {
    open: "it has one",
    closed: "it has no entitlement",
    isClosed: availability?.entitlement === "NOT_AVAILABLE",
  });
  const isAgreed = availability?.agreement === "AVAILABLE";
  return gate.status === "closed" && !isAgreed ? { ...gate, hint: openingOf("agreement", place) } : gate;
}

/**
 * A missing agreement is made at the first call by itself, where the credentials may subscribe
 * (https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html).
 */
function agreementGate({ availability }: GateAnswers, place: GatePlace): Gate {
  const name = "agreement";
  const value = availability?.agreement;
  if (value === undefined) return unknownGate(name, place);
  const about = (status: GateStatus, detail: string, hint: string | null): Gate => ({
    name,
    status,
    value,
    detail,
    hint,
  });
  switch (value) {
    case "NOT_AVAILABLE":
      return about(
        "on-first-call",
        "its Marketplace agreement is made at the first call",
        openingOf(name, place),
      );
    case "PENDING":
      return about("pending", "its Marketplace agreement is being made", "Wait up to 15 minutes.");
    case "ERROR": {
      const why = availability?.agreementError ?? "no reason given";
      return about("closed", `its Marketplace agreement failed: ${why}`, openingOf(name, place));
    }
    default:
      return about("open", "it is made, or none is needed", null);
  }
}

function retentionGate({ retention }: GateAnswers, place: GatePlace): Gate {
  const name = "retention";
  const least = leastRetention(place.modelId);
  if (retention === undefined) {
    if (least !== undefined) return unknownGate(name, place);
    return { name, status: "not-needed", value: null, detail: "the model wants no certain mode", hint: null };
  }
  const mode = effectiveMode(retention);
  const has = `the account has the data retention mode ${retention} in ${place.region}`;
  if (least === undefined || mode === undefined) {
    const status = least === undefined ? "open" : "unknown";
    return { name, status, value: retention, detail: has, hint: null };
  }
  if (permits(mode, least))
    return { name, status: "open", value: retention, detail: `${has}; the model needs ${least}`, hint: null };
  return {
    name,
    status: "closed",
    value: retention,
    detail: `${has}, and the model needs ${least}`,
    hint: openingOf(name, { ...place, retention: least }),
  };
}

/** What a closed gate makes of the verdict. */
const CLOSED: Readonly<Record<GateName, AccessStatus>> = {
  region: "not-in-region",
  authorization: "not-authorized",
  form: "form-missing",
  entitlement: "not-entitled",
  agreement: "agreement-failed",
  retention: "retention-refused",
  quota: "unknown",
};

/** Whether the identity can call the model: by the first gate that is closed, else by one that is not open yet. */
export function judgeAccess(answers: GateAnswers, place: GatePlace): AccessVerdict {
  const gates = judgeGates(answers, place);
  const closed = gates.find(({ status }) => status === "closed");
  const waiting = gates.find(({ status }) => status === "pending" || status === "on-first-call");
  const gate = closed ?? waiting;
  if (!answers.availability && !closed)
    return { status: "unknown", callable: null, gate: null, reason: "AWS did not say", hint: null };
  if (!gate) return { status: "available", callable: true, gate: null, reason: null, hint: null };
  return {
    status: closed ? CLOSED[gate.name] : gate.status === "pending" ? "pending" : "on-first-call",
    callable: gate.status === "on-first-call",
    gate: gate.name,
    reason: `${gate.detail} (${gate.name})`,
    hint: gate.hint,
  };
}
