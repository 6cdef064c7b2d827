import { isRecord } from "../json.ts";
import { parseIfJson } from "../json-bounds.ts";
import { AwsError, constraintError, describeBreach, requiredText, validationError } from "./aws-error.ts";
import { type EmulatedModel, isReviewed } from "./models.ts";

/** What may stand between an account and a model. */
export const EMULATED_GATES = [
  "region",
  "authorization",
  "entitlement",
  "agreement",
  "form",
  "retention",
] as const;
export type EmulatedGate = (typeof EMULATED_GATES)[number];

/** Whose models are not sold through AWS Marketplace: https://docs.aws.amazon.com/bedrock/latest/userguide/model-access.html */
const UNSOLD: ReadonlySet<string> = new Set(["Amazon", "DeepSeek", "Mistral AI", "Meta", "Qwen", "OpenAI"]);

/** The modes of data retention, the least that is kept first: https://docs.aws.amazon.com/bedrock/latest/userguide/data-retention.html */
const MODES = ["none", "default", "aws_review", "provider_data_share"];
const INHERIT = "inherit";
/** What the page says of models that somebody has to review: they are closed to the modes before this one. */
const LEAST_REVIEWED = "aws_review";

/** The most characters of each field of Anthropic's form, by the page on model access. */
const FORM_LENGTHS: Readonly<Record<string, number>> = {
  companyName: 128,
  companyWebsite: 128,
  industryOption: 128,
  otherIndustryOption: 128,
  useCases: 8192,
};
const FORM_BYTES = { least: 10, most: 16_384 };

/**
 * The gates of one account. What is closed at the start opens by the same calls as with AWS: the form and the agreements for
 * all regions, data retention for the region of the call.
 */
export class AccountGates {
  readonly #closed: ReadonlySet<EmulatedGate>;
  readonly #agreed = new Set<string>();
  readonly #modes = new Map<string, { mode: string; updatedAt: number }>();
  #form: Buffer | undefined;

