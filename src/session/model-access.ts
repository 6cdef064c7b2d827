import type { DataRetentionMode } from "@aws-sdk/client-bedrock";
import { toOpenclawError } from "./aws-errors.ts";
import { type Answer, callBedrock } from "./bedrock-operations.ts";
import type { AwsSession } from "./session.ts";
import { listIn } from "./strange-answer.ts";

/** Asks whether the account has access to a foundation model in the session's region. Throws as RestClient.send does. */
export async function askAvailability(
  session: AwsSession,
  modelId: string,
): Promise<Answer<"GetFoundationModelAvailability">> {
  return callBedrock(session, "GetFoundationModelAvailability", { modelId });
}

/** Whether the use-case form has been sent in for this account. Throws as RestClient.send does. */
export async function askForm(session: AwsSession): Promise<"sent" | "missing"> {
  try {
    await callBedrock(session, "GetUseCaseForModelAccess", {});
    return "sent";
  } catch (failure) {
    if (isNamed(failure, "ResourceNotFoundException")) return "missing";
    throw failure;
  }
}

/** The account's mode of data retention in the session's region; undefined where AWS names none. Throws as RestClient.send does. */
export async function askRetention(session: AwsSession): Promise<string | undefined> {
  return (await callBedrock(session, "GetAccountDataRetention", {})).mode;
}

/** What may be agreed to about a model: nothing where nobody has to. Throws an `OpenclawError`. */
export async function listOffers(
  session: AwsSession,
  modelId: string,
): Promise<NonNullable<Answer<"ListFoundationModelAgreementOffers">["offers"]>> {
  try {
    const { offers } = await callBedrock(session, "ListFoundationModelAgreementOffers", { modelId });
    return listIn(offers, "offers", { session, service: "bedrock" });
  } catch (failure) {
    if (isNamed(failure, "ResourceNotFoundException")) return [];
    const action = "bedrock:ListFoundationModelAgreementOffers";
    throw toOpenclawError(failure, { session, action, modelId });
  }
}

/** Accepts an offer about a model. Throws an `OpenclawError`. */
export async function acceptOffer(session: AwsSession, modelId: string, offerToken: string): Promise<void> {
  try {
    await callBedrock(session, "CreateFoundationModelAgreement", { offerToken, modelId });
  } catch (failure) {
    // Somebody else was first.
    if (isNamed(failure, "ConflictException")) return;
    throw toOpenclawError(failure, { session, action: "bedrock:CreateFoundationModelAgreement", modelId });
  }
}

/** Sends in the use-case form of the account. Throws an `OpenclawError`. */
export async function sendForm(session: AwsSession, modelId: string, form: object): Promise<void> {
  try {
    const formData = Buffer.from(JSON.stringify(form));
    await callBedrock(session, "PutUseCaseForModelAccess", { formData });
  } catch (failure) {
    throw toOpenclawError(failure, { session, action: "bedrock:PutUseCaseForModelAccess", modelId });
  }
}

/** Switches the account's data retention in the session's region. Throws an `OpenclawError`. */
export async function switchRetention(session: AwsSession, mode: DataRetentionMode): Promise<void> {
  try {
    await callBedrock(session, "PutAccountDataRetention", { mode });
  } catch (failure) {
    throw toOpenclawError(failure, { session, action: "bedrock:PutAccountDataRetention" });
  }
}

function isNamed(failure: unknown, name: string): boolean {
  return failure instanceof Error && failure.name === name;
}
