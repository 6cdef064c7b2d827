import type { ErrorCode } from "../errors.ts";

/** What a row may put into its words. Everything here is safe to print. */
export interface ErrorContext {
  /** AWS's own message. */
  message: string;
  /** The model that was called, as it was sent. */
  modelId?: string | undefined;
  region?: string | undefined;
  /** The IAM action that was tried, for example `bedrock:ListFoundationModels`. */
  action?: string | undefined;
  /** Where the credentials came from, in words. */
  credentials?: string | undefined;
  /** How to get fresh credentials from that source, as a command where there is one. */
  renewal?: string | undefined;
  /** What AWS's denial says about itself. */
  denial?: Denial | undefined;
}

/** The parts of an IAM denial. */
export interface Denial {
  action: string;
  resource: string | undefined;
  /** The kind of policy that denies explicitly, in AWS's words; undefined when simply nothing allows it. */
  explicitIn: string | undefined;
}

/** One kind of AWS error, and what this program makes of it. */
export interface ErrorRow {
  /** Error names as AWS sends them, without namespace; the words `Exception` and `Error` at the end do not count. */
  names: readonly string[];
  /** Only when AWS's message matches: ValidationException and others give nothing else to go by. */
  pattern?: RegExp;
  code: ErrorCode;
  message: (context: ErrorContext) => string;
  hint: (context: ErrorContext) => string;
}

const model = ({ modelId }: ErrorContext): string => (modelId ? `model '${modelId}'` : "the model");
const inRegion = ({ region }: ErrorContext): string => (region ? ` in ${region}` : "");
const renew = ({ renewal }: ErrorContext): string => renewal ?? "Run: openclaw doctor";
const from = ({ credentials }: ErrorContext): string => (credentials ? ` from ${credentials}` : "");

/**
 * Every AWS error this program knows, first match wins. Names and statuses are those of the service models; wordings
 * are AWS's, from https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html and from
 * answers seen on the wire.
 */