  constructor(closed: readonly EmulatedGate[]) {
    this.#closed = new Set(closed);
    if (!this.#closed.has("form")) this.#form = Buffer.from('{"note":"simulated by the openclaw emulator"}');
  }

  /** Answers GetFoundationModelAvailability. */
  availability(model: EmulatedModel): object {
    const word = (gate: EmulatedGate, open: string, closed: string): string =>
      this.#closed.has(gate) ? closed : open;
    return {
      modelId: model.modelId,
      agreementAvailability: { status: this.#isAgreed(model) ? "AVAILABLE" : "NOT_AVAILABLE" },
      authorizationStatus: word("authorization", "AUTHORIZED", "NOT_AUTHORIZED"),
      entitlementAvailability: word("entitlement", "AVAILABLE", "NOT_AVAILABLE"),
      regionAvailability: word("region", "AVAILABLE", "NOT_AVAILABLE"),
    };
  }

  #isAgreed(model: EmulatedModel): boolean {
    if (this.#lacksForm(model)) return false;
    return !this.#closed.has("agreement") || !isSold(model) || this.#agreed.has(model.modelId);
  }

  #lacksForm({ providerName }: EmulatedModel): boolean {
    return this.#form === undefined && providerName === "Anthropic";
  }

  /** Answers ListFoundationModelAgreementOffers. Throws `AwsError` for a model that nobody has to agree about, in words of our own. */
  offers(model: EmulatedModel): object {
    if (!isSold(model)) {
      throw new AwsError("ResourceNotFoundException", "No agreement offers were found for the model.");
    }
    const price = (dimension: string, amount: string): object => ({
      dimension,
      price: amount,
      description: `Simulated: ${dimension}`,
      unit: "1K tokens",
    });
    return {
      modelId: model.modelId,
      offers: [
        {
          offerId: "offer-simulated",
          offerToken: tokenOf(model),
          termDetails: {
            usageBasedPricingTerm: {
              rateCard: [price("InputTokenCount", "0.003"), price("OutputTokenCount", "0.015")],
            },
            legalTerm: { url: "https://aws.amazon.com/legal/bedrock/third-party-models/" },
            supportTerm: { refundPolicyDescription: "Simulated: no refunds." },
          },
        },
      ],
    };
  }

  /** Takes CreateFoundationModelAgreement. Throws `AwsError` for another token, without the form, and the second time. */
  agree(model: EmulatedModel, offerToken: unknown): void {
    const token = requiredText(offerToken, "offerToken");
    if (!isSold(model) || token !== tokenOf(model))
      throw validationError("The provided offer token is invalid.");
    if (this.#lacksForm(model)) {
      // https://github.com/truefoundry/models/pull/934
      throw validationError(
        "You have not filled out the required use-case form for this model. Complete the form at " +
          "https://console.aws.amazon.com/bedrock/ before requesting access.",
      );
    }
    if (this.#isAgreed(model)) throw new AwsError("ConflictException", "Agreement already exists");
    this.#agreed.add(model.modelId);
  }

  /** Answers GetUseCaseForModelAccess. Throws `AwsError` where no form was sent in. */
  get form(): object {
    if (this.#form === undefined)
      throw new AwsError("ResourceNotFoundException", "You have not filled out the request form");
    return { formData: this.#form.toString("base64") };
  }

  /** Takes PutUseCaseForModelAccess. Throws `AwsError` for what is no form. */
  submitForm(formData: unknown): void {
    const bytes = Buffer.from(requiredText(formData, "formData"), "base64");
    if (bytes.length < FORM_BYTES.least || bytes.length > FORM_BYTES.most) {
      const bound =
        bytes.length < FORM_BYTES.least
          ? `greater than or equal to ${FORM_BYTES.least}`
          : `less than or equal to ${FORM_BYTES.most}`;
      throw constraintError(describeBreach(formData, "formData", `have length ${bound}`));
    }
    if (!isForm(bytes)) throw validationError("Invalid form data");
    this.#form = bytes;
  }

  /** Answers GetAccountDataRetention, and PutAccountDataRetention with what was put. */
  retention(region: string): object {
    const { mode, updatedAt } = this.#mode(region);
    return { mode, updatedAt: new Date(updatedAt).toISOString() };
  }

  #mode(region: string): { mode: string; updatedAt: number } {
    const first = this.#closed.has("retention") ? INHERIT : LEAST_REVIEWED;
    return this.#modes.get(region) ?? { mode: first, updatedAt: Date.UTC(2026, 5, 9) };
  }

  /** Takes PutAccountDataRetention. Throws `AwsError` for a mode that there is none of. */
  setRetention(region: string, asked: unknown, now: number): void {
    const mode = requiredText(asked, "mode");
    const known = [...MODES, INHERIT];
    if (!known.includes(mode)) {
      const constraint = `satisfy enum value set: [${known.join(", ")}]`;
      throw constraintError(describeBreach(mode, "mode", constraint));
    }
    this.#modes.set(region, { mode, updatedAt: now });
  }

  /** Lets a call of a model through. Throws `AwsError` in AWS's words for the first gate that is closed. */
  pass(model: EmulatedModel, region: string): void {
    if (this.#closed.has("region")) throw validationError("The provided model identifier is invalid.");
    if (this.#closed.has("authorization")) throw validationError("Operation not allowed");
    if (this.#closed.has("entitlement")) {
      const message = "You don't have access to the model with the specified model ID.";
      throw new AwsError("AccessDeniedException", message);
    }
    if (this.#lacksForm(model)) {
      throw new AwsError(
        "ResourceNotFoundException",
        "Model use case details have not been submitted for this account. Fill out the Anthropic use case details " +
          "form before using the model. If you have already filled out the form, try again in 15 minutes.",
      );
    }
    if (!this.#isAgreed(model)) {
      throw new AwsError(
        "AccessDeniedException",
        "Model access is denied due to IAM user or service role is not authorized to perform the required AWS " +
          "Marketplace actions (aws-marketplace:ViewSubscriptions, aws-marketplace:Subscribe) to enable access to " +
          "this model. Refer to the Amazon Bedrock documentation for further details. Your AWS Marketplace " +
          "subscription for this model cannot be completed at this time. If you recently fixed this issue, try " +
          "again after 2 minutes.",
      );
    }
    const { mode } = this.#mode(region);
    // An account that has no opinion gets the model's own default.
    const effective = mode === INHERIT ? "default" : mode;
    if (isReviewed(model) && MODES.indexOf(effective) < MODES.indexOf(LEAST_REVIEWED)) {
      throw validationError(
        "The model returned the following errors: data retention mode " +
          `'${effective}' is not available for this model`,
      );
    }
  }
}

function isSold({ providerName }: EmulatedModel): boolean {
  return !UNSOLD.has(providerName);
}

function tokenOf({ modelId }: EmulatedModel): string {
  return Buffer.from(`simulated offer for ${modelId}`).toString("base64url");
}

/** Whether bytes are Anthropic's form, or its base64 once more, as the AWS CLI's users send it. */
function isForm(bytes: Buffer): boolean {
  const form =
    parseIfJson(bytes.toString()) ?? parseIfJson(Buffer.from(bytes.toString(), "base64").toString());
  if (!isRecord(form) || !/^[012]$/.test(String(form["intendedUsers"]))) return false;
  return Object.entries(FORM_LENGTHS).every(([name, most]) => {
    const value = form[name];
    return typeof value === "string" && value.length <= most;
  });
}
