import { type GateAnswers, type GatePlace, whoWantsForm } from "../../discovery/judge-access.ts";
import { OpenclawError, usageError } from "../../errors.ts";
import {
  accessCommand,
  type GateName,
  INHERIT,
  openingOf,
  RETENTION_MODES,
  settableMode,
} from "../../models/gates.ts";
import type { UseCaseForm } from "../../models/use-case-form.ts";
import type { AwsSession } from "../../session/session.ts";
import { quoteForShell } from "../../terminal/quote-for-shell.ts";

/** What is opened, and what a person has to know before. */
export interface Opening {
  gate: GateName;
  /** What is shared with whom; where nothing is to be opened, why. */
  says: readonly string[];
  /** What is sent, by name. */
  sends?: Readonly<Record<string, string>>;
  /** The end of "Type yes to …". */
  verb: string;
  /** Opens it. Missing where nothing is to be done. Throws as AWS refuses. */
  open?: () => Promise<void>;
  /** What to say once it is done. */
  done: string;
  /** How long it may take until it counts. */
  waitMinutes: number;
}

export interface Situation {
  session: AwsSession;
  place: GatePlace;
  answers: GateAnswers;
}

/** Finds out what there is to open. Throws what is in the way. */
export type Step = (situation: Situation) => Promise<Opening>;

/** Opens nothing, and says why. */
function nothing(gate: GateName, why: string): Opening {
  return { gate, says: [why], verb: "", done: "", waitMinutes: 0 };
}

/** Accepts the agreement about a model that is sold through AWS Marketplace. */
export const planAgreement: Step = async ({ session, place, answers }) => {
  const { modelId } = place;
  const status = answers.availability?.agreement;
  if (status === "AVAILABLE")
    return nothing(
      "agreement",
      `The agreement for ${modelId} is made already, or none is needed; nothing was sent.`,
    );
  if (status === "PENDING")
    return nothing("agreement", `The agreement for ${modelId} is being made already; nothing was sent.`);
  if (answers.form === "missing" && whoWantsForm(modelId) !== undefined) {
    throw new OpenclawError("model-access", {
      message: `The agreement for '${modelId}' comes after the use-case form, which this account has not submitted.`,
      hint: openingOf("form", place),
      details: { gate: "form" },
    });
  }
  const { acceptOffer, listOffers } = await import("../../session/model-access.ts");
  const [offer] = await listOffers(session, modelId);
  if (offer?.offerToken === undefined) {
    throw new OpenclawError("model-access", {
      message: `AWS offers this account no agreement for '${modelId}': it is not sold through AWS Marketplace, or not to this account.`,
      hint: `Where it needs none, it can be called: openclaw chat --model ${quoteForShell(modelId)} "Hello"`,
      details: { gate: "agreement" },
    });
  }
  const { offerToken, termDetails } = offer;
  const terms = termDetails?.legalTerm?.url ?? "https://aws.amazon.com/legal/bedrock/third-party-models/";
  const prices = (termDetails?.usageBasedPricingTerm?.rateCard ?? []).map(
    ({ dimension, price, unit }) => `${dimension ?? "usage"} $${price ?? "?"}${unit ? ` per ${unit}` : ""}`,
  );
  return {
    gate: "agreement",
    says: [
      `This tells AWS Marketplace, where the provider of ${modelId} sells it, that the AWS account of these credentials subscribes to the model and accepts these terms for it: ${terms}`,
      prices.length === 0
        ? "Calls of the model are charged to the account."
        : `Calls of the model are charged to the account: ${prices.slice(0, 6).join(", ")}${prices.length > 6 ? ` and ${prices.length - 6} more prices` : ""}.`,
    ],
    verb: "accept them",
    open: () => acceptOffer(session, modelId, offerToken),
    done: `The agreement for ${modelId} is accepted. It counts after up to 15 minutes.`,
    waitMinutes: 15,
  };
};

/** Sends in the use-case form. */
export const planForm =
  (form: UseCaseForm): Step =>
  async ({ session, place, answers }) => {
    const { modelId } = place;
    const vendor = whoWantsForm(modelId);
    if (vendor === undefined)
      throw usageError(`'${modelId}' wants no use-case form.`, `See what it wants: ${accessCommand(place)}`);
    if (answers.form === "sent")
      return nothing(
        "form",
        "The use-case form of this account has been submitted already; nothing was sent.",
      );
    return {
      gate: "form",
      says: [
        `This sends the use-case form to AWS for ${vendor}, which wants it of each account before its models are called. ` +
          "It counts for the whole account, and from an organization's management account for all of its accounts; it cannot be taken back.",
      ],
      sends: form,
      verb: "send it",
      open: async () => (await import("../../session/model-access.ts")).sendForm(session, modelId, form),
      done: "The use-case form is submitted. It counts at once, or after up to 15 minutes.",
      waitMinutes: 15,
    };
  };

/** Switches the account's mode of data retention in the region. */
export const planRetention =
  (wanted: string): Step =>
  async ({ session, place, answers: { retention } }) => {
    const mode = settableMode(wanted);
    if (mode === undefined)
      throw usageError(
        `--retention '${wanted}' is no mode of data retention.`,
        `Name one of these: ${[...Object.keys(RETENTION_MODES), INHERIT].join(", ")}.`,
      );
    const { region } = place;
    if (retention === mode)
      return nothing(
        "retention",
        `The account has the data retention mode ${mode} in ${region} already; nothing was changed.`,
      );
    const means =
      mode === INHERIT
        ? "the account has no opinion, and each model's own default holds"
        : RETENTION_MODES[mode];
    return {
      gate: "retention",
      says: [
        `This switches data retention of the whole AWS account in ${region} from ${retention ?? "a mode that AWS does not tell"} to ${mode}: ${means}.`,
        "It holds for every model that is called there, by everybody in the account whose project has no mode of its own; what is kept meanwhile stays kept after a switch back.",
      ],
      verb: "switch it",
      open: async () => (await import("../../session/model-access.ts")).switchRetention(session, mode),
      done: `The account has the data retention mode ${mode} in ${region} now.`,
      waitMinutes: 0,
    };
  };