export const ERROR_TABLE: readonly ErrorRow[] = [
  {
    names: ["ExpiredToken", "RequestExpired"],
    code: "credentials-expired",
    message: (c) => `The credentials${from(c)} have expired.`,
    hint: renew,
  },
  {
    names: ["AccessDenied", "UnrecognizedClient"],
    pattern: /(bearer|api key|token).*expired/i,
    code: "credentials-expired",
    message: () => "The Bedrock API key in AWS_BEARER_TOKEN_BEDROCK has expired.",
    hint: () => "Create a new key in the Bedrock console and export it as AWS_BEARER_TOKEN_BEDROCK.",
  },
  {
    names: ["AccessDenied", "UnrecognizedClient"],
    pattern: /api key is valid|invalid (api key|bearer token)|bearer token/i,
    code: "credentials-rejected",
    message: () => "AWS rejects the Bedrock API key in AWS_BEARER_TOKEN_BEDROCK.",
    hint: () => "Export a valid key as AWS_BEARER_TOKEN_BEDROCK, or unset it to use other credentials.",
  },
  {
    names: ["UnrecognizedClient", "InvalidClientTokenId"],
    code: "credentials-rejected",
    message: (c) => `AWS does not know the credentials${from(c)}.`,
    hint: renew,
  },
  {
    names: ["InvalidSignature", "SignatureDoesNotMatch", "RequestTimeTooSkewed"],
    pattern: /signature (expired|not yet current)|skew/i,
    code: "credentials-rejected",
    message: () => "AWS rejects the signature because this machine's clock is wrong.",
    hint: () => "Set the clock, for example with: sudo timedatectl set-ntp true",
  },
  {
    names: ["InvalidSignature", "SignatureDoesNotMatch", "IncompleteSignature"],
    code: "credentials-rejected",
    message: (c) =>
      `AWS rejects the signature: the secret access key${from(c)} does not belong to its key id.`,
    hint: renew,
  },
  {
    names: ["MissingAuthenticationToken"],
    code: "credentials-rejected",
    message: () => "AWS received the request without credentials.",
    hint: () => "Run: openclaw doctor",
  },
  {
    names: ["AccessDenied", "ResourceNotFound", "Validation"],
    pattern: /use case (details|form)/i,
    code: "model-access",
    message: (c) =>
      `Anthropic's use-case form has not been submitted for this account, so ${model(c)} is closed.`,
    hint: () =>
      "Submit the form once in the Bedrock console: Model catalog, an Anthropic model, Submit use case details.",
  },
  {
    names: ["AccessDenied"],
    pattern: /marketplace/i,
    code: "model-access",
    message: (c) => `The AWS Marketplace subscription for ${model(c)} could not be made.`,
    hint: () =>
      "Allow aws-marketplace:Subscribe and aws-marketplace:ViewSubscriptions, or let an administrator call the model once.",
  },
  {
    names: ["AccessDenied", "ResourceNotFound", "Validation"],
    pattern:
      /marked by provider as legacy|end of its life|has reached (the )?end|no longer (available|supported)/i,
    code: "model-not-found",
    message: (c) => `AWS has ended ${model(c)} for this account: ${c.message}`,
    hint: () => "Choose another model: openclaw models list",
  },
  {
    names: ["AccessDenied", "Validation"],
    pattern:
      /access to the model|model access is denied|operation not allowed|not available for (this|your) account/i,
    code: "model-access",
    message: (c) => `This account has no access to ${model(c)}${inRegion(c)}.`,
    hint: (c) => `See what is missing: openclaw doctor${c.region ? ` --region ${c.region}` : ""}`,
  },
  {
    names: ["AccessDenied"],
    code: "access-denied",
    message: (c) => {
      if (!c.denial) return `AWS denies ${c.action ?? "the call"}${inRegion(c)}: ${c.message}`;
      const on = c.denial.resource ? ` on ${c.denial.resource}` : "";
      const why = c.denial.explicitIn ? `: ${c.denial.explicitIn} denies it explicitly` : "";
      return `These credentials may not call ${c.denial.action}${on}${why}.`;
    },
    hint: (c) => {
      const action = c.denial?.action ?? c.action ?? "the action";
      return c.denial?.explicitIn
        ? `Ask whoever administers your AWS organization to lift the deny of ${action}.`
        : `Allow ${action} in the IAM policy of ${c.credentials ?? "these credentials"}.`;
    },
  },
  {
    names: ["Validation"],
    pattern: /on-demand throughput isn.t supported/i,
    code: "needs-inference-profile",
    message: (c) => `AWS calls ${model(c)} only through an inference profile.`,
    hint: () => "List the profiles that reach it: openclaw models list --all",
  },
  {
    names: ["Validation", "ResourceNotFound"],
    pattern:
      /model identifier is invalid|model id .*(invalid|not found)|could not (find|resolve) the (foundation )?model/i,
    code: "model-not-found",
    message: (c) => `AWS knows no ${model(c).replace(/^the /, "")}${inRegion(c)}.`,
    hint: () => "List the models you can call: openclaw models list",
  },
  {
    names: ["Validation"],
    pattern:
      /input is too long|prompt is too long|exceeds? (the )?(model'?s? )?(maximum )?(context|input)|too many (input )?tokens|context (limit|length|window)|maximum (number of )?(input )?tokens/i,
    code: "input-too-long",
    message: (c) => `The input is too long for ${model(c)}: ${c.message}`,
    hint: () => "Send less, or choose a model with a larger context: openclaw models list",
  },
  {
    names: ["Validation", "AccessDenied", "ModelStream"],
    pattern: /content filter/i,
    code: "blocked",
    message: (c) => `The answer of ${model(c)} was withheld: ${c.message}`,
    hint: () => "Rephrase the prompt.",
  },
  {
    names: ["Validation"],
    pattern: /temperature.*top_?p|top_?p.*temperature/i,
    code: "invalid-request",
    message: (c) => `${capitalize(model(c))} does not take temperature and top-p together: ${c.message}`,
    hint: () => "Leave --temperature or --top-p out.",
  },
  {
    names: ["Validation"],
    code: "invalid-request",
    message: (c) => `AWS refuses the request${c.modelId ? ` to ${model(c)}` : ""}: ${c.message}`,
    hint: () => "Change what the message names and run the command again.",
  },
  {
    names: ["ResourceNotFound"],
    code: "model-not-found",
    message: (c) => `AWS knows no ${model(c).replace(/^the /, "")}${inRegion(c)}: ${c.message}`,
    hint: () => "List the models you can call: openclaw models list",
  },
  {
    names: [
      "Throttling",
      "TooManyRequests",
      "ThrottledException",
      "RequestLimitExceeded",
      "ServiceQuotaExceeded",
    ],
    pattern: /per day|daily/i,
    code: "quota-exceeded",
    message: (c) => `The daily quota for ${model(c)} is used up: ${c.message}`,
    hint: () => "Wait until tomorrow, or ask for a higher quota in the Service Quotas console.",
  },
  {
    names: ["ServiceQuotaExceeded", "LimitExceeded"],
    code: "quota-exceeded",
    message: (c) => `A quota of this account is used up: ${c.message}`,
    hint: () => "Ask for a higher quota in the Service Quotas console.",
  },
  {
    names: ["Throttling", "TooManyRequests", "ThrottledException", "RequestLimitExceeded"],
    code: "throttled",
    message: (c) =>
      `AWS throttles ${c.modelId ? model(c) : (c.action ?? "the call")}${inRegion(c)}: ${c.message}`,
    hint: () => "Wait a minute and try again; AWS_MAX_ATTEMPTS=8 keeps trying for longer.",
  },
  {
    names: ["ModelTimeout"],
    code: "timeout",
    message: (c) => `${capitalize(model(c))} took too long to answer: ${c.message}`,
    hint: () => "Try again, or ask for less with --max-tokens.",
  },
  {
    names: ["ModelNotReady"],
    code: "service-unavailable",
    message: (c) => `${capitalize(model(c))} is not ready: ${c.message}`,
    hint: () => "Try again in a few minutes.",
  },
  {
    names: ["ModelError", "ModelStreamError", "ModelStream"],
    code: "model-error",
    message: (c) => `${capitalize(model(c))} failed while it answered: ${c.message}`,
    hint: () => "Try again.",
  },
  {
    names: [
      "ServiceUnavailable",
      "InternalServer",
      "InternalFailure",
      "ServiceException",
      "InternalServerError",
    ],
    code: "service-unavailable",
    message: (c) => `Amazon Bedrock is not available${inRegion(c)}: ${c.message}`,
    hint: () => "Try again in a minute, or in another region with --region.",
  },
  {
    names: ["UnknownOperation"],
    code: "bad-response",
    message: (c) => `The endpoint does not know ${c.action ?? "this call"}.`,
    hint: () => "Check --endpoint-url, AWS_ENDPOINT_URL and baseUrl: openclaw doctor",
  },
];

function capitalize(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** `ThrottlingException`, `throttlingException` and `com.amazon#ThrottlingException:http://…` are one name. */
export function stemOf(name: string): string {
  const [bare = name] = (name.split("#").at(-1) ?? name).split(":");
  return bare.replace(/(Exception|Error)+$/, "").toLowerCase();
}

/** The first row that an AWS error falls under. */
export function findRow(name: string, message: string): ErrorRow | undefined {
  const stem = stemOf(name);
  return ERROR_TABLE.find(
    (row) => row.names.some((known) => stemOf(known) === stem) && (row.pattern?.test(message) ?? true),
  );
}

/** Whether something thrown is an error that AWS sent, by its name. */
export function isKnownAwsError(failure: unknown): failure is Error {
  return failure instanceof Error && findRow(failure.name, failure.message) !== undefined;
}
